"""P10: how much dearer a log's work gets while it grows from 10^4 to 10^6 entries."""

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import linear_regression
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import Engine, delete, func, insert, select, update

from bench.rows import Judged, Metric, Round, Row, Target
from environments import ROOT
from guildmark.adapters.store.engine import open_database, writing
from guildmark.adapters.store.log import BATCHES, QUEUE
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    IdentityId,
    LaneNumber,
    LogNumber,
    Seq,
    SiteRecipeId,
)
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.queue import BuildState, Queued

T = TypeVar("T")

_FOLDER = ROOT / "build" / "bench" / "growing"
_SIZES = (10_000, 100_000, 1_000_000)
_BATCH, _REQUEST = 10_000, 100
_REQUESTS, _LOOKUPS, _PROOFS = 20, 2_000, 20_000
_STEP = 7_919
# More would take longer than a bench may: the log is filled once, and read whole in each.
_ROUNDS_MAX = 2
_LOG, _LANE = LogNumber(1), LaneNumber(1)
_MACHINE = IdentityId(sha256(b"machine"))
_ENVELOPE = b"e" * 300


_LIMITS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "ingest": ("an entry taken in, 100 a durable step", 0.10),
        "lookup": ("an envelope's place found", 0.20),
        "proof": ("an entry proven", 0.30),
        "scan": ("the whole log read, and its tree made", 1.05),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """How long each kind of work took at one size, and whether it gave what it should."""

    seconds: Mapping[str, float]
    same_answer: bool


@dataclass(slots=True, kw_only=True)
class _Grown:
    """A log that grows, in a database as a node's.

    Args:
        engine: The database.
        store: The same, as a node uses it.
        size: How many entries are on record.
        tree: Their tree.
    """

    engine: Engine
    store: SqlNodeStore
    size: int = 0
    tree: MerkleTree = field(default_factory=MerkleTree)

    def grow(self, size: int) -> None:
        """Put entries on record, 10,000 a batch, until there are so many."""
        for first in range(self.size, size, _BATCH):
            entries = [_entry(number) for number in range(first, first + _BATCH)]
            with self.store.writing() as work:
                work.log.accept(*entries)
            self._record(Seq(first // _BATCH), first)
            self.tree.extend(one.entry.leaf_data(one.salt) for one in entries)
        self.size = size

    def work(self) -> "_Times":
        """Do each kind of work once, as the log is now."""
        new = range(self.size, self.size + _REQUESTS * _REQUEST)
        entries, places = [_entry(number) for number in new], list(self._some(_LOOKUPS))
        digests = [_entry(number).digest for number in places]
        ingest, _ = _timed(lambda: self._ingest(entries))
        lookup, found = _timed(lambda: self._look_up(digests))
        proof, _ = _timed(self._prove)
        # Of each size as many entries: a tenth of a second would be held against ten seconds.
        scans = max(1, _SIZES[-1] // self.size)
        scan, roots = _timed(lambda: {self._scan() for _ in range(scans)})
        with writing(self.engine) as connection:
            connection.execute(delete(QUEUE).where(QUEUE.c.state == BuildState.ACCEPTED))
        return _Times(
            seconds={"ingest": ingest, "lookup": lookup, "proof": proof, "scan": scan / scans},
            same_answer=found == places and roots == {self.tree.root()},
        )

    def _record(self, seq: Seq, first: int) -> None:
        """Give what waits its places in one statement: whoever fills does not wait for the line."""
        waiting = QUEUE.c.state == BuildState.ACCEPTED
        row = {"log": _LOG, "seq": seq, "root": bytes(32), "draws": "[]", "state": "final"}
        with writing(self.engine) as connection:
            batch = insert(BATCHES).values(row).returning(BATCHES.c.number)
            number = connection.execute(batch).scalar_one()
            least = connection.execute(select(func.min(QUEUE.c.number)).where(waiting)).scalar_one()
            place = QUEUE.c.number - least
            places = {"position": place, "log_index": first + place, "unit": first + place + 1}
            settled = {"state": BuildState.FINAL, "batch": number, **places}
            connection.execute(update(QUEUE).where(waiting).values(settled))

    def _some(self, count: int) -> Iterator[int]:
        """Yield places that lie scattered over the log."""
        return (number * _STEP % self.size for number in range(count))

    def _ingest(self, entries: Sequence[Queued]) -> None:
        """Take entries in as the door does, a request's in one durable step."""
        for first in range(0, len(entries), _REQUEST):
            some = entries[first : first + _REQUEST]
            with self.store.writing() as work:
                work.log.standing(some)
                work.log.accept(*some)

    def _look_up(self, digests: Sequence[Digest]) -> Sequence[int | None]:
        with self.store.reading() as view:
            builds = [view.log.build(digest) for digest in digests]
        return [None if build is None else build.index for build in builds]

    def _prove(self) -> None:
        for place in self._some(_PROOFS):
            self.tree.inclusion_path(place)

    def _scan(self) -> Digest:
        tree = MerkleTree()
        with self.store.reading() as view:
            for seq in view.log.settled(_LOG):
                tree.extend(view.log.leaves(_LOG, seq))
        return tree.root()


def measure(rounds: int) -> Sequence[Row]:
    """Fill one log in three steps, and do the same work at each."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    engine = open_database(_FOLDER / "node.db")
    grown = _Grown(engine=engine, store=SqlNodeStore(engine))
    found = []
    for size in _SIZES:
        grown.grow(size)
        found.append([grown.work() for _ in range(min(rounds, _ROUNDS_MAX))])
    engine.dispose()
    shutil.rmtree(_FOLDER)
    return [_row(name, list(zip(*found, strict=True))) for name in _LIMITS]


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the exponent with which time grows: the slope of its logarithm, least squares."""
    return linear_regression([math.log(size) for size in sizes], list(map(math.log, seconds))).slope


def _row(name: str, rounds: Sequence[Sequence[_Times]]) -> Row:
    text, bound = _LIMITS[name]
    metric = Metric(
        id=f"P10.{name}",
        text=f"{text}: growth from 10^4 to 10^6 entries, slope of log time over log size",
        unit="exponent",
        against="limit",
        target=Target(of=Judged.OURS, bound=bound),
    )
    compared = [
        Round(
            ours=slope(_SIZES, [at.seconds[name] for at in found]),
            reference=bound,
            same_answer=all(at.same_answer for at in found),
        )
        for found in rounds
    ]
    return Row(metric=metric, rounds=compared)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds of the process's own time that work took, and what it gave."""
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def _entry(number: int) -> Queued:
    digest = sha256(b"%d" % number)
    entry = Entry(
        kind=EntryKind.BUILD,
        subject=sha256(b"subject" + digest),
        envelope=digest,
        site_recipe=SiteRecipeId(sha256(b"recipe")),
        machine=_MACHINE,
        maker=IdentityId(sha256(b"maker")),
        dependencies=sha256(b"dependencies"),
    )
    return Queued(
        envelope=_ENVELOPE,
        digest=digest,
        payload=sha256(b"payload" + digest),
        entry=entry,
        salt=Bytes32(sha256(b"salt" + digest)),
        lane=_LANE,
        label=f"https://maker.example/01/09506000111377/21/{number:09}",
        counter=number + 1,
    )
