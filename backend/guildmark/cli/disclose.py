"""``guildmark disclose``: show a node, or somebody, what stands behind a digest on chain."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.homes import write_new
from guildmark.cli.nodes import show_new
from guildmark.cli.opening import enter
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import Bytes32, bytes32_from_hex, to_hex
from guildmark.ports.store import DocumentKind

app = typer.Typer()


class Disclosable(StrEnum):
    """What can be disclosed."""

    ACCREDITATION = "accreditation"
    APPROVALS = "approvals"
    CLAIM = "claim"
    DEPENDENCIES = "dependencies"
    DESIGN_PICTURE = "design-picture"
    ENCRYPTED_FILES = "encrypted-files"
    INSPECTION = "inspection"
    PROFILE = "profile"
    RECIPE = "recipe"
    SITE_RECIPE = "site-recipe"
    TERMS = "terms"


class DisclosureTargetError(UsageError):
    """Nobody is named to whom something shall be disclosed."""

    code = "cli.disclosureTargetMissing"
    hint = "Give --node for an operator's node, or --out for a file."


KINDS = {
    Disclosable.ACCREDITATION: DocumentKind.ACCREDITATION,
    Disclosable.APPROVALS: DocumentKind.APPROVALS,
    Disclosable.CLAIM: DocumentKind.CLAIM,
    Disclosable.DEPENDENCIES: DocumentKind.DEPENDENCIES,
    Disclosable.DESIGN_PICTURE: DocumentKind.DESIGN_PICTURE,
    Disclosable.ENCRYPTED_FILES: DocumentKind.ENCRYPTED_FILES,
    Disclosable.INSPECTION: DocumentKind.INSPECTION,
    Disclosable.PROFILE: DocumentKind.PROFILE,
    Disclosable.RECIPE: DocumentKind.RECIPE,
    Disclosable.SITE_RECIPE: DocumentKind.SITE_RECIPE,
    Disclosable.TERMS: DocumentKind.TERMS,
}


@app.command()
def disclose(
    what: Annotated[Disclosable, typer.Argument(help="What kind of document.")],
    thing: Annotated[
        Bytes32,
        typer.Argument(
            metavar="ID",
            parser=bytes32_from_hex,
            help="Of the license, recipe, site recipe, claim, identity, accreditation or design; "
            "of an inspection or a part's dependencies the envelope's digest.",
        ),
    ],
    node: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A node that shall know it; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file for who shall know it.")
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(help="Of a recipe, a clause to show, for example /material/polymer."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show what stands behind a digest on chain: all of it, or single clauses of a recipe."""
    if not node and out is None:
        message = f"To whom shall the {what.value} be shown?"
        raise DisclosureTargetError(message)
    body = enter(home).disclosing.show(KINDS[what], thing, paths=path or ())
    show_new(node or (), KINDS[what], thing, body)
    if out is not None:
        write_new(out, body)
    answer: Answer = {
        "kind": what.value,
        "id": to_hex(thing),
        "nodes": list(node or ()),
        "file": None if out is None else str(out),
    }
    say(answer, as_json=as_json)
