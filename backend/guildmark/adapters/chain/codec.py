"""Calls, results, events and reverts of the deployment's contracts, by their compiled ABI.

Every codec is built once; structs are mappings by field name, addresses 20 bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from guildmark.adapters.chain.artifacts import load
from guildmark.adapters.chain.words import UnsureError, reader_of
from guildmark.domain.chain.contracts import Coin, ContractName, Payee
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import UsageError
from guildmark.ports.chain import Call, LedgerAnswerError

Parameters: TypeAlias = Sequence[Mapping[str, Any]]

SELECTOR = 4
_COIN: Mapping[str, tuple[Sequence[str], str]] = MappingProxyType(
    {
        "allowance": (("address", "address"), "uint256"),
        "balanceOf": (("address",), "uint256"),
        # Some coins answer nothing: what an approval returns is not read.
        "approve": (("address", "uint256"), "bool"),
    }
)
_WORD = 32


class CallMalformedError(UsageError):
    """A call names no function of the contract, or its arguments do not fit."""

    code = "chain.callMalformed"


def _names(parameters: Parameters) -> list[str]:
    return [str(parameter["name"]) for parameter in parameters]


@dataclass(frozen=True, slots=True)
class Layout:
    """The values that some bytes hold, and what reads them.

    Args:
        parameters: Their names and types, as the ABI has them.
        names: Their names.
    """

    parameters: Parameters
    names: Sequence[str] = field(init=False, compare=False)
    _read: Callable[[bytes], list[Any]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        try:
            read = reader_of(self.parameters)
        except UnsureError:
            read = self.read_by_library
        object.__setattr__(self, "_read", read)
        object.__setattr__(self, "names", _names(self.parameters))

    def read(self, data: bytes) -> list[Any]:
        """Return the values.

        Raises:
            LedgerAnswerError: The bytes are no such values.
        """
        try:
            return self._read(data)
        except UnsureError:
            return self.read_by_library(data)

    def read_by_library(self, data: bytes) -> list[Any]:
        """Return the values as `eth_abi` reads them.

        Raises:
            LedgerAnswerError: The bytes are no such values.
        """
        types = _types(self.parameters)
        try:
            values = decode(types, data)
        except (DecodingError, OverflowError) as exc:
            message = f"The node's answer is not ({','.join(types)}): {exc}"
            raise LedgerAnswerError(message) from exc
        pairs = zip(self.parameters, values, strict=True)
        return [_named(parameter, value) for parameter, value in pairs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function's selector and types."""

    signature: str
    selector: bytes
    inputs: Layout
    outputs: Layout

    def encode(self, args: Sequence[Any]) -> bytes:
        """Return the call data.

        Raises:
            CallMalformedError: The arguments are not what the function takes.
        """
        parameters = self.inputs.parameters
        if len(args) != len(parameters):
            message = f"{self.signature} takes {len(parameters)} arguments, found {len(args)}."
            raise CallMalformedError(message, function=self.signature)
        pairs = zip(parameters, args, strict=True)
        try:
            plain = [_plain(parameter, value) for parameter, value in pairs]
            return self.selector + encode(_types(parameters), plain)
        except (EncodingError, TypeError, KeyError, ValueError) as exc:
            message = f"The arguments do not fit {self.signature}: {exc}"
            raise CallMalformedError(message, function=self.signature) from exc

    def decode(self, data: bytes) -> Any:
        """Return the result: one value bare, several as a tuple.

        Raises:
            LedgerAnswerError: The bytes are no such result.
        """
        values = self.outputs.read(data)
        return values[0] if len(values) == 1 else tuple(values)


# What comes with coin that is only sent.
_NOTHING = Function(signature="", selector=b"", inputs=Layout(()), outputs=Layout(()))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """An event's name and types.

    Args:
        names: Of all values, in the order in which they were declared.
        indexed: What stands in the topics.
        others: What stands in the data.
    """

    name: str
    topic: bytes
    names: Sequence[str]
    indexed: Layout
    others: Layout

    def decode(self, topics: Sequence[bytes], data: bytes) -> Mapping[str, Any]:
        """Return the arguments by name.

        Raises:
            LedgerAnswerError: The bytes are no such event.
        """
        found = dict(zip(self.others.names, self.others.read(data), strict=True))
        found |= zip(self.indexed.names, self.indexed.read(b"".join(topics[1:])), strict=True)
        return MappingProxyType({name: found[name] for name in self.names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One contract's functions and events."""

    contract: ContractName
    functions: Mapping[str, Function]
    events: Mapping[bytes, EventType]

    def function(self, name: str) -> Function:
        """Return a function by name, or by signature where the name is overloaded.

        Raises:
            CallMalformedError: There is none.
        """
        found = self.functions.get(name)
        if found is None:
            message = f"{self.contract} has no function {name}."
            raise CallMalformedError(message, contract=self.contract.value, function=name)
        return found


def function(call: Call) -> Function:
    """Return the function that a call names.

    Raises:
        CallMalformedError: There is none.
    """
    if isinstance(call.contract, Payee):
        return _NOTHING
    if isinstance(call.contract, Coin):
        found = _coin_functions().get(call.function)
        if found is None:
            message = f"A coin has no function {call.function}."
            raise CallMalformedError(message, contract=str(call.contract), function=call.function)
        return found
    return codec(call.contract).function(call.function)


@cache
def _coin_functions() -> Mapping[str, Function]:
    """Return what is called of coins (ERC-20)."""
    return {name: _function(_coin_item(name, *types)) for name, types in _COIN.items()}


def _coin_item(name: str, inputs: Sequence[str], output: str) -> Mapping[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": f"a{place}", "type": each} for place, each in enumerate(inputs)],
        "outputs": [{"name": "", "type": output}],
    }


@cache
def codec(contract: ContractName) -> Codec:
    """Return the codec of a contract."""
    abi = load(contract).abi
    functions = [_function(item) for item in abi if item["type"] == "function"]
    events = [_event(item) for item in abi if item["type"] == "event"]
    by_name = {function.signature.partition("(")[0]: function for function in functions}
    return Codec(
        contract=contract,
        functions=by_name | {function.signature: function for function in functions},
        events={event.topic: event for event in events},
    )


@cache
def custom_errors() -> Mapping[bytes, Function]:
    """Return all contracts' custom errors by selector: a revert may come from a contract below."""
    items = [item for contract in ContractName for item in load(contract).abi]
    errors = [_function(item) for item in items if item["type"] == "error"]
    # Contracts name the values of a shared error differently: the lowest one's names are used.
    return {error.selector: error for error in reversed(errors)}


def error_arguments(error: Function, data: bytes) -> dict[str, Any]:
    """Return a custom error's offending values by name.

    Raises:
        LedgerAnswerError: The bytes are no such error.
    """
    values = error.inputs.read(data[SELECTOR:])
    return dict(zip(error.inputs.names, values, strict=True))


def constructor_inputs(contract: ContractName) -> Sequence[str]:
    """Return the names of the constructor's arguments, which are addresses of other contracts."""
    for item in load(contract).abi:
        if item["type"] == "constructor":
            return _names(item["inputs"])
    return []


def _function(item: Mapping[str, Any]) -> Function:
    signature = f"{item['name']}({','.join(_types(item['inputs']))})"
    return Function(
        signature=signature,
        selector=keccak256(signature.encode())[:SELECTOR],
        inputs=Layout(item["inputs"]),
        outputs=Layout(item.get("outputs", ())),
    )


def _event(item: Mapping[str, Any]) -> EventType:
    signature = f"{item['name']}({','.join(_types(item['inputs']))})"
    return EventType(
        name=item["name"],
        topic=keccak256(signature.encode()),
        names=_names(item["inputs"]),
        indexed=Layout([one for one in item["inputs"] if one["indexed"]]),
        others=Layout([one for one in item["inputs"] if not one["indexed"]]),
    )


def _types(parameters: Parameters) -> list[str]:
    return [_type(parameter) for parameter in parameters]


def _type(parameter: Mapping[str, Any]) -> str:
    name = str(parameter["type"])
    if name.startswith("tuple"):
        return f"({','.join(_types(parameter['components']))}){name.removeprefix('tuple')}"
    return name


def _plain(parameter: Mapping[str, Any], value: Any) -> Any:
    """Turn mappings into the tuples that the ABI knows."""
    name = str(parameter["type"])
    if name.endswith("]"):
        item = {**parameter, "type": name[: name.rindex("[")]}
        return [_plain(item, member) for member in value]
    if name != "tuple":
        return value
    fields = parameter["components"]
    members = [value[key] for key in _names(fields)] if isinstance(value, Mapping) else value
    return tuple(_plain(field, member) for field, member in zip(fields, members, strict=True))


def _named(parameter: Mapping[str, Any], value: Any) -> Any:
    """Turn tuples into mappings, and the codec's hexadecimal addresses into bytes."""
    name = str(parameter["type"])
    if name.endswith("]"):
        item = {**parameter, "type": name[: name.rindex("[")]}
        return tuple(_named(item, member) for member in value)
    if name == "tuple":
        fields = parameter["components"]
        pairs = zip(fields, value, strict=True)
        return MappingProxyType({field["name"]: _named(field, member) for field, member in pairs})
    if name == "address":
        return bytes.fromhex(value.removeprefix("0x"))
    return value
