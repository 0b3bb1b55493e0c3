"""The audit of a log's draws: which units were drawn for nothing, and by which record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Index, LaneNumber, LogNumber, Seq, UnitNumber
from guildmark.domain.log.queue import Logged
from guildmark.domain.log.record import GrantedUnit, Record
from guildmark.ports.store import NodeStore, View


class Burn(StrEnum):
    """Why a drawn unit has no part."""

    UNOPENED = "unopened"
    """Nobody shows this node what stands at the position."""
    NO_BUILD = "noBuild"
    """What stands there is no build."""
    OTHER_LANE = "otherLane"
    """The statement there names another log or lane."""
    OTHER_UNIT = "otherUnit"
    """The statement there names another unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnedUnit:
    """A unit that a record drew and no part has."""

    log: LogNumber
    seq: Seq
    index: Index
    lane: LaneNumber
    unit: UnitNumber
    burn: Burn


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawAudit:
    """What the records of a log drew, beside what was made of it."""

    log: LogNumber
    records: int
    drawn: int
    burned: Sequence[BurnedUnit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Burning:
    """Use cases around units that were drawn for nothing, say with a stolen writer key.

    They come back by `license extend`, which the design's owner signs.
    """

    store: NodeStore

    def audit(self, log: LogNumber) -> DrawAudit:
        """Compare every draw of this home's log with the entries that it can open."""
        with self.store.reading() as view:
            records = [fact.record for fact in view.facts.each(RecordFact, log)]
            burned = tuple(one for record in records for one in _burned(record, view))
        drawn = sum(grant.n for each in records for grant in each.grants if not grant.is_refused)
        return DrawAudit(log=log, records=len(records), drawn=drawn, burned=burned)


def _burned(record: Record, view: View) -> Iterator[BurnedUnit]:
    for position in range(record.count):
        granted = record.unit_at(position)
        if granted is None:
            continue
        index = record.index_of(position)
        burn = _why(record, granted, view.log.logged(record.log, index))
        if burn is not None:
            yield BurnedUnit(
                log=record.log,
                seq=record.seq,
                index=index,
                lane=granted.lane,
                unit=granted.unit,
                burn=burn,
            )


def _why(record: Record, granted: GrantedUnit, logged: Logged | None) -> Burn | None:
    if logged is None:
        return Burn.UNOPENED
    if not logged.queued.entry.kind.is_counted:
        return Burn.NO_BUILD
    try:
        said = BuildStatement.parse(Envelope.parse(logged.queued.envelope).payload).external
    except GuildmarkError:
        return Burn.NO_BUILD
    if (said.log, said.lane) != (record.log, granted.lane):
        return Burn.OTHER_LANE
    return Burn.OTHER_UNIT if said.unit not in {None, granted.unit} else None
