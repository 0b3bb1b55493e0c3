"""3MF Secure Content 1.0: packages whose models only named keys open.

Sealing moves the root model, without its build, into an encrypted part and lets a new root model
build its objects from there (production extension), since a root model may not be encrypted.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from posixpath import basename, dirname
from typing import Any
from uuid import UUID, uuid5
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guildmark.adapters.shapes.archive import Archive, open_archive
from guildmark.adapters.shapes.keystore import (
    SECURE,
    Consumer,
    Group,
    Part,
    Right,
    SecureStore,
    read_store,
    write_store,
)
from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.markup import Reader
from guildmark.adapters.shapes.refusals import (
    ArchiveBombError,
    SecureContentError,
    SecureTamperedError,
)
from guildmark.adapters.shapes.threemf import (
    CORE,
    MODEL,
    PRODUCTION,
    THUMBNAIL,
    part_name,
    read_threemf,
    targets,
)

_TYPES, _ROOT_RELATIONS = "[Content_Types].xml", "_rels/.rels"
_STORE = "Secure/keystore.xml"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_KEYSTORE = "http://schemas.microsoft.com/3dmanufacturing/2019/04/keystore"
_ENCRYPTED = f"{_RELATIONS}/encryptedfile"
_KEEP = f"{_RELATIONS}/mustpreserve"
_STORE_TYPE = "application/vnd.ms-package.3dmanufacturing-keystore+xml"
_MODEL_TYPE = "application/vnd.ms-package.3dmanufacturing-3dmodel+xml"
# Appendix D: magic, version 0.0, unused, the header's size.
_HEADER = b"%3McF\x00\x00\x00" + (12).to_bytes(4, "little")
_SIZE_AT = 8
_IV = 12
_TAG = 16
_DATE = (1980, 1, 1, 0, 0, 0)
_XMLNS = re.compile(rb'xmlns:([A-Za-z0-9_]+)\s*=\s*["\']' + SECURE.encode() + rb'["\']')
_REQUIRED = re.compile(rb'requiredextensions\s*=\s*["\']([^"\']*)["\']')


def seal_package(data: bytes, arguments: Mapping[str, Any], limits: Limits) -> bytes:
    """Return a package encrypted for consumers; thumbnails are left out, they would show it.

    Args:
        data: A plain 3MF package.
        arguments: The content key, a UUID, and consumers with the content key wrapped for each.
        limits: How much is read.

    Raises:
        ContentError: One of the errors of ``refusals``.
    """
    archive = open_archive(data, limits)
    read_threemf(archive, limits)
    (root,) = targets(archive, MODEL, limits)
    sealing = _Sealing(AESGCM(bytes.fromhex(arguments["key"])), UUID(arguments["uuid"]))
    moved = _free_name(archive, dirname(root))
    hidden = {root, _TYPES, *targets(archive, THUMBNAIL, limits)}
    kept = [name for name in archive.names() if name not in hidden and not name.endswith(_SKIPPED)]
    build = _read_build(archive.read(root), limits)
    sealing.add(moved, build.without_items)
    for name in kept:
        sealing.add(name, archive.read(name))
    models = [moved, *(name for name in kept if name.endswith(".model"))]
    relations = [(MODEL, name) for name in models]
    relations += [(_ENCRYPTED, part.name) for part in sealing.group.parts]
    top = [(MODEL, root), (_KEYSTORE, _STORE), (_KEEP, _STORE)]
    plain = {
        _TYPES: _types(archive, limits),
        _ROOT_RELATIONS: _relations_text(top),
        root: build.text(moved, sealing.uuid),
        _relations_of(root): _relations_text(relations),
        _STORE: write_store(_store(arguments["consumers"], sealing)),
    }
    if archive.has(_relations_of(root)):
        plain[_relations_of(moved)] = archive.read(_relations_of(root))
    return _packed(
        {**plain, **_others(archive, {_ROOT_RELATIONS, _relations_of(root)}), **sealing.sealed}
    )


def read_rights(data: bytes, limits: Limits) -> list[dict[str, Any]]:
    """Return each group's rights: for whom, the consumer's key where it is said, the wrapped key.

    Raises:
        ContentError: One of the errors of ``refusals``.
    """
    store = _read_secure(open_archive(data, limits), limits)
    return [
        {
            "group": group.uuid,
            "consumer": store.consumers[right.consumer].id,
            "key": store.consumers[right.consumer].key,
            "mask": right.mask,
            "digest": right.digest,
            "wrapped": right.wrapped.hex(),
        }
        for group in store.groups
        for right in group.rights
    ]


def open_package(data: bytes, keys: Mapping[str, bytes], limits: Limits) -> bytes:
    """Return the plain package of an encrypted one; parts without a key here are left out.

    Raises:
        SecureTamperedError: A part does not open.
        ContentError: One of the errors of ``refusals``.
    """
    archive = open_archive(data, limits)
    store = _read_secure(archive, limits)
    opened: dict[str, bytes] = {}
    left = limits.total
    for group in store.groups:
        for part in group.parts:
            if group.uuid in keys:
                opened[part.name] = _opened(archive, part, keys[group.uuid], left)
                left -= len(opened[part.name])
    secret = {part.name for group in store.groups for part in group.parts}
    gone = {*targets(archive, _KEYSTORE, limits), *(secret - set(opened))}
    plain = {name: archive.read(name) for name in archive.names() if name not in gone | secret}
    for name in [one for one in plain if one.endswith(".rels")]:
        plain[name] = _relations_text(_kept_relations(plain[name], gone, limits))
    (root,) = targets(archive, MODEL, limits)
    plain[root] = _without_requirement(plain[root])
    whole = _packed({**plain, **opened})
    read_threemf(open_archive(whole, limits), limits)
    return whole


_SKIPPED = (".rels", "/")


@dataclass(slots=True)
class _Sealing:
    """Parts, as they are encrypted one after the other under one new key."""

    cipher: AESGCM
    uuid: UUID
    sealed: dict[str, bytes] = field(default_factory=dict)
    group: Group = field(init=False)

    def __post_init__(self) -> None:
        self.group = Group(uuid=str(uuid5(self.uuid, "key")))

    def add(self, name: str, data: bytes) -> None:
        # The key is new, so that a count never repeats under it.
        iv = len(self.sealed).to_bytes(_IV, "big")
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed = packer.compress(data) + packer.flush()
        aad = f"/{name}".encode()
        found = self.cipher.encrypt(iv, packed, aad)
        part = Part(name=name, is_deflated=True, iv=iv, tag=found[-_TAG:], aad=aad)
        self.group.parts.append(part)
        self.sealed[name] = _HEADER + found[:-_TAG]


@dataclass(slots=True)
class _Build:
    """A root model, cut: its objects without the build, and the build's items."""

    unit: str = "millimeter"
    items: list[dict[str, str]] = field(default_factory=list)
    without_items: bytes = b""

    def text(self, moved: str, uuid: UUID) -> bytes:
        """Return a root model that builds the items from a part that was moved."""
        items = "".join(self._item(at, moved, uuid) for at in range(len(self.items)))
        return (
            f'<?xml version="1.0" encoding="utf-8"?><model xmlns="{CORE}" xmlns:p="{PRODUCTION}" '
            f'xmlns:sc="{SECURE}" requiredextensions="p sc" unit="{self.unit}" xml:lang="en-US">'
            f'<resources/><build p:UUID="{uuid5(uuid, "build")}">{items}</build></model>'
        ).encode()

    def _item(self, at: int, moved: str, uuid: UUID) -> str:
        found = self.items[at]
        path = part_name(found.get(f"{PRODUCTION} path", moved))
        own = {"objectid": found["objectid"], "p:path": f"/{path}"}
        own |= {name: found[name] for name in ("transform", "partnumber") if name in found}
        own["p:UUID"] = found.get(f"{PRODUCTION} UUID", str(uuid5(uuid, f"item {at}")))
        return f"<item {' '.join(f'{name}={quoteattr(text)}' for name, text in own.items())}/>"


def _read_build(data: bytes, limits: Limits) -> _Build:
    build, places = _Build(), list[int]()

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name == f"{CORE} model":
            build.unit = attributes.get("unit", "millimeter")
        if name == f"{CORE} item":
            build.items.append(dict(attributes))
            places.append(reader.place)

    def end(name: str) -> None:
        if name == f"{CORE} build":
            places.append(reader.place)

    reader = Reader(start, end, limits=limits)
    reader.read(data)
    build.without_items = data[: places[0]] + data[places[-1] :]
    return build


def _read_secure(archive: Archive, limits: Limits) -> SecureStore:
    found = targets(archive, _KEYSTORE, limits)
    if len(found) != 1:
        message = "The package has no key store: it is not encrypted."
        raise SecureContentError(message)
    return read_store(archive.read(found[0]), limits)


def _opened(archive: Archive, part: Part, key: bytes, room: int) -> bytes:
    data = archive.read(part.name)
    size = int.from_bytes(data[_SIZE_AT : len(_HEADER)], "little")
    if not data.startswith(_HEADER[:6]) or not len(_HEADER) <= size <= len(data):
        message = f"The part {part.name[:80]!r} is not encrypted as the key store says."
        raise SecureContentError(message, part=ascii(part.name[:80]))
    try:
        plain = AESGCM(key).decrypt(part.iv, data[size:] + part.tag, part.aad)
    except (InvalidTag, ValueError) as exc:
        message = f"The part {part.name[:80]!r} was changed, or its key is another one."
        raise SecureTamperedError(message, part=ascii(part.name[:80])) from exc
    return _inflated(plain, room) if part.is_deflated else plain


def _inflated(packed: bytes, room: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        found = unpacker.decompress(packed, room + 1)
    except zlib.error as exc:
        message = "An encrypted part does not unpack."
        raise SecureContentError(message) from exc
    if len(found) > room:
        message = "The encrypted parts unpack to more than is read."
        raise ArchiveBombError(message)
    if not unpacker.eof:
        message = "An encrypted part ends too early."
        raise SecureContentError(message)
    return found


def _store(consumers: Iterable[Mapping[str, str]], sealing: _Sealing) -> SecureStore:
    store = SecureStore(uuid=str(uuid5(sealing.uuid, "store")), groups=[sealing.group])
    for at, one in enumerate(consumers):
        store.consumers.append(Consumer(id=one["name"], key_id=one["keyId"], key=one["key"]))
        sealing.group.rights.append(Right(consumer=at, wrapped=bytes.fromhex(one["wrapped"])))
    return store


def _free_name(archive: Archive, folder: str) -> str:
    names = (f"{folder}/secured{number or ''}.model".lstrip("/") for number in range(1_001))
    return next(name for name in names if not archive.has(name))


def _relations_of(part: str) -> str:
    return f"{dirname(part)}/_rels/{basename(part)}.rels".lstrip("/")


def _others(archive: Archive, own: set[str]) -> dict[str, bytes]:
    """Return the relationships of the parts that keep their places."""
    names = (name for name in archive.names() if name.endswith(".rels") and name not in own)
    return {name: archive.read(name) for name in names}


def _types(archive: Archive, limits: Limits) -> bytes:
    found: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        tag = name.removeprefix(f"{_CONTENT_TYPES} ")
        if tag in {"Default", "Override"} and attributes.get("Extension") != "model":
            pairs = (f"{key}={quoteattr(text)}" for key, text in attributes.items())
            found.append(f"<{tag} {' '.join(pairs)}/>")

    Reader(start, limits=limits).read(archive.read(_TYPES))
    found.append(f'<Default Extension="model" ContentType="{_MODEL_TYPE}"/>')
    found.append(f'<Override PartName="/{_STORE}" ContentType="{_STORE_TYPE}"/>')
    return f'<Types xmlns="{_CONTENT_TYPES}">{"".join(found)}</Types>'.encode()


def _kept_relations(data: bytes, gone: set[str], limits: Limits) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        kind, target = attributes.get("Type", ""), attributes.get("Target", "")
        is_one = name == f"{_RELATIONS} Relationship" and kind != _ENCRYPTED
        if is_one and part_name(target) not in gone:
            found.append((kind, target.lstrip("/")))

    Reader(start, limits=limits).read(data)
    return found


def _relations_text(relations: Iterable[tuple[str, str]]) -> bytes:
    rows = "".join(
        f'<Relationship Id="r{at}" Type={quoteattr(kind)} Target={quoteattr("/" + target)}/>'
        for at, (kind, target) in enumerate(relations)
    )
    return f'<Relationships xmlns="{_RELATIONS}">{rows}</Relationships>'.encode()


def _without_requirement(model: bytes) -> bytes:
    """Return a root model that no longer requires the secure content extension."""
    prefix = _XMLNS.search(model)
    required = _REQUIRED.search(model)
    if prefix is None or required is None:
        return model
    words = [word for word in required[1].split() if word != prefix[1]]
    return model[: required.start(1)] + b" ".join(words) + model[required.end(1) :]


def _packed(entries: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return sink.getvalue()
