"""Ingest: envelopes in, an answer for each; accepted means durable."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from guildmark.domain.dsse import envelope_digest
from guildmark.domain.errors import ConflictError, GuildmarkError, NotCoveredError, NotFinalError
from guildmark.domain.facts import LaneFact
from guildmark.domain.identifiers import Bytes32, Digest, LogNumber, UnitNumber, to_hex
from guildmark.domain.metering import check_draw
from guildmark.domain.queue import Build, BuildState, Queued
from guildmark.ports import Entropy, NodeStore, Work
from guildmark.services.admission import Admitted, Desk
from guildmark.services.projection import known
from guildmark.services.settling import licenses_of

BATCH_MAX = 1000
_SALT_SIZE = 32


class CounterReusedError(ConflictError):
    """The machine's counter stands for another statement already."""

    code = "machine.counterReused"
    hint = "Sign with the next counter (`--counter`); stop the machine if another one uses its key."


class LabelTakenError(ConflictError):
    """Another part of this log carries the label."""

    code = "label.taken"
    hint = "Give each part a serial of its own."


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
    """

    store: NodeStore
    entropy: Entropy
    log: LogNumber

    def receive(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """Examine envelopes and queue what may be logged, all in one durable step.

        Each has its own answer, in the order given; one that is refused stops no other.

        Raises:
            IndexEmptyError: The index has read no block yet.
            StoreUnavailableError: Nothing was accepted.
        """
        with self.store.writing() as work:
            cursor = work.facts.cursor()
            if cursor is None:
                message = "The node has not read the chain yet."
                raise IndexEmptyError(message)
            desk = Desk(view=work, log=self.log, now=cursor.time)
            return [self._answer(data, desk, work) for data in envelopes]

    def _answer(self, data: bytes, desk: Desk, work: Work) -> Answer:
        digest = envelope_digest(data)
        before = work.log.build(digest)
        if before is not None and before.state is not BuildState.REFUSED:
            return Answer(digest=digest, reception=Reception.DUPLICATE, build=before)
        try:
            return self._queue(data, desk, work)
        except GuildmarkError as error:
            return Answer(digest=digest, reception=Reception.REFUSED, error=error)

    def _queue(self, data: bytes, desk: Desk, work: Work) -> Answer:
        admitted = desk.examine(data, Bytes32(self.entropy.token(_SALT_SIZE)))
        entry = admitted.entry
        # The same statement under another signature is no other part.
        before = work.log.payload(entry.payload)
        if before is not None:
            return Answer(digest=entry.digest, reception=Reception.DUPLICATE, build=before)
        _check_unused(entry, work)
        _check_room(admitted, desk.now, work)
        work.log.accept(entry)
        build = work.log.build(entry.digest)
        return Answer(digest=entry.digest, reception=Reception.ACCEPTED, build=build)


def _check_unused(entry: Queued, work: Work) -> None:
    machine = entry.entry.machine
    if work.log.counter(machine, entry.counter) is not None:
        message = f"Counter {entry.counter} of machine {to_hex(machine)} is used already."
        raise CounterReusedError(message, machine=to_hex(machine), counter=entry.counter)
    if work.log.labelled(entry.label):
        message = f"The label {entry.label[:90]} is on another part of this log."
        raise LabelTakenError(message, label=entry.label[:90])


def _check_room(admitted: Admitted, now: int, work: Work) -> None:
    """Refuse what the contract would refuse, units that others claimed counted as drawn."""
    lane = known(work.facts, LaneFact, admitted.entry.lane)
    claimed = work.log.claimed_units(lane.number)
    left = replace(lane, next=UnitNumber(lane.next + claimed))
    check_draw(left, licenses_of(lane, work.facts), n=1, time=now)
    if admitted.unit not in {None, left.next}:
        message = f"The statement names unit {admitted.unit}, its lane gives {left.next} next."
        raise UnitMismatchError(message, named=admitted.unit, next=left.next)
