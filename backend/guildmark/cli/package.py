"""``guildmark package``: what a site needs to build, sealed to the site."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import (
    ACCOUNT,
    AsJson,
    BuildBy,
    Clearers,
    Folder,
    Input,
    LicenseArgument,
    identity_id,
)
from guildmark.cli.contents import fetch
from guildmark.cli.homes import OutputExistsError, write_new
from guildmark.cli.key_arguments import release_place, sealing_key
from guildmark.cli.nodes import asking
from guildmark.cli.opening import enter_informed
from guildmark.domain.identifiers import (
    UINT40_MAX,
    IdentityId,
    LaneNumber,
    to_hex,
)
from guildmark.domain.rights.fileset import FileName, Manifest
from guildmark.domain.rights.release import NO_MACHINE, ContentKeys, ReleasePlace
from guildmark.ports.keys import KeyName
from guildmark.services.release.packages import Package
from guildmark.services.release.requesting import Asker, Opened

app = typer.Typer(
    help="Hand a site the files and documents that a license covers.", no_args_is_help=True
)

_Site = Annotated[
    IdentityId, typer.Option("--site", metavar="SITE", parser=identity_id, help="The site's id.")
]


@app.command()
def seal(
    license_: LicenseArgument,
    recipe: BuildBy,
    site: _Site,
    recipient: Annotated[
        str, typer.Option(metavar="KEY", help="The site's key, as `keys show` prints it.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the package is written.")],
    release: Annotated[
        list[ReleasePlace] | None,
        typer.Option(
            metavar="OPERATOR@URL",
            parser=release_place,
            help="A node that releases the files' keys; may be repeated, your own first.",
        ),
    ] = None,
    issuer: Clearers = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Seal terms, recipe and file list so that one site alone can open them.

    The keys of the files are not in it: the nodes that it names release them.
    """
    key = sealing_key(recipient)
    opened = enter_informed(home)
    package = opened.packages.gather(license_, recipe, releasers=release or ())
    sealed = opened.packages.seal(package, site=site, recipient=key.value, issuers=issuer or ())
    write_new(out, sealed)
    answer: Answer = {"license": to_hex(license_), "site": to_hex(site), "package": str(out)}
    say(answer, as_json=as_json)


@app.command("open")
def open_(
    file: Input,
    site: _Site,
    key: Annotated[str, typer.Option(metavar="KEY", help="The key of this home for packages.")],
    lane: Annotated[
        int, typer.Option(metavar="LANE", min=1, max=UINT40_MAX, help="The site's lane.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for the design's files.")],
    machine: Annotated[
        IdentityId | None,
        typer.Option(
            metavar="MACHINE",
            parser=identity_id,
            help="The machine that asks, with --as its key; else the site does.",
        ),
    ] = None,
    account: Annotated[
        str,
        typer.Option("--as", metavar="KEY", help="Who signs the request: a key's name or URI."),
    ] = ACCOUNT,
    release: Annotated[
        list[ReleasePlace] | None,
        typer.Option(
            metavar="OPERATOR@URL",
            parser=release_place,
            help="A node to ask for the keys instead of those that the package names.",
        ),
    ] = None,
    node: Annotated[
        str | None, typer.Option(metavar="URL", help="A node that holds the encrypted files.")
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open a package, check it against the chain, get the keys, and decrypt the files."""
    opened = enter_informed(home)
    if out.exists():
        message = f"{out} exists already."
        raise OutputExistsError(message, path=str(out))
    package = opened.packages.open(file.read_bytes(), site=site, key=KeyName(key))
    if node is not None:
        with asking(node) as client:
            for one in Manifest.parse(package.manifest).files:
                fetch(opened, one.cid, client)
    asker = Asker(
        site=site,
        lane=LaneNumber(lane),
        key=KeyName(account),
        opener=KeyName(key),
        machine=machine or NO_MACHINE,
    )
    got = _obtain(opened, package, asker, release or package.releasers)
    manifest = _extract(opened, package, got.keys, out)
    answer: Answer = {
        "license": to_hex(opened.packages.license_id(package)),
        "recipe": to_hex(package.recipe.id()),
        "design": to_hex(package.revision.design),
        "units": package.terms.units,
        "folder": str(out),
        "files": [file.name for file in manifest.files],
        "releasedBy": got.place.url,
        "request": to_hex(got.receipt.request),
    }
    say(answer, as_json=as_json)


def _obtain(home: Home, package: Package, asker: Asker, places: Sequence[ReleasePlace]) -> Opened:
    with ExitStack() as clients:
        return home.requesting.obtain(
            package,
            asker,
            places=places,
            open_place=lambda place: clients.enter_context(asking(place.url)),
        )


def _extract(home: Home, package: Package, keys: ContentKeys, out: Path) -> Manifest:
    """Decrypt into a folder of its own name only once every file was compared."""
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    try:
        manifest = home.packages.extract(package, keys, lambda name: _sink(draft, name))
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


@contextmanager
def _sink(folder: Path, name: FileName) -> Iterator[BufferedIOBase]:
    with (folder / name).open("wb") as sink:
        yield sink
