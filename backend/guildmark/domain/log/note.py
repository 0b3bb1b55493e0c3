"""Signed notes as C2SP fixes them (c2sp.org/signed-note), and witnesses' cosignatures over them.

A note is a text with lines of signatures below; a key is named in words and by four bytes. The
signatures are Ed25519: of kind 1 over the text, of kind 4 (c2sp.org/tlog-cosignature) over a time
and the text.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, NoReturn, TypeAlias

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import MalformedError, SignatureError
from guildmark.domain.signatures import (
    Algorithm,
    MalformedKeyError,
    PublicKey,
)

SIGNATURES_MAX: Final = 64
NOTE_MAX: Final = 64 << 10
NAME_MAX: Final = 256

_DASH = "\u2014"
_ID_SIZE = 4
_TIME_SIZE = 8
_TIME_MAX = 2**63 - 1
_KEY_SIZE = 32
_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_LINE = re.compile(rf"{_DASH} ([^\s+]+) ([A-Za-z0-9+/=]+)")

Sign: TypeAlias = Callable[[bytes], bytes]


class NoteMalformedError(MalformedError):
    """Bytes that are no signed note, or a text that is no key of one."""

    code = "note.malformed"
    hint = "Fetch the note or the key again, whole and unchanged."


class NoteSignatureError(SignatureError):
    """A signature of a known key on a note does not hold, or no known key signed it."""

    code = "note.signatureWrong"
    hint = "Do not use the note: fetch it again from another source, and tell the key's owner."


class NoteKind(IntEnum):
    """What a key's signatures are over: the numbers of c2sp.org/signed-note."""

    NOTE = 1
    COSIGNATURE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A key that signs notes: its name, what its signatures are over, 32 bytes of Ed25519.

    Raises:
        NoteMalformedError: The name has spaces or a plus, or the bytes are no key.
    """

    name: str
    kind: NoteKind = NoteKind.NOTE
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > NAME_MAX:
            _refuse(f"{self.name[:80]!r} cannot name a key of notes.")
        try:
            PublicKey(algorithm=Algorithm.ED25519, data=self.public)
        except MalformedKeyError as error:
            message = f"The key {self.name[:80]} is no Ed25519 key."
            raise NoteMalformedError(message) from error

    @property
    def id(self) -> bytes:
        """Return the four bytes that name key and kind together."""
        named = self.name.encode() + b"\n" + bytes((self.kind,)) + self.public
        return sha256(named)[:_ID_SIZE]

    def encode(self) -> str:
        """Return the key as one word: name+id+key."""
        return f"{self.name}+{self.id.hex()}+{_base64(bytes((self.kind,)) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "NoteKey":
        """Return the key that one word writes.

        Raises:
            NoteMalformedError: It is none, or its id is another key's.
        """
        found = _VKEY.fullmatch(text)
        data = b"" if found is None else _unbase64(found[3])
        if found is None or len(data) != 1 + _KEY_SIZE or data[0] not in set(NoteKind):
            _refuse(f"{text[:120]!r} is no key of notes: name+id+key is expected.")
        key = cls(name=found[1], kind=NoteKind(data[0]), public=data[1:])
        if key.id.hex() != found[2]:
            _refuse(f"The key {found[1][:80]} has the id {key.id.hex()}, not {found[2]}.")
        return key

    def of_kind(self, kind: NoteKind) -> "NoteKey":
        """Return the same key for signatures of a kind."""
        return replace(self, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One line below a note."""

    name: str
    key: bytes
    value: bytes

    def line(self) -> str:
        """Return the line with its end."""
        return f"{_DASH} {self.name} {_base64(self.key + self.value)}\n"

    def is_of(self, key: NoteKey) -> bool:
        """Return whether the line names a key, by name and id."""
        return (self.name, self.key) == (key.name, key.id)

    @property
    def time(self) -> int:
        """Return when a cosignature says that it was made."""
        return int.from_bytes(self.value[:_TIME_SIZE], "big")

    def verify(self, key: NoteKey, text: str) -> None:
        """Check the signature of ``key`` over ``text``.

        Raises:
            NoteSignatureError: It does not hold.
        """
        signed, signature = text.encode(), self.value
        if key.kind is NoteKind.COSIGNATURE:
            signed, signature = _cosigned(self.time, text), self.value[_TIME_SIZE:]
        public = PublicKey(algorithm=Algorithm.ED25519, data=key.public)
        try:
            _check_time(self.time if key.kind is NoteKind.COSIGNATURE else 0)
            public.verify(signed, signature)
        except SignatureError as error:
            message = f"The signature of {key.name} on the note does not hold."
            raise NoteSignatureError(message, name=key.name) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text, whose last byte is a line's end, and the signatures below it.

    Raises:
        NoteMalformedError: The text does not end with a line's end, or holds control characters.
    """

    text: str
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n") or _CONTROL.search(self.text):
            _refuse("A note's text ends with a line's end and holds no control characters.")

    def encode(self) -> bytes:
        """Return the note's bytes."""
        lines = "".join(one.line() for one in self.signatures)
        return f"{self.text}\n{lines}".encode()

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Return the note that some bytes are; its signatures are not checked.

        Raises:
            NoteMalformedError: They are none, or too many bytes or signatures.
        """
        try:
            whole = data[: NOTE_MAX + 1].decode()
        except UnicodeDecodeError as error:
            message = "A note is UTF-8."
            raise NoteMalformedError(message) from error
        text, blank, below = whole.rpartition("\n\n")
        if not blank or not below.endswith("\n") or len(data) > NOTE_MAX:
            _refuse("A note is a text, an empty line and signatures.")
        return cls(text=text + "\n", signatures=read_signatures(below))

    def signed(self, *signatures: NoteSignature) -> "Note":
        """Return the note with further signatures; one of a key that signed already replaces it."""
        new = {(one.name, one.key): one for one in (*self.signatures, *signatures)}
        return replace(self, signatures=tuple(new.values()))

    def signers(self, keys: Sequence[NoteKey]) -> tuple[NoteKey, ...]:
        """Return those of ``keys`` that signed the note, each once.

        Signatures of other keys are passed over.

        Raises:
            NoteSignatureError: A signature in the name of one of the keys does not hold.
        """
        found: list[NoteKey] = []
        for key in dict.fromkeys(keys):
            own = [one for one in self.signatures if one.is_of(key)]
            for one in own:
                one.verify(key, self.text)
            found += [key] if own else []
        return tuple(found)


def read_signatures(lines: str) -> tuple[NoteSignature, ...]:
    """Return the signatures that lines below a note hold.

    Raises:
        NoteMalformedError: A line is none, or there are too many.
    """
    read = [_signature(line) for line in lines.split("\n")[:-1]]
    if not 0 < len(read) <= SIGNATURES_MAX or not lines.endswith("\n"):
        _refuse(f"A note has 1 to {SIGNATURES_MAX} signatures.")
    return tuple(read)


def sign(text: str, key: NoteKey, signer: Sign) -> NoteSignature:
    """Return the signature of a key of kind ``NOTE`` over a text."""
    return NoteSignature(name=key.name, key=key.id, value=signer(text.encode()))


def cosign(text: str, key: NoteKey, signer: Sign, *, time: int) -> NoteSignature:
    """Return the signature of a key of kind ``COSIGNATURE`` over a text, made at ``time``."""
    value = time.to_bytes(_TIME_SIZE, "big") + signer(_cosigned(time, text))
    return NoteSignature(name=key.name, key=key.id, value=value)


def _cosigned(time: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _check_time(time: int) -> None:
    if time > _TIME_MAX:
        message = "The time of a cosignature is beyond the format."
        raise NoteSignatureError(message)


def _signature(line: str) -> NoteSignature:
    found = _LINE.fullmatch(line)
    data = b"" if found is None else _unbase64(found[2])
    if found is None or len(data) <= _ID_SIZE:
        _refuse(f"{line[:80]!r} is no signature of a note.")
    return NoteSignature(name=found[1], key=data[:_ID_SIZE], value=data[_ID_SIZE:])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes:
    """Return the bytes of the one spelling that they have, nothing for any other spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
    return data if _base64(data) == text else b""


def _refuse(message: str) -> NoReturn:
    raise NoteMalformedError(message)
