"""Calls, events and refusals by the compiled ABI."""

from typing import Any

import pytest
from eth_abi.abi import encode

from guildmark.adapters.chain.codec import (
    CallMalformedError,
    codec,
    constructor_inputs,
    custom_errors,
)
from guildmark.adapters.chain.errors import (
    REFUSALS,
    is_hopeless,
    is_nonce_used,
    is_sent,
    refusal,
    translated,
)
from guildmark.adapters.chain.rpc import RpcRefusedError
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.refusals import (
    CallerRefusedError,
    CallRefusedError,
    FundsMissingError,
    SplitError,
)
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import to_hex
from guildmark.ports.chain import LedgerAnswerError

ID = bytes(range(32))
ACCOUNT = b"\x11" * 20


def rpc_error(message: str, data: bytes = b"") -> RpcRefusedError:
    return RpcRefusedError(message, rpcCode=3, rpcMessage=message, data=data)


def test_a_call_is_selector_and_words() -> None:
    function = codec(ContractName.IDENTITIES).function("register")

    found = function.encode((1, ID, bytes(32)))

    assert found[:4] == keccak256(b"register(uint8,bytes32,bytes32)")[:4]
    assert found[4:] == (1).to_bytes(32, "big") + ID + bytes(32)


def test_structs_are_mappings_or_tuples() -> None:
    function = codec(ContractName.LOG).function("append")
    args = (1, 0, 2, ID)

    by_name = function.encode((*args, [{"lane": 3, "n": 2}]))
    by_place = function.encode((*args, [(3, 2)]))

    assert by_name == by_place


def test_an_overloaded_function_is_named_by_its_signature() -> None:
    parts = codec(ContractName.PARTS)
    signature = "safeTransferFrom(address,address,uint256,bytes)"

    assert parts.function(signature).selector == keccak256(signature.encode())[:4]


def test_results_are_bare_and_structs_have_names() -> None:
    identities = codec(ContractName.IDENTITIES)
    types = ["address", "uint8", "uint40", "uint32", "bool", "bool"]
    words = encode(types, [ACCOUNT, 1, 5, 2, False, True])

    found = identities.function("identity").decode(words)

    assert found == {
        "controller": ACCOUNT,
        "kind": 1,
        "since": 5,
        "controllers": 2,
        "isInRecovery": False,
        "isUnderNotice": True,
    }
    assert identities.function("kindOf").decode(bytes(31) + b"\3") == 3
    assert identities.function("register").decode(ID) == ID


def test_a_function_of_several_results_gives_a_tuple() -> None:
    function = codec(ContractName.LICENSES).function("grant")

    assert function.decode(encode(["uint40", "uint40"], [4, 9])) == (4, 9)


def test_events_are_decoded_by_name() -> None:
    appended = next(
        event for event in codec(ContractName.LOG).events.values() if event.name == "RecordAppended"
    )
    record = (1, 0, 0, 2, 99, ID, ID, [(7, 2, 17)])
    types = "(uint40,uint40,uint64,uint40,uint40,bytes32,bytes32,(uint40,uint40,uint40)[])"
    topics = [appended.topic, bytes(31) + b"\1", bytes(32)]

    found = appended.decode(topics, encode([types], [record]))

    assert (found["log"], found["seq"]) == (1, 0)
    assert found["record"]["grants"] == ({"lane": 7, "n": 2, "firstUnit": 17},)
    assert found["record"]["parent"] == ID


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("register", (1, ID)),
        ("register", (1, ID, "text")),
        ("register", (256, ID, ID)),
        ("register", (-1, ID, ID)),
        ("register", (1, ID + b"\0", ID)),
        ("unknown", ()),
    ],
)
def test_a_call_that_does_not_fit_is_refused(function: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(CallMalformedError):
        codec(ContractName.IDENTITIES).function(function).encode(args)


@pytest.mark.parametrize("draw", [{"lane": 1}, (1,), (1, 2, 3), 1])
def test_a_struct_of_other_fields_is_refused(draw: Any) -> None:
    with pytest.raises(CallMalformedError):
        codec(ContractName.LOG).function("append").encode((1, 0, 1, ID, [draw]))


def test_a_result_that_is_cut_is_refused() -> None:
    with pytest.raises(LedgerAnswerError):
        codec(ContractName.IDENTITIES).function("kindOf").decode(b"\1")


def test_constructors_take_other_contracts() -> None:
    names = {ContractName(name) for found in ContractName for name in constructor_inputs(found)}

    assert names == set(ContractName) - {ContractName.DIRECTORY}
    assert constructor_inputs(ContractName.DESIGNS) == ["licenses"]


def test_every_custom_error_has_its_place_in_the_table() -> None:
    found = {error.signature.partition("(")[0] for error in custom_errors().values()}

    assert found == set(REFUSALS)


@pytest.mark.parametrize("selector", sorted(custom_errors()), ids=lambda found: found.hex())
def test_each_custom_error_becomes_its_domain_error(selector: bytes) -> None:
    error = custom_errors()[selector]
    name = error.signature.partition("(")[0]
    zeros = {"address": ACCOUNT, "bytes": b"", "string": "", "bytes32": ID}
    types = [item["type"] for item in error.inputs.parameters]
    encoded = encode(types, [zeros.get(found, 7) for found in types])

    found = refusal(selector + encoded)

    assert type(found) is REFUSALS[name]
    assert found.detail["contractError"] == name
    assert set(found.detail) == {"contractError", *error.inputs.names}
    assert name in found.message


def test_offending_values_are_ready_for_json() -> None:
    selector = keccak256(b"CallerNotController(bytes32,address)")[:4]

    found = refusal(selector + encode(["bytes32", "address"], [ID, ACCOUNT]))

    assert type(found) is CallerRefusedError
    assert found.detail == {
        "contractError": "CallerNotController",
        "id": to_hex(ID),
        "caller": to_hex(ACCOUNT),
    }


def test_a_refusal_below_another_contract_is_known_too() -> None:
    selector = keccak256(b"SplitTooLarge(uint40,uint40,uint40)")[:4]

    found = translated(
        rpc_error("execution reverted", selector + encode(["uint40"] * 3, [1, 9, 4]))
    )

    assert type(found) is SplitError
    assert found.detail["undrawn"] == 4


@pytest.mark.parametrize("data", [b"", b"\1\2\3", b"\1\2\3\4" + bytes(64)])
def test_a_refusal_without_a_known_reason_is_plain(data: bytes) -> None:
    assert type(translated(rpc_error("execution reverted", data))) is CallRefusedError


@pytest.mark.parametrize(
    "message",
    [
        "insufficient funds for gas * price + value",
        "Insufficient funds for gas * price + value",
        "Sender doesn't have enough funds to send tx",
        "Upfront cost exceeds account balance",
    ],
)
def test_lack_of_coin_is_known_in_every_node_s_words(message: str) -> None:
    assert type(translated(rpc_error(message))) is FundsMissingError


def test_anything_else_stays_the_node_s_refusal() -> None:
    error = rpc_error("the method is not available")

    assert translated(error) is error


@pytest.mark.parametrize(
    "message", ["already known", "transaction already imported", "Known transaction: 0x1"]
)
def test_what_is_known_was_sent(message: str) -> None:
    assert is_sent(rpc_error(message))
    assert not is_nonce_used(rpc_error(message))


@pytest.mark.parametrize(
    "message",
    ["nonce too low", "Nonce too low. Expected nonce to be 5 but got 4.", "nonce is too low"],
)
def test_a_used_nonce_is_known(message: str) -> None:
    assert is_nonce_used(rpc_error(message))
    assert is_sent(rpc_error(message))


def test_what_no_node_takes_is_hopeless() -> None:
    assert is_hopeless(rpc_error("intrinsic gas too low"))
    assert not is_hopeless(rpc_error("txpool is full"))
