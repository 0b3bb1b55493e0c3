"""Second factors of a part: a code under a scratch field, and a chip with a key of its own.

A statement names either among its byproducts, by a digest. Who scratches the code free may claim
the part once; whoever copied the label before has no code, whoever copies it later comes second.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from guildmark.domain.builds.predicate import Resource
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.errors import (
    ConflictError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    PossibleCopyError,
)
from guildmark.domain.identifiers import (
    UINT40_MAX,
    Bytes32,
    Digest,
    Index,
    LogNumber,
    digest_from_hex,
    from_hex,
    parse_hint,
    to_hex,
)
from guildmark.domain.log.note import Note, NoteKey
from guildmark.domain.signatures import Algorithm, PublicKey

CODE, CHIP = "activation/code", "activation/chip"
"""Byproducts of these names carry the digest of the code, and of the chip's key."""

CODE_ENTROPY: Final = 12
"""Random bytes of which a code is made; 90 bits of them are used."""

CLAIM_LIMITS = Limits(size=64 << 10, depth=4, values=20)

_BITS, _CHECK_BITS = 90, 10
# Crockford's base 32: no I, L, O or U; whoever reads I or L means 1, whoever reads O means 0.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans({"I": "1", "L": "1", "O": "0", "-": "", " ": ""})
_LENGTH, _GROUP = 20, 4
# The greatest prime below 2^10: a pure system of ISO/IEC 7064, with one letter wrong or two
# neighbours swapped the remainder differs.
_MODULUS = 1021

_CODE_TAG = b"guildmark/activation/v1"
_CHIP_TAG = b"guildmark/chip/v1"
_CHALLENGE_TAG = b"guildmark/chip-challenge/v1"
_CLAIM_HEAD = "guildmark/activation/v1"
_CLAIM_LINES = 6


class CodeMalformedError(MalformedError):
    """A text that is no code of a scratch field: a letter is wrong or lacks."""

    code = "activation.codeMalformed"
    hint = "Read the code again: 20 letters and digits in groups of four."


class ClaimMalformedError(MalformedError):
    """A file or a note that says nothing of a first claim."""

    code = "activation.claimMalformed"
    hint = "Use the file that `guildmark part activate` wrote."


class PartNotHereError(NotFoundError):
    """This node's log has no such part."""

    code = "activation.partUnknown"
    hint = "Ask the node of the log that the label's page names."


class CodeNotNamedError(NotFoundError):
    """The part's statement commits to no hidden code."""

    code = "activation.codeUnnamed"
    hint = "If the label has a scratch field all the same, the label was not made by this maker."


class CodeWrongError(ForbiddenError):
    """The code is not the one that the part's statement commits to."""

    code = "activation.codeWrong"
    hint = "Read the code again; if it is right, the label may be copied: ask who sold the part."


class ClaimedBeforeError(PossibleCopyError):
    """Somebody else claimed the part before, with the same code."""

    code = "activation.claimedBefore"
    hint = "If you scratched the field free yourself, the label may be copied: ask who sold it."


class TriedTooOftenError(ConflictError):
    """Too many claims were tried from one network."""

    code = "activation.tooOften"
    hint = "Wait a minute and try again."


@dataclass(frozen=True, slots=True)
class ActivationCode:
    """The code under a scratch field: 90 random bits."""

    number: int = field(repr=False)

    @classmethod
    def drawn(cls, entropy: bytes) -> "ActivationCode":
        """Return the code of ``CODE_ENTROPY`` random bytes."""
        return cls(int.from_bytes(entropy, "big") >> (8 * CODE_ENTROPY - _BITS))

    @classmethod
    def parse(cls, text: str) -> "ActivationCode":
        """Return the code that somebody typed; case, blanks and hyphens do not matter.

        Raises:
            CodeMalformedError: It is none.
        """
        letters = text[:80].upper().translate(_MEANT).strip()
        if len(letters) != _LENGTH or set(letters) - set(_LETTERS):
            message = f"A code has {_LENGTH} letters and digits, without U."
            raise CodeMalformedError(message)
        whole = 0
        for letter in letters:
            whole = whole << 5 | _LETTERS.index(letter)
        if whole % _MODULUS != 1:
            message = "A letter of the code is wrong, or two are swapped."
            raise CodeMalformedError(message)
        return cls(whole >> _CHECK_BITS)

    def text(self) -> str:
        """Return the code as it is printed, in groups."""
        shifted = self.number << _CHECK_BITS
        whole = shifted + (1 - shifted) % _MODULUS
        letters = "".join(_LETTERS[whole >> 5 * place & 31] for place in reversed(range(_LENGTH)))
        return "-".join(letters[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))

    def digest(self, label: str) -> Digest:
        """Return what a statement about ``label`` commits to."""
        secret = self.number.to_bytes(CODE_ENTROPY, "big")
        return sha256(_CODE_TAG + sha256(label.encode()) + secret)


def chip_digest(key: PublicKey) -> Digest:
    """Return what a statement about a part with a chip of this key commits to."""
    return sha256(_CHIP_TAG + bytes((key.algorithm,)) + key.data)


def chip_message(challenge: Bytes32, label: str) -> bytes:
    """Return what a chip signs who is asked by a reader's challenge."""
    return _CHALLENGE_TAG + challenge + label.encode()


def byproducts(*, code: Digest | None, chip: Digest | None) -> tuple[Resource, ...]:
    """Return the second factors as a statement names them."""
    named = ((CODE, code), (CHIP, chip))
    return tuple(Resource(name=name, digest=one) for name, one in named if one is not None)


def committed(statement: BuildStatement, name: str) -> tuple[Digest, ...]:
    """Return the digests that a statement names as ``CODE`` or ``CHIP``; one, where all is well."""
    return _named(statement.byproducts, name)


def _named(resources: Iterable[Resource], name: str) -> tuple[Digest, ...]:
    return tuple(one.digest for one in resources if one.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstClaim:
    """That a part was claimed for the first time, as the node of its log says.

    Args:
        origin: The name of the log's checkpoints, which names chain and contract too.
        log: The log.
        index: The entry in it.
        commitment: What the statement commits to.
        claimant: SHA-256 of what the claimant alone holds.
        time: When, by the node's clock, in seconds.
    """

    origin: str
    log: LogNumber
    index: Index
    commitment: Digest
    claimant: Digest
    time: int

    def text(self) -> str:
        """Return the note's text."""
        lines = (
            _CLAIM_HEAD,
            self.origin,
            f"{self.log}.{self.index}",
            to_hex(self.commitment),
            to_hex(self.claimant),
            str(self.time),
        )
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "FirstClaim":
        """Return the claim that a note's text writes, in its one spelling.

        Raises:
            ClaimMalformedError: It writes none.
        """
        lines = text.split("\n")[:-1]
        if len(lines) != _CLAIM_LINES or not lines[-1].isdecimal():
            message = f"A first claim is a text of {_CLAIM_LINES} lines."
            raise ClaimMalformedError(message)
        _, origin, place, commitment, claimant, time = lines
        try:
            log, index = parse_hint(place)
            found = cls(
                origin=origin,
                log=log,
                index=index,
                commitment=digest_from_hex(commitment),
                claimant=digest_from_hex(claimant),
                time=int(time[:20]),
            )
        except MalformedError as error:
            message = f"The note is no first claim. {error.message}"
            raise ClaimMalformedError(message) from error
        if found.text() != text or found.time > UINT40_MAX:
            message = "The note is no first claim in its one spelling."
            raise ClaimMalformedError(message)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFile:
    """What who claimed a part keeps: the code, a token of his own, and the node's receipt."""

    code: ActivationCode
    token: Bytes32 = field(repr=False)
    receipt: Note

    @classmethod
    def parse(cls, data: bytes) -> "ClaimFile":
        """Return what a file holds.

        Raises:
            MalformedError: It is none.
        """
        return read_document(data, cls._read, CLAIM_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> "ClaimFile":
        return cls(
            code=fields.parsed("code", ActivationCode.parse),
            token=fields.bytes32("token"),
            receipt=Note.parse(fields.text("receipt", most=CLAIM_LIMITS.size).encode()),
        )

    def encode(self) -> bytes:
        """Return the file's bytes, indented for people."""
        members = {
            "code": self.code.text(),
            "token": to_hex(self.token),
            "receipt": self.receipt.encode().decode(),
        }
        return json.dumps(members, indent=2, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A reader's claim file, and by whose key he believes receipts; None: by nobody's."""

    file: ClaimFile
    key: NoteKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipAnswer:
    """What a part's chip answered to a challenge that the reader drew himself."""

    challenge: Bytes32
    key: PublicKey
    signature: bytes

    @classmethod
    def parse(cls, data: bytes, challenge: Bytes32) -> "ChipAnswer":
        """Return the answer that a file holds: algorithm, key and signature.

        Raises:
            MalformedError: It holds none.
        """
        key, signature = read_document(data, _read_answer, CLAIM_LIMITS)
        return cls(challenge=challenge, key=key, signature=signature)


def _read_answer(fields: Fields) -> tuple[PublicKey, bytes]:
    algorithm = fields.parsed("algorithm", _algorithm)
    key = PublicKey(algorithm=algorithm, data=fields.parsed("key", from_hex))
    return key, fields.parsed("signature", from_hex)


def _algorithm(name: str) -> Algorithm:
    found = {each.name.lower(): each for each in Algorithm}.get(name)
    if found is None:
        message = f"{name[:40]!r} is no algorithm of a chip."
        raise ClaimMalformedError(message)
    return found
