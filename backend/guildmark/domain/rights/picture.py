"""A small picture of a design, which its owner signs for everybody to see; proof of nothing."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.errors import ContentError, ForbiddenError, GuildmarkError
from guildmark.domain.identifiers import Address, DesignId, to_hex
from guildmark.domain.identity.accounts import account_key, verifier_of

PICTURE_PAYLOAD_TYPE = "application/vnd.guildmark.design-picture+json"
PICTURE_LIMITS = Limits(size=1 << 20, depth=2, values=8)
EDGE_MAX = 256
IMAGE_MAX = 240_000
"""Bytes of a PNG of 256 x 256 pixels, however badly they pack."""

_MAGIC = b"\x89PNG\r\n\x1a\n"
_HEAD, _FRAME = struct.Struct(">IIBBBBB"), struct.Struct(">I4s")
_CHECK_SIZE = 4
_BYTES_PER_PIXEL = 3
_FILTER_MAX = 4
# 8 bits each of red, green and blue, packed by deflate, not interlaced.
_PLAIN = (8, 2, 0, 0, 0)


class PictureMalformedError(ContentError):
    """What is shown as a design's picture is no PNG of pixels alone, of at most 256 x 256."""

    code = "design.pictureMalformed"
    hint = "Let `guildmark design publish-picture` make the picture."


class PictureNotOwnersError(ForbiddenError):
    """A picture of a design is signed by somebody else than the design's owner."""

    code = "design.pictureNotOwners"
    hint = "Sign with the key of the design's present owner; a contract cannot sign pictures."


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignPicture(Document):
    """A picture, as the owner of a design signs it.

    Args:
        design: The design.
        at: When it was signed, by the signer's clock: a later one takes its place.
        image: The PNG; empty where no picture shall be shown any more.
    """

    LIMITS = PICTURE_LIMITS

    design: DesignId
    at: int
    image: bytes

    def __post_init__(self) -> None:
        if self.image:
            check_image(self.image)

    @classmethod
    def of_owner(cls, body: bytes, owner: Address) -> Self:
        """Return the picture in an envelope that a design's owner signed.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            PictureMalformedError: It is another payload, or no small PNG of pixels alone.
            PictureNotOwnersError: Somebody else signed it.
        """
        envelope = Envelope.parse(body)
        envelope.check_type(PICTURE_PAYLOAD_TYPE, "picture of a design", PictureMalformedError)
        try:
            envelope.verify({account_key(owner): verifier_of(owner)})
        except GuildmarkError as error:
            message = f"The picture is not signed by the design's owner {to_hex(owner)}."
            raise PictureNotOwnersError(message, owner=to_hex(owner)) from error
        return cls.signed(body)

    @classmethod
    def signed(cls, body: bytes) -> Self:
        """Return the picture in an envelope, whoever signed it."""
        return cls.parse(Envelope.parse(body).payload)


def check_image(data: bytes) -> None:
    """Refuse what is not a PNG of pixels alone: of three chunk types, whole, and nothing behind.

    Source: PNG (ISO/IEC 15948), 5 and 11.2.

    Raises:
        PictureMalformedError: It is something else, or too large.
    """
    require = _Required(size=len(data))
    require("a PNG of at most 240,000 bytes", data.startswith(_MAGIC) and len(data) <= IMAGE_MAX)
    chunks = list(_chunks(data[len(_MAGIC) :], require))
    kinds = [kind for kind, _ in chunks]
    require("made of header, pixels and end", kinds[:1] == [b"IHDR"] and kinds[-1:] == [b"IEND"])
    require("without further chunks", len(kinds) > 2 and {*kinds[1:-1]} == {b"IDAT"})  # noqa: PLR2004 - header and end
    require("ended by nothing", not chunks[-1][1] and len(chunks[0][1]) == _HEAD.size)
    width, height, *form = _HEAD.unpack(chunks[0][1])
    require("of 1 to 256 pixels a side", 0 < min(width, height) <= max(width, height) <= EDGE_MAX)
    require("of 24 bits a pixel, not interlaced", tuple(form) == _PLAIN)
    line = 1 + width * _BYTES_PER_PIXEL
    pixels = _unpacked(b"".join(body for _, body in chunks[1:-1]), line * height, require)
    require("filtered as PNG says", max(pixels[::line]) <= _FILTER_MAX)


@dataclass(frozen=True, slots=True)
class _Required:
    """What refuses a picture in one sentence."""

    size: int

    def __call__(self, what: str, holds: bool) -> None:
        if not holds:
            message = f"The picture is not {what}."
            raise PictureMalformedError(message, size=self.size)


def _chunks(data: bytes, require: _Required) -> Iterator[tuple[bytes, bytes]]:
    while data:
        require("whole", len(data) >= _FRAME.size + _CHECK_SIZE)
        size, kind = _FRAME.unpack_from(data)
        end = _FRAME.size + size
        require("whole", len(data) >= end + _CHECK_SIZE)
        check = int.from_bytes(data[end : end + _CHECK_SIZE], "big")
        require("undamaged", zlib.crc32(data[4:end]) == check)
        yield kind, data[_FRAME.size : end]
        data = data[end + _CHECK_SIZE :]


def _unpacked(packed: bytes, size: int, require: _Required) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(packed, size + 1)
    except zlib.error as error:
        message = "The picture's pixels do not unpack."
        raise PictureMalformedError(message, size=require.size) from error
    require("as large as it says", len(found) == size)
    require("ended with its pixels", unpacking.eof and not unpacking.unused_data)
    return found
