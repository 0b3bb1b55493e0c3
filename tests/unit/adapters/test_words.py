"""ABI data read word by word, against `eth_abi` on every layout of the deployment's contracts."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from guildmark.adapters.chain.codec import Layout, codec, custom_errors
from guildmark.adapters.chain.words import UnsureError, reader_of
from guildmark.domain.chain.contracts import ContractName
from guildmark.ports.chain import LedgerAnswerError


@cache
def layouts() -> tuple[Layout, ...]:
    return tuple(found for found in _layouts() if found.parameters)


def _layouts() -> Iterator[Layout]:
    for contract in ContractName:
        found = codec(contract)
        for function in found.functions.values():
            yield from (function.inputs, function.outputs)
        for event in found.events.values():
            yield from (event.indexed, event.others)
    yield from (error.inputs for error in custom_errors().values())


def types(parameters: Any) -> list[str]:
    return [_type(one) for one in parameters]


def _type(parameter: Any) -> str:
    name: str = parameter["type"]
    inner = ",".join(types(parameter["components"])) if name.startswith("tuple") else ""
    return f"({inner}){name.removeprefix('tuple')}" if inner else name


def values(parameter: Any) -> st.SearchStrategy[Any]:
    name: str = parameter["type"]
    if name.endswith("[]"):
        return st.lists(values({**parameter, "type": name[:-2]}), max_size=3)
    if name == "tuple":
        return st.tuples(*map(values, parameter["components"]))
    if name.startswith("uint"):
        return st.integers(0, 2 ** int(name[4:]) - 1)
    sizes = {"address": 20, **{f"bytes{size}": size for size in range(1, 33)}}
    if name in sizes:
        return st.binary(min_size=sizes[name], max_size=sizes[name])
    return {"bool": st.booleans(), "bytes": st.binary(max_size=70), "string": st.text(max_size=40)}[
        name
    ]


def outcome(layout: Layout, data: bytes) -> Any:
    try:
        return layout.read_by_library(data)
    except (LedgerAnswerError, UnicodeDecodeError) as error:
        return type(error)


def test_every_layout_has_a_reader_of_its_own() -> None:
    assert len(layouts()) > 300
    for layout in layouts():
        reader_of(layout.parameters)


@given(data=st.data())
@settings(max_examples=600)
def test_what_was_encoded_is_read_as_the_library_reads_it(data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(layouts()))
    drawn = [data.draw(values(one)) for one in layout.parameters]
    encoded = encode(types(layout.parameters), drawn)

    assert reader_of(layout.parameters)(encoded) == layout.read_by_library(encoded)


@given(data=st.data())
@settings(max_examples=1500)
def test_what_was_changed_is_read_as_the_library_reads_it_or_not_at_all(
    data: st.DataObject,
) -> None:
    layout = data.draw(st.sampled_from(layouts()))
    drawn = [data.draw(values(one)) for one in layout.parameters]
    changed = bytearray(encode(types(layout.parameters), drawn))
    for _ in range(data.draw(st.integers(1, 3))):
        # Small numbers at ends of words make places and lengths that are nearly right.
        place = data.draw(st.integers(0, len(changed) // 32 - 1)) * 32 + 31 if changed else 0
        place = data.draw(st.sampled_from([place, data.draw(st.integers(0, len(changed) - 1))]))
        changed[place] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.sampled_from([len(changed), len(changed) - 1, 32]))])
    try:
        found = reader_of(layout.parameters)(cut)
    except UnsureError:
        return

    assert found == outcome(layout, cut)


@pytest.mark.parametrize("kind", ["uint8[2]", "int256", "function", "tuple[2]", "uint"])
def test_type_that_is_not_read_here_is_left_to_the_library(kind: str) -> None:
    parameters = [{"type": kind, "name": "one", "components": []}]

    with pytest.raises(UnsureError):
        reader_of(parameters)
    Layout(parameters)


def test_library_reads_what_is_not_read_here() -> None:
    layout = Layout([{"type": "uint8[2]", "name": "pair"}])

    assert layout.read(encode(["uint8[2]"], [[1, 2]])) == [(1, 2)]


def test_list_of_nothing_is_not_read() -> None:
    empty = {"type": "tuple[]", "name": "many", "components": []}

    with pytest.raises(UnsureError):
        reader_of([empty])


def test_list_of_more_than_there_is_takes_no_time() -> None:
    words = reader_of([{"type": "bytes32[]", "name": "many"}])
    head, count = (32).to_bytes(32, "big"), (2**16).to_bytes(32, "big")

    with pytest.raises(UnsureError):
        words(head + count + bytes(2**16 + 32))


def test_bytes_that_are_no_such_values_are_refused() -> None:
    layout = Layout([{"type": "uint8", "name": "one"}])

    with pytest.raises(LedgerAnswerError):
        layout.read(b"\1" * 32)
