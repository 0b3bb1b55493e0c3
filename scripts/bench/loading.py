"""Many readers of one address at once, each on a connection of its own."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, repeat
from urllib.parse import urlsplit

_LENGTH = b"content-length:"
_OK = b"HTTP/1.1 200 "
_HUNDRED = 100


class NotAnsweredError(Exception):
    """An address that was to be read and did not answer well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What readers got.

    Args:
        rate: Answers a second, all readers together.
        seconds: How long each answer took.
        same_answer: Whether every answer held what it was to hold.
    """

    rate: float
    seconds: Sequence[float]
    same_answer: bool

    @property
    def p99(self) -> float:
        """Return the time within which 99 of 100 answers came."""
        if len(self.seconds) == 1:
            return self.seconds[0]
        return statistics.quantiles(self.seconds, n=_HUNDRED, method="inclusive")[-1]


def read(
    url: str, *, readers: int, seconds: float, expected: bytes, is_numbered: bool = False
) -> Load:
    """Let readers ask again and again for some time; who has asked by then gets its answer.

    Args:
        url: The address.
        readers: How many.
        seconds: For how long.
        expected: What every answer is to hold.
        is_numbered: Whether each request ends on a number of its own.
    """
    numbers = (f"{number}" for number in count()) if is_numbered else repeat("")
    return asyncio.run(_read(url, readers, seconds, expected, numbers))


async def _read(
    url: str, readers: int, seconds: float, expected: bytes, numbers: Iterator[str]
) -> Load:
    started = time.perf_counter()
    asking = [_ask(url, started + seconds, expected, numbers) for _ in range(readers)]
    found = [one for each in await asyncio.gather(*asking) for one in each]
    took = time.perf_counter() - started
    return Load(
        rate=len(found) / took,
        seconds=[one for one, _ in found],
        same_answer=all(same for _, same in found),
    )


async def _ask(
    url: str, until: float, expected: bytes, numbers: Iterator[str]
) -> Sequence[tuple[float, bool]]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    found: list[tuple[float, bool]] = []
    try:
        while not found or time.perf_counter() < until:
            began = time.perf_counter()
            first = f"GET {target}{next(numbers)} HTTP/1.1"
            writer.write(f"{first}\r\nHost: {parts.netloc}\r\n\r\n".encode())
            body = await _answer(reader)
            found.append((time.perf_counter() - began, expected in body))
    finally:
        writer.close()
        await writer.wait_closed()
    return found


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(_OK):
        raise NotAnsweredError(head.partition(b"\r\n")[0].decode())
    lengths = (line for line in head.lower().split(b"\r\n") if line.startswith(_LENGTH))
    return await reader.readexactly(int(next(lengths).removeprefix(_LENGTH)))
