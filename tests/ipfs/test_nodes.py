"""A node that lies, breaks off or stays silent: refused, by name, in bounded memory."""

import json
from collections.abc import Callable
from typing import Protocol

import pytest

from guildmark_ipfs.blocks import MAX_BLOCK
from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import (
    HashMismatchError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from guildmark_ipfs.ipfshttp import IpfsHttpBlockStore
from guildmark_ipfs.kubo import KuboBlockStore
from ipfs import kubo_double
from ipfs.kubo_double import KuboDouble
from ipfs.loopback import Answer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

Adapter = IpfsHttpBlockStore | KuboBlockStore


class Opening(Protocol):
    """Opens one of the two adapters on a double."""

    def __call__(self, double: KuboDouble, *, timeout: float = 5) -> Adapter: ...


def ipfshttp(double: KuboDouble, *, timeout: float = 5) -> Adapter:
    return IpfsHttpBlockStore(double.address, timeout=timeout)


def kubo_rpc(double: KuboDouble, *, timeout: float = 5) -> Adapter:
    return KuboBlockStore(double.url, timeout=timeout)


@pytest.fixture(params=[ipfshttp, kubo_rpc])
def opened(request: pytest.FixtureRequest) -> Opening:
    """Each adapter in turn."""
    opening: Opening = request.param
    return opening


BLOCK = b"the bytes that were asked for"
CID = Cid.of(BLOCK, Codec.RAW)
HTML = b"<!doctype html><title>Gateway</title>"


def flipped(body: bytes) -> bytes:
    return bytes([body[0] ^ 1]) + body[1:]


@pytest.mark.parametrize(
    "change",
    [
        flipped,
        lambda body: body[:-1],
        lambda body: body + b"\n",
        lambda _: b"",
        lambda _: HTML,
        lambda _: bytes(MAX_BLOCK),
    ],
    ids=["one bit", "shorter", "longer", "nothing", "a page", "the largest block"],
)
def test_other_bytes_are_refused(
    opened: Opening, double: KuboDouble, change: Callable[[bytes], bytes]
) -> None:
    double.blocks[str(CID)] = BLOCK
    double.lie = lambda _, answer: (answer[0], answer[1], change(answer[2]))

    with (
        opened(double) as store,
        pytest.raises(HashMismatchError, match="other bytes than those of block") as caught,
    ):
        store.get(CID)

    assert caught.value.detail["cid"] == str(CID)


def test_the_right_bytes_under_another_codec_are_another_block(
    opened: Opening, double: KuboDouble
) -> None:
    with opened(double) as store:
        raw = store.put(b"\x0a\x02\x08\x01", Codec.RAW)
        node = store.put(b"\x0a\x02\x08\x01", Codec.DAG_PB)

        assert raw != node
        assert store.get(raw) == store.get(node)


def test_a_flood_is_cut_off(opened: Opening, double: KuboDouble) -> None:
    double.blocks[str(CID)] = BLOCK
    # More is announced than is ever sent: a client that waits for all of it would fail otherwise.
    flood = {"Content-Length": str(100 * MAX_BLOCK), "Connection": "close"}
    double.lie = lambda *_: (200, flood, bytes(2 * MAX_BLOCK))

    with (
        opened(double) as store,
        pytest.raises(TooLargeError, match=f"more than {MAX_BLOCK} bytes"),
    ):
        store.get(CID)


def test_a_broken_connection_says_nothing_of_the_content(
    opened: Opening, double: KuboDouble
) -> None:
    double.blocks[str(CID)] = BLOCK
    cut = {"Content-Length": "100", "Connection": "close"}
    double.lie = lambda *_: (200, cut, BLOCK)

    with (
        opened(double) as store,
        pytest.raises(UnavailableError, match="gave no usable answer"),
    ):
        store.get(CID)


def error(message: str) -> Answer:
    body = json.dumps({"Message": message, "Code": 0, "Type": "error"}).encode()
    return 500, {"Content-Type": "application/json"}, body


@pytest.mark.parametrize(
    "answer",
    [
        error("context deadline exceeded"),
        (500, {"Content-Type": "text/html"}, HTML),
        (403, {}, b"403 - Forbidden"),
        (404, {}, b"404 page not found"),
        (302, {"Location": "http://127.0.0.1:9/"}, b""),
        (503, {}, b""),
    ],
    ids=["error", "error page", "forbidden", "no such command", "elsewhere", "busy"],
)
def test_a_refusal_is_not_a_missing_block(
    opened: Opening, double: KuboDouble, answer: Answer
) -> None:
    double.lie = lambda *_: answer

    with opened(double) as store:
        calls: list[Callable[[], object]] = [
            lambda: store.put(BLOCK, Codec.RAW),
            lambda: store.get(CID),
            lambda: store.has(CID),
            lambda: store.pin(CID),
        ]
        for call in calls:
            with pytest.raises(UnavailableError):
                call()


def test_a_node_that_is_not_there_is_unavailable(opened: Opening) -> None:
    with kubo_double.running() as gone:
        pass

    with (
        opened(gone) as store,
        pytest.raises(UnavailableError, match="gave no usable answer"),
    ):
        store.get(CID)


def test_a_silent_node_is_unavailable_in_time(opened: Opening, double: KuboDouble) -> None:
    silent = {"Content-Length": "100"}
    double.lie = lambda *_: (200, silent, b"")

    with opened(double, timeout=0.2) as store, pytest.raises(UnavailableError):
        store.get(CID)


@pytest.mark.parametrize(
    "claim",
    [
        {"Key": str(Cid.of(b"other", Codec.RAW)), "Size": 5},
        {"Key": str(Cid(Codec.DAG_PB, CID.digest)), "Size": 5},
        {"Key": None},
        {"Size": 5},
    ],
)
def test_a_node_that_claims_another_address_is_refused(
    opened: Opening, double: KuboDouble, claim: dict[str, object]
) -> None:
    body = json.dumps(claim).encode()
    double.lie = lambda *_: (200, {"Content-Type": "application/json"}, body)

    with (
        opened(double) as store,
        pytest.raises(HashMismatchError, match="The node stored"),
    ):
        store.put(BLOCK, Codec.RAW)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'"text"', b"7", b"{}{}", b"\xff", b"null"]
)
def test_an_answer_that_is_no_answer_is_refused(
    opened: Opening, double: KuboDouble, body: bytes
) -> None:
    double.lie = lambda *_: (200, {"Content-Type": "application/json"}, body)

    with opened(double) as store:
        calls: list[Callable[[], object]] = [
            lambda: store.put(BLOCK, Codec.RAW),
            lambda: store.has(CID),
            lambda: store.pin(CID),
        ]
        for call in calls:
            with pytest.raises(UnavailableError, match="no usable answer"):
                call()


def test_an_answer_for_another_block_is_no_answer(opened: Opening, double: KuboDouble) -> None:
    other = str(Cid.of(b"other", Codec.RAW))
    body = json.dumps({"Key": other, "Pins": [other]}).encode()
    double.lie = lambda *_: (200, {"Content-Type": "application/json"}, body)

    with opened(double) as store:
        assert not store.has(CID)
        with pytest.raises(UnavailableError, match="no usable answer"):
            store.pin(CID)


def test_a_pinned_file_stands_on_the_nodes_list(opened: Opening, double: KuboDouble) -> None:
    with opened(double) as store:
        store.pin(store.put(BLOCK, Codec.RAW))

    assert double.pins == {str(CID)}
    assert double.calls == ["POST block/put", "POST pin/add"]


def test_a_missing_block_is_looked_up_in_the_node_alone(
    opened: Opening, double: KuboDouble
) -> None:
    with opened(double) as store:
        assert not store.has(CID)
        with pytest.raises(NotFoundError, match="does not have"):
            store.get(CID)


def test_the_environments_proxy_is_not_asked(
    opened: Opening, double: KuboDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    with opened(double) as store:
        assert store.get(store.put(BLOCK, Codec.RAW)) == BLOCK
