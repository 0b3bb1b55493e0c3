"""Content identifiers: CIDv1 in base32, codecs raw and dag-pb, hash sha2-256, nothing else.

The list is short on purpose: an identity CID carries its content, and a weak hash can be met, so
that the address would no longer decide what the bytes are.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Self, TypeAlias

from guildmark_ipfs.errors import BadCidError

Buffer: TypeAlias = bytes | bytearray | memoryview

DIGEST_SIZE = 32
CID_SIZE = 36
TEXT_SIZE = 59
_VERSION = 1
# Multihash: function sha2-256, length 32 (multiformats' table).
_SHA2_256 = bytes([0x12, DIGEST_SIZE])


class Codec(IntEnum):
    """How a block's bytes are read; the numbers of the multicodec table."""

    RAW = 0x55
    DAG_PB = 0x70


@dataclass(frozen=True, slots=True, repr=False)
class Cid:
    """The address of a block: what its bytes hash to, and how to read them."""

    codec: Codec
    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != DIGEST_SIZE:
            message = f"A sha2-256 digest has 32 bytes, this one has {len(self.digest)}."
            raise BadCidError(message, size=len(self.digest))

    @classmethod
    def of(cls, block: Buffer, codec: Codec) -> Self:
        """Return the identifier of ``block``."""
        return cls(codec, hashlib.sha256(block).digest())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the binary form: version, codec, multihash.

        Raises:
            BadCidError: Another version, codec, hash or length.
        """
        if len(data) != CID_SIZE or data[0] != _VERSION or data[2:4] != _SHA2_256:
            message = f"Expected 36 bytes of a CIDv1 with sha2-256, found {data[:40].hex()!r}."
            raise BadCidError(message, found=data[:40].hex())
        try:
            codec = Codec(data[1])
        except ValueError as exc:
            message = f"Expected codec raw or dag-pb, found 0x{data[1]:02x}."
            raise BadCidError(message, codec=data[1]) from exc
        return cls(codec, data[4:])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form: "b" and lower-case base32 without padding.

        Raises:
            BadCidError: Another form, or an identifier of a kind that is refused.
        """
        cid = cls.from_bytes(_decode(text))
        # Unused bits of the last letter must be zero: one address has one text.
        if str(cid) != text:
            message = f"The identifier {text!r} is not in its canonical form, which is {cid}."
            raise BadCidError(message, found=text)
        return cid

    def matches(self, block: Buffer) -> bool:
        """Return whether ``block`` has exactly this address."""
        return hashlib.sha256(block).digest() == self.digest

    def __bytes__(self) -> bytes:
        return bytes([_VERSION, self.codec]) + _SHA2_256 + self.digest

    def __repr__(self) -> str:
        return f"Cid({self})"

    def __str__(self) -> str:
        return "b" + base64.b32encode(bytes(self)).decode().rstrip("=").lower()


def _decode(text: str) -> bytes:
    found = text[: TEXT_SIZE + 1]
    if len(text) != TEXT_SIZE or not text.startswith("b") or text != text.lower():
        message = f"Expected 59 characters of a base32 CIDv1 that begins with b, found {found!r}."
        raise BadCidError(message, found=found)
    try:
        return base64.b32decode(text[1:].upper() + "======")
    except (binascii.Error, ValueError) as exc:
        message = f"Expected the letters a-z and digits 2-7, found {found!r}."
        raise BadCidError(message, found=found) from exc
