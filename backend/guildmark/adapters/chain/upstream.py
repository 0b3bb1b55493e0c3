"""HTTP to a child process on this machine: kept connections, whole bodies, nothing else.

A general client spends ten times the work on each call, and the keeper makes several a block.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass, field

_HEAD_LIMIT = 64 * 1024
# Long before any server gives an idle connection up: what is sent is never sent into a closed one.
_IDLE_SECONDS = 5.0
_OK = b"200"


class UpstreamError(Exception):
    """The process does not answer, or not in HTTP/1.1 as it does."""


@dataclass(slots=True)
class Upstream:
    """A server on a port of this machine that answers POSTs with bodies of a told length."""

    port: int
    _idle: list[tuple[float, StreamReader, StreamWriter]] = field(default_factory=list)

    async def post(self, body: bytes) -> bytes:
        """Send a JSON body and return the answer's.

        Raises:
            UpstreamError: The process does not answer, or not as it does.
        """
        try:
            reader, writer = self._kept() or await self._connect()
            answer = await _exchange(reader, writer, self._request(body))
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as exc:
            message = str(exc) or type(exc).__name__
            raise UpstreamError(message) from exc
        self._idle.append((asyncio.get_running_loop().time(), reader, writer))
        return answer

    async def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            _, _, writer = self._idle.pop()
            writer.close()

    def _kept(self) -> tuple[StreamReader, StreamWriter] | None:
        oldest = asyncio.get_running_loop().time() - _IDLE_SECONDS
        while self._idle:
            since, reader, writer = self._idle.pop()
            if since > oldest and not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=_HEAD_LIMIT)

    def _request(self, body: bytes) -> bytes:
        head = (
            "POST / HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.port}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def _exchange(reader: StreamReader, writer: StreamWriter, request: bytes) -> bytes:
    """Return the body of the answer; close the connection where anything is odd."""
    try:
        writer.write(request)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        return await reader.readexactly(_length(head))
    except BaseException:
        # Cancelled half-way too: what is left of the answer must not become another's.
        writer.close()
        raise


def _length(head: bytes) -> int:
    status, *lines = head.split(b"\r\n")
    fields = dict(line.lower().split(b":", 1) for line in lines if b":" in line)
    if status.split(b" ")[1:2] != [_OK] or b"content-length" not in fields:
        message = f"unexpected answer: {status[:80].decode(errors='replace')}"
        raise UpstreamError(message)
    return int(fields[b"content-length"])
