"""Machines that speak HTTP: one configured host, bounded answers, no redirects, no proxies.

A machine's network is not trusted: what answers there may be anything (T25).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import NoReturn
from urllib.parse import quote, urlencode

from guildmark.adapters.addresses import split_url
from guildmark.adapters.jobfiles import JobFile, read_job
from guildmark.adapters.lean import httpx
from guildmark.domain.errors import UsageError
from guildmark.ports.shopfloor import MachineAnswerError, MachineUnavailableError

ANSWER_MAX = 8 << 20
FILE_MAX = 1 << 30

_NO_QUERY: Mapping[str, str] = MappingProxyType({})
_TIMEOUT = 10.0
_ANSWER_SECONDS = 30.0
_FILE_SECONDS = 600.0
_OUT_OF_SERVICE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_CLOSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class MachineAddressError(UsageError):
    """The address of a machine cannot be one."""

    code = "machine.addressInvalid"
    hint = "Give an address as in docs/how-to/machines.md, without a password in it."


@dataclass(slots=True, kw_only=True)
class Site:
    """One machine's HTTP address; nothing is asked of any other.

    Args:
        url: Scheme, host, port and the path that all of its pages share.
        headers: What every request says, as an API key.
        auth: How a challenge is answered, where the machine asks for a user.
        transport: What carries the requests, for tests.
        monotonic: Seconds that no jump of the clock disturbs.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: httpx.Auth | None = field(default=None, repr=False)
    transport: httpx.BaseTransport | None = None
    monotonic: Callable[[], float] = time.monotonic
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check(self.url)
        self._http = httpx.Client(
            # Whatever is packed is refused below: a small answer may unpack to a large one.
            headers={"Accept-Encoding": "identity", **self.headers},
            auth=self.auth,
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            transport=self.transport,
        )

    def get(
        self, *path: str, query: Mapping[str, str] = _NO_QUERY, most: int = ANSWER_MAX
    ) -> bytes:
        """Return a page.

        Raises:
            MachineUnavailableError: Nobody answers in time.
            MachineAnswerError: Something else than the page comes, or more than ``most`` bytes.
        """
        with self._answer(path, query) as answer:
            if answer.status_code != HTTPStatus.OK:
                _refuse(f"it answered {answer.status_code} to /{'/'.join(path)}")
            return b"".join(self._chunks(answer, most, _ANSWER_SECONDS))

    def job(self, *path: str, most: int = FILE_MAX) -> JobFile | None:
        """Return what a job file is and does, None where it is not there (any more).

        Raises:
            MachineUnavailableError: Nobody answers in time.
            MachineAnswerError: Something else than the file comes, or more than ``most`` bytes.
        """
        with self._answer(path, {}) as answer:
            if answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                return None
            if answer.status_code != HTTPStatus.OK:
                _refuse(f"it answered {answer.status_code} to a download")
            return read_job(self._chunks(answer, most, _FILE_SECONDS))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    @contextmanager
    def _answer(self, path: tuple[str, ...], query: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Ask, and tell every failure of the connection as one of the machine."""
        url = "/".join([self.url.rstrip("/"), *(quote(part, safe="") for part in path)])
        try:
            with self._http.stream("GET", f"{url}?{urlencode(query)}" if query else url) as answer:
                self._check_answer(answer)
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The kind of failure alone: addresses and keys stay out of logs.
            message = f"The machine does not answer ({type(error).__name__})."
            raise MachineUnavailableError(message) from error

    @staticmethod
    def _check_answer(answer: httpx.Response) -> None:
        if answer.status_code in _CLOSED:
            message = "The machine does not accept the key that it was shown."
            next_step = "Make a new key on the machine and put it into the file of its secret."
            raise MachineAnswerError(message, next_step=next_step, status=answer.status_code)
        if answer.is_server_error or answer.status_code in _OUT_OF_SERVICE:
            message = f"The machine is out of order: it answered {answer.status_code}."
            raise MachineUnavailableError(message, status=answer.status_code)
        if answer.is_redirect:
            _refuse("it sends on to another address")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            _refuse("it is packed, which nobody asked for")

    def _chunks(self, answer: httpx.Response, most: int, seconds: float) -> Iterator[bytes]:
        end = self.monotonic() + seconds
        size = 0
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > most:
                _refuse(f"it has more than {most} bytes")
            if self.monotonic() > end:
                message = f"The machine takes more than {seconds:.0f} seconds for one answer."
                raise MachineUnavailableError(message)
            yield chunk


def _check(url: str) -> None:
    parts = split_url(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        message = f"{url[:80]!r} is no http or https address."
        raise MachineAddressError(message, found=ascii(url[:80]))
    if parts.username or parts.password or parts.query or parts.fragment:
        message = "A machine's address has neither user nor password, nor a part after ? or #."
        raise MachineAddressError(message, host=parts.hostname)


def _refuse(reason: str) -> NoReturn:
    message = f"The machine's answer is not what its protocol says: {reason}."
    raise MachineAnswerError(message, reason=reason)
