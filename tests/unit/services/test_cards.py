"""Cards: what stands about an identity, and what contradicts it."""

import pytest

from fakes.world import ISSUER, MAKER, World, make_world
from guildmark.domain.chain.facts import NumberFact
from guildmark.domain.identifiers import Bytes32, ClaimId, IdentityId
from guildmark.domain.identity.identity import ClaimDocument, MalformedSchemeError, number_digest
from guildmark.domain.identity.registers import WrongBpnCheckError
from guildmark.ports.store import DocumentKind
from guildmark.services.identity import identities
from guildmark.services.identity.cards import RIVALS_MAX, Stated, holders, stated
from guildmark.services.identity.naming import name_of
from guildmark.services.recipes.disclosing import claim_body

ONE, OTHER = "506700GE1G29325QX363", "529900T8BM49AURSDO55"


@pytest.fixture
def world() -> World:
    return make_world()


def document(scheme: str, value: str, salt: int = 0) -> ClaimDocument:
    return ClaimDocument(scheme=scheme, value=value, salt=Bytes32(salt.to_bytes(32, "big")))


def state(world: World, subject: IdentityId, said: ClaimDocument, *, by: str = ISSUER) -> ClaimId:
    issuer = world.issuer if by == ISSUER else world.maker
    made = world.tools.identities(by).claim_public(issuer, subject, said)
    world.tools.indexing(world.log).follow()
    return made


def card(world: World, subject: IdentityId) -> tuple[Stated, ...]:
    with world.tools.store.reading() as view:
        return stated(subject, view)


def rivals(one: Stated) -> list[ClaimId]:
    return [rival.id for rival in one.rivals]


def test_a_public_claim_is_read_by_everybody(world: World) -> None:
    made = state(world, world.maker, document("LEI", ONE))

    (one,) = card(world, world.maker)

    assert (one.fact.id, one.scheme, one.value) == (made, "LEI", ONE)
    assert (one.rivals, one.is_own_word) == ((), False)


def test_a_wrong_identifier_is_not_made_public(world: World) -> None:
    sent = len(world.tools.outbox.sent)

    with pytest.raises(WrongBpnCheckError):
        state(world, world.maker, document("BPN", "BPNL00000003AYER"))

    assert len(world.tools.outbox.sent) == sent


@pytest.mark.parametrize(
    ("scheme", "value", "is_malformed"),
    [
        ("LEI", ONE, False),
        ("LEI", ONE[:-1] + "4", True),
        ("lei", ONE, True),
        ("NAME", "Oficina", False),
    ],
)
def test_what_another_program_stated_is_checked_where_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch, scheme: str, value: str, is_malformed: bool
) -> None:
    # The contract takes any text of anybody: only programs that ask first refuse.
    monkeypatch.setattr(identities, "check_identifier", lambda *_: None)
    state(world, world.maker, document(scheme, value))

    (one,) = card(world, world.maker)

    assert (one.scheme, one.value, one.is_malformed) == (scheme, value, is_malformed)


def test_a_hidden_claim_has_no_value_and_no_rivals(world: World) -> None:
    state(world, world.designer, document("LEI", ONE))
    hidden = document("LEI", ONE, salt=7)
    world.tools.identities(ISSUER).claim(world.issuer, world.maker, hidden)
    world.tools.store.forget_documents(DocumentKind.CLAIM)
    world.tools.indexing(world.log).follow()

    (one,) = card(world, world.maker)

    assert (one.value, one.rivals, one.is_malformed) == (None, (), False)


def test_a_hidden_claim_is_compared_once_it_is_disclosed(world: World) -> None:
    first = state(world, world.designer, document("LEI", ONE))
    hidden = document("LEI", ONE, salt=7)
    made = world.tools.identities(ISSUER).claim(world.issuer, world.maker, hidden)
    world.tools.store.forget_documents(DocumentKind.CLAIM)
    world.tools.indexing(world.log).follow()

    body = claim_body(world.issuer, world.maker, hidden)
    world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)

    (one,), (other,) = card(world, world.maker), card(world, world.designer)
    assert (rivals(one), rivals(other)) == ([first], [made])


def test_an_own_claim_is_found_after_the_index_is_made_anew(world: World) -> None:
    said = document("NAME", "Oficina Mondego", salt=7)
    made = world.tools.identities(ISSUER).claim(world.issuer, world.maker, said)

    world.tools.indexing(world.log).rebuild()

    with world.tools.store.reading() as view:
        assert [one.id for one in holders("NAME", "Oficina Mondego", view.facts)] == [made]
        assert holders("NAME", "Oficina", view.facts) == []


def test_one_identifier_of_two_holders_contradicts_both(world: World) -> None:
    first = state(world, world.maker, document("CAGE", "1ABC2"))
    second = state(world, world.designer, document("CAGE", "1ABC2"), by=MAKER)

    (one,), (other,) = card(world, world.maker), card(world, world.designer)

    assert (rivals(one), rivals(other)) == ([second], [first])


def test_two_issuers_of_one_mind_contradict_nobody(world: World) -> None:
    state(world, world.maker, document("LEI", ONE))
    state(world, world.maker, document("LEI", ONE), by=MAKER)

    assert [one.rivals for one in card(world, world.maker)] == [(), ()]
    assert {one.is_own_word for one in card(world, world.maker)} == {False, True}


def test_two_leis_of_one_holder_contradict_each_other(world: World) -> None:
    first = state(world, world.maker, document("LEI", ONE))
    second = state(world, world.maker, document("LEI", OTHER), by=MAKER)

    found = {one.fact.id: rivals(one) for one in card(world, world.maker)}

    assert found == {first: [second], second: [first]}


def test_two_glns_of_one_holder_stand_side_by_side(world: World) -> None:
    state(world, world.maker, document("GLN", "4012345000009"))
    state(world, world.maker, document("GLN", "9506000134352"))

    assert [one.rivals for one in card(world, world.maker)] == [(), ()]


def test_a_revoked_claim_stands_last_and_contradicts_nobody(world: World) -> None:
    first = state(world, world.maker, document("CAGE", "1ABC2"))
    state(world, world.designer, document("CAGE", "1ABC2"), by=MAKER)
    lei = state(world, world.maker, document("LEI", ONE))
    other = state(world, world.maker, document("LEI", OTHER), by=MAKER)
    for issuer, by, one in [(world.issuer, ISSUER, first), (world.maker, MAKER, other)]:
        world.tools.identities(by).revoke_claim(issuer, one)
    world.tools.indexing(world.log).follow()

    found = card(world, world.maker)

    assert [one.fact.id for one in found] == [lei, first, other]
    assert [one.rivals for one in found] == [(), (), ()]
    (left,) = card(world, world.designer)
    assert left.rivals == ()


def test_a_card_bounds_what_contradicts_it(world: World) -> None:
    made = state(world, world.maker, document("CAGE", "1ABC2"))
    for salt in range(RIVALS_MAX + 1):
        state(world, world.designer, document("CAGE", "1ABC2", salt), by=MAKER)

    (one,) = card(world, world.maker)

    assert one.fact.id == made
    assert len(one.rivals) == RIVALS_MAX


def test_holders_are_told_by_age(world: World) -> None:
    first = state(world, world.maker, document("CAGE", "1ABC2"))
    second = state(world, world.designer, document("CAGE", "1ABC2"), by=MAKER)

    with world.tools.store.reading() as view:
        assert [one.id for one in holders("CAGE", "1ABC2", view.facts)] == [first, second]
        with pytest.raises(MalformedSchemeError):
            holders("", "1ABC2", view.facts)


def test_the_index_finds_claims_by_scheme_number_and_id(world: World) -> None:
    made = state(world, world.maker, document("CAGE", "1ABC2"))

    with world.tools.store.reading() as view:
        (found,) = view.facts.each(NumberFact)
    assert found.key == (b"CAGE".ljust(32, b"\0"), number_digest("1ABC2"), made)


def test_a_name_is_the_profiles(world: World) -> None:
    with world.tools.store.writing() as work:
        assert name_of(world.issuer, work.documents) != ""
        work.documents.put(DocumentKind.PROFILE, world.issuer, b'{"name":7}')
        assert name_of(world.issuer, work.documents) == ""
    world.tools.store.forget_documents(DocumentKind.PROFILE)
    with world.tools.store.reading() as view:
        assert name_of(world.issuer, view.documents) == ""
