"""Ingest: envelopes in, an answer for each; accepted means durable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.builds.statement_reader import StatementReader
from guildmark.domain.chain.facts import NO_LANE, LaneFact, LicenseFact
from guildmark.domain.errors import ConflictError, GuildmarkError, NotCoveredError, NotFinalError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    LaneNumber,
    LogNumber,
    UnitNumber,
    to_hex,
)
from guildmark.domain.log.queue import Build, BuildState, Queued, Standing
from guildmark.domain.rights.metering import check_draw
from guildmark.domain.trust import Trust
from guildmark.ports.chain import Block
from guildmark.ports.clock import Entropy
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, NodeStore, View, Work
from guildmark.services.index.projection import known
from guildmark.services.log.admission import Admitted, Desk
from guildmark.services.log.memory import Memory
from guildmark.services.log.settling import licenses_of
from guildmark.services.remembering import RememberedDocuments, RememberedFacts

BATCH_MAX = 1000
_SALT_SIZE = 32


class CounterReusedError(ConflictError):
    """The machine's counter stands for another statement already."""

    code = "machine.counterReused"
    hint = "Sign with the next counter (`--counter`); stop the machine if another one uses its key."


class ReplacesMissingError(ConflictError):
    """The counter stands for an envelope that drew no unit, and the new one does not replace it."""

    code = "statement.replacesMissing"
    hint = "Send the same envelope again, or sign with `--replaces` and the digest that is named."


class ReplacesStandingError(ConflictError):
    """The envelope that is to be replaced was accepted, and did not lose its draw."""

    code = "statement.replacesStanding"
    hint = "Leave it: that envelope counts. Sign what is new with the next counter."


class ReplacesOtherError(ConflictError):
    """The envelope that is to be replaced is one of another machine or counter."""

    code = "statement.replacesOther"
    hint = "Name the envelope of the same machine and counter, or none."


class LabelTakenError(ConflictError):
    """Another part of this log carries the label."""

    code = "label.taken"
    hint = (
        "Give each part a serial of its own; an agent's: `guildmark agent sign JOB --again "
        "--new-serial`, then a new label on the part."
    )


class UnitMismatchError(NotCoveredError):
    """The statement names a unit that its lane does not give next."""

    code = "license.unitMismatch"
    hint = "Send builds in the order of their units, or sign this one again with the next unit."


class IndexEmptyError(NotFinalError):
    """The index has read no block yet."""

    code = "index.empty"
    hint = "Wait until the node has read the chain, then try again."


class Reception(StrEnum):
    """What the door says to an envelope."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one envelope.

    Args:
        digest: The envelope's digest, under which its build is found.
        build: What is known of it, where it was accepted now or before.
        error: Why it was refused.
    """

    digest: Digest
    reception: Reception
    build: Build | None = None
    error: GuildmarkError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """Use cases around accepting builds into a log.

    Args:
        log: The log that this node runs.
        reader: What reads statements, and remembers their forms from request to request.
        memory: What is remembered of the newest block from request to request.
        trust: Which authorities' notices count at the door; without it none does.
    """

    store: NodeStore
    entropy: Entropy
    log: LogNumber
    reader: StatementReader = field(default_factory=StatementReader)
    memory: Memory = field(default_factory=Memory)
    trust: Trust | None = None

    def receive(self, sent: Sequence[bytes]) -> Sequence[Answer]:
        """Examine what machines signed and queue what may be logged, all in one durable step.

        What opens the values of a statement is kept with it, and shown as its maker said.

        Each has its own answer, in the order given; one that is refused stops no other. What takes
        time is examined before the store is held, and once more where the index moved meanwhile.

        Raises:
            IndexEmptyError: The index has read no block yet.
            StoreUnavailableError: The store does not answer; whoever sends the same again is told
                what was accepted.
        """
        deliveries = [_delivery(data) for data in sent]
        # What cannot be read is answered for by the digest of all that was sent.
        digests = [
            envelope_digest(data) if isinstance(one, GuildmarkError) else one.digest
            for data, one in zip(sent, deliveries, strict=True)
        ]
        named = dict(zip(digests, deliveries, strict=True))
        with self.store.reading() as view:
            examined = self._examine(named, view)
        with self.store.writing() as work:
            if work.facts.cursor() != examined.cursor:
                examined = self._examine(named, work)
            remembered = self.memory.at(examined.cursor)
            facts = RememberedFacts(facts=work.facts, answers=remembered.answers)
            door = _Door(facts=facts, work=work, now=examined.cursor.time)
            return door.answers(digests, examined)

    def _examine(
        self, deliveries: Mapping[Digest, Delivery | GuildmarkError], view: View
    ) -> "_Examined":
        """Examine what does not stand already."""
        cursor = view.facts.cursor()
        if cursor is None:
            message = "The node has not read the chain yet."
            raise IndexEmptyError(message)
        before = view.log.builds(list(deliveries))
        remembered = self.memory.at(cursor)
        facts = RememberedFacts(facts=view.facts, answers=remembered.answers)
        documents = RememberedDocuments(documents=view.documents)
        desk = Desk(
            view=View(facts=facts, log=view.log, documents=documents),
            log=self.log,
            now=cursor.time,
            reader=self.reader,
            trust=self.trust,
            remembered=remembered.jobs,
        )
        standing = {digest: build for digest, build in before.items() if _stands(build)}
        found = {
            digest: self._found(desk, delivery, digest)
            for digest, delivery in deliveries.items()
            if digest not in standing
        }
        return _Examined(cursor=cursor, standing=standing, found=found)

    def _found(
        self, desk: Desk, delivery: Delivery | GuildmarkError, digest: Digest
    ) -> Admitted | GuildmarkError:
        if isinstance(delivery, GuildmarkError):
            return delivery
        try:
            return desk.examine(delivery, digest, Bytes32(self.entropy.token(_SALT_SIZE)))
        except GuildmarkError as error:
            return error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """What was found of envelopes, as the index was at a block.

    Args:
        cursor: The block.
        standing: What was taken in before.
        found: What the others may be logged as, or why they may not.
    """

    cursor: Block
    standing: Mapping[Digest, Build]
    found: Mapping[Digest, Admitted | GuildmarkError]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """One request's envelopes, asked about together and taken in together, in their order.

    Args:
        facts: The index as it is while the store is held.
        now: The time of its newest block.
        lanes: Each lane that is drawn from, with its license and those above it.
        claimed: How many units of each lane are claimed and not drawn.
        open: The lanes that gave a unit: until the request ends, only their room can end.
        accepted: What is to be taken in.
    """

    facts: Facts
    work: Work
    now: int
    lanes: dict[LaneNumber, tuple[LaneFact, Sequence[LicenseFact]]] = field(default_factory=dict)
    claimed: dict[LaneNumber, int] = field(default_factory=dict)
    open: set[LaneNumber] = field(default_factory=set)
    accepted: list[Queued] = field(default_factory=list)

    def answers(self, digests: Sequence[Digest], examined: _Examined) -> Sequence[Answer]:
        admitted = [one for one in examined.found.values() if isinstance(one, Admitted)]
        standing = self.work.log.standing([one.entry for one in admitted])
        answers = [self._answer(digest, examined, standing) for digest in digests]
        self.work.log.accept(*self.accepted)
        return answers

    def _answer(self, digest: Digest, examined: _Examined, standing: Standing) -> Answer:
        before = examined.standing.get(digest)
        if before is not None:
            return Answer(digest=digest, reception=Reception.DUPLICATE, build=before)
        found = examined.found[digest]
        if isinstance(found, GuildmarkError):
            return Answer(digest=digest, reception=Reception.REFUSED, error=found)
        return self._decide(found, standing)

    def _decide(self, admitted: Admitted, standing: Standing) -> Answer:
        entry = admitted.entry
        # The same statement under another signature is no other part.
        before = standing.payloads.get(entry.payload)
        if before is not None:
            return Answer(digest=entry.digest, reception=Reception.DUPLICATE, build=before)
        try:
            if entry.lane != NO_LANE:
                _check_unused(entry, standing, admitted.replaces)
                self._check_replaced(admitted, standing)
                self._check_room(admitted)
            admitted.raw_data.refuse_reused(self.work.documents)
        except GuildmarkError as error:
            return Answer(digest=entry.digest, reception=Reception.REFUSED, error=error)
        admitted.raw_data.keep(self.work.documents)
        if admitted.values is not None:
            self.work.documents.put(DocumentKind.VALUES, entry.digest, admitted.values.encode())
        if entry.lane != NO_LANE:
            self.claimed[entry.lane] += 1
        self.accepted.append(entry)
        build = standing.take(entry)
        return Answer(digest=entry.digest, reception=Reception.ACCEPTED, build=build)

    def _check_replaced(self, admitted: Admitted, standing: Standing) -> None:
        """Refuse a second envelope for a counter that does not take the place of the first.

        An envelope that this node never saw may have been sent to another log, or to nobody.
        """
        entry, replaced = admitted.entry, admitted.replaces
        refused = standing.refused.get((entry.entry.machine, entry.counter), set())
        if entry.digest in refused or replaced in refused:
            return
        if refused:
            digest = to_hex(min(refused))
            message = f"Counter {entry.counter} stands for {digest}, which drew no unit."
            raise ReplacesMissingError(message, counter=entry.counter, envelope=digest)
        if replaced is not None and self._is_known(replaced):
            message = f"{to_hex(replaced)} has another machine or counter than its replacement."
            raise ReplacesOtherError(message, envelope=to_hex(replaced))

    def _is_known(self, envelope: Digest) -> bool:
        """Return whether an envelope was taken in, by this request or an earlier one."""
        own = any(one.digest == envelope for one in self.accepted)
        return own or self.work.log.build(envelope) is not None

    def _check_room(self, admitted: Admitted) -> None:
        """Refuse what the contract would refuse, units that others claimed counted as drawn."""
        number = admitted.entry.lane
        if number not in self.lanes:
            lane = known(self.facts, LaneFact, number)
            self.lanes[number] = lane, licenses_of(lane, self.facts)
            self.claimed[number] = self.work.log.claimed_units(number)
        (lane, licenses), claimed = self.lanes[number], self.claimed[number]
        next_unit = UnitNumber(lane.next + claimed)
        if number not in self.open or claimed >= lane.room:
            check_draw(replace(lane, next=next_unit), licenses, n=1, time=self.now)
            self.open.add(number)
        if admitted.unit not in {None, next_unit}:
            message = f"The statement names unit {admitted.unit}, its lane gives {next_unit} next."
            raise UnitMismatchError(message, named=admitted.unit, next=next_unit)


def _delivery(data: bytes) -> Delivery | GuildmarkError:
    try:
        return Delivery.parse(data)
    except GuildmarkError as error:
        return error


def _stands(build: Build | None) -> bool:
    """Return whether an envelope was taken in and drew, or may still draw."""
    return build is not None and build.state is not BuildState.REFUSED


def _check_unused(entry: Queued, standing: Standing, replaces: Digest | None) -> None:
    machine = entry.entry.machine
    holder = standing.counters.get((machine, entry.counter))
    if holder is not None and holder.digest == replaces:
        message = f"{to_hex(holder.digest)} was accepted: nothing takes its place."
        raise ReplacesStandingError(message, envelope=to_hex(holder.digest))
    if holder is not None:
        message = f"Counter {entry.counter} of machine {to_hex(machine)} is used already."
        raise CounterReusedError(message, machine=to_hex(machine), counter=entry.counter)
    if entry.label in standing.labels:
        message = f"The label {entry.label[:90]} is on another part of this log."
        raise LabelTakenError(message, label=entry.label[:90])
