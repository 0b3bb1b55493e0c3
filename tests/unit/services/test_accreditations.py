"""Accreditations: given, revoked, disclosed, and shown with the parts that need them."""

import pytest

from fakes.world import ISSUER, MAKER, OPERATOR, RECIPE, World, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.refusals import AccreditationUnknownError, CallerRefusedError
from guildmark.domain.chain.storage import IntervalWord
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import MemberUnknownError
from guildmark.domain.identifiers import (
    AccreditationId,
    Bytes32,
    IdentityId,
    Index,
)
from guildmark.domain.identity.accreditation import Requirement, ScopeDocument, was_accredited
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.domain.trust import VERSION, Trust
from guildmark.domain.verification.evidence import AccreditationDisclosure
from guildmark.ports.store import DocumentKind
from guildmark.services.identity.accreditations import (
    PER_SUBJECT_MAX,
    accreditation_fact,
    accreditations_above,
    accreditations_of,
    issuers_above,
    shown_accreditation,
)
from guildmark.services.identity.notices import Suspicion
from guildmark.services.recipes.disclosing import (
    DisclosedThingUnknownError,
    clauses_body,
)

SCOPE = ScopeDocument(standard="ISO 13485", salt=Bytes32(b"\7" * 32))
UPPER = ScopeDocument(standard="ISO 13485", delegations=1)
WANTED = Requirement(standard="ISO 13485")


@pytest.fixture
def world() -> World:
    return make_world()


def give(
    world: World, issuer: str, subject: IdentityId, scope: ScopeDocument = SCOPE, **times: int
) -> AccreditationId:
    speakers = {ISSUER: world.issuer, OPERATOR: world.operator, MAKER: world.maker}
    given = world.tools.accreditations(issuer).give(speakers[issuer], subject, scope, **times)
    world.tools.indexing(world.log).follow()
    return given


def nobody(world: World) -> Trust:
    """Return the trust of a reader who lists nobody."""
    return Trust(version=VERSION, chain=world.tools.chain.pin())


def ask_for(world: World, standard: str) -> None:
    """Let the recipe that this home shows ask for an accreditation."""
    clause = Clause(
        path=ClausePath("/qa/accreditation/quality"),
        type=ClauseType.TEXT,
        klass=ClauseClass.CORE,
        salt=Bytes32(b"\1" * 32),
        value=standard,
    )
    leaves = sorted((*RECIPE.clauses, clause), key=lambda leaf: leaf.path)
    with world.tools.store.writing() as work:
        body = clauses_body(disclose_all(leaves))
        work.documents.put(DocumentKind.RECIPE, world.recipe.id(), body)


def logged(world: World) -> World:
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope()])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return world


def test_what_is_given_is_on_chain_and_its_scope_in_this_home(world: World) -> None:
    given = give(world, ISSUER, world.maker, since=5, until=9)

    with world.tools.store.reading() as view:
        fact = accreditation_fact(given, view)
        shown = shown_accreditation(view.documents, given)
    assert (fact.issuer, fact.subject, fact.scope) == (world.issuer, world.maker, SCOPE.digest())
    assert (fact.since, fact.until, fact.revoked_at) == (5, 9, 0)
    assert shown == AccreditationDisclosure(issuer=world.issuer, subject=world.maker, scope=SCOPE)
    assert shown.id() == given


def test_only_the_issuer_gives_and_revokes(world: World) -> None:
    with pytest.raises(CallerRefusedError):
        world.tools.accreditations(MAKER).give(world.issuer, world.maker, SCOPE)
    given = give(world, ISSUER, world.maker)
    with pytest.raises(CallerRefusedError):
        world.tools.accreditations(MAKER).revoke(given)


def test_revoked_is_revoked_once_from_now_on(world: World) -> None:
    given = give(world, ISSUER, world.maker)

    for _ in range(2):
        world.tools.accreditations(ISSUER).revoke(given)
    world.tools.indexing(world.log).follow()

    with world.tools.store.reading() as view:
        fact = accreditation_fact(given, view)
    assert fact.revoked_at == world.tools.chain.now
    assert [event.name for event in world.tools.chain.log].count("AccreditationRevoked") == 1


def test_what_nobody_gave_is_not_revoked(world: World) -> None:
    unknown = AccreditationId(b"\5" * 32)

    with pytest.raises(AccreditationUnknownError, match="No final block holds"):
        world.tools.accreditations(ISSUER).revoke(unknown)


def test_a_scope_document_is_kept_where_the_chain_holds_it(world: World) -> None:
    given = give(world, ISSUER, world.maker)
    body = AccreditationDisclosure(issuer=world.issuer, subject=world.maker, scope=SCOPE).encode()

    world.tools.disclosing.receive(DocumentKind.ACCREDITATION, given, body)

    assert world.tools.disclosing.show(DocumentKind.ACCREDITATION, given) == body


def test_another_scope_than_the_chains_is_refused(world: World) -> None:
    given = give(world, ISSUER, world.maker)
    wider = AccreditationDisclosure(issuer=world.issuer, subject=world.maker, scope=UPPER).encode()
    never = AccreditationDisclosure(issuer=world.issuer, subject=world.maker, scope=UPPER)
    receive = world.tools.disclosing.receive

    with pytest.raises(DisclosedThingUnknownError):
        receive(DocumentKind.ACCREDITATION, given, wider)
    with pytest.raises(DisclosedThingUnknownError):
        receive(DocumentKind.ACCREDITATION, never.id(), wider)
    with pytest.raises(DisclosedThingUnknownError):
        receive(DocumentKind.ACCREDITATION, never.id(), wider)
    more = canonical({"more": 1, **dict(codec.dump(never).items())})  # type: ignore[union-attr]  # an object
    with pytest.raises(MemberUnknownError):
        receive(DocumentKind.ACCREDITATION, given, more)


def test_a_part_is_shown_with_the_chain_that_its_recipe_asks_for(world: World) -> None:
    of_maker = give(world, ISSUER, world.maker)
    of_issuer = give(world, OPERATOR, world.issuer, UPPER)
    give(world, ISSUER, world.maker, ScopeDocument(standard="ISO 9001"))
    logged(world)
    ask_for(world, "ISO 13485")

    disclosed = world.tools.exporter.evidence(world.log, Index(0)).disclosed

    assert [one.id() for one in disclosed.accreditations] == [of_maker, of_issuer]
    named = {profile.identity for profile in disclosed.profiles}
    assert {world.issuer, world.operator} <= named


def test_a_part_of_a_recipe_that_asks_for_nothing_shows_none(world: World) -> None:
    give(world, ISSUER, world.maker)
    logged(world)

    assert world.tools.exporter.evidence(world.log, Index(0)).disclosed.accreditations == ()


def test_what_this_home_cannot_read_is_not_shown(world: World) -> None:
    said = {"issuer": world.issuer, "subject": world.site, "scope": SCOPE.digest()}
    times = {"from": 1, "to": 0}
    world.tools.chain.mine()
    world.tools.chain.emit(
        ContractName.IDENTITIES, "Accredited", accreditation=b"\3" * 32, **said, **times
    )
    world.tools.indexing(world.log).follow()

    with world.tools.store.reading() as view:
        assert len(accreditations_of(world.site, view)) == 1
        assert issuers_above([world.site], [WANTED], view) == ()


def test_strangers_do_not_crowd_out_what_was_given_before(world: World) -> None:
    first = give(world, ISSUER, world.maker, since=1)
    for number in range(PER_SUBJECT_MAX):
        scope = ScopeDocument(standard="ISO 13485", certificate=f"{number}")
        give(world, MAKER, world.maker, scope, since=2 + number)

    with world.tools.store.reading() as view:
        shown = issuers_above([world.maker], [WANTED], view)
        every = accreditations_of(world.maker, view)

    assert len(shown) == PER_SUBJECT_MAX
    assert shown[0].id() == first
    assert len(every) == PER_SUBJECT_MAX + 1


@pytest.mark.parametrize(("later", "doubted"), [(0, True), (1, False)])
def test_what_an_issuer_gave_in_doubt_is_told_as_doubted(
    world: World, later: int, doubted: bool
) -> None:
    give(world, ISSUER, world.maker)
    with world.tools.store.reading() as view:
        since = accreditations_of(world.maker, view)[0].since
    notice = Suspicion(since=since + later)
    world.tools.notices(ISSUER).of_controller(world.issuer, notice)
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        (shown,) = accreditations_above(world.maker, view, nobody(world))

    assert shown.is_doubted is doubted


@pytest.mark.parametrize(("earlier", "doubted"), [(0, True), (-1, False)])
def test_what_is_dated_ahead_is_doubted_by_when_it_was_given(
    world: World, earlier: int, doubted: bool
) -> None:
    since = world.tools.chain.now + 5_000
    give(world, ISSUER, world.maker, since=since)
    with world.tools.store.reading() as view:
        given = accreditations_of(world.maker, view)[0]
    world.tools.notices(ISSUER).of_controller(
        world.issuer, Suspicion(since=given.recorded_at - earlier)
    )
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        (shown,) = accreditations_above(world.maker, view, nobody(world))

    assert given.since == since > given.recorded_at
    assert shown.is_doubted is doubted


def test_who_accredits_late_with_an_early_date_crowds_nobody_out(world: World) -> None:
    first = give(world, ISSUER, world.maker, since=world.tools.chain.now + 900)
    for number in range(PER_SUBJECT_MAX):
        scope = ScopeDocument(standard="ISO 13485", certificate=f"{number}")
        give(world, MAKER, world.maker, scope)

    with world.tools.store.reading() as view:
        shown = issuers_above([world.maker], [WANTED], view)

    assert shown[0].id() == first


def test_the_index_answers_whether_somebody_was_accredited(world: World) -> None:
    give(world, ISSUER, world.maker, since=10, until=20)
    give(world, OPERATOR, world.issuer, UPPER, since=5)

    with world.tools.store.reading() as view:
        shown = accreditations_above(world.maker, view, nobody(world))

    def held(at: int, root: IdentityId) -> bool:
        times = (IntervalWord(since=0, until=0),)
        answer = was_accredited(
            world.maker, WANTED, at, shown=shown, roots=lambda one: times if one == root else ()
        )
        return answer.is_held

    assert [held(at, world.operator) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert held(10, world.issuer)
    assert not held(10, world.designer)
