"""Encrypted files: whole and unchanged under their own key, or refused."""

import hashlib
import hmac
import io
import itertools
import subprocess
import sys
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs.crypt import (
    HEADER_SIZE,
    SEGMENT_BITS,
    TAG_SIZE,
    Plain,
    decrypt,
    encrypt,
    encrypted_size,
)
from guildmark_ipfs.errors import (
    ContentError,
    MalformedError,
    StoreFailedError,
    TamperedError,
    TruncatedError,
    WrongKeyError,
)
from guildmark_ipfs.keys import ContentKey

KEY = ContentKey.from_bytes(b"k" * 32)
# Segments of 256 bytes: 164 bytes of plaintext in the first, 240 in each other.
SMALL = 8
FIRST, OTHERS = 256 - HEADER_SIZE - TAG_SIZE, 256 - TAG_SIZE


def salt(size: int) -> bytes:
    return b"s" * size


def sealed(data: bytes, key: ContentKey = KEY, *, bits: int = SMALL) -> bytes:
    out = io.BytesIO()
    encrypt(io.BytesIO(data), out, key, entropy=salt, segment_bits=bits)
    return out.getvalue()


def opened(data: bytes, key: ContentKey = KEY) -> bytes:
    out = io.BytesIO()
    decrypt(io.BytesIO(data), out, key)
    return out.getvalue()


def content(size: int) -> bytes:
    return bytes(itertools.islice(itertools.cycle(range(251)), size))


@given(st.binary(max_size=1_000), st.binary(min_size=32, max_size=32), st.integers(8, 12))
def test_what_is_encrypted_opens(data: bytes, secret: bytes, bits: int) -> None:
    key = ContentKey.from_bytes(secret)
    out, back = io.BytesIO(), io.BytesIO()

    written = encrypt(io.BytesIO(data), out, key, segment_bits=bits)
    out.seek(0)
    read = decrypt(out, back, key)

    assert back.getvalue() == data
    assert written == read == Plain(size=len(data), sha256=hashlib.sha256(data).digest())
    assert len(out.getvalue()) == encrypted_size(len(data), segment_bits=bits)


@pytest.mark.parametrize(
    ("size", "segments"),
    [
        (0, 1),
        (1, 1),
        (FIRST - 1, 1),
        (FIRST, 1),
        (FIRST + 1, 2),
        (FIRST + OTHERS, 2),
        (FIRST + OTHERS + 1, 3),
    ],
)
def test_segments_fill_the_file_from_its_beginning(size: int, segments: int) -> None:
    data = content(size)

    file = sealed(data)

    assert -(-len(file) // 256) == segments
    assert len(file) == HEADER_SIZE + size + segments * TAG_SIZE
    assert opened(file) == data


def test_a_usual_segment_is_one_chunk_of_a_stored_file() -> None:
    data = content(2**SEGMENT_BITS)

    file = sealed(data, bits=SEGMENT_BITS)

    assert SEGMENT_BITS == 20
    assert len(file) == encrypted_size(len(data)) == 2**20 + HEADER_SIZE + 2 * TAG_SIZE
    assert opened(file) == data


def open_by_the_page(file: bytes, secret: bytes) -> bytes:
    """Open a file by the format's description alone, with RFC 5869 written out."""
    prefix, drawn, commitment = file[:12], file[12:44], file[44:76]
    key = hmac.digest(drawn, secret, "sha256")
    info = b"guildmark/crypt/v1" + prefix
    first = hmac.digest(key, info + b"\x01", "sha256")
    assert hmac.digest(key, first + info + b"\x02", "sha256") == commitment
    size = 2 ** prefix[10]
    bodies = [
        file[76:size],
        *(file[start : start + size] for start in range(size, len(file), size)),
    ]
    return b"".join(
        AESGCM(first).decrypt(
            number.to_bytes(11, "big") + bytes([number == len(bodies) - 1]), body, None
        )
        for number, body in enumerate(bodies)
    )


@given(st.integers(0, 1_200))
def test_the_format_is_as_described(size: int) -> None:
    file = sealed(content(size))

    assert file[:12] == b"gm-crypt\x01\x01\x08\x00"
    assert file[12:44] == b"s" * 32
    assert open_by_the_page(file, KEY.secret.expose()) == content(size)


def test_version_1_stays_as_it_is() -> None:
    # Key of 32 "k", salt of 32 "s", segments of 256 bytes.
    digest = hashlib.sha256(sealed(content(500))).hexdigest()

    assert digest == "885a306c41c26fe61dfc4bb7b504fb504f36be1e82719c8e1661d274673b8c7e"


def test_the_same_content_twice_gives_two_files() -> None:
    one, other = io.BytesIO(), io.BytesIO()

    encrypt(io.BytesIO(b"x"), one, KEY)
    encrypt(io.BytesIO(b"x"), other, KEY)

    assert one.getvalue() != other.getvalue()


def test_a_wrong_key_shows_before_any_output() -> None:
    out = io.BytesIO()

    with pytest.raises(WrongKeyError, match="does not open this file"):
        decrypt(io.BytesIO(sealed(content(1_000))), out, ContentKey.from_bytes(b"x" * 32))

    assert out.getvalue() == b""


@given(st.integers(10, HEADER_SIZE - 1), st.integers(1, 255))
def test_a_changed_header_shows_before_any_output(at: int, flip: int) -> None:
    file = bytearray(sealed(content(300)))
    file[at] ^= flip
    out = io.BytesIO()

    with pytest.raises((WrongKeyError, MalformedError)):
        decrypt(io.BytesIO(file), out, KEY)

    assert out.getvalue() == b""


@given(st.integers(0, 1_000), st.data())
def test_a_flipped_byte_is_never_accepted(size: int, data: st.DataObject) -> None:
    file = bytearray(sealed(content(size)))
    file[data.draw(st.integers(0, len(file) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(ContentError):
        opened(bytes(file))


@given(st.integers(0, 1_000), st.data())
def test_a_cut_file_is_never_accepted(size: int, data: st.DataObject) -> None:
    file = sealed(content(size))

    with pytest.raises((TruncatedError, TamperedError)):
        opened(file[: data.draw(st.integers(0, len(file) - 1))])


@given(st.integers(0, 1_000), st.binary(min_size=1, max_size=600))
def test_a_longer_file_is_never_accepted(size: int, more: bytes) -> None:
    with pytest.raises((TruncatedError, TamperedError)):
        opened(sealed(content(size)) + more)


@given(st.permutations(range(4)))
def test_moved_segments_are_never_accepted(order: list[int]) -> None:
    file = sealed(content(FIRST + 3 * OTHERS))
    # The first one moves without the header.
    parts = [file[HEADER_SIZE:256], *(file[start : start + 256] for start in (256, 512, 768))]
    moved = file[:HEADER_SIZE] + b"".join(parts[index] for index in order)

    if order == [0, 1, 2, 3]:
        assert opened(moved) == content(FIRST + 3 * OTHERS)
        return
    with pytest.raises(ContentError):
        opened(moved)


def without_a_segment(file: bytes) -> bytes:
    return file[:256] + file[512:]


def with_a_segment_twice(file: bytes) -> bytes:
    return file[:512] + file[256:]


def with_another_files_segment(file: bytes) -> bytes:
    out = io.BytesIO()
    encrypt(io.BytesIO(content(900)), out, KEY, entropy=bytes, segment_bits=SMALL)
    return file[:256] + out.getvalue()[256:512] + file[512:]


@pytest.mark.parametrize(
    "change", [without_a_segment, with_a_segment_twice, with_another_files_segment]
)
def test_a_segment_has_its_place_and_file(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TamperedError, match=r"Segment [12] was changed, moved or cut"):
        opened(change(sealed(content(900))))


def test_a_file_cut_between_segments_is_named_as_such() -> None:
    file = sealed(content(900))
    out = io.BytesIO()

    with pytest.raises(TruncatedError, match="ends after segment 1, which is not its last"):
        decrypt(io.BytesIO(file[:512]), out, KEY)

    # What was written so far was genuine.
    assert content(900).startswith(out.getvalue())
    assert len(out.getvalue()) == FIRST


def test_bytes_behind_the_last_segment_are_named_as_such() -> None:
    file = sealed(content(FIRST))

    with pytest.raises(TamperedError, match="follow segment 0, which was the last"):
        opened(file + b"x")


@pytest.mark.parametrize("size", [256 + 1, 256 + TAG_SIZE - 1])
def test_a_file_that_ends_inside_a_tag_is_named_as_such(size: int) -> None:
    with pytest.raises(TamperedError, match="Segment 0") as one:
        opened(sealed(content(100))[:-1])
    with pytest.raises(TruncatedError, match="ends inside segment 1") as other:
        opened(sealed(content(900))[:size])

    assert one.value.detail == {"segment": 0}
    assert other.value.detail == {"segment": 1}


@pytest.mark.parametrize("size", [0, 5, 10, HEADER_SIZE - 1])
def test_a_file_that_ends_inside_its_header_is_named_as_such(size: int) -> None:
    with pytest.raises(TruncatedError, match=f"inside its header, after {size} bytes"):
        opened(sealed(b"x")[:size])


def test_a_file_of_header_alone_is_cut() -> None:
    with pytest.raises(TruncatedError, match="ends inside segment 0"):
        opened(sealed(b"")[:HEADER_SIZE])


@pytest.mark.parametrize("file", [b"x", b"<html>", b"gm-crypt\x02\x01" + bytes(80), bytes(100)])
def test_another_kind_of_file_is_named_as_such(file: bytes) -> None:
    with pytest.raises(MalformedError, match="not encrypted in a known way"):
        opened(file)


@pytest.mark.parametrize("bits", [7, 25])
def test_segments_have_a_smallest_and_a_largest_size(bits: int) -> None:
    file = bytearray(sealed(b"x"))
    file[10] = bits

    with pytest.raises(MalformedError, match="2\\^8 to 2\\^24 bytes"):
        opened(bytes(file))
    with pytest.raises(MalformedError, match="2\\^8 to 2\\^24 bytes"):
        sealed(b"x", bits=bits)


def test_an_empty_segment_behind_others_is_refused() -> None:
    # Only the holder of the key can make one: the same content would have two forms.
    file = sealed(content(FIRST + 1))[:256]
    prefix = file[:12]
    key = hmac.digest(b"s" * 32, KEY.secret.expose(), "sha256")
    first = hmac.digest(key, b"guildmark/crypt/v1" + prefix + b"\x01", "sha256")
    empty = AESGCM(first).encrypt((1).to_bytes(11, "big") + b"\x01", b"", None)

    with pytest.raises(MalformedError, match="Segment 1 is empty"):
        opened(file + empty)


class Full:
    """A sink that takes nothing."""

    def write(self, _data: memoryview, /) -> int:
        return 0


def test_a_sink_that_takes_less_is_an_error() -> None:
    with pytest.raises(StoreFailedError):
        encrypt(io.BytesIO(b"x"), Full(), KEY)
    with pytest.raises(StoreFailedError):
        decrypt(io.BytesIO(sealed(b"x")), Full(), KEY)


def test_memory_stays_flat() -> None:
    # 8 MiB, then 64 MiB of zeros from a source that holds none of them.
    program = """
import resource, sys
from guildmark_ipfs.crypt import encrypt
from guildmark_ipfs.keys import ContentKey
from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.unixfs import Builder

class Zeros:
    def __init__(self, size):
        self.left = size
    def readinto(self, buffer):
        count = min(len(buffer), self.left)
        self.left -= count
        return count

peaks = []
for mebibytes in (8, 64):
    builder = Builder(AddressOnly())
    encrypt(Zeros(mebibytes << 20), builder, ContentKey.from_bytes(bytes(32)))
    builder.finish()
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(0 if peaks[1] - peaks[0] < 2048 else f"peaks in KiB: {peaks}")
"""

    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
