"""A home's store in memory: the same answers as SQL, and an error undoes a transaction."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TypeVar, cast

from guildmark.domain.chain.facts import Fact, Key
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    Seq,
    SiteRecipeId,
)
from guildmark.domain.letters import (
    Letter,
    LetterId,
    LetterState,
    RecallWatch,
    Stage,
    Told,
    WatchId,
)
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.queue import (
    Batch,
    Build,
    BuildState,
    Logged,
    Outcome,
    Queued,
    Standing,
    Waiting,
)
from guildmark.domain.recall import RecallId
from guildmark.ports.chain import Block, RawLog
from guildmark.ports.letters import LetterReader
from guildmark.ports.store import DocumentKind, View, Work

FactT = TypeVar("FactT", bound=Fact)


@dataclass(frozen=True, kw_only=True)
class _Row:
    queued: Queued
    build: Build
    batch: int | None = None
    position: int | None = None


@dataclass(kw_only=True)
class _State:
    facts: dict[tuple[str, Key], Fact] = field(default_factory=dict)
    cursor: Block | None = None
    blocks: dict[int, tuple[Block, Sequence[RawLog]]] = field(default_factory=dict)
    documents: dict[tuple[DocumentKind, bytes], bytes] = field(default_factory=dict)
    rows: dict[int, _Row] = field(default_factory=dict)
    batches: dict[int, tuple[Batch, str]] = field(default_factory=dict)
    watches: dict[str, RecallWatch] = field(default_factory=dict)
    told: dict[RecallId, Told] = field(default_factory=dict)
    letters: dict[int, Letter] = field(default_factory=dict)
    leases: dict[int, int] = field(default_factory=dict)
    posted: int = 0

    def copy(self) -> "_State":
        return _State(
            facts=dict(self.facts),
            cursor=self.cursor,
            blocks=dict(self.blocks),
            documents=dict(self.documents),
            rows=dict(self.rows),
            batches=dict(self.batches),
            watches=dict(self.watches),
            told=dict(self.told),
            letters=dict(self.letters),
            leases=dict(self.leases),
            posted=self.posted,
        )


def _waiting(queued: Queued) -> Waiting:
    leaf = queued.entry.leaf_data(queued.salt)
    return Waiting(number=queued.number, lane=queued.lane, leaf=leaf)


class MemoryFacts:
    def __init__(self, state: _State) -> None:
        self._state = state

    def cursor(self) -> Block | None:
        return self._state.cursor

    def get(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        return cast("FactT | None", self._state.facts.get((kind.__name__, key)))

    def floor(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        below = [fact for fact in self.each(kind, *key[:-1]) if fact.key <= key]
        return below[-1] if below else None

    def each(self, kind: type[FactT], *prefix: bytes | int) -> Sequence[FactT]:
        found = [
            cast("FactT", fact)
            for (name, key), fact in self._state.facts.items()
            if name == kind.__name__ and key[: len(prefix)] == prefix
        ]
        return sorted(found, key=lambda fact: fact.key)

    def put(self, *facts: Fact) -> None:
        for fact in facts:
            self._state.facts[type(fact).__name__, fact.key] = fact

    def move(self, cursor: Block) -> None:
        self._state.cursor = cursor

    def forget(self) -> None:
        self._state.facts.clear()
        self._state.cursor = None

    def keep(self, blocks: Sequence[Block], logs: Sequence[RawLog]) -> None:
        for block in blocks:
            mine = [log for log in logs if log.block_number == block.number]
            self._state.blocks[block.number] = (block, mine)

    def kept(self, before: int) -> Sequence[tuple[Block, Sequence[RawLog]]]:
        return [
            self._state.blocks[number] for number in sorted(self._state.blocks) if number < before
        ]

    def drop(self, first: int) -> None:
        for number in [number for number in self._state.blocks if number >= first]:
            del self._state.blocks[number]


class MemoryDocuments:
    def __init__(self, state: _State) -> None:
        self._state = state

    def get(self, kind: DocumentKind, key: bytes) -> bytes | None:
        return self._state.documents.get((kind, key))

    def put(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        self._state.documents[kind, key] = body

    def drop(self, kind: DocumentKind, key: bytes) -> None:
        self._state.documents.pop((kind, key), None)


class MemoryLog:
    def __init__(self, state: _State) -> None:
        self._state = state

    def build(self, envelope: Digest) -> Build | None:
        return self._last(lambda row: row.queued.digest == envelope, refused=True)

    def payload(self, digest: Digest) -> Build | None:
        return self._last(lambda row: row.queued.payload == digest)

    def builds(self, envelopes: Sequence[Digest]) -> Mapping[Digest, Build]:
        found = {envelope: self.build(envelope) for envelope in envelopes}
        return {envelope: build for envelope, build in found.items() if build is not None}

    def standing(self, entries: Sequence[Queued]) -> Standing:
        standing = Standing()
        for entry in entries:
            for row in self._state.rows.values():
                if row.build.state is not BuildState.REFUSED:
                    _compare(row, entry, standing)
                elif _counted(row.queued) == _counted(entry):
                    machine, counter, _ = _counted(entry)
                    standing.refused.setdefault((machine, counter), set()).add(row.queued.digest)
        return standing

    def last_counter(self, machine: IdentityId) -> int:
        standing = [
            row.queued.counter
            for row in self._state.rows.values()
            if row.queued.entry.machine == machine
            and row.queued.entry.kind.is_counted
            and row.build.state is not BuildState.REFUSED
        ]
        return max(standing, default=0)

    def labelled(self, label: str) -> Sequence[Build]:
        return [
            row.build
            for row in self._state.rows.values()
            if row.queued.label == label and row.build.state is not BuildState.REFUSED
        ]

    def newest_below(self, prefix: str) -> Logged | None:
        for row in reversed(self._state.rows.values()):
            log, index, kind = row.build.log, row.build.index, row.queued.entry.kind
            is_below = row.queued.label.startswith(prefix) and kind is EntryKind.BUILD
            if is_below and log is not None and index is not None:
                return self.logged(log, index)
        return None

    def logged(self, log: LogNumber, index: Index) -> Logged | None:
        for row in self._state.rows.values():
            place = (row.build.log, row.build.index)
            if place == (log, index) and not _is_erased(row) and row.build.seq is not None:
                return self._logged(row, log, row.build.seq)
        return None

    def leaves(self, log: LogNumber, seq: Seq) -> Sequence[Digest]:
        for batch, state in self._state.batches.values():
            if (batch.log, batch.seq, state) == (log, seq, "final"):
                return [_leaf(self._state.rows[number]) for number in batch.entries]
        return []

    def entries(self, log: LogNumber, seq: Seq) -> Sequence[Logged]:
        for batch, state in self._state.batches.values():
            if (batch.log, batch.seq, state) == (log, seq, "final"):
                found = [self._state.rows[number] for number in batch.entries]
                return [self._logged(row, log, seq) for row in found if not _is_erased(row)]
        return []

    def erased(self, log: LogNumber, seq: Seq) -> Sequence[int]:
        for batch, state in self._state.batches.values():
            if (batch.log, batch.seq, state) == (log, seq, "final"):
                found = [_is_erased(self._state.rows[number]) for number in batch.entries]
                return [position for position, is_gone in enumerate(found) if is_gone]
        return []

    def erase(self, entry: Logged) -> None:
        row = self._state.rows[entry.queued.number]
        queued, none = row.queued, Digest(bytes(32))
        leaf = queued.entry.leaf_data(queued.salt)
        empty = replace(
            queued.entry,
            subject=none,
            envelope=leaf,
            site_recipe=SiteRecipeId(bytes(32)),
            dependencies=none,
            previous=0,
        )
        gone = replace(
            queued,
            envelope=b"",
            digest=leaf,
            payload=none,
            entry=empty,
            salt=Bytes32(bytes(32)),
            label="",
        )
        build = replace(row.build, digest=leaf, label="", state=BuildState.ERASED)
        self._state.rows[queued.number] = replace(row, queued=gone, build=build)

    @staticmethod
    def _logged(row: _Row, log: LogNumber, seq: Seq) -> Logged:
        return Logged(
            queued=row.queued, log=log, seq=seq, position=row.position or 0, build=row.build
        )

    def made(
        self, log: LogNumber, wanted: Mapping[str, Sequence[bytes | int]], seqs: range | None = None
    ) -> int:
        return sum(
            row.queued.entry.kind is EntryKind.BUILD
            and (row.build.state, row.build.log) == (BuildState.FINAL, log)
            and (seqs is None or row.build.seq in seqs)
            and all(_value(row.queued, name) in values for name, values in wanted.items())
            for row in self._state.rows.values()
        )

    def settled(self, log: LogNumber) -> Sequence[Seq]:
        found = self._state.batches.values()
        return sorted(batch.seq for batch, state in found if (batch.log, state) == (log, "final"))

    def waiting(self, limit: int) -> Sequence[Waiting]:
        free = [
            _waiting(row.queued)
            for row in self._state.rows.values()
            if row.batch is None and row.build.state is BuildState.ACCEPTED
        ]
        return free[:limit]

    def waiting_count(self) -> int:
        return len(self.waiting(len(self._state.rows)))

    def open_batch(self) -> Batch | None:
        for batch, state in self._state.batches.values():
            if state in {"open", "included"}:
                return batch
        return None

    def claimed_units(self, lane: LaneNumber) -> int:
        undrawn = {BuildState.ACCEPTED, BuildState.INCLUDED}
        rows = self._state.rows.values()
        return sum(row.queued.lane == lane and row.build.state in undrawn for row in rows)

    def accept(self, *entries: Queued) -> None:
        for entry in entries:
            self._accept(entry)

    def _accept(self, entry: Queued) -> None:
        number = len(self._state.rows) + 1
        build = Build(
            digest=entry.digest, label=entry.label, lane=entry.lane, state=BuildState.ACCEPTED
        )
        self._state.rows[number] = _Row(queued=replace(entry, number=number), build=build)

    def close_batch(self, batch: Batch) -> None:
        number = len(self._state.batches) + 1
        self._state.batches[number] = (replace(batch, number=number), "open")
        for position, entry in enumerate(batch.entries):
            row = self._state.rows[entry]
            build = replace(row.build, log=batch.log, seq=batch.seq)
            self._state.rows[entry] = replace(row, build=build, batch=number, position=position)

    def include_batch(self, batch: Batch) -> None:
        self._state.batches[batch.number] = (batch, "included")
        for entry in batch.entries:
            row = self._state.rows[entry]
            build = replace(row.build, state=BuildState.INCLUDED)
            self._state.rows[entry] = replace(row, build=build)

    def reopen_batch(self, batch: Batch) -> None:
        self._state.batches[batch.number] = (batch, "dropped")
        for entry in batch.entries:
            row = self._state.rows[entry]
            build = replace(row.build, state=BuildState.ACCEPTED, log=None, seq=None)
            self._state.rows[entry] = replace(row, build=build, batch=None, position=None)

    def settle_batch(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        self._state.batches[batch.number] = (batch, "final")
        for entry, outcome in zip(batch.entries, outcomes, strict=True):
            row = self._state.rows[entry]
            state = BuildState.FINAL if outcome.code is None else BuildState.REFUSED
            build = replace(row.build, state=state, index=outcome.index)
            build = replace(build, unit=outcome.unit, code=outcome.code)
            self._state.rows[entry] = replace(row, build=build)

    def _last(self, holds: Callable[[_Row], bool], *, refused: bool = False) -> Build | None:
        found = [
            row.build
            for row in self._state.rows.values()
            if holds(row) and (refused or row.build.state is not BuildState.REFUSED)
        ]
        return found[-1] if found else None


def _is_erased(row: _Row) -> bool:
    return row.build.state is BuildState.ERASED


def _leaf(row: _Row) -> Digest:
    if _is_erased(row):
        return row.queued.digest
    return row.queued.entry.leaf_data(row.queued.salt)


def _value(queued: Queued, name: str) -> bytes | int:
    entry = queued.entry
    values: dict[str, bytes | int] = {
        "machine": entry.machine,
        "maker": entry.maker,
        "site_recipe": entry.site_recipe,
        "lane": queued.lane,
    }
    return values[name]


def _compare(row: _Row, entry: Queued, standing: Standing) -> None:
    queued, machine = row.queued, entry.entry.machine
    if queued.payload == entry.payload:
        standing.payloads[entry.payload] = row.build
    if queued.label == entry.label:
        standing.labels[entry.label] = row.build
    counted = (queued.entry.machine, queued.counter, queued.entry.kind.is_counted)
    if counted == (machine, entry.counter, True):
        standing.counters[machine, entry.counter] = row.build


def _counted(queued: Queued) -> tuple[IdentityId, int, bool]:
    return queued.entry.machine, queued.counter, queued.entry.kind.is_counted


class MemoryLetters:
    def __init__(self, state: _State) -> None:
        self._state = state

    def watches(self) -> Sequence[RecallWatch]:
        return [self._state.watches[name] for name in sorted(self._state.watches)]

    def watch(self, watch: RecallWatch) -> None:
        self._state.watches[watch.id] = watch

    def unwatch(self, watch: WatchId) -> bool:
        for number in [n for n, one in self._state.letters.items() if one.watch == watch]:
            del self._state.letters[number]
        return self._state.watches.pop(watch, None) is not None

    def told(self, recall: RecallId) -> Told | None:
        return self._state.told.get(recall)

    def early(self) -> Sequence[Told]:
        found = [told for told in self._state.told.values() if told.stage is Stage.EARLY]
        return sorted(found, key=lambda told: told.recall.text())

    def keep(self, told: Told) -> None:
        self._state.told[told.recall] = told

    def post(self, letter: Letter) -> None:
        event = (letter.watch, letter.id)
        if event not in {(one.watch, one.id) for one in self._state.letters.values()}:
            self._state.posted += 1
            self._state.letters[self._state.posted] = replace(letter, number=self._state.posted)

    def holders(self, letter: LetterId) -> Collection[WatchId]:
        return {one.watch for one in self._state.letters.values() if one.id == letter}

    def due(self, now: int) -> Sequence[WatchId]:
        return list(dict.fromkeys(letter.watch for letter in self._ready(now)))

    def claim(self, watch: WatchId, now: int, until: int) -> Letter | None:
        found = next((one for one in self._ready(now) if one.watch == watch), None)
        if found is not None:
            self._state.leases[found.number] = until
        return found

    def _ready(self, now: int) -> Iterator[Letter]:
        begun: set[tuple[str, str]] = set()
        for number, letter in sorted(self._state.letters.items()):
            line = (letter.watch, letter.recall)
            is_first = letter.state is LetterState.WAITING and line not in begun
            if letter.state is LetterState.WAITING:
                begun.add(line)
            if is_first and self._state.leases.get(number, 0) <= now and letter.due <= now:
                yield letter

    def revive(self, watch: WatchId) -> int:
        dead = [one for one in self._found(LetterState.DEAD) if one.watch == watch]
        for one in dead:
            fresh = replace(one, state=LetterState.WAITING, due=0, tries=0, code="")
            self._state.letters[one.number] = fresh
        return len(dead)

    def prune(self, before: int) -> int:
        old = [one for one in self._found(LetterState.DELIVERED) if one.due < before]
        for one in old:
            del self._state.letters[one.number]
        return len(old)

    def dead_count(self) -> int:
        return len(self._found(LetterState.DEAD))

    def _found(self, state: LetterState) -> Sequence[Letter]:
        return [one for one in self._state.letters.values() if one.state is state]

    def settle(self, letter: Letter) -> None:
        if letter.number in self._state.letters:
            self._state.letters[letter.number] = letter
        self._state.leases.pop(letter.number, None)

    def letters(self, state: LetterState | None, most: int) -> Sequence[Letter]:
        found = [one for one in self._state.letters.values() if state in {None, one.state}]
        return sorted(found, key=lambda one: -one.number)[:most]


class MemoryNodeStore:
    """Fulfils ``NodeStore`` without a disk."""

    def __init__(self) -> None:
        self._state = _State()
        self._turn = RLock()

    def forget(self, kind: type) -> None:
        """Let the index never have heard of things of a kind."""
        facts = self._state.facts
        for found in [key for key in facts if key[0] == kind.__name__]:
            del facts[found]

    def forget_documents(self, kind: DocumentKind) -> None:
        """Let no document of a kind have been kept."""
        documents = self._state.documents
        for found in [key for key in documents if key[0] == kind]:
            del documents[found]

    def queued(self) -> Sequence[Queued]:
        """Return all that was accepted, in order."""
        return [row.queued for row in self._state.rows.values()]

    def forget_log(self) -> None:
        """Let nothing have been accepted."""
        self._state.rows.clear()
        self._state.batches.clear()

    def without_log(self) -> "MemoryNodeStore":
        """Return a store of the same chain, to which nothing was sent."""
        other = MemoryNodeStore()
        other._state = deepcopy(self._state)
        other.forget_log()
        return other

    @contextmanager
    def reading(self) -> Iterator[View]:
        state = self._state
        yield View(facts=MemoryFacts(state), log=MemoryLog(state), documents=MemoryDocuments(state))

    @contextmanager
    def reading_letters(self) -> Iterator[LetterReader]:
        yield MemoryLetters(self._state)

    @contextmanager
    def writing(self) -> Iterator[Work]:
        with self._turn:
            state = self._state.copy()
            yield Work(
                facts=MemoryFacts(state),
                log=MemoryLog(state),
                documents=MemoryDocuments(state),
                letters=MemoryLetters(state),
            )
            self._state = state

    def forget_deleted(self) -> None:
        """Memory keeps nothing of what was erased."""
