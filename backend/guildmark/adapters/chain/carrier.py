"""What carries requests to a chain's node: HTTP/1.1 over connections that are kept.

A node has one address and answers whole: redirects, cookies and proxies, which a general client
sees to, are three quarters of that client's work for a request.
"""

import re
import ssl
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from time import monotonic
from types import MappingProxyType
from typing import Any, Protocol, Self
from urllib.parse import unquote, urlsplit

_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/json",
        "User-Agent": "guildmark",
    }
)
# What no request line takes: HTTP's own refusal would show all of it.
_UNSENT = re.compile(r"[^!-~]")
_PIECE = 64 * 1024
# Servers give idle connections up after 5 s and more.
_IDLE_SECONDS = 4.0
# What zlib calls gzip's header and trailer.
_GZIP = zlib.MAX_WBITS | 16


class NotCarriedError(Exception):
    """A request that got no whole answer; the text says why."""


class Answer(Protocol):
    """What comes back; whoever asked closes it."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield the body, unpacked, in pieces of at most 64 KiB.

        Raises:
            NotCarriedError: The rest does not come, or cannot be unpacked.
        """
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Carrier(Protocol):
    """Carries requests to one node; safe to use from several threads."""

    def post(self, body: bytes, *, timeout: float) -> Answer:
        """Send a JSON body and return the answer as it begins.

        Args:
            body: What is sent.
            timeout: How many seconds to wait for a connection, and for each further piece.

        Raises:
            NotCarriedError: The node cannot be reached in time, or does not speak HTTP.
        """
        ...

    def close(self) -> None:
        """Close the connections that nobody uses."""
        ...


@dataclass
class HttpCarrier:
    """Carries requests to the node at a URL."""

    url: str
    _idle: list[tuple[float, HTTPConnection]] = field(default_factory=list, init=False)

    def post(self, body: bytes, *, timeout: float) -> Answer:
        """Send a JSON body and return the answer as it begins."""
        try:
            place = self._place
            line = self._kept(timeout) or place.open(timeout)
            return _Arriving(response=_asked(line, place, body), line=line, idle=self._idle)
        except (OSError, HTTPException, ValueError) as exc:
            raise _not_carried(exc) from exc

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            _, line = self._idle.pop()
            line.close()

    @cached_property
    def _place(self) -> "_Place":
        return _Place.of(self.url)

    def _kept(self, timeout: float) -> HTTPConnection | None:
        """Return a connection that the node has not given up, the one that was used last."""
        while self._idle:
            since, line = self._idle.pop()
            if monotonic() - since < _IDLE_SECONDS and _is_quiet(line):
                line.sock.settimeout(timeout)
                return line
            line.close()
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a node listens.

    Args:
        path: What is asked for there.
        headers: What every request says.
        tls: Whom a connection trusts, None where it is bare.
    """

    host: str
    port: int | None
    path: str
    headers: Mapping[str, str]
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str) -> Self:
        """Return the place that a URL names.

        Raises:
            ValueError: It names none.
        """
        parts = urlsplit(url)
        is_sendable = _UNSENT.search(parts.path + parts.query) is None
        if parts.scheme not in {"http", "https"} or not parts.hostname or not is_sendable:
            message = "this is no address of a server"
            raise ValueError(message)
        return cls(
            host=parts.hostname,
            port=parts.port,
            path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            headers={**_HEADERS, **_shown(parts.username, parts.password)},
            # The system's authorities take long to load, and a bare connection asks none.
            tls=ssl.create_default_context() if parts.scheme == "https" else None,
        )

    def open(self, timeout: float) -> HTTPConnection:
        """Return a connection that its first request makes."""
        if self.tls is None:
            return _AtOnce(self.host, self.port, timeout=timeout)
        return _AtOnceByTls(self.host, self.port, timeout=timeout, context=self.tls)


class _AtOnce(HTTPConnection):
    """Sends head and body of a request together: one step for the system, and for who reads."""

    _held = b""

    def send(self, data: Any) -> None:
        self._held += data

    def getresponse(self) -> HTTPResponse:
        held, self._held = self._held, b""
        super().send(held)
        return super().getresponse()


class _AtOnceByTls(_AtOnce, HTTPSConnection):
    pass


@dataclass(slots=True, kw_only=True)
class _Arriving:
    """An answer; its connection is kept once all of it is there."""

    response: HTTPResponse
    line: HTTPConnection
    idle: list[tuple[float, HTTPConnection]]
    _is_whole: bool = False

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.response.status

    def pieces(self) -> Iterator[bytes]:
        """Yield the body, unpacked, in pieces of at most 64 KiB."""
        is_zipped = self.response.headers.get("content-encoding", "").lower() == "gzip"
        try:
            yield from _unzipped(self._read()) if is_zipped else self._read()
        except (OSError, HTTPException, zlib.error) as exc:
            raise _not_carried(exc) from exc

    def close(self) -> None:
        """Let go of the connection."""
        self.response.close()
        if self._is_whole and self.line.sock is not None:
            self.idle.append((monotonic(), self.line))
        else:
            self.line.close()

    def _read(self) -> Iterator[bytes]:
        """Yield what has come, as it comes: who trickles must not hold up who counts the time."""
        while piece := self.response.read1(_PIECE):
            yield piece
        if self.response.length:
            raise IncompleteRead(b"", self.response.length)
        self._is_whole = True


def _asked(line: HTTPConnection, place: _Place, body: bytes) -> HTTPResponse:
    try:
        line.request("POST", place.path, body, place.headers)
        return line.getresponse()
    except BaseException:
        # What is left of the exchange must not become another one's.
        line.close()
        raise


def _is_quiet(line: HTTPConnection) -> bool:
    """Return whether a connection stands, and nothing has come that nobody asked for."""
    line.sock.settimeout(0)
    try:
        line.sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unzip = zlib.decompressobj(_GZIP)
    for piece in pieces:
        left = piece
        while left:
            yield unzip.decompress(left, _PIECE)
            left = unzip.unconsumed_tail
    yield unzip.flush()


def _shown(name: str | None, password: str | None) -> Mapping[str, str]:
    """Return how a name and password are shown (RFC 7617), nothing where there are none."""
    if not (name or password):
        return {}
    pair = f"{unquote(name or '')}:{unquote(password or '')}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def _not_carried(error: Exception) -> NotCarriedError:
    return NotCarriedError(str(error) or type(error).__name__)
