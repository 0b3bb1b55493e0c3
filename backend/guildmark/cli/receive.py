"""``guildmark receive``: keep what somebody disclosed to this home."""

from pathlib import Path
from typing import Annotated

import typer

from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.disclose import KINDS, Disclosable
from guildmark.cli.opening import enter_informed
from guildmark.domain.identifiers import Bytes32, bytes32_from_hex, to_hex

app = typer.Typer()


@app.command()
def receive(
    what: Annotated[Disclosable, typer.Argument(help="What kind of document.")],
    thing: Annotated[
        Bytes32,
        typer.Argument(
            metavar="ID",
            parser=bytes32_from_hex,
            help="Of the license, recipe, site recipe, claim, identity or accreditation.",
        ),
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Keep what `disclose --out` wrote, after comparing it with its digest on chain."""
    enter_informed(home).disclosing.receive(KINDS[what], thing, file.read_bytes())
    answer: Answer = {"kind": what.value, "id": to_hex(thing)}
    say(answer, as_json=as_json, brief="kept")
