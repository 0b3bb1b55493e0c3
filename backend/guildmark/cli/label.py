"""``guildmark label``: a part's link, and its QR code."""

from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters import labels
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, identity_id
from guildmark.cli.homes import write_new
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import ZERO_ADDRESS, ChainId, IdentityId, PartId
from guildmark.domain.labels.digital_link import DigitalLink, operator_token
from guildmark.domain.labels.qr import link_text

app = typer.Typer(help="Write and draw the labels of parts.", no_args_is_help=True)

_PNG, _SVG = ".png", ".svg"


class LabelMakerError(UsageError):
    """A label is of a maker with a GTIN or of an operator, not of both or none."""

    code = "cli.labelMakerMissing"
    hint = "Give --gtin where you have a GS1 prefix, else --operator."


class PictureKindError(UsageError):
    """The picture's file name ends neither in .svg nor in .png."""

    code = "cli.pictureKindUnknown"
    hint = "Name a file that ends in .svg or .png."


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
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where: a .svg or .png file.")],
    part: Annotated[
        str | None,
        typer.Option(metavar="LOG.INDEX", help="The part's position, a hint for who scans."),
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="URL", help="The node to open, else the label's own host.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw the QR code of a label; print what it holds."""
    text = link_text(label, _position(part), base=None if base is None else base.rstrip("/"))
    write_new(out, _picture(out, text, caption=label.rsplit("/", 1)[-1]))
    answer: Answer = {"text": text, "file": str(out)}
    say(answer, as_json=as_json, brief=text)


def _position(hint: str | None) -> PartId | None:
    # A code shows log and index only: chain and contract are those that its reader trusts.
    if hint is None:
        return None
    return PartId.from_hint(hint, chain_id=ChainId(0), build_log=ZERO_ADDRESS)


def _picture(file: Path, text: str, *, caption: str) -> bytes:
    if file.suffix.lower() == _SVG:
        return labels.svg(text, caption=caption)
    if file.suffix.lower() == _PNG:
        return labels.png(text)
    message = f"{file.name} is neither SVG nor PNG."
    raise PictureKindError(message, file=file.name)
