"""Short reads and writes."""

import io

import pytest

from guildmark_ipfs.errors import StoreFailedError
from guildmark_ipfs.streams import emit, fill


class Drops:
    """A source that gives a byte at a time, as a slow connection does."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        return self._data.readinto(buffer[:1])


class Silent:
    """A non-blocking source that has nothing yet; its type is told apart from the end."""

    def readinto(self, _buffer: bytearray | memoryview, /) -> int:
        return None  # type: ignore[return-value]  # what a raw non-blocking file answers


class Lazy:
    """A sink that takes all but one byte, as an unbuffered file on a full disk may."""

    def write(self, data: memoryview, /) -> int:
        return len(data) - 1


@pytest.mark.parametrize(
    ("size", "expected"), [(0, b""), (3, b"abc"), (5, b"abcde"), (9, b"abcde")]
)
def test_a_buffer_is_filled_by_many_short_reads(size: int, expected: bytes) -> None:
    assert bytes(fill(Drops(b"abcde"), memoryview(bytearray(size)))) == expected


def test_a_source_that_has_nothing_yet_is_not_at_its_end() -> None:
    with pytest.raises(TypeError):
        fill(Silent(), memoryview(bytearray(1)))


def test_a_short_write_is_an_error() -> None:
    out = io.BytesIO()

    emit(out, memoryview(b"abc"))

    assert out.getvalue() == b"abc"
    with pytest.raises(StoreFailedError, match="Only 2 of 3 bytes"):
        emit(Lazy(), memoryview(b"abc"))
