"""The key store of 3MF Secure Content 1.0: who may open which encrypted parts, and how."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.markup import Reader
from guildmark.adapters.shapes.refusals import SecureAlgorithmError, SecureContentError
from guildmark.adapters.shapes.threemf import part_name, whole

SECURE = "http://schemas.microsoft.com/3dmanufacturing/securecontent/2019/04"
_XENC = "http://www.w3.org/2001/04/xmlenc#"
_XENC11 = "http://www.w3.org/2009/xmlenc11#"
_AES = f"{_XENC11}aes256-gcm"
_OAEP, _OAEP_SHA1 = f"{_XENC11}rsa-oaep", f"{_XENC}rsa-oaep-mgf1p"
_MASKS: Mapping[str, str] = {f"{_XENC11}mgf1sha1": "sha1", f"{_XENC11}mgf1sha256": "sha256"}
_DIGESTS: Mapping[str, str] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    f"{_XENC}sha256": "sha256",
}
_TAG, _IV = 16, 12
_MOST = 100


@dataclass(slots=True)
class Right:
    """One consumer's access: the content key, wrapped for it."""

    consumer: int
    mask: str = "sha256"
    digest: str = "sha256"
    wrapped: bytes = b""


@dataclass(slots=True)
class Part:
    """One encrypted part, and what its decryption needs."""

    name: str
    is_deflated: bool = False
    iv: bytes = b""
    tag: bytes = b""
    aad: bytes = b""


@dataclass(slots=True)
class Group:
    """Parts under one content key."""

    uuid: str
    rights: list[Right] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class Consumer:
    """Who may open parts: a name, and where it is said, the public key."""

    id: str
    key_id: str = ""
    key: str = ""


@dataclass(slots=True)
class SecureStore:
    """A whole key store."""

    uuid: str = ""
    consumers: list[Consumer] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


def read_store(data: bytes, limits: Limits) -> SecureStore:
    """Return the key store that a part holds.

    Raises:
        ContentError: One of the errors of ``refusals``.
    """
    reading = _Reading()
    Reader(reading.start, reading.end, reading.texts.append, limits=limits).read(data)
    for group in reading.store.groups:
        for right in group.rights:
            if not 0 <= right.consumer < len(reading.store.consumers):
                raise _malformed("names a consumer that is not there")
        for part in group.parts:
            if len(part.iv) != _IV or len(part.tag) != _TAG:
                raise _malformed("has a vector or tag of another size")
    return reading.store


@dataclass(slots=True)
class _Reading:
    """A key store, as its elements come."""

    store: SecureStore = field(default_factory=SecureStore)
    texts: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.texts.clear()
        namespace, _, tag = name.rpartition(" ")
        if namespace == SECURE and tag in _STARTS:
            _STARTS[tag](self, attributes)
        total = len(self.store.consumers) + len(self.store.groups)
        inside = sum(len(one.rights) + len(one.parts) for one in self.store.groups[-1:])
        if max(total, inside) > 2 * _MOST:
            raise _malformed("has too many entries")

    def end(self, name: str) -> None:
        namespace, _, tag = name.rpartition(" ")
        text = "".join(self.texts)
        self.texts.clear()
        if namespace in {SECURE, _XENC} and tag in _ENDS:
            _ENDS[tag](self, text)

    def consumer(self, attributes: Mapping[str, str]) -> None:
        found = Consumer(id=attributes.get("consumerid", ""), key_id=attributes.get("keyid", ""))
        self.store.consumers.append(found)

    def group(self, attributes: Mapping[str, str]) -> None:
        self.store.groups.append(Group(uuid=attributes.get("keyuuid", "")))

    def right(self, attributes: Mapping[str, str]) -> None:
        self._group().rights.append(Right(consumer=whole(attributes.get("consumerindex"))))

    def wrapping(self, attributes: Mapping[str, str]) -> None:
        right, kind = self._right(), attributes.get("wrappingalgorithm")
        right.digest = _known(_DIGESTS, attributes.get("digestmethod"), "sha1")
        right.mask = _known(_MASKS, attributes.get("mgfalgorithm"), "sha1")
        if kind not in {_OAEP, _OAEP_SHA1}:
            raise _algorithm(kind)

    def part(self, attributes: Mapping[str, str]) -> None:
        self._group().parts.append(Part(name=part_name(attributes.get("path", ""))))

    def content(self, attributes: Mapping[str, str]) -> None:
        compression = attributes.get("compression", "none")
        if attributes.get("encryptionalgorithm") != _AES or compression not in {"none", "deflate"}:
            raise _algorithm(attributes.get("encryptionalgorithm"))
        self._part().is_deflated = compression == "deflate"

    def key(self, text: str) -> None:
        if self.store.consumers:
            self.store.consumers[-1].key = text.strip()

    def wrapped(self, text: str) -> None:
        self._right().wrapped = _bytes(text)

    def iv(self, text: str) -> None:
        self._part().iv = _bytes(text)

    def tag(self, text: str) -> None:
        self._part().tag = _bytes(text)

    def aad(self, text: str) -> None:
        self._part().aad = _bytes(text)

    def _group(self) -> Group:
        if not self.store.groups:
            raise _malformed("has an entry outside a group")
        return self.store.groups[-1]

    def _right(self) -> Right:
        if not self._group().rights:
            raise _malformed("has a wrapped key outside an access right")
        return self._group().rights[-1]

    def _part(self) -> Part:
        if not self._group().parts:
            raise _malformed("has parameters outside a part")
        return self._group().parts[-1]


_STARTS = {
    "consumer": _Reading.consumer,
    "resourcedatagroup": _Reading.group,
    "accessright": _Reading.right,
    "kekparams": _Reading.wrapping,
    "resourcedata": _Reading.part,
    "cekparams": _Reading.content,
}
_ENDS = {
    "keyvalue": _Reading.key,
    "CipherValue": _Reading.wrapped,
    "iv": _Reading.iv,
    "tag": _Reading.tag,
    "aad": _Reading.aad,
}


def write_store(store: SecureStore) -> bytes:
    """Return a key store's part: RSA-OAEP with SHA-256, AES-256-GCM over deflated parts."""
    consumers = "".join(
        f"<consumer consumerid={quoteattr(one.id)} keyid={quoteattr(one.key_id)}>"
        f"<keyvalue>{escape(one.key)}</keyvalue></consumer>"
        for one in store.consumers
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><keystore xmlns="{SECURE}" xmlns:xenc="{_XENC}" '
        f'UUID="{store.uuid}">{consumers}{"".join(map(_group_text, store.groups))}</keystore>'
    ).encode()


def _group_text(group: Group) -> str:
    rights = "".join(
        f'<accessright consumerindex="{one.consumer}"><kekparams wrappingalgorithm="{_OAEP}" '
        f'mgfalgorithm="{_XENC11}mgf1sha256" digestmethod="{_XENC}sha256"/><cipherdata>'
        f"<xenc:CipherValue>{_base64(one.wrapped)}</xenc:CipherValue></cipherdata></accessright>"
        for one in group.rights
    )
    parts = "".join(
        f'<resourcedata path={quoteattr("/" + one.name)}><cekparams encryptionalgorithm="{_AES}" '
        f'compression="deflate"><iv>{_base64(one.iv)}</iv><tag>{_base64(one.tag)}</tag>'
        f"<aad>{_base64(one.aad)}</aad></cekparams></resourcedata>"
        for one in group.parts
    )
    return f'<resourcedatagroup keyuuid="{group.uuid}">{rights}{parts}</resourcedatagroup>'


def _known(names: Mapping[str, str], found: str | None, default: str) -> str:
    if found is None:
        return default
    if found not in names:
        raise _algorithm(found)
    return names[found]


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _malformed("holds what is no base64") from exc


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _algorithm(found: str | None) -> SecureAlgorithmError:
    message = f"The package is encrypted in a way that is not read: {(found or 'none')[:80]!r}."
    return SecureAlgorithmError(message, found=ascii((found or "none")[:80]))


def _malformed(what: str) -> SecureContentError:
    message = f"The package's key store {what}."
    return SecureContentError(message)
