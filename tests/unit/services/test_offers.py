"""Offers: what an owner signs is what the licensee can read, check and submit."""

from dataclasses import replace

import pytest

from fakes.world import DESIGNER, MAKER, PREFIX, World, make_world
from guildmark.domain.chain.refusals import DesignUnknownError
from guildmark.domain.encoding.fields import MemberUnknownError
from guildmark.domain.identifiers import DesignId, Uint256, to_hex
from guildmark.domain.recipes.clauses import MalformedClauseTreeError, clause_root
from guildmark.domain.rights.terms import TermsKind
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.recipes.disclosing import shown_clauses
from guildmark.services.rights.offers import Draft, Offer, OfferMismatchError, Offers


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def offers(world: World, name: str = DESIGNER) -> Offers:
    tools = world.tools
    return Offers(licenses=tools.licenses(name), store=tools.store, entropy=tools.entropy)


def draft(world: World) -> Draft:
    return Draft(
        design=world.revision.design,
        units=5,
        holder=world.maker,
        members={TermsKind.RECIPE: [to_hex(world.recipe.id())], TermsKind.TEXT: ["Five."]},
        offer_until=world.tools.chain.now + 100,
        notice=60,
    )


def make(world: World) -> Offer:
    return offers(world).make(draft(world), licensor=KeyName(DESIGNER))


def test_offer_says_what_was_drafted(world: World) -> None:
    offer = make(world)

    assert (offer.terms.units, offer.terms.holder) == (5, world.maker)
    assert (offer.terms.not_before, offer.terms.not_after, offer.terms.notice) == (0, 0, 60)
    assert [clause.value for clause in offer.members] == [to_hex(world.recipe.id()), "Five."]
    assert clause_root(offer.members) == offer.terms.terms_root


def test_two_offers_of_one_draft_are_two_licenses(world: World) -> None:
    assert make(world).id != make(world).id


def test_offer_survives_its_file(world: World) -> None:
    offer = make(world)

    assert Offer.parse(offer.encode()) == offer


def test_offer_with_an_unknown_member_is_refused(world: World) -> None:
    data = make(world).encode().replace(b'{"id"', b'{"extra":1,"id"', 1)

    with pytest.raises(MemberUnknownError):
        Offer.parse(data)


def test_granted_offer_gives_number_and_lane(world: World) -> None:
    offer = make(world)

    granted = offers(world, MAKER).grant(offer)

    assert world.tools.chain.terms[granted.number] == offer.terms
    assert world.tools.chain.lanes[granted.lane].holder == world.maker


def test_both_sides_keep_what_opens_the_terms(world: World) -> None:
    offer = make(world)

    with world.tools.store.reading() as view:
        shown = shown_clauses(view.documents, DocumentKind.TERMS, offer.id)

    assert shown is not None
    assert shown.verify(offer.terms.terms_root).is_complete


def test_offer_under_another_id_is_not_sent(world: World) -> None:
    offer = make(world)
    changed = replace(offer, terms=replace(offer.terms, nonce=Uint256(7)))
    sent = len(world.tools.outbox.sent)

    with pytest.raises(OfferMismatchError, match="on this chain"):
        offers(world).grant(changed)

    assert len(world.tools.outbox.sent) == sent


def test_offer_with_other_members_is_not_sent(world: World) -> None:
    offer = make(world)
    changed = replace(offer, members=offer.members[:1])

    with pytest.raises(OfferMismatchError, match="members"):
        offers(world).grant(changed)


def test_unknown_design_cannot_be_offered(world: World) -> None:
    unknown = replace(draft(world), design=DesignId(bytes(32)))

    with pytest.raises(DesignUnknownError):
        offers(world).make(unknown, licensor=KeyName(DESIGNER))


def test_offer_that_names_nothing_is_refused(world: World) -> None:
    empty = replace(draft(world), members={TermsKind.LABEL_NAMESPACE: []})

    with pytest.raises(MalformedClauseTreeError):
        offers(world).make(empty, licensor=KeyName(DESIGNER))


def test_label_namespace_is_a_member(world: World) -> None:
    named = replace(draft(world), members={TermsKind.LABEL_NAMESPACE: [PREFIX]})

    offer = offers(world).make(named, licensor=KeyName(DESIGNER))

    assert [clause.path for clause in offer.members] == ["/terms/labelNamespace/0000"]
