"""Whether logs are whole: records that follow one another, draws that add up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from guildmark.domain.audit.accounts import LaneAccount, LogAccount
from guildmark.domain.audit.findings import Finding, Flaw
from guildmark.domain.chain.facts import LaneFact, LogFact, RecordFact
from guildmark.domain.identifiers import IdentityId, LaneNumber, LogNumber, Seq
from guildmark.domain.log.record import Record
from guildmark.ports.facts import Facts
from guildmark.services.audit.scope import AuditedLane

_NOBODY = IdentityId(bytes(32))


@dataclass(slots=True, kw_only=True)
class Draws:
    """What all records together drew from each lane, and what was refused to it."""

    drawn: dict[LaneNumber, int] = field(default_factory=dict)
    refused: dict[LaneNumber, int] = field(default_factory=dict)

    @classmethod
    def read(cls, facts: Facts) -> "Draws":
        """Return the sums over the records of all logs."""
        found = cls()
        for fact in facts.each(RecordFact):
            for grant in fact.record.grants:
                sums = found.refused if grant.is_refused else found.drawn
                sums[grant.lane] = sums.get(grant.lane, 0) + grant.n
        return found


def lane_accounts(
    wanted: Mapping[LaneNumber, AuditedLane], draws: Draws
) -> Iterator[tuple[LaneAccount, Finding | None]]:
    """Yield each lane's account, and the finding where it is drawn further than the records."""
    for number, lane in sorted(wanted.items()):
        account = LaneAccount(
            number=number,
            license=lane.license,
            site=lane.fact.holder,
            units=lane.fact.end - lane.fact.first,
            drawn=lane.fact.drawn,
            refused=draws.refused.get(number, 0),
        )
        yield account, _drawn_further(lane.fact, draws.drawn.get(number, 0))


def _drawn_further(lane: LaneFact, of_records: int) -> Finding | None:
    if lane.drawn == of_records:
        return None
    reason = f"Lane {lane.number} is drawn by {lane.drawn}, its records by {of_records}."
    return Finding(flaw=Flaw.DRAWS_DIFFER, places=(), reason=reason)


def log_account(log: LogNumber, facts: Facts) -> tuple[LogAccount, Finding | None]:
    """Return a log's account, and the finding where its records are not whole."""
    head, records = facts.get(LogFact, log), [one.record for one in facts.each(RecordFact, log)]
    ends = [(Seq(0), 0), *((Seq(one.seq + 1), one.first_index + one.count) for one in records)]
    begins = [(one.seq, one.first_index) for one in records]
    is_whole = head is not None and [*begins, (head.seq, head.size)] == ends
    account = LogAccount(
        number=log,
        operator=_NOBODY if head is None else head.operator,
        records=len(records),
        size=sum(one.count for one in records),
        unitless=sum(one.count - _granted(one) for one in records),
        is_whole=is_whole,
    )
    if is_whole:
        return account, None
    reason = f"The records of log {log} do not follow one another up to its head on chain."
    return account, Finding(flaw=Flaw.LOG_BROKEN, places=(), reason=reason)


def _granted(record: Record) -> int:
    return sum(grant.n for grant in record.grants if not grant.is_refused)
