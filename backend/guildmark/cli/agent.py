"""``guildmark agent``: what runs beside machines, and what people tell it."""

import csv
import fcntl
import io
import json
import os
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from guildmark.adapters.envelopes import COUNTER_MAX
from guildmark.adapters.fieldwork.settings import (
    BY_HAND,
    FILE_NAME,
    RECIPE_NAME,
    AgentSettings,
    Watch,
    machine_table,
    read_agent,
    write_agent,
)
from guildmark.adapters.files import create_durably, write_durably
from guildmark.adapters.jobfiles import read_job
from guildmark.adapters.keys.keystore import PASSWORD_VARIABLE, is_uri
from guildmark.cli.answers import Answer, Moment, note, say
from guildmark.cli.arguments import AsJson, Folder, identity_id, nonce_of, recipe_id
from guildmark.cli.homes import KEYS, OutputExistsError, folder_of, keys_of, write_new
from guildmark.cli.key_arguments import key_text
from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.telemetry import (
    CHUNKS_MAX,
    Disclosure,
    KeptChunk,
    check_disclosure,
    disclose_chunks,
    find_telemetry,
    locate_chunks,
)
from guildmark.domain.errors import (
    ConflictError,
    GuildmarkError,
    MalformedError,
    NotFinalError,
    NotFoundError,
)
from guildmark.domain.identifiers import (
    UINT40_MAX,
    Bytes32,
    Cid,
    IdentityId,
    LaneNumber,
    SiteRecipeId,
    to_hex,
)
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.fieldwork import Brief, Job, Post, Signed, SignedState
from guildmark.domain.shopfloor.jobs import JobEvent, JobPhase, Piece, RefusedReports
from guildmark.domain.shopfloor.schema import report_schema
from guildmark.outfit import Agent, open_agent
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.log.ingest import LabelTakenError
from guildmark.services.shopfloor.fieldreport import overview
from guildmark.services.shopfloor.watching import Addition, JobUnknownError

app = typer.Typer(help="Run what stands beside machines, and tell it things.", no_args_is_help=True)

_LOCK = "agent.lock"
_ENDPOINT = "page.json"
# Strings, so that commands and the agent stay independent rooms.
_RUNNING = "guildmark.agent.running"
_PASSWORD_SIZE = 32
_COLUMNS = ("job", "piece", "characteristic", "value", "unit", "instrument")

MachineName = Annotated[
    str | None,
    typer.Option("--machine", metavar="NAME", help="The machine, where the agent has several."),
]
JobName = Annotated[str, typer.Argument(metavar="JOB", help="The job's name.")]


class AgentRunningError(ConflictError):
    """Another process runs the agent of this home."""

    code = "agent.running"
    hint = "Use the agent that runs, or end it first."


class AdditionMalformedError(MalformedError):
    """What shall be added to a job cannot be read."""

    code = "agent.additionMalformed"
    hint = (
        "Write a measurement as PATH=VALUE:UNIT:INSTRUMENT; a CSV file has the columns "
        "job,piece,characteristic,value,unit,instrument."
    )


class TelemetryMissingError(NotFoundError):
    """A job or a statement has no telemetry."""

    code = "telemetry.missing"
    hint = "Ask for a job whose machine told values while it ran."


class TelemetryUnstoredError(NotFinalError):
    """A job's telemetry is not all in the node's store yet."""

    code = "telemetry.unstored"
    hint = "Let the agent run until the node answers; it hands over what a signed job left."


@app.command()
def init(
    node: Annotated[str, typer.Option(metavar="URL", help="The node of the log.")],
    machine: Annotated[
        IdentityId, typer.Option(metavar="MACHINE", parser=identity_id, help="The machine's id.")
    ],
    lane: Annotated[
        int, typer.Option(min=1, max=UINT40_MAX, help="The lane that its units come from.")
    ],
    site_recipe: Annotated[
        SiteRecipeId, typer.Option(metavar="RECIPE", parser=recipe_id, help="The site's recipe.")
    ],
    host: Annotated[str, typer.Option(help="The host of its labels, as id.example.org.")],
    name: Annotated[str, typer.Option(help="What you call the machine.")] = "machine",
    key: Annotated[
        str, typer.Option(metavar="KEY", help="The name or URI of its key; a new name makes one.")
    ] = "machine",
    source: Annotated[
        str, typer.Option(metavar="URI", help="What reports its jobs; report: means people do.")
    ] = BY_HAND,
    hold: Annotated[
        bool, typer.Option("--hold", help="Let jobs wait for what people add.")
    ] = False,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The document of the site's recipe: what G-code does is held against it.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make an agent's home for a machine; print the public key to register for it."""
    folder = folder_of(home)
    if (folder / FILE_NAME).exists():
        message = f"{folder / FILE_NAME} exists already."
        raise OutputExistsError(message, path=str(folder / FILE_NAME))
    _make_password(folder)
    keys = keys_of(folder)
    if not is_uri(key) and key not in keys.names():
        keys.create(KeyName(key), KeyAlgorithm.P256)
    public = key_text(keys.public_key(KeyName(key)))
    post = Post(
        name=name,
        machine=machine,
        key=key,
        lane=LaneNumber(lane),
        site_recipe=site_recipe,
        host=host,
        holds=hold,
    )
    table = machine_table(post, source)
    if recipe is not None:
        write_durably(folder / RECIPE_NAME, recipe.read_bytes(), mode=0o600)
        table = {**table, "recipe": RECIPE_NAME}
    write_agent(AgentSettings(home=folder, node=node), [table])
    read_agent(folder)
    answer: Answer = {"file": str(folder / FILE_NAME), "machine": name, "publicKey": public}
    say(answer, as_json=as_json, brief=public)
    note(f"Register this key: guildmark machine key add {to_hex(machine)} {public}")
    note(f"Then: guildmark agent run --home {folder}")


@app.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="Do one turn, then end.")] = False,
    home: Folder = None,
) -> None:
    """Watch the machines, sign what they did, send it; until Ctrl-C. Print the page's address."""
    folder = folder_of(home)
    settings = read_agent(folder)

    def announce(url: str) -> None:
        write_durably(folder / _ENDPOINT, json.dumps({"url": url, "pid": os.getpid()}).encode())
        typer.echo(url)

    # The server raises the signal again when all is done.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with _alone(folder), _opened(settings) as agent:
        agent.open_key_files()
        import_module(_RUNNING).work(agent, once=once, announce=announce)


@app.command()
def status(home: Folder = None, as_json: AsJson = False) -> None:
    """Show what waits, what failed last, and whether a job that begins now would count."""
    settings = read_agent(folder_of(home))
    with _opened(settings) as agent:
        posts = [one.post for one in settings.watches]
        found = overview(agent.store, posts, now=agent.clock.now())
        aside = [
            (watch.post.name, reports)
            for watch in settings.watches
            for reports in agent.refused_reports(watch)
        ]
    rows: list[Mapping[str, Any]] = [
        {
            "machine": one.name,
            "state": one.state,
            "waiting": one.waiting,
            "held": one.held,
            "final": one.final,
            "refused": one.refused,
            "oldest": Moment(one.oldest),
            "begin": one.begin,
            "lots": list(one.lots),
        }
        for one in found
    ]
    waiting = sum(one.waiting for one in found)
    answer: Answer = {
        "node": settings.node,
        "waiting": waiting,
        "machines": rows,
        "problems": [
            *(f"{one.name}: {one.problem}" for one in found if one.problem),
            *(f"{name}: {_problem(reports.error())}" for name, reports in aside),
        ],
    }
    if as_json:
        answer = {**answer, "refusedReports": [_aside(*one) for one in aside]}
    else:
        answer = {**answer, "waiting": f"{waiting} waiting"}
    say(answer, as_json=as_json)


@app.command()
def show(
    job: JobName, machine: MachineName = None, home: Folder = None, as_json: AsJson = False
) -> None:
    """Show a job, its pieces and what became of each."""
    with _machine(home, machine) as (agent, watch):
        with agent.store.reading() as view:
            found = view.job(watch.post.name, job)
            rows = view.signed_of(watch.post.name, job)
        if found is None:
            message = f"{watch.post.name} has no job {job[:80]!r}."
            raise JobUnknownError(message, job=job[:80])
        say({**_shown(found), "envelopes": [_row(row) for row in rows]}, as_json=as_json)


@app.command()
def report(
    job: JobName,
    phase: Annotated[JobPhase, typer.Argument(help="What happened.")],
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The job file."),
    ] = None,
    pieces: Annotated[int, typer.Option(min=1, max=1000, help="How many came out.")] = 1,
    measured: Annotated[
        list[str] | None,
        typer.Option("--measured", metavar="PATH=VALUE:UNIT:INSTRUMENT", help="Of each piece."),
    ] = None,
    technician: Annotated[str | None, typer.Option(help="The pseudonym of who was there.")] = None,
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Tell by hand that a job began, ended or broke off."""
    is_end = phase is JobPhase.FINISHED
    measurements = tuple(_measurement(text) for text in measured or ())
    read = None if file is None else read_job([file.read_bytes()])
    with _machine(home, machine) as (agent, watch):
        event = JobEvent(
            job=job,
            phase=phase,
            at=agent.clock.now(),
            file_name=None if file is None else file.name[:200],
            file=None if read is None else read.digest,
            observed=() if read is None else read.observed,
            pieces=(Piece(measurements=measurements),) * pieces if is_end else (),
            technician=technician,
        )
        found = agent.watching.report(watch.post, event)
        say(_shown(found), as_json=as_json, brief=found.state.value)


@app.command()
def add(
    job: JobName,
    technician: Annotated[str | None, typer.Option(help="The pseudonym of who was there.")] = None,
    text: Annotated[str | None, typer.Option("--note", help="A note, for display only.")] = None,
    piece: Annotated[
        int | None, typer.Option(min=1, max=1000, help="The piece, counted from 1.")
    ] = None,
    passed: Annotated[
        bool | None, typer.Option("--pass/--fail", help="Whether an inspector passed it.")
    ] = None,
    serial: Annotated[str | None, typer.Option(help="The serial of the piece.")] = None,
    count: Annotated[
        int | None, typer.Option("--pieces", min=1, max=1000, help="How many came out.")
    ] = None,
    measured: Annotated[
        list[str] | None,
        typer.Option("--measured", metavar="PATH=VALUE:UNIT:INSTRUMENT", help="What was measured."),
    ] = None,
    lots: Annotated[
        list[str] | None,
        typer.Option("--lot", metavar="LOT", help="What went in, instead of what was loaded."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", exists=True, dir_okay=False, help="Measurements."),
    ] = None,
    photo: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="A photo or other file."),
    ] = None,
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Add to a job that waits: who, notes, photos, pass or fail, measurements, lots."""
    own = Addition(
        technician=technician,
        note=text,
        piece=None if piece is None else piece - 1,
        conforming=passed,
        measurements=tuple(_measurement(one) for one in measured or ()),
        serial=serial if piece is not None else None,
        count=count,
        lots=None if lots is None else tuple(lots),
    )
    rows = [] if table is None else list(_additions(table.read_text(encoding="utf-8"), job))
    with _machine(home, machine) as (agent, watch):
        name = watch.post.name
        found = agent.watching.add(name, job, own)
        for row in rows:
            found = agent.watching.add(name, job, row)
        for path in photo or ():
            title = f"photo/{len(found.files) + 1}"
            attachment, sealed = agent.storing.encrypted(title, path.read_bytes())
            found = agent.watching.attach(name, job, attachment, sealed)
        say(_shown(found), as_json=as_json)


@app.command()
def load(
    lots: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LOT]...", help="By name, or its supplier's MAKER:DIGEST."),
    ] = None,
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Tell which lots are loaded, none for no lot: jobs that run or begin name them."""
    with _machine(home, machine) as (agent, watch):
        found = agent.watching.load(watch.post.name, lots or ())
        say({"machine": found.name, "lots": list(found.lots)}, as_json=as_json)


@app.command()
def lot(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The lot, as its supplier calls it.")],
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print a lot as MAKER:DIGEST: what `recall issue lot` takes; this home keeps its salt."""
    with _machine(home, machine) as (agent, watch):
        thing = agent.attesting.lot(watch.post, name)
    answer: Answer = {"name": name, "lot": thing.text(), "key": to_hex(thing.key())}
    say(answer, as_json=as_json, brief=thing.text())


@app.command()
def sign(
    job: JobName,
    again: Annotated[
        bool, typer.Option("--again", help="Sign what was refused or not sent once more.")
    ] = False,
    serial: Annotated[
        bool,
        typer.Option(
            "--new-serial", help="With --again: give what was refused as label.taken new serials."
        ),
    ] = False,
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let a job that waits be signed; the agent that runs does it at once.

    With new serials the pieces need new labels: they are printed with the answer.
    """
    with _machine(home, machine) as (agent, watch):
        post = watch.post
        if again:
            with agent.store.reading() as view:
                every = view.signed_of(post.name, job)
            # Where all of it awaits an answer, that is why nothing is signed.
            sent = [row for row in every if row.state is SignedState.SENT]
            rows = [row for row in every if row.is_replaceable] or sent
            made = [
                agent.attesting.sign_again(
                    post,
                    row.digest,
                    has_new_serial=serial and row.code == LabelTakenError.code,
                )
                for row in rows
            ]
            say({"envelopes": [_row(row) for row in made]}, as_json=as_json)
            return
        found = agent.watching.release(post.name, job)
        say(_shown(found), as_json=as_json, brief=found.state.value)


@app.command()
def scrap(
    job: JobName,
    reason: Annotated[str, typer.Option(help="Why it became no part.")],
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign that a failed job, or what a node refused of one, became scrap.

    It draws its unit, and is never a part. Without this, failed pieces are only named by their job,
    and a lost number before others is filled by itself.
    """
    with _machine(home, machine) as (agent, watch):
        rows = agent.attesting.scrap(watch.post, job, reason)
        say({"job": job, "envelopes": [_row(row) for row in rows]}, as_json=as_json)


@app.command()
def retry(
    job: JobName, machine: MachineName = None, home: Folder = None, as_json: AsJson = False
) -> None:
    """Send what was refused again, as it is."""
    with _machine(home, machine) as (agent, watch):
        count = agent.sending.retry(watch.post, job)
        say({"job": job, "envelopes": count}, as_json=as_json, brief=count)


@app.command()
def resume(machine: MachineName = None, home: Folder = None, as_json: AsJson = False) -> None:
    """Let a machine that was stopped go on as it is."""
    with _machine(home, machine) as (agent, watch):
        agent.sending.resume(watch.post.name)
        say({"machine": watch.post.name, "state": "running"}, as_json=as_json, brief="running")


@app.command()
def brief(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What the node answered."),
    ],
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Take by hand, where no network is, what a node says of a machine: its newest beacon, too.

    The file is the answer to GET /v1/machines/MACHINE/brief?key=...&lane=...&siteRecipe=... of any
    node that follows the chain.
    """
    with _machine(home, machine) as (agent, watch):
        found = Brief.parse(file.read_bytes())
        agent.sending.take(watch.post, found)
        beacon = found.beacon
        said: Answer = {
            "machine": watch.post.name,
            "beacon": None if beacon is None else f"{beacon.beacon.log}.{beacon.beacon.seq}",
            "time": Moment(0 if beacon is None else beacon.time),
        }
        say(said, as_json=as_json)


@app.command()
def adopt(
    counter: Annotated[
        int | None,
        typer.Option(min=0, max=COUNTER_MAX, help="The last counter that was used anywhere."),
    ] = None,
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Take up a machine whose key was used elsewhere: go on behind its last counter."""
    with _machine(home, machine) as (agent, watch):
        last = agent.sending.adopt(watch.post, counter=counter)
        say({"machine": watch.post.name, "counter": last}, as_json=as_json, brief=last)


@app.command()
def log(
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="How many lines.")] = 20,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show what the agent did and what went wrong, the newest first."""
    settings = read_agent(folder_of(home))
    with _opened(settings) as agent, agent.store.reading() as view:
        rows: list[Mapping[str, Any]] = [
            {"at": Moment(one.at), "machine": one.machine, "code": one.code, "text": one.text}
            for one in view.notes(lines)
        ]
    say({"lines": rows}, as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of job reports, guildmark/job/v1, as folders and MQTT take them."""
    say(report_schema(), as_json=True)


@app.command("open")
def open_(
    job: JobName,
    nonce: Annotated[str, typer.Option(metavar="HEX", help="The challenger's 32 bytes.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The answer.")],
    count: Annotated[
        int, typer.Option(min=1, max=CHUNKS_MAX, help="How many chunks are wanted.")
    ] = 3,
    kept: Annotated[
        bool,
        typer.Option("--kept", help="Open nothing: say where the encrypted copies are kept."),
    ] = False,
    machine: MachineName = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Answer a challenge: open those chunks of a job's telemetry that a nonce draws."""
    with _machine(home, machine) as (agent, watch), agent.store.reading() as view:
        chunks = view.chunks(watch.post.name, job)
    if not chunks:
        message = f"Job {job[:80]!r} of {watch.post.name} has no telemetry."
        raise TelemetryMissingError(message, job=job[:80])
    made = _located if kept else _disclosed
    answer, drawn = made(chunks, nonce_of(nonce), count)
    write_new(out, answer, mode=0o600)
    places = ", ".join(map(str, drawn))
    said: Answer = {"file": str(out), "chunks": len(chunks), "kept" if kept else "opened": places}
    say(said, as_json=as_json, brief=out)


def _disclosed(
    chunks: Sequence[KeptChunk], nonce: Bytes32, most: int
) -> tuple[bytes, Sequence[int]]:
    answer = disclose_chunks([one.chunk.encode() for one in chunks], nonce=nonce, most=most)
    return answer.encode(), [one.place for one in answer.opened]


def _located(chunks: Sequence[KeptChunk], nonce: Bytes32, most: int) -> tuple[bytes, Sequence[int]]:
    stored = [(one.chunk.encode(), Cid(one.cid)) for one in chunks if one.cid is not None]
    if len(stored) < len(chunks):
        message = f"The node keeps {len(stored)} of {len(chunks)} chunks as yet."
        raise TelemetryUnstoredError(message, stored=len(stored), count=len(chunks))
    answer = locate_chunks(stored, nonce=nonce, most=most)
    return answer.encode(), [one.place for one in answer.kept]


@app.command()
def check(
    answer: Annotated[
        Path, typer.Argument(metavar="ANSWER", exists=True, dir_okay=False, help="What was opened.")
    ],
    envelope: Annotated[
        Path,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The signed statement."),
    ],
    nonce: Annotated[str, typer.Option(metavar="HEX", help="Your 32 bytes.")],
    count: Annotated[
        int, typer.Option(min=1, max=CHUNKS_MAX, help="How many chunks you wanted.")
    ] = 3,
    as_json: AsJson = False,
) -> None:
    """Check opened telemetry against a statement: these chunks, unchanged, as your nonce drew."""
    signed = Envelope.parse(Delivery.parse(envelope.read_bytes()).envelope)
    statement = BuildStatement.parse(signed.payload)
    resource = find_telemetry(statement.byproducts)
    if resource is None:
        message = "The statement names no telemetry."
        raise TelemetryMissingError(message)
    found = Disclosure.parse(answer.read_bytes())
    chunks = check_disclosure(found, resource=resource, nonce=nonce_of(nonce), most=count)
    said: Answer = {
        "chunks": found.count,
        "opened": len(chunks),
        "values": sum(len(one.samples) for one in chunks),
        "gaps": sum(len(one.gaps) for one in chunks),
    }
    say(said, as_json=as_json)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a home for one agent; a lock of the system ends with its process, however it ends."""
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            message = f"An agent of {folder} runs already."
            raise AgentRunningError(message, folder=str(folder)) from exc
        yield


@contextmanager
def _opened(settings: AgentSettings) -> Iterator[Agent]:
    agent = open_agent(settings, os.environ)
    try:
        yield agent
    finally:
        agent.close()


@contextmanager
def _machine(home: Path | None, name: str | None) -> Iterator[tuple[Agent, Watch]]:
    settings = read_agent(folder_of(home))
    watch = settings.watch(name)
    with _opened(settings) as agent:
        yield agent, watch


def _make_password(folder: Path) -> None:
    path = folder / KEYS / "password"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if PASSWORD_VARIABLE not in os.environ and not path.exists():
        create_durably(path, secrets.token_hex(_PASSWORD_SIZE).encode() + b"\n", mode=0o600)


def _measurement(text: str) -> Measurement:
    path, separator, rest = text.partition("=")
    words = rest.split(":")
    if not separator or len(words) != len(("value", "unit", "instrument")):
        message = f"{text[:80]!r} is no measurement."
        raise AdditionMalformedError(message, found=text[:80])
    return Measurement(
        characteristic=ClausePath(path), value=words[0], unit=words[1], instrument=words[2]
    )


def _additions(text: str, job: str) -> Iterator[Addition]:
    """Yield what a CSV file says of a job, row by row."""
    reader = csv.DictReader(io.StringIO(text))
    if reader.fieldnames is None or tuple(reader.fieldnames) != _COLUMNS:
        message = f"The columns are {','.join(reader.fieldnames or ())[:120]}."
        raise AdditionMalformedError(message)
    for row in reader:
        if row["job"] != job:
            continue
        if not row["piece"].isdecimal() or row["piece"] == "0":
            message = f"{row['piece'][:20]!r} is no piece's number."
            raise AdditionMalformedError(message)
        measured = Measurement(
            characteristic=ClausePath(row["characteristic"]),
            value=row["value"],
            unit=row["unit"],
            instrument=row["instrument"],
        )
        yield Addition(piece=int(row["piece"]) - 1, measurements=(measured,))


def _shown(job: Job) -> dict[str, Any]:
    return {
        "job": job.job,
        "machine": job.machine,
        "state": job.state.value,
        "began": Moment(job.started_at or 0),
        "ended": Moment(job.finished_at or 0),
        "lateReport": job.is_late,
        "file": job.file_name,
        "technician": job.technician,
        "note": job.note,
        "lots": list(job.lots),
        "pieces": len(job.pieces),
        "files": len(job.files),
        "settings": len(job.observed) or len(job.settings),
        "code": job.code,
        "reason": job.reason,
    }


def _problem(error: GuildmarkError) -> str:
    return f"{error.code}: {error.message} {error.next_step}"


def _aside(machine: str, reports: RefusedReports) -> dict[str, Any]:
    error = reports.error()
    return {
        "machine": machine,
        "count": reports.count,
        "folder": reports.folder,
        "file": reports.file,
        "code": error.code,
        "reason": reports.reason,
        "nextStep": error.next_step,
    }


def _row(row: Signed) -> dict[str, Any]:
    return {
        "counter": row.counter,
        "piece": row.piece + 1,
        "label": row.label,
        "scrap": row.is_scrap,
        "state": row.state.value,
        "unit": row.granted if row.granted is not None else row.unit,
        "code": row.code,
        "digest": to_hex(row.digest),
    }
