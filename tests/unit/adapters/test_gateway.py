"""The hub's door to the chain: reads pass, and what the account that joined signed itself."""

from typing import Any

import orjson
import pytest
from eth_account import Account

from fakes.carrier import Answering
from guildmark.adapters.chain.carrier import NotCarriedError
from guildmark.adapters.chain.gateway import BATCH_MAX, Gateway, GatewayBodyError, sender_of
from guildmark.adapters.chain.rpc import Rpc
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Address, from_hex
from guildmark.ports.chain import LedgerUnavailableError

KEY = "0x" + "11" * 32
SHOP = Address(from_hex(Account.from_key(KEY).address.lower()))
OTHER = Address(b"\x22" * 20)


def signed(**changes: Any) -> bytes:
    """Return a raw transaction as a rival library signs it."""
    fields = {
        "type": 2,
        "chainId": 7,
        "nonce": 0,
        "maxFeePerGas": 9,
        "maxPriorityFeePerGas": 1,
        "gas": 21_000,
        "to": "0x" + "33" * 20,
        "value": 5,
        "data": b"\1\2",
    }
    return bytes(Account.sign_transaction(fields | changes, KEY).raw_transaction)


def door() -> tuple[list[Any], Gateway]:
    """Return what reached the chain, and a door to a chain that answers with what it was asked."""
    seen: list[Any] = []

    def answer(call: dict[str, Any]) -> dict[str, Any]:
        if call["method"] == "eth_estimateGas":
            error = {"code": 3, "message": "reverted", "data": "0x0102"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        if call["method"] == "eth_call":
            return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": 4, "message": "no"}}
        return {"jsonrpc": "2.0", "id": call["id"], "result": call["method"]}

    def handle(body: Any) -> Any:
        seen.append(body)
        return [answer(one) for one in body] if isinstance(body, list) else answer(body)

    return seen, Gateway(Rpc(url="http://chain", carrier=Answering(handle)))


def ask(gateway: Gateway, *calls: dict[str, Any], account: Address = SHOP) -> Any:
    body = calls[0] if len(calls) == 1 else list(calls)
    return orjson.loads(gateway.answer(orjson.dumps(body), account))


def call(method: str, *params: Any, number: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def send(raw: bytes) -> dict[str, Any]:
    return call("eth_sendRawTransaction", "0x" + raw.hex())


@pytest.mark.parametrize("changes", [{}, {"data": b""}, {"nonce": 300, "value": 0}])
def test_sender_is_who_a_rival_library_says(changes: dict[str, Any]) -> None:
    assert sender_of(signed(**changes)) == SHOP


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x02",
        b"\x02\xc0",
        b"\x02\x80",
        b"\x01" + signed()[1:],
        signed()[:-1],
        signed() + b"\0",
    ],
)
def test_what_is_no_transaction_has_no_sender(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        sender_of(raw)


def test_signature_with_a_third_parity_is_none() -> None:
    raw = signed()
    # Behind the access list, before the two words of 33 bytes, stands the parity.
    at = len(raw) - 2 * 33 - 1
    changed = raw[:at] + b"\x02" + raw[at + 1 :]

    with pytest.raises(GatewayBodyError):
        sender_of(changed)


def test_reads_and_own_transactions_pass_in_their_order() -> None:
    seen, gateway = door()

    found = ask(gateway, call("eth_blockNumber", number=7), send(signed()))

    assert [one["result"] for one in found] == ["eth_blockNumber", "eth_sendRawTransaction"]
    assert [one["id"] for one in found] == [7, 1]
    assert seen[0][1]["params"] == ["0x" + signed().hex()]


def test_one_call_has_one_answer() -> None:
    _, gateway = door()

    assert ask(gateway, {"id": "a", "method": "eth_chainId"}) == {
        "jsonrpc": "2.0",
        "id": "a",
        "result": "eth_chainId",
    }


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (call("evm_mine"), -32601),
        (call("guildmark_fund", "0x" + "22" * 20), -32601),
        (call("eth_sendRawTransaction"), -32600),
        (call("eth_sendRawTransaction", "0x12"), -32600),
        (call("eth_sendRawTransaction", 5), -32600),
    ],
)
def test_other_calls_do_not_reach_the_chain(refused: dict[str, Any], code: int) -> None:
    seen, gateway = door()

    found = ask(gateway, refused, call("eth_blockNumber"))

    assert found[0]["error"]["code"] == code
    assert found[1]["result"] == "eth_blockNumber"
    assert [one["method"] for one in (seen[0] if isinstance(seen[0], list) else seen)] == [
        "eth_blockNumber"
    ]


def test_foreign_transaction_is_not_carried() -> None:
    seen, gateway = door()

    found = ask(gateway, send(signed()), account=OTHER)

    assert found["error"] == {
        "code": -32003,
        "message": "only the account that joined may send here",
    }
    assert seen == []


def test_refusal_of_the_chain_comes_back_whole() -> None:
    _, gateway = door()

    with_data, without = ask(gateway, call("eth_estimateGas"), call("eth_call"))

    assert with_data["error"] == {"code": 3, "message": "reverted", "data": "0x0102"}
    assert without["error"] == {"code": 4, "message": "no"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"[5]",
        b"{}",
        b'{"method":5}',
        b'{"method":"eth_chainId","params":{}}',
        orjson.dumps([call("eth_chainId")] * (BATCH_MAX + 1)),
    ],
)
def test_body_that_is_no_calls_is_refused(body: bytes) -> None:
    seen, gateway = door()

    with pytest.raises(GatewayBodyError):
        gateway.answer(body, SHOP)

    assert seen == []


def test_as_many_calls_as_may_be_are_answered() -> None:
    _, gateway = door()

    assert len(ask(gateway, *[call("eth_chainId")] * BATCH_MAX)) == BATCH_MAX


def test_chain_that_is_away_is_said() -> None:
    def down(_body: Any) -> Any:
        message = "refused"
        raise NotCarriedError(message)

    gateway = Gateway(Rpc(url="http://chain", carrier=Answering(down)))

    with pytest.raises(LedgerUnavailableError):
        ask(gateway, call("eth_chainId"))
