"""The sequencer: which accepted entries make the next batch, and at which positions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from guildmark.domain.chain.facts import NO_LANE, LogFact
from guildmark.domain.identifiers import LaneNumber, LogNumber, Seq
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.queue import Batch, Draw, Waiting
from guildmark.domain.log.record import COUNT_MAX, DRAWS_MAX
from guildmark.ports.store import NodeStore, Work
from guildmark.services.index.projection import known


@dataclass(slots=True, kw_only=True)
class Gathering:
    """When a batch is closed: its entries share its cost, and none of them waits too long.

    Args:
        seconds: How long an entry waits at most; after a restart it waits anew.
        entries: How many entries are worth a batch before that.
        monotonic: Seconds that only grow.
    """

    seconds: float
    entries: int
    monotonic: Callable[[], float]
    _since: float | None = field(default=None, init=False)

    def is_due(self, waiting: int) -> bool:
        """Return whether so many waiting entries shall make a batch now."""
        if not waiting:
            self._since = None
            return False
        now = self.monotonic()
        if self._since is None:
            self._since = now
        return waiting >= self.entries or now - self._since >= self.seconds

    def begin(self) -> None:
        """Begin anew, behind a batch that was closed."""
        self._since = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequencing:
    """Use cases around the order of a log's entries.

    Args:
        limit: How many entries a batch takes at most.
        gathering: When a batch is closed; None: as soon as something waits.
    """

    store: NodeStore
    log: LogNumber
    limit: int = COUNT_MAX
    gathering: Gathering | None = None

    def close(self) -> Batch | None:
        """Return the batch to be anchored: the open one, else one of all that wait, else None.

        None, too, where what waits may still wait for more.

        Entries of a lane stand together, since a grant lies over neighbouring positions; lanes
        stand in the order in which their first entries were accepted. What draws nothing stands
        behind them.

        Raises:
            FactMissingError: The index does not know this log yet.
        """
        with self.store.writing() as work:
            if self._is_due(work) and work.log.open_batch() is None:
                lanes = _by_lane(work.log.waiting(self.limit))
                if lanes:
                    head = known(work.facts, LogFact, self.log)
                    work.log.close_batch(_batch(lanes, head.number, head.seq))
                    self._begin()
            return work.log.open_batch()

    def _is_due(self, work: Work) -> bool:
        return self.gathering is None or self.gathering.is_due(work.log.waiting_count())

    def _begin(self) -> None:
        if self.gathering is not None:
            self.gathering.begin()


def _by_lane(waiting: Sequence[Waiting]) -> Mapping[LaneNumber, Sequence[Waiting]]:
    lanes: dict[LaneNumber, list[Waiting]] = {}
    for entry in waiting:
        if entry.lane in lanes:
            lanes[entry.lane].append(entry)
        elif entry.lane == NO_LANE or len(lanes.keys() - {NO_LANE}) < DRAWS_MAX:
            lanes[entry.lane] = [entry]
    return lanes


def batch_of(waiting: Sequence[Waiting], log: LogNumber, seq: Seq) -> Batch:
    """Return the batch that waiting entries make, all of which it can take."""
    return _batch(_by_lane(waiting), log, seq)


def _batch(lanes: Mapping[LaneNumber, Sequence[Waiting]], log: LogNumber, seq: Seq) -> Batch:
    drawing = {lane: entries for lane, entries in lanes.items() if lane != NO_LANE}
    ordered = [entry for entries in drawing.values() for entry in entries]
    ordered += lanes.get(NO_LANE, ())
    tree = MerkleTree(entry.leaf for entry in ordered)
    return Batch(
        log=log,
        seq=seq,
        root=tree.root(),
        draws=tuple(Draw(lane=lane, n=len(entries)) for lane, entries in drawing.items()),
        entries=tuple(entry.number for entry in ordered),
    )
