"""The evidence bundle: one canonical archive for one part's evidence, and back.

Each document is RFC 8785 JSON, the envelope and the header are bytes as received. A reader writes
again what it read: one evidence has one bundle, and no byte in it goes unnoticed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from guildmark.domain.chain.contracts import AccountProof, ChainPin, ContractName
from guildmark.domain.encoding import archive, codec, strictjson
from guildmark.domain.encoding.archive import ArchiveLimits
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import JsonValue, Limits
from guildmark.domain.errors import ContentError, GuildmarkError
from guildmark.domain.identifiers import Bytes32, Digest
from guildmark.domain.log.entry import Entry
from guildmark.domain.log.record import Record
from guildmark.domain.verification.evidence import (
    RIVALS_MAX,
    ChainEvidence,
    Core,
    Disclosures,
    Evidence,
    statement_of,
)
from guildmark.domain.verification.slots import PROVEN_CONTRACTS

VERSION = 1
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
REPLACEMENTS_MAX = 4

_ENVELOPE = "statements/build.dsse.json"
_RECORD = "log/record.json"
_ENTRY = "log/entry.json"
_PIN = "chain/pin.json"
_HEADER = "chain/header.rlp"
_NOTE = "chain/block.note"
_REPLACEMENT = "replacement.zip"
_RIVALS = "rivals/"
_REPORTS = ("report.json", "report.pdf")
_JSON_LIMITS = Limits(size=8 << 20, values=100_000)
_MEDIA_TYPES = {
    "json": "application/json",
    "note": "text/plain",
    "pdf": "application/pdf",
    "rlp": "application/octet-stream",
    "zip": "application/zip",
    "car": "application/vnd.ipld.car",
}


class BundleError(ContentError):
    """An archive that is no evidence bundle, or not the one of its evidence."""

    code = "bundle.malformed"
    hint = "Fetch the bundle again from another source."


class BundleMismatchError(BundleError):
    """The manifest, the sums or a document are not what the files say."""

    code = "bundle.mismatch"


class BundleUnneededError(BundleError):
    """A bundle stands inside this one, and nothing about this part asks for it."""

    code = "bundle.unneeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """An entry's place in its record and what opens its leaf: log/entry.json."""

    entry: Entry
    salt: Bytes32
    position: int
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """One file in the manifest."""

    path: str
    digest: Digest
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    """manifest.json: every other file, but the sums."""

    version: int
    files: tuple[_Listed, ...]


def write(evidence: Evidence, *, attached: Mapping[str, bytes] | None = None) -> bytes:
    """Return the bundle of some evidence; equal evidence gives equal bytes.

    Args:
        evidence: What to put in.
        attached: Files that are never evidence: report.json, report.pdf, content/*.car.

    Raises:
        BundleError: An attached file has another name.
    """
    files = _files(evidence) | dict(attached or {})
    unknown = sorted(name for name in attached or {} if not _is_attachable(name))
    if unknown:
        message = f"A bundle cannot hold a file called {unknown[0][:80]!r}."
        raise BundleError(message, name=unknown[0][:80])
    files[MANIFEST] = canonical(codec.dump(_manifest(files)))
    files[SUMS] = _sums(files)
    return archive.write(files)


def read(data: bytes, limits: ArchiveLimits = archive.DEFAULT_LIMITS) -> Evidence:
    """Return the evidence that a bundle holds.

    Raises:
        ArchiveError: The archive is not canonical or too large; the class says how.
        BundleError: A file is missing, unknown or malformed.
        BundleMismatchError: Manifest, sums or a document are not what the files say.
        BundleUnneededError: A replacement or rival is shown that the part does not have.
    """
    evidence = _read(data, limits, REPLACEMENTS_MAX)
    for rival in evidence.rivals:
        _check_rival(evidence, rival)
    return evidence


def _read(data: bytes, limits: ArchiveLimits, depth: int) -> Evidence:
    files = archive.read(data, limits)
    _check_manifest(files)
    try:
        evidence = _evidence(files, limits, depth)
    except ContentError:
        raise
    except GuildmarkError as error:
        message = f"The bundle cannot be read. {error.message}"
        raise BundleError(message) from error
    _check_same(files, _files(evidence))
    _check_replacement(evidence)
    return evidence


def _files(evidence: Evidence) -> dict[str, bytes]:
    core, chain = evidence.core, evidence.chain
    opening = _Opening(entry=core.entry, salt=core.salt, position=core.position, path=core.path)
    files = {
        _ENVELOPE: core.envelope,
        _RECORD: _document(core.record),
        _ENTRY: _document(opening),
        _PIN: _document(chain.pin),
        _HEADER: chain.header,
    }
    files |= {_chain_path(name): _document(proof) for name, proof in chain.accounts.items()}
    if chain.note:
        files[_NOTE] = chain.note
    shown = ((path, getattr(evidence.disclosed, name)) for path, name in _disclosures().items())
    files |= {path: _document(value) for path, value in shown if value not in (None, ())}
    if evidence.replacement is not None:
        files[_REPLACEMENT] = write(evidence.replacement)
    return files | {_rival_path(rival): write(rival) for rival in evidence.rivals}


def _evidence(files: Mapping[str, bytes], limits: ArchiveLimits, depth: int) -> Evidence:
    opening = codec.load(_Opening, _parse(files, _ENTRY), at=_ENTRY)
    record = codec.load(Record, _parse(files, _RECORD), at=_RECORD)
    return Evidence(
        core=Core(
            envelope=_file(files, _ENVELOPE),
            entry=opening.entry,
            salt=opening.salt,
            record=record,
            position=opening.position,
            path=opening.path,
        ),
        disclosed=_disclosed(files),
        chain=_chain(files),
        replacement=_replacement(files, limits, depth),
        rivals=tuple(_rivals(files, limits, depth)),
        attached=tuple(name for name in sorted(files) if _is_attachable(name)),
    )


def _disclosed(files: Mapping[str, bytes]) -> Disclosures:
    shown = {name: _parse(files, path) for path, name in _disclosures().items() if path in files}
    members = {_camel(name): value for name, value in shown.items()}
    return codec.load(Disclosures, members, at="disclosed")


def _chain(files: Mapping[str, bytes]) -> ChainEvidence:
    paths = {name: _chain_path(name) for name in PROVEN_CONTRACTS}
    return ChainEvidence(
        pin=codec.load(ChainPin, _parse(files, _PIN), at=_PIN),
        header=_file(files, _HEADER),
        note=files.get(_NOTE, b""),
        accounts={
            name: codec.load(AccountProof, _parse(files, path), at=path)
            for name, path in paths.items()
            if path in files
        },
    )


def _replacement(files: Mapping[str, bytes], limits: ArchiveLimits, depth: int) -> Evidence | None:
    if _REPLACEMENT not in files:
        return None
    if depth == 0:
        message = f"More than {REPLACEMENTS_MAX} replacements stand in one another."
        raise BundleError(message, limit=REPLACEMENTS_MAX)
    return _read(files[_REPLACEMENT], limits, depth - 1)


def _rivals(files: Mapping[str, bytes], limits: ArchiveLimits, depth: int) -> Iterator[Evidence]:
    shown = [files[name] for name in files if name.startswith(_RIVALS)]
    if shown and depth < REPLACEMENTS_MAX:
        message = "Another entry's bundle shows rivals of its own."
        raise BundleUnneededError(message)
    if len(shown) > RIVALS_MAX:
        message = f"More than {RIVALS_MAX} rivals are shown."
        raise BundleError(message, limit=RIVALS_MAX)
    read = (_read(data, limits, 0) for data in shown)
    yield from sorted(read, key=lambda rival: rival.place)


def _check_replacement(evidence: Evidence) -> None:
    """Refuse a replacement where the shown fate, whether or not it is proven, names none."""
    if evidence.replacement is not None and not evidence.is_replaced:
        message = "A replacement is shown for a part that nothing replaces."
        raise BundleUnneededError(message, file=_REPLACEMENT)


def _check_rival(evidence: Evidence, rival: Evidence) -> None:
    ours, theirs = statement_of(evidence.core), statement_of(rival.core)
    is_rival = ours is not None and theirs is not None and ours.label == theirs.label
    if not is_rival or rival.place == evidence.place:
        message = f"{_rival_path(rival)} is no other entry of this part's label."
        raise BundleUnneededError(message, file=_rival_path(rival))


def _check_manifest(files: Mapping[str, bytes]) -> None:
    listed = {name: data for name, data in files.items() if name not in {MANIFEST, SUMS}}
    if _file(files, MANIFEST) != canonical(codec.dump(_manifest(listed))):
        message = "The manifest does not list the files as they are."
        raise BundleMismatchError(message, file=MANIFEST)
    with_manifest = {**listed, MANIFEST: files[MANIFEST]}
    if _file(files, SUMS) != _sums(with_manifest):
        message = "The sums are not those of the files."
        raise BundleMismatchError(message, file=SUMS)


def _check_same(found: Mapping[str, bytes], rebuilt: Mapping[str, bytes]) -> None:
    """Refuse a file that the evidence does not have, or has in other bytes."""
    for name, data in found.items():
        if name in {MANIFEST, SUMS} or _is_attachable(name):
            continue
        if rebuilt.get(name) != data:
            message = f"The file {name} is unknown, or not in its canonical form."
            raise BundleMismatchError(message, file=name)


def _manifest(files: Mapping[str, bytes]) -> _Manifest:
    listed = (
        _Listed(path=name, digest=sha256(files[name]), media_type=_media_type(name))
        for name in sorted(files)
    )
    return _Manifest(version=VERSION, files=tuple(listed))


def _media_type(name: str) -> str:
    return _MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")


def _sums(files: Mapping[str, bytes]) -> bytes:
    lines = (f"{sha256(files[name]).hex()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode("ascii")


def _disclosures() -> Mapping[str, str]:
    """Return the members of `Disclosures` by the paths of their files."""
    names = (field.name for field in fields(Disclosures))
    return {f"disclosed/{name.replace('_', '-')}.json": name for name in names}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _chain_path(name: ContractName) -> str:
    return f"chain/{name}.json"


def _rival_path(rival: Evidence) -> str:
    log, index = rival.place
    return f"{_RIVALS}{log}.{index}.zip"


def _is_attachable(name: str) -> bool:
    return name in _REPORTS or (name.startswith("content/") and name.endswith(".car"))


def _document(value: Any) -> bytes:
    return canonical(codec.dump(value))


def _parse(files: Mapping[str, bytes], path: str) -> JsonValue:
    return strictjson.parse(_file(files, path), _JSON_LIMITS)


def _file(files: Mapping[str, bytes], path: str) -> bytes:
    if path not in files:
        message = f"The bundle has no {path}."
        raise BundleError(message, file=path)
    return files[path]
