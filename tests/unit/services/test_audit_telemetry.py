"""An audit's view of telemetry: each state, by answers and by what nodes hold."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace

import pytest

from fakes.telemetry import chunks
from fakes.world import World, log_unasked, make_world
from guildmark.domain.audit.findings import Flaw, Place
from guildmark.domain.audit.telemetry import Answers, Drawing, TelemetryState
from guildmark.domain.audit.units import SCRAP, VOID, AuditedUnit, DrawnUnit, UnitRow
from guildmark.domain.builds.predicate import Resource
from guildmark.domain.builds.telemetry import disclose_chunks, locate_chunks, telemetry_resource
from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Cid, Index, LogNumber
from guildmark.ports.audit import EvidenceSource
from guildmark.ports.peers import PeerUnavailableError
from guildmark.services.audit.scope import Scope, drawn
from guildmark.services.audit.telemetry import Asking, Judged, Telemetry

NONCE = Bytes32(sha256(b"nonce"))
OTHER = Bytes32(sha256(b"other"))
DRAWING = Drawing(nonce=NONCE, most=2)
TOLD = chunks("job", ["210", "211", "212"])
STORED = [(data, Cid(f"cid{place}")) for place, data in enumerate(TOLD)]
ALL = frozenset(cid for _, cid in STORED)


@dataclass(frozen=True)
class Source:
    """A node that holds some addresses, or does not answer."""

    contents: Set[Cid] = frozenset()
    is_down: bool = False

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        raise NotImplementedError

    def log_checkpoint(self, log: LogNumber) -> bytes | None:
        raise NotImplementedError

    def holds(self, cid: Cid) -> bool:
        if self.is_down:
            message = "The node does not answer."
            raise PeerUnavailableError(message)
        return cid in self.contents


@pytest.fixture(scope="module")
def unit() -> tuple[World, DrawnUnit]:
    """Return a unit on record, and its world."""
    world = make_world()
    log_unasked(world, world.envelope(1))
    world.tools.indexing(world.log).follow()
    with world.tools.store.reading() as view:
        assert list(view.facts.each(RecordFact, world.log))
        (record,) = drawn(Scope(license=world.license), view.facts)
    return world, next(iter(record.units()))


@pytest.fixture(scope="module")
def part(unit: tuple[World, DrawnUnit]) -> AuditedUnit:
    """Return a part whose machine committed to telemetry."""
    world, found = unit
    said = replace(world.statement(1), byproducts=(telemetry_resource(TOLD),))
    return AuditedUnit(unit=found, state="verified", statement=said)


def opened(nonce: Bytes32 = NONCE) -> bytes:
    return disclose_chunks(TOLD, nonce=nonce, most=2).encode()


def kept(nonce: Bytes32 = NONCE) -> bytes:
    return locate_chunks(STORED, nonce=nonce, most=2).encode()


def judged(one: AuditedUnit, answers: Answers, *sources: Source) -> Judged:
    named: Mapping[str, EvidenceSource] = {
        f"node {number}": each for number, each in enumerate(sources, 1)
    }
    asking = Asking(drawing=DRAWING, answers=lambda _: answers)
    return Telemetry(asking=asking, sources=named).of(one)


def test_a_part_without_telemetry_is_said_to_have_none(part: AuditedUnit) -> None:
    assert part.statement is not None
    photo = Resource(name="photo/1", digest=sha256(b"photo"))
    bare = replace(part, statement=replace(part.statement, byproducts=(photo,)))

    assert judged(bare, Answers(opened=opened())) == Judged(state=TelemetryState.NONE)


def test_an_audit_that_draws_nothing_says_so(part: AuditedUnit) -> None:
    found = Telemetry(asking=Asking(), sources={}).of(part)

    assert found == Judged(state=TelemetryState.UNASKED)


def test_who_draws_and_is_handed_nothing_sees_nothing(part: AuditedUnit) -> None:
    found = Telemetry(asking=Asking(drawing=DRAWING), sources={}).of(part)

    assert found.state is TelemetryState.WITHHELD


@pytest.mark.parametrize(
    ("answers", "sources", "state", "flaw"),
    [
        (Answers(), (), TelemetryState.WITHHELD, Flaw.TELEMETRY_UNOPENED),
        (Answers(opened=opened()), (), TelemetryState.OPENED, None),
        (Answers(opened=opened(), kept=kept()), (Source(ALL),), TelemetryState.OPENED, None),
        (Answers(kept=kept()), (Source(ALL),), TelemetryState.HELD, Flaw.TELEMETRY_UNOPENED),
        (
            *(Answers(opened=opened(), kept=kept()), (Source(),)),
            *(TelemetryState.MISSING, Flaw.TELEMETRY_MISSING),
        ),
        (
            *(Answers(kept=kept()), (Source(), Source(is_down=True))),
            *(TelemetryState.UNREACHABLE, Flaw.TELEMETRY_UNOPENED),
        ),
        (
            *(Answers(opened=opened(), kept=kept()), (Source(is_down=True),)),
            *(TelemetryState.OPENED, None),
        ),
        (Answers(opened=opened(OTHER)), (), TelemetryState.WRONG, Flaw.TELEMETRY_WRONG),
        (Answers(kept=kept(OTHER)), (Source(ALL),), TelemetryState.WRONG, Flaw.TELEMETRY_WRONG),
        (Answers(opened=b"junk"), (), TelemetryState.WRONG, Flaw.TELEMETRY_WRONG),
        (
            *(Answers(opened=opened(), kept=b"{}"), (Source(ALL),)),
            *(TelemetryState.WRONG, Flaw.TELEMETRY_WRONG),
        ),
    ],
)
def test_each_answer_has_its_state_and_its_finding(
    part: AuditedUnit,
    answers: Answers,
    sources: tuple[Source, ...],
    state: TelemetryState,
    flaw: Flaw | None,
) -> None:
    found = judged(part, answers, *sources)

    assert found.state is state
    assert (None if found.finding is None else found.finding.flaw) is flaw
    if found.finding is not None:
        assert found.finding.places == (part.unit.place,)
        assert found.finding.reason.startswith("Unit 1 of 0x")


def test_what_any_node_holds_is_held(part: AuditedUnit) -> None:
    first, second, third = (Source(frozenset({cid})) for _, cid in STORED)

    assert judged(part, Answers(kept=kept()), first, second, third).state is TelemetryState.HELD


def test_missing_chunks_are_counted(part: AuditedUnit) -> None:
    found = judged(part, Answers(kept=kept()), Source())
    one = judged(part, Answers(kept=kept()), Source(ALL - {_drawn()[0]}))

    assert found.finding is not None
    assert one.finding is not None
    assert "and 1 more" in found.finding.reason
    assert one.finding.reason.endswith(f"nobody holds its chunk {_drawn()[0]}.")


def _drawn() -> list[Cid]:
    return [one.cid for one in locate_chunks(STORED, nonce=NONCE, most=2).kept]


def test_who_did_not_answer_is_told_once_a_question(part: AuditedUnit) -> None:
    found = judged(part, Answers(kept=kept()), Source(is_down=True), Source(ALL))

    assert (found.state, found.silent) == (TelemetryState.HELD, ["node 1", "node 1"])


@pytest.mark.parametrize("state", [VOID, "replaced"])
def test_what_is_no_part_any_more_is_not_asked_about(part: AuditedUnit, state: str) -> None:
    assert judged(replace(part, state=state), Answers()) == Judged()


def test_what_is_not_shown_has_no_telemetry_to_speak_of(part: AuditedUnit) -> None:
    assert judged(replace(part, statement=None), Answers()) == Judged()


def test_scrap_is_asked_about_and_the_row_says_what_became_of_it(part: AuditedUnit) -> None:
    scrap = replace(part, state=SCRAP)
    found = judged(scrap, Answers())

    assert found.state is TelemetryState.WITHHELD
    assert UnitRow.of(replace(scrap, telemetry=found.state)).telemetry == "withheld"
    assert UnitRow.of(scrap).telemetry == ""


@pytest.mark.parametrize("name", ["telemetry/0", "telemetry/x", "telemetry/4"])
def test_a_commitment_that_no_answer_fits_is_wrong(part: AuditedUnit, name: str) -> None:
    assert part.statement is not None
    resource = Resource(name=name, digest=telemetry_resource(TOLD).digest)
    odd = replace(part, statement=replace(part.statement, byproducts=(resource,)))

    assert judged(odd, Answers(opened=opened())).state is TelemetryState.WRONG


def test_answers_are_asked_for_by_place(part: AuditedUnit) -> None:
    asked: list[Place] = []

    def answers(place: Place) -> Answers:
        asked.append(place)
        return Answers(opened=opened())

    ask: Callable[[Place], Answers] = answers
    Telemetry(asking=Asking(drawing=DRAWING, answers=ask), sources={}).of(part)

    assert asked == [part.unit.place]
