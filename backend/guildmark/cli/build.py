"""``guildmark build``: what a machine says about a part, signed, sent, followed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from guildmark.adapters.envelopes import COUNTER_MAX, EnvelopeFolder, note_reception, was_refused
from guildmark.adapters.files import write_durably
from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Value, say
from guildmark.cli.arguments import AsJson, Folder, NodeUrl, identity_id, recipe_id
from guildmark.cli.homes import folder_of, write_new
from guildmark.cli.jobs import Report, read_measurements, read_settings
from guildmark.cli.nodes import asking, known_error
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.builds.delivery import RESULTS_ALONE, Delivery, check_shown
from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.granting import GrantPolicy
from guildmark.domain.builds.inspection import Result
from guildmark.domain.builds.predicate import Setting
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.bundle import read as read_bundle
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError, NotFoundError, UsageError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    Digest,
    IdentityId,
    LaneNumber,
    LogNumber,
    SiteRecipeId,
    UnitNumber,
    digest_from_hex,
    to_hex,
)
from guildmark.domain.identity.identity import key_id
from guildmark.domain.labels.activation import byproducts
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.assignments import Order, order_of
from guildmark.services.builds.builds import Assignment, Finished, signing_key
from guildmark.services.builds.inspecting import Found
from guildmark.settings import load, save

app = typer.Typer(help="Sign builds, send them to a log, follow them.", no_args_is_help=True)

_GCODE = frozenset({".gcode", ".gco", ".g"})
_BUILDS = "builds"
_MODE = 0o600
_REFUSED = "refused"


class UnitOptionsError(UsageError):
    """A unit is named, and none shall be."""

    code = "cli.unitOptions"
    hint = "Give either `--unit` or `--any-unit`."


class ValueOptionsError(UsageError):
    """Values shall be in clear, and under salts."""

    code = "cli.valueOptions"
    hint = "Give `--in-clear`, or `--salted` and `--show`; `--grant-nothing` alone."


class NotEnvelopeError(UsageError):
    """A file that is no signed envelope; nothing was sent."""

    code = "cli.notEnvelope"
    hint = "Name the `.dsse.json` files that `build attest` or the agent wrote."


class BuildNotThereError(NotFoundError):
    """The node that was asked keeps no such build."""

    code = "build.notThere"
    hint = "Send it with `guildmark build submit`: the answer says whether it is taken, or why not."


@app.command()
def attest(
    report: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="JSON: label, times, measurements."),
    ],
    machine: Annotated[
        IdentityId, typer.Option(metavar="MACHINE", parser=identity_id, help="The machine's id.")
    ],
    key: Annotated[str, typer.Option(metavar="KEY", help="The name or URI of its key.")],
    lane: Annotated[
        int, typer.Option(min=1, max=UINT40_MAX, help="The lane that the unit comes from.")
    ],
    site_recipe: Annotated[
        SiteRecipeId,
        typer.Option(metavar="RECIPE", parser=recipe_id, help="The site's recipe."),
    ],
    job: Annotated[
        Path, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The job file.")
    ],
    settings: Annotated[
        Path,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="JSON: the job's settings."),
    ],
    firmware: Annotated[str | None, typer.Option(help="The machine's firmware.")] = None,
    unit: Annotated[
        int | None,
        typer.Option(
            min=1, max=UINT40_MAX, help="The unit to name; by default the lane's next one."
        ),
    ] = None,
    counter: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=COUNTER_MAX,
            help="The machine's counter, where another home signed for it before; by default "
            "one more than this home's last.",
        ),
    ] = None,
    any_unit: Annotated[
        bool, typer.Option("--any-unit", help="Name no unit: other homes draw from the lane too.")
    ] = False,
    replaces: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The envelope that a node refused or that drew no unit; its counter is taken.",
        ),
    ] = None,
    scrap: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="The part failed: why its unit is scrap."),
    ] = None,
    lots: Annotated[
        list[str] | None,
        typer.Option(
            "--lot",
            metavar="LOT",
            help="A lot that went in: the maker's own by its name, or MAKER:DIGEST as its supplier "
            "writes it. May be repeated.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let a machine sign what it built; keep the envelope in this home and print its file.

    What the log would surely refuse is not signed: a measurement that is missing or out of bounds,
    a time ahead of the chain, a key of another machine. What failed is signed as scrap: it takes a
    unit, and is never a part. A home that signed everything that its lane
    has drawn names the unit: nobody can log such a statement twice.
    """
    if unit is not None and any_unit:
        message = "A statement names one unit, or none."
        raise UnitOptionsError(message)
    opened = enter_informed(home)
    order = Order(
        machine=machine,
        lane=LaneNumber(lane),
        site_recipe=site_recipe,
        job=sha256(job.read_bytes()),
        settings=_settings(opened, site_recipe, job, settings),
        firmware=firmware,
    )
    folder = EnvelopeFolder(opened.settings.home / _BUILDS)
    assignment = opened.assignments.assign(order)
    if not any_unit:
        assignment = _with_unit(opened, assignment, folder, unit)
    replaced = None if replaces is None else replaces.read_bytes()
    if replaced is not None:
        counter = Delivery.parse(replaced).statement().run.counter
    counter = folder.next_counter(machine) if counter is None else counter
    declared = opened.builds.declare(
        [opened.lots.named(assignment.maker, one) for one in lots or ()]
    )
    told = Report.parse(report.read_bytes())
    statement = _statement(opened, assignment, told, counter, declared)
    if replaced is not None:
        statement = replace(statement, replaces=Delivery.parse(replaced).digest)
    if scrap is not None:
        statement = replace(statement, scrap=scrap)
    opened.assignments.foresee(statement, key_id(machine, signing_key(opened.keys, KeyName(key))))
    envelope = opened.builds.attest(statement, key=KeyName(key))
    keep = folder.keep if replaced is None else folder.replace
    path = keep(machine, statement.run.counter, envelope)
    if declared is not None:
        with opened.store.writing() as work:
            of = Delivery.parse(envelope).digest
            work.documents.put(DocumentKind.DEPENDENCIES, of, declared.encode())
    say(_signed(path, envelope, statement), as_json=as_json, brief=path)


@app.command()
def lot(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As its supplier writes it.")],
    maker: Annotated[
        IdentityId,
        typer.Option(metavar="ORGANIZATION", parser=identity_id, help="Who may recall the lot."),
    ],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print a lot as MAKER:DIGEST: what `recall issue lot` takes; this home keeps its salt."""
    thing = enter(home).lots.named(maker, name)
    answer: Answer = {"name": name, "lot": thing.text(), "key": to_hex(thing.key())}
    say(answer, as_json=as_json, brief=thing.text())


@app.command()
def scrap(
    envelope: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="What a node refused, or was never to be sent."
        ),
    ],
    key: Annotated[str, typer.Option(metavar="KEY", help="The name or URI of its machine's key.")],
    reason: Annotated[str, typer.Option(help="Why its unit became no part.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let a machine sign that the unit of an envelope became scrap, in the envelope's place.

    It keeps counter, label and unit, so that later envelopes, which name later units, stay good.
    Send it with `build submit`. What the log took already cannot be replaced by it.
    """
    opened = enter_informed(home)
    data = envelope.read_bytes()
    old = Delivery.parse(data).statement()
    beacon = opened.assignments.beacon(opened.assignments.assign(order_of(old)))
    said = replace(
        opened.builds.scrapped(old, reason),
        beacon=beacon,
        run=replace(old.run, is_late_report=True),
        replaces=Delivery.parse(data).digest,
    )
    opened.assignments.foresee(
        said, key_id(old.run.machine, signing_key(opened.keys, KeyName(key)))
    )
    signed = opened.builds.attest(said, key=KeyName(key))
    folder = EnvelopeFolder(opened.settings.home / _BUILDS)
    path = folder.replace(old.run.machine, old.run.counter, signed)
    say(_signed(path, signed, said), as_json=as_json, brief=path)


@app.command()
def values(
    show: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Everybody may see it, and what is below it."),
    ] = None,
    salted: Annotated[
        bool, typer.Option("--salted", help="Sign under salts; show results for tolerances alone.")
    ] = False,
    in_clear: Annotated[
        bool, typer.Option("--in-clear", help="Sign all values where everybody sees them.")
    ] = False,
    designer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="`value grant` may open it, and below it, to a designer."
        ),
    ] = None,
    auditor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="`value grant` may open it, and below it, to an auditor."
        ),
    ] = None,
    grant_nothing: Annotated[
        bool, typer.Option("--grant-nothing", help="Forget what may be granted.")
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say what of their settings and measured values this home's machines show to everybody.

    It holds for what is signed from now on. The node of the log gets all values and judges them.
    What is closed opens to a designer or an auditor by a grant, as far as it is named here.
    Without an option it shows what holds.
    """
    if in_clear and (show or salted):
        message = "Values are in clear, or under salts."
        raise ValueOptionsError(message)
    if grant_nothing and (designer or auditor):
        message = "Values are granted, or nothing is."
        raise ValueOptionsError(message)
    folder = folder_of(home)
    settings = load(folder)
    if in_clear or show or salted:
        shown = None if in_clear else tuple(show or RESULTS_ALONE)
        check_shown(shown or ())
        settings = replace(settings, shown=shown)
        save(settings)
    if designer or auditor or grant_nothing:
        before = GrantPolicy() if grant_nothing else settings.grants
        grants = GrantPolicy(
            designer=tuple(designer or before.designer), auditor=tuple(auditor or before.auditor)
        )
        settings = replace(settings, grants=grants)
        save(settings)
    answer: Answer = {
        "salted": settings.shown is not None,
        "shown": None if settings.shown is None else list(settings.shown),
        "designer": list(settings.grants.designer),
        "auditor": list(settings.grants.auditor),
    }
    say(answer, as_json=as_json)


@app.command()
def inspect(
    bundle: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The part's evidence.")
    ],
    machine: Annotated[
        IdentityId,
        typer.Option(metavar="MACHINE", parser=identity_id, help="The instrument's id."),
    ],
    key: Annotated[str, typer.Option(metavar="KEY", help="The name or URI of its key.")],
    result: Annotated[Result, typer.Option(help="What was found.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the envelope is written.")],
    measurements: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="JSON: the measurements."),
    ] = None,
    log: Annotated[
        int | None,
        typer.Option(min=1, max=UINT40_MAX, help="The log to send it to; else the part's own."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let an instrument sign what it found of another organization's part.

    Look at the part's verdict first: the inspection confirms the very build of this evidence. Send
    it with `build submit`; it counts from its record on, for readers who list the inspector.
    """
    core = read_bundle(bundle.read_bytes()).core
    opened = enter_informed(home)
    found = Found(
        part=core.entry,
        result=result,
        log=core.record.log if log is None else LogNumber(log),
        inspected_on=opened.clock.now(),
        measurements=() if measurements is None else read_measurements(measurements.read_bytes()),
    )
    envelope = opened.inspecting.sign(found, machine=machine, key=KeyName(key))
    write_new(out, envelope)
    answer: Answer = {
        "file": str(out),
        "digest": to_hex(envelope_digest(envelope)),
        "part": f"{core.record.log}.{core.index}",
        "result": result.value,
        "log": found.log,
    }
    say(answer, as_json=as_json, brief=out)


@app.command()
def countersign(
    envelope: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A signed envelope.")
    ],
    machine: Annotated[
        IdentityId,
        typer.Option(metavar="MACHINE", parser=identity_id, help="The second machine's id."),
    ],
    key: Annotated[str, typer.Option(metavar="KEY", help="The name or URI of its key.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where it is written; else in the envelope's place."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign beside the machine, where the recipe asks for a second signature.

    It must be done before the envelope is logged: the log entry commits to all signatures.
    """
    data = enter(home).builds.countersign(envelope.read_bytes(), machine=machine, key=KeyName(key))
    if out is None:
        write_durably(envelope, data, mode=_MODE)
    else:
        write_new(out, data)
    path = out or envelope
    answer: Answer = {
        "file": str(path),
        "digest": to_hex(Delivery.parse(data).digest),
        "signatures": len(Envelope.parse(Delivery.parse(data).envelope).signatures),
    }
    say(answer, as_json=as_json, brief=path)


@app.command()
def submit(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Signed envelopes."),
    ],
    node: NodeUrl,
    as_json: AsJson = False,
) -> None:
    """Send envelopes to the node of their log; accepted means that none is lost."""
    envelopes = [_envelope(path) for path in files]
    with asking(node) as client:
        answers = client.submit(envelopes)
    for path, answer in zip(files, answers, strict=True):
        note_reception(path, is_refused=answer.get("reception") == _REFUSED)
    rows = [_reception(path, answer) for path, answer in zip(files, answers, strict=True)]
    say({"builds": rows}, as_json=as_json)
    _leave(answers)


@app.command()
def status(
    build: Annotated[str, typer.Argument(metavar="FILE|DIGEST", help="A signed envelope.")],
    node: NodeUrl,
    as_json: AsJson = False,
) -> None:
    """Show what became of a build: accepted, included, final with its unit, or refused."""
    try:
        with asking(node) as client:
            found = client.build(_digest(build))
    except GuildmarkError as error:
        if "build.unknown" not in {error.code, error.detail.get("reason")}:
            raise
        raise _not_there(build, node) from error
    note_reception(Path(build), is_refused=found.get("state") == _REFUSED)
    say({name: _plain(value) for name, value in found.items()}, as_json=as_json)


def _envelope(path: Path) -> bytes:
    """Return a file's envelope, before a wrong file, a key perhaps, is sent to a node."""
    data = path.read_bytes()
    try:
        Envelope.parse(Delivery.parse(data).envelope)
    except GuildmarkError as error:
        message = f"{path.name} is no signed envelope. {error.message}"
        raise NotEnvelopeError(message, file=path.name, reason=error.code) from error
    if b"\n" in data:
        message = f"{path.name} has more than one line: it was changed after it was signed."
        raise NotEnvelopeError(message, file=path.name)
    return data


def _signed(path: Path, delivery: bytes, statement: BuildStatement) -> Answer:
    return {
        "file": str(path),
        "digest": to_hex(Delivery.parse(delivery).digest),
        "label": statement.label,
        "counter": statement.run.counter,
        "log": statement.external.log,
        "lane": statement.external.lane,
        "unit": statement.external.unit,
    }


def _not_there(build: str, node: str) -> BuildNotThereError:
    name = Path(build).name
    if was_refused(Path(build)):
        message = f"{node} refused {name} when it was sent, and keeps nothing of it."
        return BuildNotThereError(message, build=name, refused=True)
    message = f"{node} has no build {name}: it was not sent there, or it was refused."
    return BuildNotThereError(message, build=name, refused=False)


def _with_unit(
    home: Home, assignment: Assignment, folder: EnvelopeFolder, unit: int | None
) -> Assignment:
    if unit is None:
        return home.assignments.with_unit(assignment, folder.standing())
    return replace(assignment, external=replace(assignment.external, unit=UnitNumber(unit)))


def _settings(
    home: Home, site_recipe: SiteRecipeId, job: Path, settings: Path
) -> tuple[Setting, ...]:
    """Return the settings of a job; those of G-code are held against the site's recipe."""
    given = read_settings(settings.read_bytes())
    if job.suffix.lower() not in _GCODE:
        return given
    with job.open(encoding="utf-8", errors="replace") as lines:
        return home.assignments.held(site_recipe, lines, given)


def _statement(
    home: Home,
    assignment: Assignment,
    report: Report,
    counter: int,
    declared: Declaration | None,
) -> BuildStatement:
    finished = Finished(
        label=report.label,
        counter=counter,
        beacon=home.assignments.beacon(assignment),
        started_on=report.started_on,
        finished_on=report.finished_on,
        measurements=report.measurements,
        simulated=report.simulated,
        declared=declared,
        byproducts=byproducts(code=report.activation, chip=report.chip),
    )
    return home.builds.state(assignment, finished)


def _reception(path: Path, answer: Mapping[str, Any]) -> Answer:
    names = ("digest", "reception", "code", "reason", "nextStep")
    return {"file": path.name, **{name: _plain(answer.get(name)) for name in names}}


def _leave(answers: Sequence[Mapping[str, Any]]) -> None:
    """Leave with the exit code of the first refusal, if there is one."""
    refused = [str(one.get("code")) for one in answers if one.get("reception") == _REFUSED]
    if refused:
        kind = known_error(refused[0])
        raise typer.Exit(1 if kind is None else kind.exit_code)


def _digest(text: str) -> Digest:
    path = Path(text)
    return Delivery.parse(path.read_bytes()).digest if path.is_file() else digest_from_hex(text)


def _plain(value: object) -> Value:
    """Return a node's value as it is, nothing nested."""
    return value if isinstance(value, str | int) or value is None else str(value)
