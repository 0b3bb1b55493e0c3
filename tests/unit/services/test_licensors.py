"""Who may sign a license, and whose signature a granted one bears."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fakes.world import DESIGNER, MAKER, OPERATOR, SITE, World, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import LaneFact
from guildmark.domain.chain.refusals import DesignUnknownError, SignatureRefusedError
from guildmark.domain.identifiers import DesignId, Uint256, to_hex
from guildmark.domain.rights.terms import TermsKind
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.rights.licensors import NotLicensorError
from guildmark.services.rights.offers import Draft, Offer, Offers, Price


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose(DocumentKind.TERMS)
    return world


def offers(world: World, name: str) -> Offers:
    tools = world.tools
    return Offers(licenses=tools.licenses(name), store=tools.store, entropy=tools.entropy)


def draft(world: World, royalty: int = 0) -> Draft:
    return Draft(
        design=world.revision.design,
        units=2,
        holder=world.operator,
        members={TermsKind.RECIPE: [to_hex(world.recipe.id())]},
        offer_until=world.tools.chain.now + 100,
        notice=5,
        price=Price(royalty=Uint256(royalty)),
    )


def root(world: World, name: str = DESIGNER, royalty: int = 0) -> Offer:
    return offers(world, name).make(draft(world, royalty), licensor=KeyName(name))


def below(world: World, name: str = SITE) -> Offer:
    with world.tools.store.reading() as view:
        lane = known(view.facts, LaneFact, world.lane)
    return offers(world, name).make(draft(world), licensor=KeyName(name), lane=lane)


def sell(world: World, to: str) -> None:
    """Transfer the design, unseen by the index."""
    token = int.from_bytes(world.revision.design, "big")
    account = world.tools.keys.address(KeyName(to))
    world.tools.chain.mine()
    moved = {"from": account, "to": account, "tokenId": token}
    world.tools.chain.emit(ContractName.DESIGNS, "Transfer", **moved)


def rotate(world: World, identity: bytes, to: str) -> None:
    account = world.tools.keys.address(KeyName(to))
    world.tools.chain.controllers[identity] = account
    changed = {"id": identity, "controller": account, "number": 2}
    world.tools.chain.emit(ContractName.IDENTITIES, "ControllerChanged", **changed)


def test_former_owner_signs_nothing(world: World) -> None:
    sell(world, MAKER)

    with pytest.raises(NotLicensorError) as caught:
        root(world)

    assert (caught.value.code, caught.value.exit_code) == ("license.notLicensor", 5)
    keys = world.tools.keys
    assert caught.value.detail == {
        "account": to_hex(keys.address(KeyName(DESIGNER))),
        "licensor": to_hex(keys.address(KeyName(MAKER))),
    }
    assert root(world, MAKER).terms.design == world.revision.design


def test_unknown_design_has_no_licensor(world: World) -> None:
    terms = replace(world.terms, design=DesignId(bytes(31) + b"\1"))

    with pytest.raises(DesignUnknownError):
        world.tools.licenses(DESIGNER).sign(terms, licensor=KeyName(DESIGNER))


def test_former_controller_of_a_lanes_holder_signs_nothing(world: World) -> None:
    rotate(world, world.site, MAKER)

    with pytest.raises(NotLicensorError):
        below(world)

    assert below(world, MAKER).place is not None


def test_whoever_signs_for_a_contract_is_the_contracts_to_say(world: World) -> None:
    sell(world, MAKER)
    world.tools.chain.with_code.add(world.tools.keys.address(KeyName(MAKER)))

    assert root(world).terms.design == world.revision.design


def flipped(signature: bytes) -> bytes:
    return signature[:40] + bytes((signature[40] ^ 1,)) + signature[41:]


@pytest.mark.parametrize("again", [DESIGNER, OPERATOR])
@pytest.mark.parametrize("make", [root, below])
def test_changed_signature_is_refused_after_the_grant(
    world: World, again: str, make: Callable[[World], Offer]
) -> None:
    offer = make(world)
    granted = offers(world, DESIGNER).grant(offer)

    for signature in (flipped(offer.signature), offer.signature[:-1], b""):
        with pytest.raises(SignatureRefusedError) as caught:
            offers(world, again).grant(replace(offer, signature=signature))
        assert (caught.value.code, caught.value.exit_code) == ("signature.refused", 12)

    assert offers(world, again).grant(offer) == granted


def test_granted_offer_stays_good_when_its_licensor_has_changed(world: World) -> None:
    at_root, under = root(world), below(world)
    granted = [offers(world, DESIGNER).grant(offer) for offer in (at_root, under)]
    sell(world, MAKER)
    rotate(world, world.site, MAKER)

    again = [offers(world, OPERATOR).grant(offer) for offer in (at_root, under)]

    assert again == granted


def test_changed_acceptance_is_refused_after_the_grant(world: World) -> None:
    offer = offers(world, OPERATOR).accept(root(world, royalty=3), licensee=KeyName(OPERATOR))
    granted = offers(world, DESIGNER).grant(offer)

    with pytest.raises(SignatureRefusedError):
        offers(world, DESIGNER).grant(replace(offer, acceptance=flipped(offer.acceptance)))

    assert offers(world, MAKER).grant(replace(offer, acceptance=b"")) == granted
    assert offers(world, MAKER).grant(offer) == granted


def test_signature_of_a_contract_is_the_chains_to_judge(world: World) -> None:
    offer = root(world)
    granted = offers(world, DESIGNER).grant(offer)
    world.tools.chain.with_code.add(world.tools.keys.address(KeyName(DESIGNER)))

    again = offers(world, DESIGNER).grant(replace(offer, signature=b"as the contract says"))

    assert again == granted
