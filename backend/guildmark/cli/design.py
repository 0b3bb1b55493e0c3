"""``guildmark design``: file sets, encrypted and registered."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.clock import SystemEntropy
from guildmark.adapters.shapes import confined, printing
from guildmark.adapters.shapes.refusals import SecureRecipientError
from guildmark.bootstrap import Home
from guildmark.cli import pictures
from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import (
    ACCOUNT,
    AsJson,
    Folder,
    Origin,
    Signer,
    address,
    design_id,
    origin,
)
from guildmark.cli.homes import keys_of, write_new
from guildmark.cli.key_arguments import public_key
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.chain.facts import DesignFact, RevisionFact
from guildmark.domain.chain.refusals import DesignUnknownError
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    DesignId,
    Digest,
    bytes32_from_hex,
    to_hex,
)
from guildmark.domain.rights.fileset import Manifest, parse_file_name
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.rights.designs import DesignFilesUnknownError, SourceFile
from guildmark.services.rights.filelists import SHOWN_LIMITS, FileNotRegisteredError

app = typer.Typer(help="Register and show designs.", no_args_is_help=True)
app.add_typer(pictures.app)

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

_Design = Annotated[
    DesignId, typer.Argument(metavar="DESIGN", parser=design_id, help="The design's id.")
]

_Unmeasured = Annotated[bool, typer.Option("--unmeasured", help="Do not look into the files.")]
_Pictured = Annotated[
    bool,
    typer.Option(
        "--picture",
        help="Show everybody a small picture on this home's page of the design: the first image "
        "of the set, else the first mesh, drawn.",
    ),
]
_Package = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A 3MF file.")
]


@app.command()
def register(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="The design's files."),
    ],
    unmeasured: _Unmeasured = False,
    picture: _Pictured = False,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Encrypt files, store them and register them as a design; print its id.

    Meshes are measured where the extra `cad` is installed: box, volume, triangles, watertight.
    """
    opened, image = enter(home), pictures.chosen(files) if picture else b""
    with _sources(files, unmeasured=unmeasured) as sources:
        design = opened.designs(KeyName(account)).register(sources)
    if picture:
        opened.pictures.publish(design, image, key=KeyName(account))
    answer: Answer = {"id": to_hex(design), "files": [source.name for source in sources]}
    say(answer, as_json=as_json, brief=to_hex(design))


@app.command()
def revise(
    design: _Design,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="All of its files."),
    ],
    derived_from: Annotated[
        list[Origin] | None,
        typer.Option(
            metavar="DESIGN:NUMBER", parser=origin, help="What it builds on; may be repeated."
        ),
    ] = None,
    unmeasured: _Unmeasured = False,
    picture: _Pictured = False,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Encrypt files, store them and publish them as a design's next revision; print its number.

    Earlier revisions stay on record, and so do their licenses and recipes.
    """
    opened, image = enter(home), pictures.chosen(files) if picture else b""
    origins = [(one.design, one.number) for one in derived_from or ()]
    with _sources(files, unmeasured=unmeasured) as sources:
        number = opened.designs(KeyName(account)).revise(design, sources, derived_from=origins)
    if picture:
        opened.pictures.publish(design, image, key=KeyName(account))
    answer: Answer = {
        "id": to_hex(design),
        "revision": number,
        "files": [source.name for source in sources],
    }
    say(answer, as_json=as_json, brief=str(number))


@contextmanager
def _sources(files: list[Path], *, unmeasured: bool) -> Iterator[list[SourceFile]]:
    """Open files to register."""
    is_measured = not unmeasured and confined.is_installed()
    with ExitStack() as stack:
        yield [
            _source(path, stack.enter_context(path.open("rb")), is_measured=is_measured)
            for path in files
        ]


def _source(path: Path, content: BufferedReader, *, is_measured: bool) -> SourceFile:
    """Return a file to register; one that is larger than what is read stays unmeasured."""
    name = parse_file_name(path.name)
    kind = confined.kind_of(name) if is_measured else None
    is_read = kind is not None and confined.is_read(path.stat().st_size)
    geometry = confined.measure(content, kind) if kind and is_read else None
    content.seek(0)
    return SourceFile(
        name=name,
        media_type=_MEDIA_TYPES.get(path.suffix.lower(), _OCTETS),
        content=content,
        geometry=geometry,
    )


@app.command()
def transfer(
    design: _Design,
    to: Annotated[
        Address, typer.Option(metavar="ACCOUNT", parser=address, help="Who shall own it.")
    ],
    state: Annotated[
        Bytes32,
        typer.Option(
            metavar="HASH", parser=bytes32_from_hex, help="Its state, as `design show` prints it."
        ),
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Give a design away, if nothing changed since its buyer looked; licenses stay as they are."""
    designs = enter(home).designs(KeyName(account))
    designs.transfer(design, to=to, state=Digest(state))
    answer: Answer = {"id": to_hex(design), "owner": to_hex(to)}
    say(answer, as_json=as_json)


@app.command()
def resale(
    design: _Design,
    to: Annotated[
        Address, typer.Option(metavar="ACCOUNT", parser=address, help="Who shall get it.")
    ],
    basis_points: Annotated[int, typer.Option(min=0, max=1_000, help="Of the price, in 1/10,000.")],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say what a resale of a design should bring (ERC-2981), as its owner."""
    designs = enter(home).designs(KeyName(account))
    designs.set_resale(design, to=to, basis_points=basis_points)
    answer: Answer = {"id": to_hex(design), "to": to_hex(to), "basisPoints": basis_points}
    say(answer, as_json=as_json)


@app.command()
def show(
    design: _Design,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show a design, its revisions, and the newest one's files where this home holds their keys."""
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
        "epoch": fact.epoch,
        "state": to_hex(opened.designs(KeyName(account)).state(design)),
        "revisions": [_revision(one) for one in revisions],
        "files": _files(opened, design, KeyName(account)),
    }
    say(answer, as_json=as_json)


@app.command("show-file")
def show_file(
    design: _Design,
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of the design's files.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the proof is written.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write a proof of what one file of a design is; of the others it tells their number."""
    write_new(out, enter_informed(home).filelists.show(design, name))
    say({"file": str(out), "name": name}, as_json=as_json, brief=out)


@app.command("check-file")
def check_file(
    proof: Annotated[
        Path, typer.Argument(metavar="PROOF", exists=True, dir_okay=False, help="A proof.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="The plain file to compare."
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check against the chain what a proof shows of a file, and the file itself where named."""
    if proof.stat().st_size > SHOWN_LIMITS.size:
        message = f"A proof has at most {SHOWN_LIMITS.size} bytes."
        raise FileNotRegisteredError(message)
    shown = enter(home).filelists.check(proof.read_bytes())
    if file is not None:
        shown.check(size=file.stat().st_size, digest=_digest(file))
    answer: Answer = {
        "design": to_hex(shown.revision.design),
        "revision": shown.revision.number,
        "at": Moment(shown.revision.at),
        "name": shown.name,
        "mediaType": shown.media_type,
        "size": shown.size,
        "sha256": shown.digest.hex(),
        "geometry": shown.geometry or None,
        "compared": file is not None,
    }
    say(answer, as_json=as_json)


def _digest(file: Path) -> Digest:
    with file.open("rb") as source:
        return Digest(hashlib.file_digest(source, "sha256").digest())


@app.command("export-3mf")
def export_3mf(
    file: _Package,
    to: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=KEY",
            help="Who may open it: a printer's name, and its rsa key or PEM file; may be repeated.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where it is written.")],
    as_json: AsJson = False,
) -> None:
    """Encrypt a 3MF file for named printers (3MF Secure Content 1.0); thumbnails are left out."""
    recipients = [_recipient(one) for one in to]
    with file.open("rb") as source:
        write_new(out, printing.seal(source, recipients, SystemEntropy()))
    answer: Answer = {"file": str(out), "recipients": [one.name for one in recipients]}
    say(answer, as_json=as_json, brief=out)


@app.command("import-3mf")
def import_3mf(
    file: _Package,
    key: Annotated[str, typer.Option(metavar="KEY", help="The rsa key of this home.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the plain file is written.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Decrypt a 3MF file that was encrypted for a key of this home."""
    keys, name = keys_of(home), KeyName(key)

    def unwrap(wrapped: bytes, mask: str, digest: str) -> bytes:
        return keys.unwrap(name, wrapped, mask=mask, digest=digest)

    with file.open("rb") as source:
        write_new(out, printing.unseal(source, keys.public_key(name).value, unwrap), mode=0o600)
    answer: Answer = {"file": str(out)}
    say(answer, as_json=as_json, brief=out)


def _recipient(text: str) -> printing.Recipient:
    """Return who is named by ``NAME=KEY``, the key as `keys show` prints it or its PEM file."""
    name, _, key = text.partition("=")
    prefix = f"{KeyAlgorithm.RSA.value}:"
    if key.startswith(prefix):
        return printing.recipient(name, public_key(key).value)
    try:
        return printing.recipient(name, Path(key).read_bytes())
    except OSError as exc:
        message = f"The key file {key[:200]!r} cannot be read."
        raise SecureRecipientError(message, path=key[:200]) from exc


def _revision(fact: RevisionFact) -> Answer:
    revision = fact.revision
    return {
        "number": revision.number,
        "at": Moment(revision.at),
        "manifest": to_hex(revision.manifest),
        "derivedFrom": [to_hex(one) for one in revision.derived_from],
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
            "geometry": None if file.geometry is None else file.geometry.text(),
        }
        for file in Manifest.parse(sealed.manifest).files
    ]
