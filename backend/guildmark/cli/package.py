"""``guildmark package``: what a site needs to build, sealed to the site."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import (
    AsJson,
    Folder,
    Input,
    identity_id,
    license_id,
    public_key,
    recipe_id,
)
from guildmark.cli.contents import fetch
from guildmark.cli.homes import OutputExistsError, write_new
from guildmark.cli.nodes import asking
from guildmark.cli.opening import enter_informed
from guildmark.domain.fileset import FileName, Manifest
from guildmark.domain.identifiers import IdentityId, LicenseId, RecipeId, to_hex
from guildmark.ports import KeyAlgorithm, KeyName, KeyPurposeError
from guildmark.services.packages import Package

app = typer.Typer(
    help="Hand a site the files and documents that a license covers.", no_args_is_help=True
)

_Site = Annotated[
    IdentityId, typer.Option("--site", metavar="SITE", parser=identity_id, help="The site's id.")
]


@app.command()
def seal(
    license_: Annotated[
        LicenseId, typer.Argument(metavar="LICENSE", parser=license_id, help="The license's id.")
    ],
    recipe: Annotated[
        RecipeId, typer.Option(metavar="RECIPE", parser=recipe_id, help="The recipe to build by.")
    ],
    site: _Site,
    recipient: Annotated[
        str, typer.Option(metavar="KEY", help="The site's key, as `keys show` prints it.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the package is written.")],
    issuer: Annotated[
        list[IdentityId] | None,
        typer.Option(
            metavar="ID",
            parser=identity_id,
            help="Whose clearances for control classes count; may be repeated.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Seal terms, recipe and file keys so that one site alone can open them."""
    key = public_key(recipient)
    if key.algorithm not in {KeyAlgorithm.X25519, KeyAlgorithm.HYBRID}:
        message = f"Nothing is sealed to a {key.algorithm} key."
        raise KeyPurposeError(message, algorithm=key.algorithm.value)
    opened = enter_informed(home)
    package = opened.packages.gather(license_, recipe)
    sealed = opened.packages.seal(package, site=site, recipient=key.value, issuers=issuer or ())
    write_new(out, sealed)
    answer: Answer = {"license": to_hex(license_), "site": to_hex(site), "package": str(out)}
    say(answer, as_json=as_json)


@app.command("open")
def open_(
    file: Input,
    site: _Site,
    key: Annotated[str, typer.Option(metavar="KEY", help="The key of this home for packages.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for the design's files.")],
    node: Annotated[
        str | None, typer.Option(metavar="URL", help="A node that holds the encrypted files.")
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open a package, check it against the chain, and decrypt the design's files."""
    opened = enter_informed(home)
    if out.exists():
        message = f"{out} exists already."
        raise OutputExistsError(message, path=str(out))
    package = opened.packages.open(file.read_bytes(), site=site, key=KeyName(key))
    if node is not None:
        with asking(node) as client:
            for one in Manifest.parse(package.files.manifest).files:
                fetch(opened, one.cid, client)
    manifest = _extract(opened, package, out)
    answer: Answer = {
        "license": to_hex(opened.packages.license_id(package)),
        "recipe": to_hex(package.recipe.id()),
        "design": to_hex(package.revision.design),
        "units": package.terms.units,
        "folder": str(out),
        "files": [file.name for file in manifest.files],
    }
    say(answer, as_json=as_json)


def _extract(home: Home, package: Package, out: Path) -> Manifest:
    """Decrypt into a folder of its own name only once every file was compared."""
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    try:
        manifest = home.packages.extract(package, lambda name: _sink(draft, name))
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


@contextmanager
def _sink(folder: Path, name: FileName) -> Iterator[BufferedIOBase]:
    with (folder / name).open("wb") as sink:
        yield sink
