"""Reading and writing whole buffers: a short read or write is never taken for the end."""

from typing import Protocol

from guildmark_ipfs.errors import StoreFailedError


class Source(Protocol):
    """Something to read from: a file opened for reading bytes."""

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill some of ``buffer`` and return how much; 0 at the end."""
        ...


class Sink(Protocol):
    """Something to write to: a file opened for writing bytes, or a builder."""

    def write(self, data: memoryview, /) -> int:
        """Take all of ``data``, which is valid during the call only, and return its size."""
        ...


def fill(source: Source, buffer: memoryview) -> memoryview:
    """Read until ``buffer`` is full or ``source`` ends; return the part that was filled."""
    filled = 0
    while filled < len(buffer):
        count = source.readinto(buffer[filled:])
        if count == 0:
            break
        filled += count
    return buffer[:filled]


def emit(sink: Sink, data: memoryview) -> None:
    """Write all of ``data``.

    Raises:
        StoreFailedError: The sink took less.
    """
    taken = sink.write(data)
    if taken != len(data):
        message = f"Only {taken} of {len(data)} bytes could be written."
        raise StoreFailedError(message, taken=taken, size=len(data))
