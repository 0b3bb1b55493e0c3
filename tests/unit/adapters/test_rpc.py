"""The JSON-RPC client: one request a batch, every odd answer named, limits kept."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from fakes.carrier import Answering, Told
from guildmark.adapters.chain.carrier import NotCarriedError
from guildmark.adapters.chain.errors import receipts
from guildmark.adapters.chain.rpc import Rpc, RpcRefusedError, data, quantity
from guildmark.ports.chain import LedgerAnswerError, LedgerUnavailableError


def node(answer: Callable[[Any], Any], *, limit: int = 1_000) -> Rpc:
    """Return a client of a node that answers with ``answer`` of the parsed body."""
    return Rpc(url="http://node", answer_limit=limit, carrier=Answering(answer))


def recording(answer: Any) -> tuple[list[Any], Rpc]:
    """Return what was asked so far, and a client of a node that always answers the same."""
    seen: list[Any] = []

    def record(body: Any) -> Any:
        seen.append(body)
        return answer

    return seen, node(record)


def result(value: Any, number: int = 0) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": value}


def refusal(number: int = 0, **error: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": error}


def test_one_call_is_sent_alone() -> None:
    seen, client = recording(result("0x1"))

    found = client.call("eth_blockNumber", "a", 1)

    assert found == "0x1"
    assert seen == [{"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": ["a", 1]}]


def test_a_batch_is_one_request_and_its_order_is_restored() -> None:
    seen, client = recording([result("b", 1), result("a", 0)])

    found = client.batch([("first", []), ("second", [])])

    assert found == ["a", "b"]
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://me:word@node.example:8545/v3/key?token=other", "https://node.example:8545"),
        ("https://node.example?token=key", "https://node.example"),
        ("http://me@[::1]:8545#key", "http://[::1]:8545"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
    ],
)
def test_refusals_name_the_server_and_no_secret_of_its_url(url: str, server: str) -> None:
    client = Rpc(url=url, carrier=Answering(lambda _body: "no answer"))

    with pytest.raises(LedgerAnswerError) as caught:
        client.call("eth_blockNumber")

    assert f"at {server} answered" in str(caught.value)
    assert caught.value.detail == {"url": server}


@pytest.mark.parametrize("path", ["/v3/the key", "/v3/key\x7f", "/v3/key?a=\u00e9"])
def test_url_that_cannot_be_asked_is_not_shown_either(path: str) -> None:
    client = Rpc(url=f"http://127.0.0.1:9{path}")

    with pytest.raises(LedgerUnavailableError) as caught:
        client.call("eth_blockNumber")

    assert "this is no address of a server" in str(caught.value)
    assert "key" not in str(caught.value)


def test_no_calls_are_no_request() -> None:
    client = node(lambda _body: pytest.fail("asked"))

    assert client.batch([]) == []


def test_a_null_result_is_a_result() -> None:
    assert node(lambda _body: result(None)).call("eth_getTransactionReceipt") is None


def test_an_attempt_keeps_refusals_in_their_place() -> None:
    client = node(lambda _body: [result("a"), refusal(1, code=-32000, message="no")])

    first, second = client.attempt([("one", []), ("two", [])])

    assert first == "a"
    assert isinstance(second, RpcRefusedError)
    assert (second.rpc_code, second.data) == (-32000, b"")


def test_a_batch_raises_its_first_refusal() -> None:
    client = node(lambda _body: [refusal(0, code=3, message="first"), refusal(1, message="second")])

    with pytest.raises(RpcRefusedError, match="first"):
        client.batch([("one", []), ("two", [])])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("0x0102", b"\1\2"),
        ({"data": "0x03"}, b"\3"),
        ({"data": {"data": "0x04"}}, b"\4"),
        ({"message": "x"}, b""),
        ("reverted", b""),
        ("0xzz", b""),
        (None, b""),
    ],
)
def test_revert_data_is_found_where_nodes_put_it(found: Any, expected: bytes) -> None:
    client = node(lambda _body: refusal(code=3, message="reverted", data=found))

    with pytest.raises(RpcRefusedError) as caught:
        client.call("eth_call")

    assert caught.value.data == expected


def test_a_code_that_is_no_number_reads_as_none() -> None:
    client = node(lambda _body: refusal(code="x", message="odd"))

    with pytest.raises(RpcRefusedError) as caught:
        client.call("eth_call")

    assert caught.value.rpc_code == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"{",
        b"",
        b"1",
        b"[]",
        orjson.dumps([1]),
        orjson.dumps({"id": 1, "result": 0}),
        orjson.dumps({"id": 0}),
        orjson.dumps({"id": 0, "error": "text"}),
    ],
)
def test_an_answer_that_is_no_json_rpc_is_named(answer: bytes) -> None:
    with pytest.raises(LedgerAnswerError):
        node(lambda _body: answer).call("eth_call")


def test_an_answer_has_a_limit() -> None:
    filling = len(orjson.dumps(result("")))
    client = node(lambda _body: result("x" * (1_000 - filling)))
    beyond = node(lambda _body: result("x" * (1_001 - filling)))

    assert client.call("eth_call")
    with pytest.raises(LedgerAnswerError, match="more than 1000 bytes"):
        beyond.call("eth_call")


def test_another_http_status_is_unavailable() -> None:
    with pytest.raises(LedgerUnavailableError) as caught:
        node(lambda _body: Told(status=503)).call("eth_call")

    assert caught.value.detail == {"url": "http://node", "status": 503}


def test_a_node_that_does_not_answer_is_unavailable() -> None:
    def fail(_body: Any) -> Any:
        message = "no route"
        raise NotCarriedError(message)

    with node(fail) as client, pytest.raises(LedgerUnavailableError, match="not answer: no route"):
        client.call("eth_call")


class Trickle(Told):
    """An answer that never ends, a byte at a time."""

    def pieces(self) -> Iterator[bytes]:
        while True:
            yield b" "


def test_an_answer_that_only_trickles_is_given_up() -> None:
    client = node(lambda _body: Trickle(), limit=1 << 40)
    client.patience = 0.01

    with client, pytest.raises(LedgerUnavailableError, match="did not end its answer in time"):
        client.call("eth_call")


def test_a_url_that_is_none_is_unavailable() -> None:
    with Rpc(url="nothing://node") as client, pytest.raises(LedgerUnavailableError):
        client.call("eth_call")


def test_a_client_that_nobody_holds_is_closed() -> None:
    carrier = Answering(lambda _body: {})
    client = Rpc(url="http://node", carrier=carrier)

    del client
    gc.collect()

    assert carrier.is_closed


@pytest.mark.parametrize(("text", "number"), [("0x0", 0), ("0x10", 16), ("0xff", 255)])
def test_quantities_are_read(text: str, number: int) -> None:
    assert quantity(text) == number


@pytest.mark.parametrize("value", [None, 1, "1", "0xg", "", []])
def test_what_is_no_quantity_is_refused(value: Any) -> None:
    with pytest.raises(LedgerAnswerError):
        quantity(value)


def test_data_is_read_and_measured() -> None:
    assert data("0x0102") == b"\1\2"
    assert data("0x0102", 2) == b"\1\2"


@pytest.mark.parametrize("value", [None, 1, "0102", "0x1", "0x01", "0x010203", "0x01 02"])
def test_what_is_no_data_of_that_size_is_refused(value: Any) -> None:
    with pytest.raises(LedgerAnswerError):
        data(value, 2)


def test_a_node_that_reads_its_old_blocks_has_no_receipt_yet() -> None:
    busy = refusal(1, code=-32000, message="transaction indexing is in progress")
    client = node(lambda _body: [result({"status": "0x1"}), busy])

    assert receipts(client.attempt([("eth_a", []), ("eth_b", [])])) == [{"status": "0x1"}, None]


def test_another_refusal_of_a_receipt_is_raised() -> None:
    client = node(lambda _body: refusal(code=-32000, message="no such method"))

    with pytest.raises(RpcRefusedError, match="no such method"):
        receipts(client.attempt([("eth_a", [])]))
