"""Whether logs are whole: records that follow one another, draws that add up, true checkpoints."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from guildmark.domain.audit.accounts import LaneAccount, LogAccount
from guildmark.domain.audit.findings import Finding, Flaw
from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.chain.facts import LaneFact, LogFact, RecordFact
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import IdentityId, LaneNumber, LogNumber, Seq
from guildmark.domain.log.checkpoint import Checkpoint, origin_of
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.note import Note
from guildmark.domain.log.record import Record
from guildmark.ports import EvidenceSource, Facts
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Compares what nodes signed of a log with the chain.

    Args:
        sources: Whom to ask, by name.
        pin: The chain, which names its logs.
        silent: Is told who did not answer.
    """

    sources: Mapping[str, EvidenceSource]
    pin: ChainPin
    silent: list[str] = field(default_factory=list)

    def of(
        self, account: LogAccount, records: Sequence[Record]
    ) -> tuple[LogAccount, Iterable[Finding]]:
        """Return a log's account with the largest true checkpoint, and what is false.

        Args:
            account: The log.
            records: Its records, as the auditor's own index has them.
        """
        tree = MerkleTree(one.digest() for one in records)
        sizes, false = [0], list[Finding]()
        for name, text in self._shown(account.number):
            size = self._true_size(account.number, text, tree)
            if size is None:
                reason = (
                    f"{name} shows a checkpoint of log {account.number} that is not the chain's."
                )
                false.append(Finding(flaw=Flaw.CHECKPOINT_DIFFERS, places=(), reason=reason))
            else:
                sizes.append(size)
        return replace(account, checkpoint=max(sizes)), false

    def _shown(self, log: LogNumber) -> Iterator[tuple[str, bytes]]:
        for name, source in self.sources.items():
            try:
                text = source.log_checkpoint(log)
            except GuildmarkError:
                self.silent.append(name)
                continue
            if text is not None:
                yield name, text

    def _true_size(self, log: LogNumber, text: bytes, tree: MerkleTree) -> int | None:
        """Return how many records a checkpoint truly has, None where it is false."""
        try:
            head = Checkpoint.parse(Note.parse(text).text)
        except MalformedError:
            return None
        if head.origin != origin_of(self.pin, log):
            return None
        if head.size > len(tree):
            # Younger than the auditor's index: nothing is known of it yet.
            return 0
        return head.size if tree.root(head.size) == head.root else None
