"""``guildmark design``: file sets, encrypted and registered."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, design_id
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.facts import DesignFact, RevisionFact
from guildmark.domain.fileset import Manifest
from guildmark.domain.identifiers import DesignId, to_hex
from guildmark.domain.refusals import DesignUnknownError
from guildmark.ports import KeyName
from guildmark.services.designs import DesignFilesUnknownError, SourceFile

app = typer.Typer(help="Register and show designs.", no_args_is_help=True)

_MEDIA_TYPES = {
    ".3mf": "model/3mf",
    ".gcode": "text/x-gcode",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".step": "model/step",
    ".stl": "model/stl",
    ".stp": "model/step",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_OCTETS = "application/octet-stream"


@app.command()
def register(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="The design's files."),
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Encrypt files, store them and register them as a design; print its id."""
    designs = enter(home).designs(KeyName(account))
    with ExitStack() as stack:
        sources = [
            SourceFile(
                name=path.name,
                media_type=_MEDIA_TYPES.get(path.suffix.lower(), _OCTETS),
                content=stack.enter_context(path.open("rb")),
            )
            for path in files
        ]
        design = designs.register(sources)
    answer: Answer = {"id": to_hex(design), "files": [source.name for source in sources]}
    say(answer, as_json=as_json, brief=to_hex(design))


@app.command()
def show(
    design: Annotated[
        DesignId, typer.Argument(metavar="DESIGN", parser=design_id, help="The design's id.")
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show a design, its revisions, and its files where this home holds their keys."""
    opened = enter_informed(home)
    with opened.store.reading() as view:
        fact = view.facts.get(DesignFact, design)
        revisions = view.facts.each(RevisionFact, design)
    if fact is None:
        message = f"No final block holds the design {to_hex(design)}."
        raise DesignUnknownError(message, design=to_hex(design))
    answer: Answer = {
        "id": to_hex(design),
        "owner": to_hex(fact.owner),
        "priority": Moment(fact.priority),
        "revisions": [_revision(one) for one in revisions],
        "files": _files(opened, design, KeyName(account)),
    }
    say(answer, as_json=as_json)


def _revision(fact: RevisionFact) -> Answer:
    revision = fact.revision
    return {
        "number": revision.number,
        "at": Moment(revision.at),
        "manifest": to_hex(revision.manifest),
        "cid": fact.cid,
    }


def _files(home: Home, design: DesignId, account: KeyName) -> list[Answer] | None:
    try:
        sealed = home.designs(account).files(design)
    except DesignFilesUnknownError:
        return None
    return [
        {
            "name": file.name,
            "mediaType": file.media_type,
            "size": file.size,
            "sha256": file.digest.hex(),
            "cid": file.cid,
        }
        for file in Manifest.parse(sealed.manifest).files
    ]
