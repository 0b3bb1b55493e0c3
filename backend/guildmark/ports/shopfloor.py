"""What stands beside machines: the machines, an agent's memory and its node."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from guildmark.domain.builds.telemetry import KeptChunk
from guildmark.domain.errors import (
    ConflictError,
    NetworkError,
)
from guildmark.domain.identifiers import (
    Bytes32,
    Cid,
    Digest,
    IdentityId,
    KeyId,
    LaneNumber,
    LogNumber,
    SiteRecipeId,
    UnitNumber,
)
from guildmark.domain.shopfloor.fieldwork import (
    Brief,
    Job,
    JobState,
    LaneBook,
    Signed,
    SignedState,
    Watched,
)
from guildmark.domain.shopfloor.fieldwork import Note as AgentNote
from guildmark.domain.shopfloor.jobs import Observation
from guildmark.ports.store import DocumentKind


class MachineUnavailableError(NetworkError):
    """A machine, or what speaks for it, does not answer."""

    code = "machine.unavailable"
    hint = "Look at the machine's power and network; the agent tries again by itself."


class MachineAnswerError(NetworkError):
    """A machine answers otherwise than its protocol says."""

    code = "machine.badAnswer"
    hint = "Look at the machine's address, its kind and its version."


class CounterSpentError(ConflictError):
    """Another envelope of the machine has the counter already."""

    code = "agent.counterSpent"
    hint = "Run one agent for a machine; `guildmark agent adopt` takes the counter up again."


class Machine(Protocol):
    """What a machine on the shop floor tells of its jobs; asked again and again by one thread."""

    def poll(self, cursor: bytes) -> Observation:
        """Return all that happened since a cursor; b"" is the beginning.

        The same cursor gives the same events again until a newer one was handed in: whoever asks
        stores observation and cursor in one step, and what was lost before that is told again.

        Raises:
            MachineUnavailableError: It does not answer.
            MachineAnswerError: It answers otherwise than its protocol says.
            MalformedReportError: What it wrote contradicts itself.
        """
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


class AgentReader(Protocol):
    """One state of what an agent keeps."""

    def machine(self, name: str) -> Watched:
        """Return what is remembered of a machine; a new one has nothing."""
        ...

    def machines(self) -> Sequence[Watched]:
        """Return what is remembered of each machine, by name."""
        ...

    def lane(self, number: LaneNumber) -> LaneBook:
        """Return what is remembered of a lane; a new one has nothing."""
        ...

    def job(self, machine: str, job: str) -> Job | None:
        """Return a job, None where the agent never heard of it."""
        ...

    def jobs(
        self, *states: JobState, machine: str | None = None, most: int | None = None
    ) -> Sequence[Job]:
        """Return jobs in the order in which the agent saw them; all where no state is named."""
        ...

    def unstored(self) -> Job | None:
        """Return the first signed job whose files the node does not keep yet, None after all."""
        ...

    def signed(
        self, *states: SignedState, most: int | None = None, without: Sequence[str] = ()
    ) -> Sequence[Signed]:
        """Return envelopes in the order of signing; all where no state is named.

        Args:
            states: The states.
            most: How many at most.
            without: The machines to leave out.
        """
        ...

    def oldest(self, machine: str, *states: SignedState) -> Signed | None:
        """Return the envelope of a machine that was signed first, None where there is none."""
        ...

    def of_units(self, lane: LaneNumber, units: range, *states: SignedState) -> Sequence[Signed]:
        """Return the envelopes that name units of a lane, in the order of signing."""
        ...

    def amiss(
        self, lane: LaneNumber, log: LogNumber, code: str, *, most: int
    ) -> Sequence[tuple[Signed, int]]:
        """Return what waits for a lane and cannot be logged as it is, in the order of its units.

        That is what a node refused because of its unit, and what names another log than the lane.

        Args:
            lane: The lane.
            log: The log that it draws into now.
            code: The code by which a node refuses a unit.
            most: How many at most.

        Returns:
            Each with how many that wait for the lane name a unit before its own.
        """
        ...

    def unshown(self, *, most: int) -> Sequence[Signed]:
        """Return final envelopes whose lots the node was not shown, in the order of signing."""
        ...

    def signed_of(self, machine: str, job: str) -> Sequence[Signed]:
        """Return the envelopes about a job, replaced ones too, in the order of signing."""
        ...

    def counts(self) -> Mapping[tuple[str, SignedState], int]:
        """Return how many envelopes of each machine are in each state."""
        ...

    def units(self, lane: LaneNumber, *states: SignedState) -> Sequence[UnitNumber]:
        """Return the units of a lane that envelopes in these states name, or got."""
        ...

    def last_unit(self, lane: LaneNumber, *states: SignedState) -> UnitNumber | None:
        """Return the greatest of those units, None where there is none."""
        ...

    def waiting_for(self, lane: LaneNumber) -> int:
        """Return how many envelopes of a lane no node took yet."""
        ...

    def first_unnamed(self, lane: LaneNumber, units: range) -> UnitNumber | None:
        """Return the first of these units of a lane that no envelope ever named, None: all were."""
        ...

    def envelope(self, digest: Digest) -> bytes:
        """Return the bytes of an envelope that was signed here."""
        ...

    def chunks(self, machine: str, job: str) -> Sequence[KeptChunk]:
        """Return the telemetry of a job, in order."""
        ...

    def ciphertext(self, digest: Digest) -> bytes:
        """Return an encrypted file that is kept here."""
        ...

    def lot(self, key: Digest) -> bytes | None:
        """Return what is kept of a lot of the maker, None where it is new."""
        ...

    def notes(self, most: int) -> Sequence[AgentNote]:
        """Return the newest lines of the journal, the newest first."""
        ...


class AgentWriter(AgentReader, Protocol):
    """What an agent keeps, inside one transaction."""

    def keep_machine(self, watched: Watched) -> None:
        """Keep what is remembered of a machine."""
        ...

    def keep_lane(self, book: LaneBook) -> None:
        """Keep what is remembered of a lane."""
        ...

    def keep_job(self, job: Job) -> None:
        """Keep a job, instead of the one of its name."""
        ...

    def keep_signed(self, signed: Signed, envelope: bytes) -> None:
        """Keep a new envelope; no two that stand share machine and counter.

        Raises:
            CounterSpentError: Another envelope of the machine has the counter.
        """
        ...

    def change_signed(self, signed: Signed) -> None:
        """Keep how far an envelope is."""
        ...

    def keep_chunk(self, chunk: KeptChunk) -> None:
        """Keep a chunk of telemetry, instead of the one at its place."""
        ...

    def keep_ciphertext(self, digest: Digest, data: bytes) -> None:
        """Keep an encrypted file."""
        ...

    def keep_lot(self, key: Digest, body: bytes) -> None:
        """Keep what a lot of the maker is called, and its salt."""
        ...

    def note(self, note: AgentNote) -> None:
        """Write a line into the journal."""
        ...


class AgentStore(Protocol):
    """An agent's database; what it acknowledged survives a loss of power.

    Every method raises ``StoreUnavailableError`` where the database does not answer in time.
    """

    def reading(self) -> AbstractContextManager[AgentReader]:
        """Return one state, the last commit; it holds up nobody."""
        ...

    def writing(self) -> AbstractContextManager[AgentWriter]:
        """Return one exclusive transaction; leaving it commits durably, an error undoes it all."""
        ...


class Sealer(Protocol):
    """Encrypts small files before they leave the machine's side."""

    def seal(self, data: bytes, key: Bytes32) -> bytes:
        """Return a file encrypted under a key that encrypts nothing else."""
        ...


class BuildNode(Protocol):
    """A node as agents ask it.

    Every method raises ``PeerUnavailableError`` where the node does not answer as a node does, and
    another ``GuildmarkError`` where it refuses.
    """

    def brief(
        self, machine: IdentityId, *, key: KeyId, lane: LaneNumber, site_recipe: SiteRecipeId
    ) -> Brief:
        """Return what a machine's agent must know."""
        ...

    def submit(self, envelopes: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        """Send envelopes and return an answer for each."""
        ...

    def build(self, digest: Digest) -> Mapping[str, Any]:
        """Return what became of an envelope."""
        ...

    def disclose(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        """Send a document that opens what is on record."""
        ...

    def put_content(self, chunks: Iterable[bytes]) -> Cid:
        """Send a file and return its CID as the node computed it."""
        ...
