"""A machine's HTTP: bounded, one host, no redirects; strict JSON."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import httpx
import pytest

from guildmark.adapters.machines.answers import Answer, plain
from guildmark.adapters.machines.web import Site
from guildmark.ports.shopfloor import MachineAnswerError, MachineUnavailableError


class _Stream(httpx.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks


def site(
    answer: Callable[[httpx.Request], httpx.Response],
    monotonic: Callable[[], float] = lambda: 0.0,
) -> Site:
    transport = httpx.MockTransport(answer)
    return Site(url="http://machine.example/base", transport=transport, monotonic=monotonic)


def streamed(*chunks: bytes) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, stream=_Stream(list(chunks)))


def test_an_answer_may_have_its_most_and_no_more() -> None:
    assert site(streamed(b"ab", b"c")).get("x", most=3) == b"abc"

    with pytest.raises(MachineAnswerError, match="more than 2 bytes"):
        site(streamed(b"ab", b"c")).get("x", most=2)


def test_a_download_has_its_most_too() -> None:
    with pytest.raises(MachineAnswerError, match="more than 2 bytes"):
        site(streamed(b"abc")).job("x", most=2)


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_not_there_has_no_digest(status: int) -> None:
    assert site(lambda _: httpx.Response(status)).job("x") is None


def test_a_file_that_is_refused_is_a_wrong_answer() -> None:
    with pytest.raises(MachineAnswerError, match="400 to a download"):
        site(lambda _: httpx.Response(400)).job("x")


def test_an_answer_that_drips_is_given_up() -> None:
    times = iter([0.0, 29.0, 31.0])

    with pytest.raises(MachineUnavailableError, match="30 seconds"):
        site(streamed(b"a", b"b", b"c"), monotonic=lambda: next(times)).get("x")


def test_no_part_of_a_path_leads_to_another_host_or_folder() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return streamed(b"")(request)

    site(answer).get("//other.example/", "../..", "a?b#c", "@x", query={"q": "1&2"})

    assert asked[0].url.host == "machine.example"
    assert asked[0].url.raw_path == (b"/base/%2F%2Fother.example%2F/..%2F../a%3Fb%23c/%40x?q=1%262")


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_machine_out_of_order_is_asked_again_later(status: int) -> None:
    with pytest.raises(MachineUnavailableError, match=str(status)):
        site(lambda _: httpx.Response(status)).get("x")


def test_numbers_keep_their_digits() -> None:
    answer = Answer.parse(b'{"a": 209.870, "b": -3, "c": 1.3e-05, "d": "5.5", "e": -0.0}')

    assert [plain(answer.number(name)) for name in answer.names()] == [
        "209.87",
        "-3",
        "0.000013",
        "5.5",
        "0",
    ]
    assert plain(Decimal("1e-40")) == "0"


@pytest.mark.parametrize("text", ["1e999999", "true", "null", '"x"', '"NaN"', "[]", "1e18"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(MachineAnswerError, match="a is not a number"):
        Answer.parse(b'{"a": %s}' % text.encode()).number("a")


@pytest.mark.parametrize("data", [b"", b"[]", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b'"x"'])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(MachineAnswerError):
        Answer.parse(data)


def test_members_of_other_types_are_refused_by_their_place() -> None:
    inner = Answer.parse(b'{"a": {"b": [{}, 1], "c": [{}], "d": -1, "e": true}}').object("a")

    with pytest.raises(MachineAnswerError, match=r"a\.b is not an array of objects"):
        inner.objects("b")
    with pytest.raises(MachineAnswerError, match=r"a\.c\[0\]\.x is not a text"):
        inner.objects("c")[0].text("x")
    with pytest.raises(MachineAnswerError, match=r"a\.d is not a whole number"):
        inner.count("d")
    with pytest.raises(MachineAnswerError, match=r"a\.d is not true or false"):
        inner.flag("d")
    with pytest.raises(MachineAnswerError, match=r"a\.d is not an array"):
        inner.objects("d")
    with pytest.raises(MachineAnswerError, match=r"a\.d is not an object"):
        inner.object("d")
    assert inner.flag("e")
    assert inner.maybe("x", inner.text) is None
