"""A witness as a node reaches it (c2sp.org/tlog-witness)."""

from http import HTTPStatus
from types import TracebackType
from typing import Self

from guildmark.adapters.lean import httpx
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.log.checkpoint import Addition
from guildmark.domain.log.note import Note, NoteKey, NoteSignature, read_signatures
from guildmark.domain.log.witness import ForkError, WitnessBehindError
from guildmark.ports.peers import PeerUnavailableError

_TIMEOUT = 5.0
_ANSWER_MAX = 64 << 10
_SIZE = "text/x.tlog.size"
_FORKED = {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT}


class WitnessClient:
    """One witness, by its address.

    Args:
        url: The address, without a last slash.
        transport: What carries the requests, for tests.
    """

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
        self._http = httpx.Client(
            base_url=url, timeout=_TIMEOUT, follow_redirects=False, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def key(self) -> NoteKey:
        """Return the key that the witness says it has; whoever pins it asks elsewhere, too."""
        try:
            return NoteKey.parse(self._answer("GET", "/key").text.strip())
        except GuildmarkError as error:
            raise self._odd(error.message) from error

    def cosign(self, addition: Addition, key: NoteKey) -> NoteSignature:
        """Return the witness's signature over a checkpoint."""
        answer = self._ask("POST", "/add-checkpoint", content=addition.encode())
        if answer.status_code == HTTPStatus.CONFLICT and _is_size(answer):
            message = f"{self._url} saw {answer.text.strip()} records last."
            raise WitnessBehindError(message, size=int(answer.text))
        if answer.status_code in _FORKED:
            message = f"{self._url} saw another history of this log."
            raise ForkError(message, url=self._url)
        return self._signature(_sound(answer, self._url), key)

    def note(self, number: int, key: NoteKey) -> NoteSignature:
        """Return the witness's signature over the note about a block."""
        answer = self._answer("GET", f"/block/{number}")
        try:
            lines = "".join(one.line() for one in Note.parse(answer.content).signatures)
        except GuildmarkError as error:
            raise self._odd(error.message) from error
        return self._pick(lines, key)

    def _signature(self, answer: httpx.Response, key: NoteKey) -> NoteSignature:
        return self._pick(answer.text, key)

    def _pick(self, lines: str, key: NoteKey) -> NoteSignature:
        """Return the signature of the witness among lines; others are passed over."""
        try:
            own = [one for one in read_signatures(lines) if one.is_of(key)]
        except GuildmarkError as error:
            raise self._odd(error.message) from error
        if not own:
            reason = f"It did not sign as {key.name}."
            raise self._odd(reason)
        return own[0]

    def _answer(self, method: str, path: str) -> httpx.Response:
        return _sound(self._ask(method, path), self._url)

    def _ask(self, method: str, path: str, content: bytes = b"") -> httpx.Response:
        try:
            answer = self._http.request(method, path, content=content)
        except httpx.HTTPError as exc:
            message = f"{self._url} does not answer: {type(exc).__name__}."
            raise PeerUnavailableError(message, url=self._url) from exc
        if len(answer.content) > _ANSWER_MAX:
            reason = "The answer is too long."
            raise self._odd(reason)
        return answer

    def _odd(self, reason: str) -> PeerUnavailableError:
        message = f"{self._url} does not answer as a witness does: {reason}"
        return PeerUnavailableError(message, url=self._url)


def _is_size(answer: httpx.Response) -> bool:
    is_said = answer.headers.get("content-type", "").startswith(_SIZE)
    return is_said and answer.text.strip().isascii() and answer.text.strip().isdigit()


def _sound(answer: httpx.Response, url: str) -> httpx.Response:
    if answer.status_code != HTTPStatus.OK:
        message = f"{url} answers {answer.status_code}: {answer.text[:200]}"
        raise PeerUnavailableError(message, url=url, status=answer.status_code)
    return answer
