"""Watching: what machines report, kept; what people add to it before it is signed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.builds.lots import check_lots
from guildmark.domain.builds.predicate import CLOCK_TOLERANCE, Measurement
from guildmark.domain.builds.telemetry import Chunk, KeptChunk, gather
from guildmark.domain.errors import ConflictError, NotFoundError
from guildmark.domain.identifiers import Bytes32
from guildmark.domain.shopfloor.fieldwork import Attachment, Job, JobState, Note, Post, Watched
from guildmark.domain.shopfloor.jobs import (
    Gap,
    JobEvent,
    JobPhase,
    Observation,
    Piece,
    Sample,
)
from guildmark.ports.clock import Clock, Entropy
from guildmark.ports.shopfloor import AgentReader, AgentStore, AgentWriter, Machine

_OPEN = (JobState.RUNNING, JobState.HELD)
_SALT_SIZE = 32


class JobUnknownError(NotFoundError):
    """The agent knows no such job."""

    code = "agent.jobUnknown"
    hint = "List the jobs with `guildmark agent status`."


class JobNotHeldError(ConflictError):
    """A job does not wait for people: it still runs, or it is signed."""

    code = "agent.jobNotHeld"
    hint = "Add to a job after it ended and before it is signed; see `guildmark agent show JOB`."


class PieceUnknownError(NotFoundError):
    """A job has fewer pieces."""

    code = "agent.pieceUnknown"
    hint = "Count the pieces from 1; see `guildmark agent show JOB`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What somebody adds to a job before it is signed; what is left out stays as it is.

    Args:
        piece: The piece that measurements and judgement are about, from 0; None for all.
        conforming: Whether an inspector passed it.
        serial: The serial of the piece that is named.
        count: How many pieces came out, where the machine does not know.
        lots: The lots that went in, in the place of those that the job had.
    """

    technician: str | None = None
    note: str | None = None
    piece: int | None = None
    conforming: bool | None = None
    measurements: tuple[Measurement, ...] = ()
    serial: str | None = None
    count: int | None = None
    lots: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Use cases around what machines report, and what people add."""

    store: AgentStore
    clock: Clock
    entropy: Entropy

    def observe(self, post: Post, machine: Machine) -> int:
        """Keep what a machine reports since the last time, in one step with how far it was read.

        Returns:
            How many events and values were new.

        Raises:
            MachineUnavailableError: It does not answer.
            MachineAnswerError: It answers otherwise than its protocol says.
            MalformedReportError: What it wrote contradicts itself.
            StoreUnavailableError: Nothing was kept.
        """
        with self.store.reading() as view:
            cursor = view.machine(post.name).cursor
        # Nobody else reads this source: what is asked outside of the transaction stays true.
        seen = machine.poll(cursor)
        if seen == Observation.nothing(cursor):
            return 0
        with self.store.writing() as work:
            self.take(post, seen, work)
        traced = sum(len(trace.samples) for trace in seen.traces)
        return len(seen.events) + len(seen.samples) + traced

    def report(self, post: Post, event: JobEvent) -> Job:
        """Keep what somebody reports by hand, and return the job."""
        with self.store.writing() as work:
            seen = Observation(cursor=work.machine(post.name).cursor, events=(event,))
            self.take(post, seen, work)
            return _known(post.name, event.job, work)

    def take(self, post: Post, seen: Observation, work: AgentWriter) -> None:
        """Keep an observation within a transaction."""
        watched = work.machine(post.name)
        ended = {event.job for event in seen.events if event.phase is not JobPhase.STARTED}
        for event in seen.events:
            self._event(post, event, watched, ended, work)
        self._telemetry(post, seen, work)
        work.keep_machine(replace(watched, cursor=seen.cursor))

    def add(self, machine: str, job: str, addition: Addition) -> Job:
        """Keep what somebody adds to a job that is held.

        Raises:
            JobUnknownError: There is no such job.
            JobNotHeldError: It does not wait for people.
            PieceUnknownError: It has fewer pieces.
            LotNameError: A lot has no name that can be one.
            DeclarationSizeError: They are more lots than a part can have.
        """
        with self.store.writing() as work:
            found = _held(machine, job, work)
            changed = replace(
                found,
                lots=found.lots if addition.lots is None else check_lots(addition.lots),
                technician=addition.technician or found.technician,
                note=addition.note or found.note,
                pieces=_pieces(found, addition),
            )
            work.keep_job(changed)
            return changed

    def load(self, machine: str, lots: Sequence[str]) -> Watched:
        """Keep which lots are loaded: those of the job that runs, too, and of all that begin.

        A job that saw others before keeps them: both went in.

        Raises:
            LotNameError: A lot has no name that can be one.
            DeclarationSizeError: They are more lots than a part can have.
        """
        loaded = check_lots(lots)
        with self.store.writing() as work:
            watched = replace(work.machine(machine), lots=loaded)
            work.keep_machine(watched)
            for job in work.jobs(JobState.RUNNING, machine=machine):
                work.keep_job(replace(job, lots=check_lots((*job.lots, *loaded))))
            text = f"loaded: {', '.join(loaded) or 'no lot'}"
            work.note(Note(at=self.clock.now(), machine=machine, code="loaded", text=text))
        return watched

    def attach(self, machine: str, job: str, file: Attachment, encrypted: bytes) -> Job:
        """Keep a file that somebody adds to a job that is held; it is encrypted already.

        Raises:
            JobUnknownError: There is no such job.
            JobNotHeldError: It does not wait for people.
        """
        with self.store.writing() as work:
            found = _held(machine, job, work)
            work.keep_ciphertext(file.digest, encrypted)
            changed = replace(found, files=(*found.files, file))
            work.keep_job(changed)
            return changed

    def measure(self, post: Post) -> int:
        """Release held jobs with the pieces that a measuring machine reported of them.

        A report is of the job that it names; one that names none is of the job that was seen first
        among those that wait: parts are measured in the order in which they were made.

        Returns:
            How many were released.
        """
        with self.store.writing() as work:
            reports = work.jobs(JobState.HELD, machine=post.gauge.name)
            return sum(self._measured(post, report, work) for report in reports)

    def _measured(self, post: Post, report: Job, work: AgentWriter) -> int:
        held = [job for job in work.jobs(JobState.HELD, machine=post.name) if job.code is None]
        if work.job(post.name, report.job) is not None:
            held = [job for job in held if job.job == report.job]
        if not held:
            return 0
        job = held[0]
        work.keep_job(replace(job, state=JobState.RELEASED, pieces=report.pieces))
        work.keep_job(replace(report, state=JobState.TAKEN))
        text = f"job {job.job} has the values of {report.job}"
        work.note(Note(at=self.clock.now(), machine=post.name, code="measured", text=text))
        return 1

    def release(self, machine: str, job: str) -> Job:
        """Let a held job be signed.

        Raises:
            JobUnknownError: There is no such job.
            JobNotHeldError: It does not wait for people.
        """
        with self.store.writing() as work:
            held = _held(machine, job, work)
            released = replace(held, state=JobState.RELEASED, code=None, reason=None)
            work.keep_job(released)
            return released

    def _event(
        self, post: Post, event: JobEvent, watched: Watched, ended: set[str], work: AgentWriter
    ) -> None:
        now = self.clock.now()
        found = work.job(post.name, event.job)
        job = found or self._begun(post, event, watched, ended)
        if job.state is not JobState.RUNNING:
            # Told again, or in another order: only a beginning that came late is new.
            if event.phase is JobPhase.STARTED and job.started_at is None:
                work.keep_job(replace(job, started_at=event.at))
            return
        changed = _told(job, event)
        if event.phase is JobPhase.FINISHED:
            state = JobState.HELD if post.holds else JobState.RELEASED
            changed = replace(changed, state=state, pieces=event.pieces or (Piece(),))
        elif event.phase is JobPhase.STOPPED:
            changed = replace(changed, state=JobState.STOPPED)
        work.keep_job(changed)
        if found is None or changed.state is not found.state:
            text = f"job {event.job} {event.phase.value}" + (" (late report)" * changed.is_late)
            work.note(Note(at=now, machine=post.name, code="observed", text=text))

    def _begun(self, post: Post, event: JobEvent, watched: Watched, ended: set[str]) -> Job:
        """Return a job that was not known: seen to begin, or reported late."""
        now = self.clock.now()
        is_fresh = abs(now - event.at) <= CLOCK_TOLERANCE and event.job not in ended
        brief = watched.brief
        beacon = None if brief is None else brief.usable_beacon
        is_late = event.phase is not JobPhase.STARTED or not is_fresh or beacon is None
        return Job(
            machine=post.name,
            job=event.job,
            seen_at=now,
            beacon=None if is_late else beacon,
            is_late=is_late,
            lots=watched.lots,
        )

    def _telemetry(self, post: Post, seen: Observation, work: AgentWriter) -> None:
        """Keep values and gaps with the job that they are of: the one that is named, or runs.

        Between jobs nobody commits to any.
        """
        for trace in seen.traces:
            if _takes_telemetry(work.job(post.name, trace.job)):
                self._gathered(post, trace.job, trace.samples, (), work)
        if not seen.samples and not seen.gaps:
            return
        job = _worked_on(post, seen, work)
        if job is not None:
            self._gathered(post, job, seen.samples, seen.gaps, work)

    def _gathered(
        self,
        post: Post,
        job: str,
        samples: Sequence[Sample],
        gaps: Sequence[Gap],
        work: AgentWriter,
    ) -> None:
        kept = work.chunks(post.name, job)
        last = kept[-1] if kept else None
        place = 0 if last is None else last.place
        chunks = gather(None if last is None else last.chunk, samples, gaps, self._blank(post))
        for number, chunk in enumerate(chunks, start=place):
            key = last.key if last and number == last.place else self._secret()
            work.keep_chunk(
                KeptChunk(machine=post.name, job=job, place=number, chunk=chunk, key=key)
            )

    def _blank(self, post: Post) -> Iterator[Chunk]:
        while True:
            yield Chunk(salt=self._secret(), source=post.name, instance="")

    def _secret(self) -> Bytes32:
        return Bytes32(self.entropy.token(_SALT_SIZE))


def _told(job: Job, event: JobEvent) -> Job:
    """Return a job with what an event tells; what was told before stays."""
    is_begin = event.phase is JobPhase.STARTED
    return replace(
        job,
        started_at=event.at if is_begin and job.started_at is None else job.started_at,
        finished_at=job.finished_at if is_begin else event.at,
        file_name=job.file_name or event.file_name,
        file=job.file or event.file,
        settings=event.settings or job.settings,
        observed=job.observed or event.observed,
        firmware=job.firmware or event.firmware,
        technician=event.technician or job.technician,
        note=event.note or job.note,
        lots=event.lots or job.lots,
    )


def _worked_on(post: Post, seen: Observation, work: AgentWriter) -> str | None:
    """Return the job that an observation's values are of: the one that runs, or just ended."""
    running = work.jobs(JobState.RUNNING, machine=post.name)
    if running:
        return running[-1].job
    told = [work.job(post.name, event.job) for event in reversed(seen.events)]
    return next((job.job for job in told if job is not None and _takes_telemetry(job)), None)


def _takes_telemetry(job: Job | None) -> bool:
    """Return whether a job is known and nothing that was signed of it would change."""
    return job is not None and job.state in {*_OPEN, JobState.RELEASED}


def _known(machine: str, job: str, work: AgentReader) -> Job:
    found = work.job(machine, job)
    if found is None:
        message = f"{machine} has no job {job[:80]!r}."
        raise JobUnknownError(message, machine=machine, job=job[:80])
    return found


def _held(machine: str, job: str, work: AgentReader) -> Job:
    found = _known(machine, job, work)
    if found.state is not JobState.HELD:
        message = f"Job {job[:80]} of {machine} is {found.state.value}, it does not wait."
        raise JobNotHeldError(message, machine=machine, job=job[:80], state=found.state.value)
    return found


def _pieces(job: Job, addition: Addition) -> tuple[Piece, ...]:
    pieces = job.pieces
    if addition.count is not None:
        pieces = (*pieces, *(Piece() for _ in range(addition.count)))[: addition.count]
    if addition.piece is not None and addition.piece >= len(pieces):
        message = f"Job {job.job} has {len(pieces)} pieces, none is number {addition.piece + 1}."
        raise PieceUnknownError(message, pieces=len(pieces), asked=addition.piece + 1)
    return tuple(
        _judged(piece, addition) if addition.piece in {None, number} else piece
        for number, piece in enumerate(pieces)
    )


def _judged(piece: Piece, addition: Addition) -> Piece:
    added = {one.characteristic: one for one in addition.measurements}
    kept = tuple(one for one in piece.measurements if one.characteristic not in added)
    conforming = piece.conforming if addition.conforming is None else addition.conforming
    return replace(
        piece,
        measurements=tuple(
            sorted((*kept, *addition.measurements), key=lambda one: one.characteristic)
        ),
        conforming=conforming,
        serial=addition.serial or piece.serial,
    )
