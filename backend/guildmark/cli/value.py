"""``guildmark value``: what a statement commits to, opened value by value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, Value, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Input, identity_id, moment
from guildmark.cli.homes import write_new
from guildmark.cli.key_arguments import sealing_key
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.builds.delivery import Delivery, OpenedValues
from guildmark.domain.builds.granting import PartValues, Role
from guildmark.domain.builds.predicate import Measurement, Setting
from guildmark.domain.bundle import read as read_bundle
from guildmark.domain.bundle import write as write_bundle
from guildmark.domain.errors import MalformedError, UsageError
from guildmark.domain.identifiers import IdentityId, digest_from_hex, to_hex
from guildmark.ports.keys import KeyName
from guildmark.services.builds.granting import Wanted

app = typer.Typer(help="Open single values of a part, grant them, read them.", no_args_is_help=True)

_MODE = 0o600

_Part = Annotated[
    str,
    typer.Argument(
        metavar="PART",
        help="The file that `build attest` or the agent wrote, or an envelope's digest that the "
        "log of this home took in.",
    ),
]
_Paths = Annotated[
    list[str] | None,
    typer.Option("--path", metavar="PATH", help="A value, or where several begin; repeatable."),
]


class ValueSourceError(UsageError):
    """What names a part is neither a file nor an envelope's digest."""

    code = "cli.valueSource"
    hint = "Name the file that `build attest` wrote, or the digest that it printed."


class ValueReaderError(UsageError):
    """A grant is read without its reader, or plain values with one."""

    code = "cli.valueReader"
    hint = "What `value grant` wrote needs --key and --to; what `value open` wrote needs neither."


@app.command()
def show(part: _Part, home: Folder = None, as_json: AsJson = False) -> None:
    """Show all values that a part's statement commits to, and which are open to everybody."""
    _, delivery = _delivery(part, home)
    values = delivery.values or OpenedValues()
    statement = delivery.statement()
    rows = [
        {**row, "open": delivery.values is None or values.is_shown(str(row["path"]))}
        for row in _rows(statement.settings, statement.measurements)
    ]
    say({"values": rows}, as_json=as_json)


@app.command("open")
def open_(
    part: _Part,
    path: _Paths,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A file for who shall know it.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open single values of a part in a file, for a customer; all others stay closed.

    The file proves them by itself, to everybody who has it and the part's bundle.
    """
    opened, delivery = _delivery(part, home)
    values = opened.granting.open(delivery, path or ())
    write_new(out, values.encode(), mode=_MODE)
    answer: Answer = {
        "file": str(out),
        "envelope": to_hex(values.envelope),
        "opened": list(values.paths),
    }
    say(answer, as_json=as_json, brief=out)


@app.command()
def grant(
    part: _Part,
    role: Annotated[Role, typer.Option(help="For whom the policy of this home names values.")],
    to: Annotated[
        IdentityId,
        typer.Option(metavar="ID", parser=identity_id, help="The identity of who shall read."),
    ],
    recipient: Annotated[
        str, typer.Option(metavar="KEY", help="The reader's key, as `keys show` prints it.")
    ],
    until: Annotated[
        int, typer.Option(metavar="TIME", parser=moment, help="The last moment to read it.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the grant is written.")],
    path: _Paths = None,
    account: Annotated[
        str, typer.Option("--as", metavar="KEY", help="Who signs: the site's or maker's account.")
    ] = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Grant a designer or an auditor values of a part: signed, sealed to his key, until a time.

    Without --path it is all that this home's policy, `build values`, names for the role. What
    was read cannot be unread: the end keeps later readers out.
    """
    key = sealing_key(recipient)
    opened, delivery = _delivery(part, home, informed=True)
    wanted = Wanted(to=to, role=role, until=until, recipient=key.value, paths=path or ())
    sealed = opened.granting.grant(delivery, wanted, key=KeyName(account))
    write_new(out, sealed, mode=_MODE)
    answer: Answer = {
        "file": str(out),
        "envelope": to_hex(delivery.digest),
        "to": to_hex(to),
        "role": role.value,
        "until": Moment(until),
    }
    say(answer, as_json=as_json, brief=out)


@app.command()
def read(
    file: Input,
    bundle: Annotated[
        Path,
        typer.Option(metavar="BUNDLE", exists=True, dir_okay=False, help="The part's evidence."),
    ],
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Of a grant: the key that it is sealed to.")
    ] = None,
    to: Annotated[
        IdentityId | None,
        typer.Option(metavar="ID", parser=identity_id, help="Of a grant: your identity."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The bundle with the values in it, for `guildmark verify`."
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Read values that were opened, proven against the root that the machine signed.

    Whether the part is good says `verify` of the bundle that --out writes: it judges the values,
    too.
    """
    if (key is None) != (to is None):
        message = "A grant is read with a key and as somebody."
        raise ValueReaderError(message)
    evidence, body = read_bundle(bundle.read_bytes()), file.read_bytes()
    if key is None or to is None:
        found = enter(home).granting.read(body, evidence)
    else:
        granting = enter_informed(home).granting
        found = granting.read_granted(body, evidence, to=to, key=KeyName(key))
    if out is not None:
        write_new(out, write_bundle(found.evidence), mode=_MODE)
    answer: Answer = {
        "envelope": to_hex(found.values.envelope),
        "grantedBy": None if found.grant is None else to_hex(found.grant.maker),
        "until": None if found.grant is None else Moment(found.grant.until),
        "bundle": None if out is None else str(out),
        "values": _rows(*_opened(found.values)),
    }
    say(answer, as_json=as_json)


def _delivery(part: str, home: Path | None, *, informed: bool = False) -> tuple[Home, Delivery]:
    opened = enter_informed(home) if informed else enter(home)
    path = Path(part)
    if path.is_file():
        return opened, Delivery.parse(path.read_bytes())
    try:
        digest = digest_from_hex(part)
    except MalformedError as error:
        message = f"{part[:80]!r} is no file and no digest of an envelope."
        raise ValueSourceError(message, found=ascii(part[:80])) from error
    return opened, opened.granting.kept(digest)


def _opened(values: PartValues) -> tuple[Sequence[Setting], Sequence[Measurement]]:
    settings, measurements = values.settings, values.measurements
    return (
        () if settings is None else [one.value for one in settings.opened],
        () if measurements is None else [one.value for one in measurements.opened],
    )


def _rows(
    settings: Sequence[Setting], measurements: Sequence[Measurement]
) -> list[dict[str, Value]]:
    return [
        *(_row("setting", one.path, one.value, one.unit) for one in settings),
        *(_row("measurement", one.characteristic, one.value, one.unit) for one in measurements),
    ]


def _row(kind: str, path: str, value: str, unit: str | None) -> dict[str, Value]:
    # A terminal that shows a value is not steered by it.
    shown = "".join(char if char.isprintable() else "\ufffd" for char in value)
    return {"kind": kind, "path": path, "value": shown, "unit": unit}
