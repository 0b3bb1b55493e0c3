"""``guildmark design ...picture``: small pictures of designs, and what their owner shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.shapes import confined
from guildmark.adapters.shapes.refusals import PictureRefusedError
from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, design_id
from guildmark.cli.homes import write_new
from guildmark.cli.nodes import show_to
from guildmark.cli.opening import enter
from guildmark.domain.identifiers import DesignId, to_hex
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind

app = typer.Typer()

_Design = Annotated[
    DesignId, typer.Argument(metavar="DESIGN", parser=design_id, help="The design's id.")
]
_Source = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, help="An STL, 3MF, PNG or JPEG file."
    ),
]
_Nodes = Annotated[
    list[str] | None,
    typer.Option("--node", metavar="URL", help="A node that shall know; may be repeated."),
]


@app.command()
def picture(
    file: _Source,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the PNG is written.")],
    as_json: AsJson = False,
) -> None:
    """Draw a small picture of a mesh, or make an image or a 3MF file's own one anew."""
    write_new(out, drawn(file))
    say({"file": str(out)}, as_json=as_json, brief=out)


@app.command("publish-picture")
def publish_picture(
    design: _Design,
    file: _Source,
    node: _Nodes = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show everybody a small picture of a design, on its page: of a mesh, or an image made anew."""
    made = drawn(file)
    _publish(enter(home), design, made, KeyName(account), node or ())
    answer: Answer = {"id": to_hex(design), "bytes": len(made), "nodes": list(node or ())}
    say(answer, as_json=as_json)


@app.command("withdraw-picture")
def withdraw_picture(
    design: _Design,
    node: _Nodes = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show no picture of a design any more; who has seen it may have kept it."""
    _publish(enter(home), design, b"", KeyName(account), node or ())
    answer: Answer = {"id": to_hex(design), "nodes": list(node or ())}
    say(answer, as_json=as_json)


def drawn(file: Path) -> bytes:
    """Return a small picture of a file, made in a child process with limits.

    Raises:
        ContentError: One of the errors of ``refusals``.
        ShapeSupportError: The extra `cad` is not installed.
    """
    with file.open("rb") as source:
        return confined.picture(source, file.suffix.lower().removeprefix("."))


def chosen(files: Sequence[Path]) -> bytes:
    """Return a small picture of the first image among a design's files, else of the first mesh.

    Raises:
        PictureRefusedError: None of them has a picture.
    """
    file = next(iter(sorted(filter(confined.is_pictured, files), key=confined.is_mesh)), None)
    if file is None:
        message = "None of the files is an image or a mesh."
        raise PictureRefusedError(message, files=len(files))
    return drawn(file)


def _publish(
    home: Home, design: DesignId, image: bytes, key: KeyName, nodes: Sequence[str]
) -> None:
    body = home.pictures.publish(design, image, key=key)
    show_to(nodes, DocumentKind.DESIGN_PICTURE, design, body)
