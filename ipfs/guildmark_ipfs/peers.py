"""One HTTP server that is asked: limits on every answer, every failure named, nothing followed.

Needs the package `httpx`.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

from guildmark_ipfs.errors import TooLargeError, UnavailableError

# Answers that are not content: more than any of them has.
MAX_ANSWER = 1024 * 1024
MAX_DEPTH = 32

# A string, or the rest where its closing quote is missing: linear on any input.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True, slots=True)
class Peer:
    """A server at ``url``; use ``at`` to make one, and close it.

    It follows no redirect, asks no proxy of the environment, takes no compressed answer (whose
    size would say nothing), and may hold the server to a time for each step of an answer.
    """

    url: str
    client: httpx.Client

    @classmethod
    def at(cls, url: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> Self:
        """Prepare for requests to ``url``; nothing is sent yet.

        Args:
            url: Scheme, host and what comes before every path; a user and password may stand in it.
            timeout: Seconds to wait for the connection, and for each piece of an answer.
            headers: What each request carries, such as a token.
        """
        client = httpx.Client(
            base_url=url,
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity", **(headers or {})},
        )
        # Without user and password: this one is shown in errors.
        shown = str(client.base_url.copy_with(username=None, password=None)).rstrip("/")
        return cls(shown, client)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    @contextlib.contextmanager
    def asking(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        """Send a request; the answer's head is there, its body is still to come.

        Raises:
            UnavailableError: No answer, or it broke off, here or while the body was read.
        """
        content = _writable(body) if body is not None else None
        try:
            with self.client.stream(
                method, path, params=params, content=content, headers=headers
            ) as response:
                yield response
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as exc:
            raise self.no_answer(type(exc).__name__) from exc

    def no_answer(self, reason: str, **detail: str | int) -> UnavailableError:
        """Return the error for an answer that is missing or cannot be used."""
        message = f"The server at {self.url} gave no usable answer: {reason}."
        return UnavailableError(message, next_step=None, reason=reason, **detail)

    def fields(self, response: httpx.Response) -> dict[str, Any]:
        """Return the JSON object that an answer is.

        Raises:
            UnavailableError: It is none.
            TooLargeError: It is longer than any answer.
        """
        body = read(response, MAX_ANSWER)
        if _nests_deeply(body):
            raise self.no_answer("JSON that nests too deeply", status=response.status_code)
        try:
            found = json.loads(body)
        except ValueError as exc:
            raise self.no_answer("no JSON", status=response.status_code) from exc
        if not isinstance(found, dict):
            raise self.no_answer("no object", status=response.status_code)
        return found


def read(response: httpx.Response, limit: int) -> bytes:
    """Return an answer's body.

    Raises:
        TooLargeError: More than ``limit`` bytes; the rest was not read.
    """
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > limit:
            message = f"The server sent more than {limit} bytes."
            raise TooLargeError(message, limit=limit)
    return bytes(body)


def _nests_deeply(body: bytes) -> bool:
    """Return whether brackets open deeper than any answer's, which could exhaust the stack."""
    depth = 0
    for bracket in _STRING.sub(b"", body).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _writable(body: Iterable[bytes]) -> Iterator[bytes]:
    yield from body
