"""Files encrypted in segments under a key that the header commits to.

STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) over AES-256-GCM: the nonce is the
segment's number and whether it is the last, so what was cut, moved, repeated, added or flipped
does not open. The cipher's key and a commitment come from the content key and a random salt by
HKDF-SHA256; the commitment stands in the header, so one file opens under one key only, and a wrong
key shows before any output.

Header, 76 bytes: magic "gm-crypt", version 1, algorithm 1, log2 of the segment size, 0, salt (32),
commitment (32). Segments fill the file from its beginning: the first one holds the header too, so
that with the usual size each segment is one chunk of the file's DAG.
"""

import hashlib
import hmac
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from guildmark_ipfs.digests import StreamDigest
from guildmark_ipfs.errors import (
    ContentError,
    MalformedError,
    TamperedError,
    TruncatedError,
    WrongKeyError,
)
from guildmark_ipfs.keys import ContentKey, Entropy
from guildmark_ipfs.streams import Sink, Source, emit, fill

HEADER_SIZE = 76
TAG_SIZE = 16
SEGMENT_BITS = 20
_SMALLEST_BITS = 8
_LARGEST_BITS = 24
_MAGIC = b"gm-crypt\x01\x01"
_PREFIX_SIZE = 12
_SALT_SIZE = 32
_COUNTER_SIZE = 11
_DOMAIN = b"guildmark/crypt/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Size and SHA-256 of what was encrypted or decrypted."""

    size: int
    sha256: bytes


def encrypt(
    source: Source,
    sink: Sink,
    key: ContentKey,
    *,
    entropy: Entropy = os.urandom,
    segment_bits: int = SEGMENT_BITS,
) -> Plain:
    """Read ``source`` to its end and write it encrypted, in the memory of three segments.

    Args:
        source: What to encrypt.
        sink: Where the encrypted file goes; a ``Builder`` makes a stored file of it.
        key: A new key: it encrypts this one file.
        entropy: Draws the salt; the same salt twice under one key would break the encryption.
        segment_bits: log2 of the segment size, 8 to 24.
    """
    prefix = _MAGIC + bytes([segment_bits, 0])
    room = _segment_size(prefix) - TAG_SIZE
    salt = entropy(_SALT_SIZE)
    cipher, commitment = _derive(key, prefix, salt)
    sealed = memoryview(bytearray(room + TAG_SIZE))
    sealed[:HEADER_SIZE] = prefix + salt + commitment
    start, size = HEADER_SIZE, 0
    with StreamDigest() as digest:
        for number, (piece, last) in enumerate(_pieces(source, room - HEADER_SIZE, room)):
            end = start + len(piece) + TAG_SIZE
            digest.begin(piece)
            cipher.encrypt_into(_nonce(number, last=last), piece, None, sealed[start:end])
            size += len(piece)
            emit(sink, sealed[:end])
            # The buffer of this piece is read into next.
            digest.join()
            start = 0
        return Plain(size=size, sha256=digest.digest())


def decrypt(source: Source, sink: Sink, key: ContentKey) -> Plain:
    """Read what ``encrypt`` wrote and write its plaintext, segment by authentic segment.

    Where this raises after it began to write, the end is missing: discard what ``sink`` took.

    Raises:
        WrongKeyError: Another key, or a changed header; nothing was written.
        MalformedError: No encrypted file of a known kind; nothing was written.
        TruncatedError: The end is missing.
        TamperedError: A segment was changed, moved or added.
    """
    header = bytes(fill(source, memoryview(bytearray(HEADER_SIZE))))
    cipher = _open_header(header, key)
    room = _segment_size(header)
    plain = memoryview(bytearray(room))
    size, digest = 0, hashlib.sha256()
    for number, (piece, last) in enumerate(_pieces(source, room - HEADER_SIZE, room)):
        opened = _open_segment(cipher, number, piece, last=last, into=plain)
        digest.update(opened)
        size += len(opened)
        emit(sink, opened)
    return Plain(size=size, sha256=digest.digest())


def encrypted_size(size: int, *, segment_bits: int = SEGMENT_BITS) -> int:
    """Return how many bytes ``encrypt`` writes for ``size`` bytes."""
    room = (1 << segment_bits) - TAG_SIZE
    segments = max(1, -(-(size + HEADER_SIZE) // room))
    return HEADER_SIZE + size + segments * TAG_SIZE


def _pieces(source: Source, first: int, others: int) -> Iterator[tuple[memoryview, bool]]:
    """Yield each piece and whether it is the last; it is valid until the next one is asked for."""
    buffers = itertools.cycle([memoryview(bytearray(others)), memoryview(bytearray(others))])
    piece = fill(source, next(buffers)[:first])
    while following := fill(source, next(buffers)):
        yield piece, False
        piece = following
    yield piece, True


def _segment_size(header: bytes) -> int:
    bits = header[len(_MAGIC)]
    if not _SMALLEST_BITS <= bits <= _LARGEST_BITS:
        message = f"Segments have 2^{_SMALLEST_BITS} to 2^{_LARGEST_BITS} bytes, not 2^{bits}."
        raise MalformedError(message, bits=bits)
    return 1 << bits


def _derive(key: ContentKey, prefix: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    """Return the cipher and the commitment: two blocks of one expansion (RFC 5869)."""
    kdf = HKDF(algorithm=hashes.SHA256(), length=64, salt=salt, info=_DOMAIN + prefix)
    derived = kdf.derive(key.secret.expose())
    return AESGCM(derived[:32]), derived[32:]


def _open_header(header: bytes, key: ContentKey) -> AESGCM:
    if not header.startswith(_MAGIC[: len(header)]):
        message = "The file is not encrypted in a known way."
        raise MalformedError(message, found=header[: len(_MAGIC)].hex())
    if len(header) < HEADER_SIZE:
        message = f"The file ends inside its header, after {len(header)} bytes."
        raise TruncatedError(message, size=len(header))
    prefix, salt = header[:_PREFIX_SIZE], header[_PREFIX_SIZE : _PREFIX_SIZE + _SALT_SIZE]
    _segment_size(prefix)
    cipher, commitment = _derive(key, prefix, salt)
    if not hmac.compare_digest(commitment, header[-len(commitment) :]):
        message = "The key does not open this file, or the file's header was changed."
        raise WrongKeyError(message)
    return cipher


def _open_segment(
    cipher: AESGCM, number: int, piece: memoryview, *, last: bool, into: memoryview
) -> memoryview:
    if len(piece) < TAG_SIZE:
        message = f"The file ends inside segment {number}."
        raise TruncatedError(message, segment=number)
    opened = into[: len(piece) - TAG_SIZE]
    try:
        cipher.decrypt_into(_nonce(number, last=last), piece, None, opened)
    except InvalidTag as exc:
        raise _diagnosis(cipher, number, piece, last=last, into=opened) from exc
    if number and not opened:
        message = f"Segment {number} is empty: only an empty file has an empty segment."
        raise MalformedError(message, segment=number)
    return opened


def _diagnosis(
    cipher: AESGCM, number: int, piece: memoryview, *, last: bool, into: memoryview
) -> ContentError:
    """Return why a segment did not open: is it genuine but for its place?"""
    try:
        cipher.decrypt_into(_nonce(number, last=not last), piece, None, into)
    except InvalidTag:
        message = f"Segment {number} was changed, moved or cut."
        return TamperedError(message, segment=number)
    if last:
        message = f"The file ends after segment {number}, which is not its last."
        return TruncatedError(message, segment=number)
    message = f"Bytes follow segment {number}, which was the last."
    return TamperedError(message, segment=number)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_COUNTER_SIZE, "big") + bytes([last])
