"""Licenses below licenses, and what is paid for them: what goes to the chain, what facts follow."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.world import DESIGNER, MAKER, OPERATOR, SITE, UNITS, World, make_world
from guildmark.domain.chain.eip712 import TypedDataDomain, licenses_domain
from guildmark.domain.chain.facts import (
    ExtensionFact,
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    PaidFact,
)
from guildmark.domain.chain.refusals import (
    CreditMissingError,
    LaneStaleError,
    PaymentRefusedError,
    ReclaimStateError,
)
from guildmark.domain.identifiers import (
    ZERO_ADDRESS,
    Address,
    Digest,
    LicenseId,
    Uint256,
    UnitNumber,
    to_hex,
)
from guildmark.domain.rights.terms import Extension, Place, TermsKind
from guildmark.domain.signatures import recover_address
from guildmark.ports.facts import Facts
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.log.settling import licenses_of
from guildmark.services.rights.licenses import SignedExtension, Usage, usage
from guildmark.services.rights.licensors import NotLicensorError
from guildmark.services.rights.offers import Draft, Offer, OfferMismatchError, Offers, Price

COIN = Address(b"\7" * 20)


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose(DocumentKind.TERMS)
    return world


def offers(world: World, name: str) -> Offers:
    tools = world.tools
    return Offers(licenses=tools.licenses(name), store=tools.store, entropy=tools.entropy)


def fact(world: World, kind: type[Any], *key: int) -> Any:
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        return known(view.facts, kind, *key)


def lane(world: World, number: int) -> LaneFact:
    found: LaneFact = fact(world, LaneFact, number)
    return found


def license_(world: World, number: int) -> LicenseFact:
    found: LicenseFact = fact(world, LicenseFact, number)
    return found


def domain(world: World) -> TypedDataDomain:
    pin = world.tools.chain.pin()
    (contract,) = [pin.contracts[name].address for name in pin.contracts if name == "licenses"]
    return licenses_domain(chain_id=pin.chain_id, contract=contract)


def more(
    world: World, count: int, *, units: int | None = None, until: int | None = None
) -> SignedExtension:
    """Return further units of the first license, unsigned."""
    present = license_(world, 1)
    extension = Extension(
        license=present.id,
        units=present.units if units is None else units,
        more=count,
        offer_until=world.tools.chain.now + 9 if until is None else until,
    )
    return SignedExtension(extension=extension)


def under(world: World, units: int, **price: Any) -> Offer:
    """Offer the last units of the site's lane to the operator, as the site."""
    draft = Draft(
        design=world.revision.design,
        units=units,
        holder=world.operator,
        members={TermsKind.RECIPE: [to_hex(world.recipe.id())]},
        offer_until=world.tools.chain.now + 100,
        notice=5,
        price=Price(**price),
    )
    return offers(world, SITE).make(draft, licensor=KeyName(SITE), lane=lane(world, world.lane))


def test_offer_under_a_license_names_it_and_no_epoch(world: World) -> None:
    offer = under(world, 2)

    assert (offer.terms.parent, offer.terms.design_epoch) == (world.license, 0)
    assert offer.place == Place(lane=world.lane, end=lane(world, world.lane).end)
    assert Offer.parse(offer.encode()) == offer


def test_licensor_signs_lane_and_terms(world: World) -> None:
    offer = under(world, 2)
    assert offer.place is not None

    digest = domain(world).digest(offer.terms.sublicense_hash(offer.place))

    licensor = world.tools.keys.address(KeyName(SITE))
    assert recover_address(digest, offer.signature) == licensor


def test_licensee_signs_that_he_accepts(world: World) -> None:
    offer = under(world, 2, royalty=Uint256(3))

    accepted = offers(world, OPERATOR).accept(offer, licensee=KeyName(OPERATOR))

    digest = domain(world).digest(offer.terms.acceptance_hash())
    licensee = world.tools.keys.address(KeyName(OPERATOR))
    assert recover_address(digest, accepted.acceptance) == licensee
    assert replace(accepted, acceptance=b"") == offer


def test_offer_of_other_terms_is_not_accepted(world: World) -> None:
    offer = under(world, 2, royalty=Uint256(3))
    changed = replace(offer, terms=replace(offer.terms, royalty=Uint256(4)))

    with pytest.raises(OfferMismatchError):
        offers(world, OPERATOR).accept(changed, licensee=KeyName(OPERATOR))


def test_granted_offer_is_a_license_below(world: World) -> None:
    offer = under(world, 2)

    granted = offers(world, OPERATOR).grant(offer)

    made = lane(world, granted.lane)
    assert (made.first, made.next, made.end) == (2, 2, 4)
    assert (made.license, made.holder, made.log) == (granted.number, world.operator, 0)
    assert made.source == world.lane
    assert lane(world, world.lane).end == 2
    below = license_(world, granted.number)
    assert (below.id, below.first_lane, below.units) == (offer.id, granted.lane, 2)
    with world.tools.store.reading() as view:
        assert [one.id for one in licenses_of(made, view.facts)] == [offer.id, world.license]
        assert known(view.facts, LicenseNumberFact, offer.id).number == granted.number


@pytest.mark.parametrize("is_below", [False, True])
def test_who_was_not_the_first_to_submit_gets_the_same_answer(world: World, is_below: bool) -> None:
    upper = offers(world, DESIGNER).make(
        Draft(
            design=world.revision.design,
            units=3,
            holder=world.site,
            members={TermsKind.TEXT: ["more"]},
            offer_until=world.tools.chain.now + 100,
        ),
        licensor=KeyName(DESIGNER),
    )
    offer = under(world, 2) if is_below else upper
    first = offers(world, MAKER).grant(offer)
    count = len(world.tools.chain.lanes)
    world.tools.outbox.sent.clear()

    assert offers(world, OPERATOR).grant(offer) == first

    assert len(world.tools.chain.lanes) == count


def test_offer_of_a_lane_that_moved_is_refused(world: World) -> None:
    first, second = under(world, 1), under(world, 2)
    offers(world, OPERATOR).grant(first)

    with pytest.raises(LaneStaleError):
        offers(world, OPERATOR).grant(second)


def test_fee_goes_with_the_terms(world: World) -> None:
    offers(world, OPERATOR).grant(under(world, 1, fee=Uint256(8)))
    (sent,) = [call for call, _ in world.tools.outbox.sent.values() if call.value]
    offers(world, OPERATOR).grant(under(world, 1, fee=Uint256(8), currency=COIN))

    assert (sent.function, sent.value) == ("sublicense", 8)
    assert len([call for call, _ in world.tools.outbox.sent.values() if call.value]) == 1


def test_extension_is_a_lane_behind_the_last_unit(world: World) -> None:
    before = license_(world, 1)

    made = world.tools.licenses(DESIGNER).extend(more(world, 4))

    added, after = lane(world, made), license_(world, 1)
    assert (added.first, added.end, added.holder, added.source) == (4, 8, world.terms.holder, 0)
    assert (after.units, after.more) == (before.units + 4, 4)
    kept = fact(world, ExtensionFact, 1, added.first)
    assert (kept.end, kept.epoch, kept.at) == (8, 0, world.tools.chain.now)
    assert before.granted_at == after.granted_at < kept.at
    assert added.given_at == 0
    with pytest.raises(LaneStaleError):
        world.tools.licenses(DESIGNER).extend(more(world, 5, units=before.units))


def test_owner_signs_an_extension_that_anybody_submits(world: World) -> None:
    before, until = license_(world, 1), world.tools.chain.now + 9
    signed = world.tools.licenses(DESIGNER).sign_extension(
        before, 4, until=until, owner=KeyName(DESIGNER)
    )

    made = world.tools.licenses(OPERATOR).extend(SignedExtension.parse(signed.encode()))

    digest = domain(world).digest(signed.extension.struct_hash(0))
    owner = world.tools.keys.address(KeyName(DESIGNER))
    assert recover_address(digest, signed.signature) == owner
    assert signed.extension == more(world, 4, units=before.units, until=until).extension
    assert lane(world, made).end == before.units + 5


def test_who_does_not_own_the_design_signs_no_extension(world: World) -> None:
    with pytest.raises(NotLicensorError):
        world.tools.licenses(MAKER).sign_extension(
            license_(world, 1), 4, until=0, owner=KeyName(MAKER)
        )


def test_reclaimed_units_go_back_the_way_they_came(world: World) -> None:
    granted = offers(world, OPERATOR).grant(under(world, 2))
    site = world.tools.licenses(SITE)

    announced = site.reclaim(lane(world, granted.lane))

    due = lane(world, granted.lane).reclaim_at
    assert announced is None
    assert due == world.tools.chain.now + 5
    with pytest.raises(ReclaimStateError):
        site.reclaim(lane(world, granted.lane))
    while world.tools.chain.now < due:
        world.tools.chain.mine()
    taken = site.reclaim(lane(world, granted.lane))
    assert taken is not None
    back = lane(world, taken)
    assert (back.license, back.holder, back.first, back.end) == (1, world.site, 2, 4)
    given = lane(world, world.lane)
    assert (back.source, back.given_at) == (given.source, given.given_at)
    assert lane(world, granted.lane).given_at > given.given_at > 0
    assert lane(world, granted.lane).room == 0


def draw_one(world: World, royalty: int, currency: Address = ZERO_ADDRESS) -> LaneFact:
    """Let a log draw a unit of a license with a royalty; return its lane."""
    offer = under(world, 2, royalty=Uint256(royalty), currency=currency)
    granted = offers(world, OPERATOR).grant(offer)
    first = lane(world, granted.lane)
    cut = world.tools.licenses(OPERATOR).split(first, 2, log=world.log, to=world.site)
    chain = world.tools.chain
    chain.lanes[cut].next += 1
    chain.mine()
    drawn = {"lane": cut, "first": chain.lanes[cut].first, "n": 1}
    chain.emit(
        next(name for name in chain.pin().contracts if name == "licenses"), "UnitsDrawn", **drawn
    )
    return lane(world, cut)


@pytest.mark.parametrize(("currency", "value"), [(ZERO_ADDRESS, 7), (COIN, 0)])
def test_royalty_is_paid_for_drawn_units(world: World, currency: Address, value: int) -> None:
    drawn = draw_one(world, 7, currency)
    granted = license_(world, drawn.license)
    buyer = world.tools.licenses(MAKER)

    amount = buyer.pay(drawn, granted, paid=0, units=1)

    sent = [call for call, _ in world.tools.outbox.sent.values() if call.function == "pay"]
    assert (amount, sent[0].value) == (7, value)
    assert fact(world, PaidFact, drawn.number, granted.number).units == 1
    with pytest.raises(PaymentRefusedError):
        buyer.pay(drawn, granted, paid=1, units=1)


def test_payments_add_up(world: World) -> None:
    drawn = draw_one(world, 7)
    world.tools.chain.lanes[drawn.number].next += 1
    granted = license_(world, drawn.license)
    for paid in (0, 1):
        world.tools.licenses(MAKER).pay(drawn, granted, paid=paid, units=1)

    assert fact(world, PaidFact, drawn.number, granted.number).units == 2


def test_what_waits_is_withdrawn_once(world: World) -> None:
    drawn = draw_one(world, 7)
    granted = license_(world, drawn.license)
    world.tools.licenses(MAKER).pay(drawn, granted, paid=0, units=1)
    site = world.tools.licenses(SITE)
    to = Address(b"\3" * 20)

    assert site.credit(ZERO_ADDRESS) == 7
    assert site.withdraw(ZERO_ADDRESS, to=to) == 7
    assert site.credit(ZERO_ADDRESS) == 0
    with pytest.raises(CreditMissingError):
        site.withdraw(ZERO_ADDRESS, to=to)


def test_root_terms_are_signed_as_themselves(world: World) -> None:
    signed = world.tools.licenses(DESIGNER).sign(world.terms, licensor=KeyName(DESIGNER))

    assert signed.place is None
    owner = world.tools.keys.address(KeyName(DESIGNER))
    assert recover_address(Digest(signed.id), signed.signature) == owner


def test_units_that_were_licensed_on_are_listed_and_their_draws_count(world: World) -> None:
    before = used(world, world.license)
    offer = under(world, 2)
    offers(world, SITE).grant(offer)
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        child = license_fact(offer.id, view.facts)
        own = known(view.facts, LaneFact, child.first_lane)
    with world.tools.store.writing() as work:
        work.facts.put(replace(own, next=UnitNumber(own.next + 1)))

    after, below = used(world, world.license), used(world, offer.id)

    assert (before.children, before.drawn) == ((), 0)
    (listed,) = after.children
    assert listed.license.id == offer.id
    assert (listed.first, listed.end, listed.drawn) == (own.first, own.first + 2, 1)
    assert (after.drawn, below.drawn, below.children) == (1, 1, ())
    assert [one.number for one in below.lanes] == [own.number]
    units = sum(one.end - one.first for one in after.lanes) + listed.end - listed.first
    assert units == UNITS


def used(world: World, license_: LicenseId) -> Usage:
    with world.tools.store.reading() as view:
        return usage(license_fact(license_, view.facts), view.facts)


def license_fact(license_: LicenseId, facts: Facts) -> LicenseFact:
    return known(facts, LicenseFact, known(facts, LicenseNumberFact, license_).number)
