"""A pinning service, asked to keep content; that it says so proves nothing: read it back.

API: https://ipfs.github.io/pinning-services-api-spec/ (1.0.0). Needs the package `httpx`.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPMethod
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from guildmark_ipfs.cid import Cid
from guildmark_ipfs.errors import NotFoundError, RefusedError
from guildmark_ipfs.peers import Peer

_MAX_REQUEST_ID = 256
_REFUSALS = frozenset(
    {
        httpx.codes.BAD_REQUEST,
        httpx.codes.UNAUTHORIZED,
        httpx.codes.PAYMENT_REQUIRED,
        httpx.codes.FORBIDDEN,
        httpx.codes.CONFLICT,
    }
)


class PinState(StrEnum):
    """What a service says of a request."""

    QUEUED = "queued"
    PINNING = "pinning"
    PINNED = "pinned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRequest:
    """A request to keep content, as the service tells it.

    Args:
        request_id: The service's name for it.
        delegates: Where the service would take the content from, as multiaddresses.
    """

    request_id: str
    state: PinState
    cid: Cid
    delegates: tuple[str, ...]


class PinningService:
    """A client of one account at one service.

    Args:
        url: The API's address, before ``/pins``.
        token: The account's token; it is sent and never shown.
        timeout: Seconds to wait for the service to connect, and for each piece of an answer.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 30) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._service = Peer.at(url, timeout=timeout, headers=headers)

    def pin(
        self, cid: Cid, *, name: str | None = None, origins: tuple[str, ...] = ()
    ) -> PinRequest:
        """Ask the service to keep ``cid`` and all below it, unless it was asked before.

        Args:
            cid: The root.
            name: What the account's owner calls it.
            origins: Multiaddresses of nodes that have the content.

        Raises:
            RefusedError: The service does not take the request, for example for lack of credit.
            UnavailableError: The service did not answer.
        """
        known = self.find(cid)
        if known is not None and known.state is not PinState.FAILED:
            return known
        pin: dict[str, object] = {"cid": str(cid), "origins": list(origins)}
        if name is not None:
            pin["name"] = name
        with self._asking(HTTPMethod.POST, "/pins", body=pin) as answer:
            self._demand(answer, httpx.codes.ACCEPTED)
            return self._request(self._service.fields(answer), cid)

    def find(self, cid: Cid) -> PinRequest | None:
        """Return the account's newest request for ``cid``, whatever became of it.

        Raises:
            RefusedError: The service refuses, for example the token.
            UnavailableError: The service did not answer.
        """
        every = ",".join(PinState)
        query = {"cid": str(cid), "status": every, "limit": "1"}
        with self._asking(HTTPMethod.GET, "/pins", params=query) as answer:
            self._demand(answer, httpx.codes.OK)
            results = self._service.fields(answer).get("results")
        if not isinstance(results, list):
            raise self._service.no_answer("no results", cid=str(cid))
        return self._request(results[0], cid) if results else None

    def status(self, request: PinRequest) -> PinRequest:
        """Return what became of a request.

        Raises:
            NotFoundError: The service does not know it.
            RefusedError: The service refuses, for example the token.
            UnavailableError: The service did not answer.
        """
        with self._asking(HTTPMethod.GET, _path(request)) as answer:
            self._demand(answer, httpx.codes.OK)
            return self._request(self._service.fields(answer), request.cid)

    def remove(self, request: PinRequest) -> None:
        """End a request: the service need not keep the content any longer.

        Raises:
            NotFoundError: The service does not know it.
            RefusedError: The service refuses, for example the token.
            UnavailableError: The service did not answer.
        """
        with self._asking(HTTPMethod.DELETE, _path(request)) as answer:
            self._demand(answer, httpx.codes.ACCEPTED)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _asking(
        self,
        method: HTTPMethod,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Iterator[httpx.Response]:
        content = [json.dumps(body).encode()] if body is not None else None
        headers = {"Content-Type": "application/json"} if body is not None else None
        with self._service.asking(
            method, path, params=params, body=content, headers=headers
        ) as answer:
            yield answer

    def _demand(self, answer: httpx.Response, expected: httpx.codes) -> None:
        status = answer.status_code
        if status == httpx.codes.NOT_FOUND:
            message = f"The pinning service at {self._service.url} does not know the request."
            raise NotFoundError(message)
        if status in _REFUSALS:
            reason = _reason(self._service.fields(answer))
            message = f"The pinning service at {self._service.url} refuses: {reason}."
            raise RefusedError(message, reason=reason, status=status)
        if status != expected:
            raise self._service.no_answer(f"status {status}")

    def _request(self, fields: Any, cid: Cid) -> PinRequest:
        try:
            found, name = fields["pin"]["cid"], fields["requestid"]
            state = PinState(fields["status"])
            delegates = tuple(str(each) for each in fields.get("delegates", ()))
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise self._service.no_answer("no pin status", cid=str(cid)) from exc
        if found != str(cid) or not _is_name(name):
            raise self._service.no_answer("another pin", cid=str(cid))
        return PinRequest(request_id=name, state=state, cid=cid, delegates=delegates)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _MAX_REQUEST_ID and name.strip(".") != ""


def _path(request: PinRequest) -> str:
    # The name came from the service: it must not reach another path.
    return f"/pins/{quote(request.request_id, safe='')}"


def _reason(fields: Mapping[str, Any]) -> str:
    error = fields.get("error")
    if not isinstance(error, dict):
        return "no reason given"
    return " ".join(str(error[part])[:200] for part in ("reason", "details") if part in error)
