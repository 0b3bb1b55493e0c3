"""``guildmark label``: a part's link, and its QR code."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.clock import SystemEntropy
from guildmark.adapters.evidence_http import Parts
from guildmark.adapters.labels import pictures, sheets, zebra
from guildmark.adapters.labels.sheets import LAYOUTS, Label
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder, hex_bytes, identity_id
from guildmark.cli.homes import write_new
from guildmark.cli.proof_code import proof_code, witnesses_of
from guildmark.domain.errors import GuildmarkError, UsageError
from guildmark.domain.identifiers import ZERO_ADDRESS, ChainId, IdentityId, PartId, to_hex
from guildmark.domain.labels.activation import CODE_ENTROPY, ActivationCode, chip_digest
from guildmark.domain.labels.digital_link import DigitalLink, operator_token
from guildmark.domain.labels.qr import link_text
from guildmark.domain.signatures import Algorithm, PublicKey

app = typer.Typer(help="Write and draw the labels of parts.", no_args_is_help=True)

_PNG, _SVG, _ZPL = ".png", ".svg", ".zpl"
_LINES_MAX = 10_000
# A position and a code.
_BESIDE_MAX = 2
# More than as many lines as there may be; what lies behind makes a line too many.
_FILE_MAX = 8 * 1024 * 1024


class LabelMakerError(UsageError):
    """A label is of a maker with a GTIN or of an operator, not of both or none."""

    code = "cli.labelMakerMissing"
    hint = "Give --gtin where you have a GS1 prefix, else --operator."


class PictureKindError(UsageError):
    """The picture's file name ends neither in .svg nor in .png nor in .zpl."""

    code = "cli.pictureKindUnknown"
    hint = "Name a file that ends in .svg, .png or .zpl."


class LabelListError(UsageError):
    """A list of labels is empty, too long, or has a line that is none."""

    code = "cli.labelListInvalid"
    hint = "Write a label a line, and behind a comma LOG.INDEX where it is known."


class LayoutUnknownError(UsageError):
    """A sheet or printer that is not known, or more places skipped than a sheet has."""

    code = "cli.labelLayoutUnknown"
    hint = "Take one that `guildmark label sheet --help` or `label draw --help` names."


@app.command()
def new(
    serial: Annotated[str, typer.Argument(help="The part's serial, up to 20 characters.")],
    host: Annotated[str, typer.Option(help="The host of the link, for example id.example.org.")],
    gtin: Annotated[str | None, typer.Option(help="The GTIN of the part, 8 to 14 digits.")] = None,
    operator: Annotated[
        IdentityId | None,
        typer.Option(
            metavar="ORG", parser=identity_id, help="Without a GTIN: who keeps the serials apart."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the label of a part: its GS1 Digital Link, or a link of our own form."""
    if gtin is not None and operator is None:
        link = DigitalLink.of_part(host, gtin, serial)
    elif operator is not None and gtin is None:
        link = DigitalLink.of_own_part(host, operator_token(operator), serial)
    else:
        message = "A label needs either a GTIN or an operator."
        raise LabelMakerError(message)
    say({"label": link.label, "serial": serial}, as_json=as_json, brief=link.label)


@app.command()
def draw(
    label: Annotated[str, typer.Argument(help="The part's label.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where: a .svg, .png or .zpl file.")],
    part: Annotated[
        str | None,
        typer.Option(metavar="LOG.INDEX", help="The part's position, a hint for who scans."),
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="URL", help="The node to open, else the label's own host.")
    ] = None,
    resolution: Annotated[
        str,
        typer.Option(
            "--dpi",
            metavar="|".join(zebra.RESOLUTIONS),
            help="Of the label printer, for a .zpl file.",
        ),
    ] = zebra.RESOLUTIONS[0],
    as_json: AsJson = False,
) -> None:
    """Draw the QR code of a label; print what it holds."""
    drawn = _label(label, part, base)
    write_new(out, _picture(out, drawn, resolution))
    text = drawn.text
    answer: Answer = {"text": text, "file": str(out)}
    say(answer, as_json=as_json, brief=text)


@app.command()
def proof(
    part: Annotated[str, typer.Argument(metavar="LOG.INDEX", help="The part, once it is final.")],
    node: Annotated[str, typer.Option(metavar="URL", help="The node that shows its proof.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where: a .svg, .png or .zpl file.")],
    trust: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Who names the witnesses; else trust.json in your home."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Draw a code that proves a part's place in its log without a connection; print its text.

    It holds entry, paths and signatures of witnesses, and names neither label nor maker.
    """
    code = proof_code(part, Parts(url=node), witnesses_of(trust or [], home))
    text = code.text()
    write_new(out, _picture(out, Label(text=text, caption=part), zebra.RESOLUTIONS[0]))
    signed = len(code.signatures)
    answer: Answer = {"text": text, "file": str(out), "signatures": signed}
    say(answer, as_json=as_json, brief=text)


def _position(hint: str | None) -> PartId | None:
    # A code shows log and index only: chain and contract are those that its reader trusts.
    if hint is None:
        return None
    return PartId.from_hint(hint, chain_id=ChainId(0), build_log=ZERO_ADDRESS)


def _picture(file: Path, label: Label, resolution: str) -> bytes:
    kind = file.suffix.lower()
    if kind == _SVG:
        return pictures.svg(label.text, caption=label.caption)
    if kind == _PNG:
        return pictures.png(label.text)
    if kind == _ZPL:
        _check_known(resolution, zebra.RESOLUTIONS)
        return zebra.zpl(label.text, caption=label.caption, resolution=resolution)
    message = f"{file.name} is neither SVG nor PNG nor ZPL."
    raise PictureKindError(message, file=file.name)


@app.command()
def sheet(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A label a line; behind commas LOG.INDEX and a hidden code, where there are.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where: a PDF file.")],
    layout: Annotated[
        str, typer.Option(metavar="|".join(LAYOUTS), help="The sheet, by Avery's number.")
    ] = "L7160",
    skip: Annotated[
        int, typer.Option(min=0, max=1_000, help="Places of the first sheet that are used up.")
    ] = 0,
    base: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The node to open, else each label's own host."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw the labels of many parts on sheets that are cut already; needs the extra `pdf`."""
    _check_known(layout, LAYOUTS)
    places = len(LAYOUTS[layout].places)
    if skip >= places:
        message = f"A sheet {layout} has {places} labels: {skip} cannot be used up."
        raise LayoutUnknownError(message, skip=skip, places=places)
    drawn = _listed(labels, base)
    write_new(out, sheets.sheets(drawn, LAYOUTS[layout], skip=skip))
    pages = -(-(skip + len(drawn)) // places)
    answer: Answer = {"labels": len(drawn), "sheets": pages, "file": str(out)}
    say(answer, as_json=as_json, brief=f"{out}: labels {len(drawn)}, sheets {pages}")


@app.command()
def codes(
    labels: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A label a line.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where: label,code,commitment a line; a secret.")
    ],
    as_json: AsJson = False,
) -> None:
    """Draw hidden codes for scratch fields: what is printed, and what a statement commits to.

    The commitment goes into the build's report as `activation`; the machine need not know the code.
    """
    drawn = [_coded(label.text) for label in _listed(labels, None)]
    write_new(out, "".join(f"{line}\n" for line in drawn).encode(), mode=0o600)
    say({"codes": len(drawn), "file": str(out)}, as_json=as_json, brief=out)


def _coded(label: str) -> str:
    code = ActivationCode.drawn(SystemEntropy().token(CODE_ENTROPY))
    return f"{label},{code.text()},{to_hex(code.digest(label))}"


@app.command()
def chip(
    algorithm: Annotated[
        str, typer.Argument(metavar="p256|ed25519|secp256k1", help="Of the chip's key.")
    ],
    key: Annotated[
        bytes, typer.Argument(metavar="KEY", parser=hex_bytes, help="Its public key, compressed.")
    ],
    as_json: AsJson = False,
) -> None:
    """Print what a statement commits to for a part's chip: `chip` in the build's report."""
    named = {each.name.lower(): each for each in Algorithm}.get(algorithm)
    if named is None:
        message = f"{algorithm[:40]!r} is none of {', '.join(e.name.lower() for e in Algorithm)}."
        raise LayoutUnknownError(message, name=algorithm[:40])
    commitment = to_hex(chip_digest(PublicKey(algorithm=named, data=key)))
    say({"chip": commitment}, as_json=as_json, brief=commitment)


def _listed(file: Path, base: str | None) -> list[Label]:
    with file.open("rb") as stream:
        lines = stream.read(_FILE_MAX).decode("utf-8", "replace").splitlines()
    found = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if not 0 < len(found) <= _LINES_MAX:
        message = f"{file.name} has {len(found)} labels, expected 1 to {_LINES_MAX}."
        raise LabelListError(message, labels=len(found))
    return [_line(number, line, base) for number, line in found]


def _line(number: int, line: str, base: str | None) -> Label:
    label, *more = (each.strip() for each in line.split(","))
    # A code may stand behind a position that is not known yet.
    hint = more[0] if more and (more[0] or len(more) == 1) else None
    try:
        drawn = _label(label, hint, base)
        for code in more[1:]:
            drawn = replace(drawn, code=ActivationCode.parse(code).text())
    except GuildmarkError as error:
        message = f"Line {number}: {error.message}"
        raise LabelListError(message, line=number) from error
    if len(more) > _BESIDE_MAX:
        message = f"Line {number} has more than a label, a position and a code."
        raise LabelListError(message, line=number)
    return drawn


def _label(label: str, part: str | None, base: str | None) -> Label:
    text = link_text(label, _position(part), base=None if base is None else base.rstrip("/"))
    return Label(text=text, caption=label.rsplit("/", 1)[-1])


def _check_known(name: str, known: Collection[str]) -> None:
    if name not in known:
        message = f"{name[:40]!r} is none of {', '.join(known)}."
        raise LayoutUnknownError(message, name=name[:40])
