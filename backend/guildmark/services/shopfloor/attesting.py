"""Attesting: jobs that ended become envelopes, each under a counter of its own, stored at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.builds.predicate import Beacon, ExternalParameters, Resource, Setting
from guildmark.domain.builds.statement import BuildStatement, check_reason
from guildmark.domain.builds.telemetry import telemetry_resource
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import ConflictError, GuildmarkError, NotFinalError, NotFoundError
from guildmark.domain.identifiers import Digest, UnitNumber
from guildmark.domain.labels.digital_link import DigitalLink, operator_token, serial_in_lane
from guildmark.domain.recall import Thing
from guildmark.domain.recipes.gcode import (
    JobDepartsError,
    SettingContradictedError,
    check_job,
    settled,
)
from guildmark.domain.rights.metering import QuotaExceededError
from guildmark.domain.shopfloor.fieldwork import (
    STANDING,
    TAKEN,
    Brief,
    Job,
    JobState,
    Note,
    Post,
    Signed,
    SignedState,
    Watched,
    next_unit,
)
from guildmark.domain.shopfloor.jobs import Piece
from guildmark.ports.clock import Clock
from guildmark.ports.keys import KeyName
from guildmark.ports.shopfloor import AgentReader, AgentStore, AgentWriter
from guildmark.services.builds.builds import Assignment, Builds, Finished
from guildmark.services.builds.lots import lot_named
from guildmark.services.log.ingest import UnitMismatchError

_SCRAP = "scrap/"
_AMISS_MOST = 1_000
"""Envelopes that are mended in one step: a queue of weeks may be longer than the memory."""
_FAILED = (JobState.HELD, JobState.STOPPED)
_NOT_THE_RECIPE = (JobDepartsError, SettingContradictedError)


class UninformedError(NotFinalError):
    """No node has told the agent yet what its machine is to sign."""

    code = "agent.uninformed"
    hint = "Give the agent a node that answers; nothing is lost until then."


class BeaconAwaitedError(NotFinalError):
    """A job has no beacon, and no final record is younger than its rights."""

    code = "agent.beaconAwaited"
    hint = "Wait for the next record of any log; `guildmark log tick` writes one."


class JobFileUnknownError(NotFoundError):
    """Neither the machine nor its settings tell which job file it ran."""

    code = "agent.jobFileUnknown"
    hint = "Name the job file in the agent's file: `job = PATH`."


class MachinePausedError(ConflictError):
    """The agent signs and sends nothing for a machine until its owner decides."""

    code = "agent.paused"
    hint = "See why with `guildmark agent status`, then `guildmark agent resume` or `adopt`."


class NothingToSignAgainError(ConflictError):
    """An envelope is in the log, or may be, or another one stands for it."""

    code = "agent.notSignable"
    hint = "Only what was refused, or was not sent, is signed again; what left awaits its answer."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """What is different in an envelope that replaces another one.

    Args:
        beacon: Of the signing; None: that of the one before.
        label: Another one; None: that of the one before.
        scrap: Why its unit becomes no part; None: as the one before.
    """

    unit: UnitNumber | None
    beacon: Beacon | None = None
    label: str | None = None
    scrap: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attesting:
    """Use cases around signing what machines did."""

    store: AgentStore
    builds: Builds
    clock: Clock

    def sign(self, post: Post) -> int:
        """Sign each piece of each job that was released; each in a transaction of its own.

        Returns:
            How many were signed.

        Raises:
            UninformedError: No node has told anything yet.
            BeaconAwaitedError: A job has no beacon, and there is none to take now.
            JobFileUnknownError: Nobody tells the job file.
            QuotaExceededError: The lane has no unit left.
            KeyMissingError: There is no such key, or its device is away.
            PasswordWrongError: The key does not open.
        """
        signed = 0
        while (step := self._sign_next(post)) is not None:
            signed += step
        return signed

    def _sign_next(self, post: Post) -> int | None:
        """Return how many pieces were signed now, None where nothing is left to do."""
        with self.store.writing() as work:
            released = work.jobs(JobState.RELEASED, machine=post.name, most=1)
            watched = work.machine(post.name)
            if not released or watched.paused:
                return None
            job = released[0]
            piece = _next_piece(job, work)
            if piece is None:
                work.keep_job(replace(job, state=JobState.SIGNED))
                return 0
            try:
                settings = _settings(post, job, piece)
            except _NOT_THE_RECIPE as error:
                self._hold(job, error, work)
                return 0
            self._sign(post, replace(job, settings=settings), piece, watched, work)
            return 1

    def _hold(self, job: Job, error: GuildmarkError, work: AgentWriter) -> None:
        """Hold a job whose file is not what the site's recipe promises; others go on."""
        held = replace(job, state=JobState.HELD, code=error.code, reason=error.message)
        work.keep_job(held)
        text = f"job {job.job} is held: {error.message}"
        work.note(Note(at=self.clock.now(), machine=job.machine, code=error.code, text=text))

    def _sign(self, post: Post, job: Job, piece: int, watched: Watched, work: AgentWriter) -> None:
        brief = _informed(watched)
        label = self._label(post, job.pieces[piece], brief, work)
        scrap = _scrap(job, piece)
        declared = None if scrap is not None else self._declared(job, brief, work)
        finished = Finished(
            label=label,
            counter=watched.counter + 1,
            beacon=_beacon(job, brief),
            started_on=_began(job),
            finished_on=_ended(job),
            measurements=job.pieces[piece].measurements,
            technician=job.technician,
            is_late_report=job.is_late,
            byproducts=tuple(_byproducts(job, work)),
            scrap=scrap,
            declared=declared,
        )
        last = work.last_unit(post.lane, *STANDING)
        unit = _unit(post, brief, [] if last is None else [last])
        statement = self.builds.state(_assigned(post, job, brief, unit), finished)
        work.keep_machine(replace(watched, counter=finished.counter))
        self._keep(
            post,
            statement,
            Signed(
                machine=post.name,
                job=job.job,
                piece=piece,
                counter=finished.counter,
                label=label,
                log=brief.external.log,
                lane=post.lane,
                digest=Digest(bytes(32)),
                unit=unit,
                signed_at=self.clock.now(),
                is_scrap=scrap is not None,
                declared=declared,
            ),
            work,
        )

    def _declared(self, job: Job, brief: Brief, work: AgentWriter) -> Declaration | None:
        things = [lot_named(brief.maker, one, work, self.builds.entropy) for one in job.lots]
        return self.builds.declare(things)

    def lot(self, post: Post, name: str) -> Thing:
        """Return a lot of the machine's maker by its name: what recalls it.

        Raises:
            UninformedError: No node has told yet who the maker is.
            LotNameError: The name is empty, too long or not printable.
        """
        with self.store.writing() as work:
            maker = _informed(work.machine(post.name)).maker
            return lot_named(maker, name, work, self.builds.entropy)

    def _keep(
        self, post: Post, statement: BuildStatement, signed: Signed, work: AgentWriter
    ) -> Signed:
        delivery = self.builds.attest(statement, key=KeyName(post.key))
        kept = replace(signed, digest=Delivery.parse(delivery).digest)
        work.keep_signed(kept, delivery)
        return kept

    def _label(self, post: Post, piece: Piece, brief: Brief, work: AgentWriter) -> str:
        serial = piece.serial
        if serial is None:
            book = work.lane(post.lane)
            work.keep_lane(replace(book, serial=book.serial + 1))
            serial = _serial(post, book.serial + 1)
        if post.gtin is not None:
            return DigitalLink.of_part(post.host, post.gtin, serial).label
        token = operator_token(brief.operator)
        return DigitalLink.of_own_part(post.host, token, serial).label

    def sign_again(self, post: Post, digest: Digest, *, has_new_serial: bool = False) -> Signed:
        """Sign a refused or unsent statement again, with the machine's present key and lane.

        The new envelope has the same counter and label, and names the one that it replaces. Its
        beacon is the newest one, so that it is a late report.

        Args:
            post: The machine.
            digest: The envelope.
            has_new_serial: Whether it gets the next serial of its lane, where its own is taken.

        Raises:
            MachinePausedError: The machine waits for its owner.
            NothingToSignAgainError: It is in the log, or may be, or another one stands for it.
            GuildmarkError: As ``sign``.
        """
        with self.store.writing() as work:
            watched = work.machine(post.name)
            _check_running(watched)
            brief = _informed(watched)
            found = _signable(digest, post, work)
            beacon = brief.usable_beacon
            if beacon is None:
                message = "No final record is younger than the machine's rights."
                raise BeaconAwaitedError(message)
            named = [unit for unit in work.units(post.lane, *STANDING) if unit != found.unit]
            unit = _unit(post, brief, named)
            label = self._label(post, Piece(), brief, work) if has_new_serial else None
            other = _Other(unit=unit, beacon=beacon, label=label)
            return self._replace(post, found, brief, work, other=other)

    def scrap(self, post: Post, job: str, reason: str) -> Sequence[Signed]:
        """Let a job's failed pieces be signed as scrap, or what was refused or not sent of it.

        Of a job that waits or was stopped, the pieces that failed get units that become no part;
        all do where none is judged. The envelope of a signed one is replaced: counter, label and
        unit stay, so that later envelopes, which name later units, stay good.

        Returns:
            What was signed now; nothing where the job's pieces are signed in their turn.

        Raises:
            MalformedStatementError: The reason is empty or too long.
            MachinePausedError: The machine waits for its owner.
            NothingToSignAgainError: There is no such job, it runs, or the log has all of it.
            GuildmarkError: As ``sign``.
        """
        check_reason(reason)
        with self.store.writing() as work:
            watched = work.machine(post.name)
            _check_running(watched)
            found = work.job(post.name, job)
            if found is not None and found.state in _FAILED:
                work.keep_job(_scrapped(found, reason))
                return ()
            rows = [row for row in work.signed_of(post.name, job) if row.is_replaceable]
            if not rows:
                message = f"Nothing of job {job[:80]} waits or was refused."
                raise NothingToSignAgainError(message, job=job[:80])
            brief = _informed(watched)
            return [self._scrap(post, row, reason, brief, work) for row in rows]

    def _scrap(
        self, post: Post, row: Signed, reason: str, brief: Brief, work: AgentWriter
    ) -> Signed:
        taken = work.units(post.lane, *STANDING)
        is_own = row.state is not SignedState.REFUSED or row.unit not in taken
        unit = row.unit if is_own else _unit(post, brief, taken)
        other = _Other(unit=unit, beacon=brief.usable_beacon, scrap=reason)
        return self._replace(post, row, brief, work, other=other)

    def mend(self, post: Post) -> int:
        """Sign the queue again where its lane moved to another log; fill what was lost before it.

        A unit that only a refused envelope of this machine names is lost: a scrap entry fills it,
        once, and later envelopes stay as they are. Where that cannot be, they are signed again.

        Returns:
            How many were signed.

        Raises:
            UnitMismatchError: Somebody else draws from the lane; the caller pauses the machine.
            GuildmarkError: As ``sign``.
        """
        with self.store.writing() as work:
            watched = work.machine(post.name)
            brief = watched.brief
            if watched.paused or brief is None:
                return 0
            found = _amiss(post, brief, work)
            lost = _lost(post, found, brief, work)
            if lost:
                return sum(self._fill(post, row, brief, work) for row in lost)
            return sum(
                self._mend_one(post, row, unit, brief, work)
                for row, unit in found
                if row.machine == post.name
            )

    def _fill(self, post: Post, refused: Signed, brief: Brief, work: AgentWriter) -> int:
        """Fill the unit of a refused envelope, which itself may still be signed again."""
        watched = work.machine(post.name)
        counter = watched.counter + 1
        old = Delivery.parse(work.envelope(refused.digest)).statement()
        reason = f"lost number: counter {refused.counter} was refused ({refused.code})"
        label = self._label(post, Piece(), brief, work)
        statement = replace(
            self.builds.scrapped(old, reason),
            label=label,
            external=_external(brief, refused.unit),
            run=replace(
                old.run, maker=brief.maker, site=brief.site, counter=counter, is_late_report=True
            ),
            beacon=brief.usable_beacon or old.beacon,
            replaces=None,
        )
        work.keep_machine(replace(watched, counter=counter))
        signed = replace(
            refused,
            counter=counter,
            label=label,
            state=SignedState.SIGNED,
            code=None,
            reason=None,
            replaces=None,
            signed_at=self.clock.now(),
            is_scrap=True,
            declared=None,
        )
        text = f"unit {refused.unit} of lane {post.lane} is filled with scrap, counter {counter}"
        work.note(Note(at=self.clock.now(), machine=post.name, code="scrapped", text=text))
        self._keep(post, statement, signed, work)
        return 1

    def _mend_one(
        self, post: Post, row: Signed, unit: UnitNumber | None, brief: Brief, work: AgentWriter
    ) -> int:
        if row.state is SignedState.SENT:
            # The log may have it; the next answer tells.
            return 0
        has_moved = row.log != brief.external.log
        if not has_moved and unit == row.unit:
            work.change_signed(replace(row, code=None, reason=None))
            return 0
        if not has_moved and unit is not None and row.unit is not None and unit > row.unit:
            message = f"The lane gives unit {unit} next; {row.unit} was to be the next one here."
            raise UnitMismatchError(message, named=row.unit, next=unit)
        self._replace(post, row, brief, work, other=_Other(unit=unit))
        return 1

    def _replace(
        self,
        post: Post,
        row: Signed,
        brief: Brief,
        work: AgentWriter,
        *,
        other: _Other,
    ) -> Signed:
        unit, beacon, label = other.unit, other.beacon, other.label
        old = Delivery.parse(work.envelope(row.digest)).statement()
        run = replace(old.run, maker=brief.maker, site=brief.site)
        changed = replace(
            old if other.scrap is None else self.builds.scrapped(old, other.scrap),
            label=label or old.label,
            external=_external(brief, unit),
            run=run if beacon is None else replace(run, is_late_report=True),
            beacon=beacon or old.beacon,
            replaces=row.digest,
        )
        work.change_signed(replace(row, state=SignedState.REPLACED))
        signed = replace(
            row,
            label=label or row.label,
            state=SignedState.SIGNED,
            log=brief.external.log,
            unit=unit,
            code=None,
            reason=None,
            replaces=row.digest,
            signed_at=self.clock.now(),
            is_scrap=row.is_scrap or other.scrap is not None,
            declared=row.declared if other.scrap is None else None,
        )
        code, done = ("replaced", "again") if other.scrap is None else ("scrapped", "as scrap")
        text = f"counter {row.counter} signed {done}"
        work.note(Note(at=self.clock.now(), machine=post.name, code=code, text=text))
        return self._keep(post, changed, signed, work)


def _next_piece(job: Job, work: AgentReader) -> int | None:
    done = {row.piece for row in work.signed_of(job.machine, job.job)}
    numbers = range(len(job.pieces))
    left = (n for n in numbers if n not in done and _is_signed(job, n))
    return next(left, None)


def _is_signed(job: Job, piece: int) -> bool:
    """Return whether a piece has an envelope of its own: one that failed may be only named."""
    return job.pieces[piece].conforming is not False or job.scrap is not None


def _scrap(job: Job, piece: int) -> str | None:
    return job.scrap if job.pieces[piece].conforming is False else None


def _scrapped(job: Job, reason: str) -> Job:
    """Return a job whose failed pieces are scrap; all are where none is judged."""
    pieces = job.pieces or (Piece(),)
    if all(piece.conforming is None for piece in pieces):
        pieces = tuple(replace(piece, conforming=False) for piece in pieces)
    state = JobState.RELEASED
    return replace(job, pieces=pieces, scrap=reason, state=state, code=None, reason=None)


def _informed(watched: Watched) -> Brief:
    if watched.brief is None:
        message = f"No node has told yet what {watched.name} is to sign."
        raise UninformedError(message, machine=watched.name)
    return watched.brief


def _check_running(watched: Watched) -> None:
    if watched.paused:
        message = f"{watched.name} waits for its owner: {watched.reason}"
        raise MachinePausedError(message, machine=watched.name)


def _signable(digest: Digest, post: Post, work: AgentReader) -> Signed:
    states = (SignedState.SIGNED, SignedState.REFUSED)
    found = [row for row in work.signed(*states) if row.digest == digest]
    if not found or found[0].machine != post.name:
        message = f"No envelope {digest.hex()[:16]}… of {post.name} can be signed again."
        raise NothingToSignAgainError(message, digest=digest.hex())
    return found[0]


def _beacon(job: Job, brief: Brief) -> Beacon:
    beacon = job.beacon or brief.usable_beacon
    if beacon is None:
        message = f"Job {job.job[:80]} has no beacon, and no record is younger than its rights."
        raise BeaconAwaitedError(message, job=job.job[:80])
    return beacon


def _began(job: Job) -> int:
    """Return when a job began; a claim that contradicts its end is not passed on."""
    return min(_ended(job), job.started_at or _ended(job))


def _ended(job: Job) -> int:
    return job.finished_at or 0


def _external(brief: Brief, unit: UnitNumber | None) -> ExternalParameters:
    return replace(brief.external, unit=unit)


def _assigned(post: Post, job: Job, brief: Brief, unit: UnitNumber | None) -> Assignment:
    file = job.file or post.job
    if file is None:
        message = f"Nobody tells which file {post.name} ran as {job.job[:80]}."
        raise JobFileUnknownError(message, machine=post.name, job=job.job[:80])
    return Assignment(
        external=_external(brief, unit),
        maker=brief.maker,
        site=brief.site,
        machine=post.machine,
        ciphertext=brief.ciphertext,
        job=file,
        settings=job.settings,
        firmware=job.firmware or post.firmware,
    )


def _settings(post: Post, job: Job, piece: int) -> tuple[Setting, ...]:
    """Return a job's settings: what is told, and what its file says of further clauses.

    What failed may have failed by them.

    Raises:
        JobDepartsError: The file makes the machine do what the site's recipe does not admit.
        SettingContradictedError: What is told is not what the file does.
    """
    given = job.settings or post.settings
    is_own = job.file is None or job.file == post.job
    observed = job.observed or (post.observed if is_own else ())
    if not observed or not post.clauses or _scrap(job, piece) is not None:
        return given
    check_job(observed, post.clauses)
    return settled(observed, given, post.clauses)


def _unit(post: Post, brief: Brief, named: Sequence[UnitNumber]) -> UnitNumber | None:
    """Return the unit to name, None where others draw from the lane too."""
    if not post.is_alone:
        return None
    unit = next_unit(brief, named)
    if unit is None:
        message = f"Lane {post.lane} has no unit left; {brief.end - 1} was its last."
        raise QuotaExceededError(message, lane=post.lane, left=0, asked=1)
    return unit


def _amiss(
    post: Post, brief: Brief, work: AgentReader
) -> Sequence[tuple[Signed, UnitNumber | None]]:
    """Return what waits and cannot be logged as it is, in order, with the unit that it will get."""
    taken = work.last_unit(post.lane, *TAKEN)
    first = next_unit(brief, [] if taken is None else [taken])
    found = work.amiss(post.lane, brief.external.log, UnitMismatchError.code, most=_AMISS_MOST)
    return [(row, _expected(row, first, before, brief)) for row, before in found]


def _expected(
    row: Signed, first: UnitNumber | None, before: int, brief: Brief
) -> UnitNumber | None:
    """Return the unit that an envelope will get, behind those that wait before it."""
    if row.unit is None or first is None or first + before >= brief.end:
        return None
    return UnitNumber(first + before)


def _lost(
    post: Post,
    found: Sequence[tuple[Signed, UnitNumber | None]],
    brief: Brief,
    work: AgentReader,
) -> Sequence[Signed]:
    """Return the refused envelopes whose units nobody draws before the first one that waits.

    Empty where a unit is not this machine's own to fill, or was filled before.
    """
    waits = next(
        (
            (row.unit, unit)
            for row, unit in found
            if row.code == UnitMismatchError.code and row.unit != unit
        ),
        (None, None),
    )
    named, unit = waits
    if named is None or unit is None or named - unit > _AMISS_MOST:
        return ()
    if any(row.log != brief.external.log for row, _ in found):
        return ()
    wanted = range(unit, named)
    refused = work.of_units(post.lane, wanted, SignedState.REFUSED)
    filled = {row.unit for row in refused if row.is_scrap}
    own = {row.unit: row for row in refused if row.machine == post.name and not row.is_scrap}
    return [own[UnitNumber(n)] for n in wanted] if own.keys() - filled >= {*wanted} else ()


def _byproducts(job: Job, work: AgentReader) -> Iterator[Resource]:
    """Yield what a statement names beside its part: telemetry, files, pieces that are scrap."""
    chunks = [kept.chunk.encode() for kept in work.chunks(job.machine, job.job)]
    if chunks:
        yield telemetry_resource(chunks)
    for file in job.files:
        yield Resource(name=file.name, digest=file.digest)
    for number, piece in enumerate(job.pieces, start=1):
        if piece.conforming is False:
            record = f"{job.machine}\n{job.job}\n{number}".encode()
            yield Resource(name=f"{_SCRAP}{number}", digest=sha256(record))


def _serial(post: Post, number: int) -> str:
    if post.is_alone:
        return serial_in_lane(post.lane, number)
    # Others make labels in this lane, too.
    return f"{post.lane}-{post.machine.hex()[:6]}-{number:05d}"
