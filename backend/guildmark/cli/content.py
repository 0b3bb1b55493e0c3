"""``guildmark content``: bytes by their address, encrypted or not."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, NodeUrl, design_id
from guildmark.cli.contents import fetch, send
from guildmark.cli.homes import write_pieces
from guildmark.cli.nodes import asking
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.errors import NetworkError, UsageError
from guildmark.domain.identifiers import Cid, DesignId
from guildmark.domain.rights.fileset import Manifest
from guildmark.ports.keys import KeyName
from guildmark.services.evidence.keeping import Round

app = typer.Typer(
    help="Store bytes by their address, and bring them to and from nodes.", no_args_is_help=True
)

_PIECE = 1 << 20


class NothingNamedError(UsageError):
    """No content is named."""

    code = "cli.contentMissing"
    hint = "Name CIDs, or a design of this home with --design."


class StoresIncompleteError(NetworkError):
    """A content store lacks a file, or holds other bytes, and it could not be mended."""

    code = "content.storesIncomplete"
    hint = "Look at the stores that are named; then check again."


@app.command()
def add(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The file, stored as it is.")
    ],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Store a file in this home, unencrypted; print its CID."""
    cid = enter(home).content.put(_pieces(file))
    say({"cid": cid, "file": file.name}, as_json=as_json, brief=cid)


@app.command()
def get(
    cid: Annotated[str, typer.Argument(metavar="CID", help="The content's address.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where it is written.")],
    node: Annotated[
        str | None, typer.Option(metavar="URL", help="A node to ask, if it is not in this home.")
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write content to a file; every block was hashed again."""
    opened = enter(home)
    if node is not None:
        with asking(node) as client:
            fetch(opened, Cid(cid), client)
    size = write_pieces(out, opened.content.get(Cid(cid)))
    say({"cid": cid, "file": str(out), "size": size}, as_json=as_json, brief=out)


@app.command("send")
def send_(
    node: NodeUrl,
    cids: Annotated[
        list[str] | None, typer.Argument(metavar="CID...", help="What this home holds.")
    ] = None,
    design: Annotated[
        DesignId | None,
        typer.Option(metavar="DESIGN", parser=design_id, help="Its newest encrypted files."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Send content to a node; of a design only ciphertext leaves this home."""
    opened = enter(home) if design is None else enter_informed(home)
    named = [Cid(cid) for cid in cids or ()] + (_files(opened, design) if design else [])
    if not named:
        message = "No content is named."
        raise NothingNamedError(message)
    with asking(node) as client:
        for cid in named:
            send(opened, cid, client)
    say({"node": node, "cids": list(named)}, as_json=as_json)


@app.command()
def export(
    cid: Annotated[str, typer.Argument(metavar="CID", help="The content's address.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the CAR is written.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write content as a CAR, for programs that speak IPFS."""
    size = write_pieces(out, enter(home).content.write_car(Cid(cid)))
    say({"cid": cid, "file": str(out), "size": size}, as_json=as_json, brief=out)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CAR, version 1.")],
    cid: Annotated[str, typer.Argument(metavar="CID", help="The file that it must hold.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Store the file of a CAR in this home; every block is hashed."""
    enter(home).content.load_car(_pieces(file), Cid(cid))
    say({"cid": cid, "file": file.name}, as_json=as_json, brief=cid)


@app.command()
def check(home: Folder = None, as_json: AsJson = False) -> None:
    """Ask every content store for a random part of every file; mend what failed."""
    found = enter(home).keeping.round()
    rows = [asdict(store) for store in found.stores]
    say({"checkedAt": found.at, "stores": rows}, as_json=as_json, brief=_told(found))
    if not found.is_whole:
        message = "Not every store gave every file back."
        raise StoresIncompleteError(message)


def _told(found: Round) -> str:
    lines = (
        f"{each.store:12}ok {each.ok} (mended {each.mended})  "
        f"unavailable {each.unavailable}  invalid {each.invalid}"
        for each in found.stores
    )
    return "\n".join(lines)


def _files(home: Home, design: DesignId) -> list[Cid]:
    sealed = home.designs(KeyName(ACCOUNT)).files(design)
    return [sealed.cid, *(file.cid for file in Manifest.parse(sealed.manifest).files)]


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            yield piece
