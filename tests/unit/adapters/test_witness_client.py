"""A witness over HTTP: what it answers is read strictly, what is no answer is refused."""

from collections.abc import Callable

import httpx
import pytest

from fakes.notes import TEXT, cosignature, key, signature
from guildmark.adapters.peers.witness import WitnessClient
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.log.checkpoint import Addition
from guildmark.domain.log.note import Note, NoteKind
from guildmark.domain.log.witness import ForkError, WitnessBehindError
from guildmark.ports.peers import PeerUnavailableError

ADDITION = Addition(old=0, proof=(), checkpoint=b"checkpoint")
WITNESS = key("w", NoteKind.COSIGNATURE)


def client(answer: Callable[[httpx.Request], httpx.Response]) -> WitnessClient:
    return WitnessClient("http://witness.example", transport=httpx.MockTransport(answer))


def saying(
    status: int, text: str = "", media_type: str = "text/plain"
) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, text=text, headers={"content-type": media_type})


def test_a_cosignature_is_found_among_others() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, text=signature("a").line() + cosignature("w").line())

    assert client(answer).cosign(ADDITION, WITNESS) == cosignature("w")
    assert (asked[0].method, asked[0].url.path) == ("POST", "/add-checkpoint")
    assert asked[0].content == ADDITION.encode()


def test_a_blocks_note_is_asked_for_by_its_number() -> None:
    note = Note(text=TEXT, signatures=(signature("w"),)).encode()

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/block/12"
        return httpx.Response(200, content=note)

    assert client(answer).note(12, key("w")) == signature("w")


def test_a_key_is_one_word() -> None:
    with client(saying(200, f"{key('w').encode()}\n")) as one:
        assert one.key() == key("w")


def test_the_size_that_the_witness_saw_is_told() -> None:
    with pytest.raises(WitnessBehindError) as caught:
        client(saying(409, "17\n", "text/x.tlog.size")).cosign(ADDITION, WITNESS)

    assert caught.value.detail == {"size": 17}


@pytest.mark.parametrize(
    "answer", [saying(422), saying(409), saying(409, "-1", "text/x.tlog.size")]
)
def test_another_history_is_told(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    with pytest.raises(ForkError):
        client(answer).cosign(ADDITION, WITNESS)


def away(request: httpx.Request) -> httpx.Response:
    message = "no route"
    raise httpx.ConnectError(message, request=request)


@pytest.mark.parametrize(
    "answer",
    [
        away,
        saying(200),
        saying(200, "no signature\n"),
        saying(200, signature("a").line()),
        saying(200, "x" * (65 << 10)),
        saying(403),
        saying(404),
        saying(500),
        saying(302),
    ],
)
def test_what_is_no_answer_is_refused(
    answer: Callable[[httpx.Request], httpx.Response],
) -> None:
    asks: list[Callable[[WitnessClient], object]] = [
        lambda one: one.cosign(ADDITION, WITNESS),
        lambda one: one.note(1, key("w")),
        lambda one: one.key(),
    ]
    for ask in asks:
        with pytest.raises(GuildmarkError) as caught:
            ask(client(answer))
        assert isinstance(caught.value, PeerUnavailableError)
