"""Strict documents: each reader, each refusal, and where it happened."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from guildmark.domain.encoding import fields as fi
from guildmark.domain.recipes.quantity import parse_decimal


class Colour(Enum):
    RED = 1
    BLUE = 2


HEX32 = "0x" + "ab" * 32


def test_members_are_read_by_their_types() -> None:
    found = fi.Fields(
        {
            "t": "x",
            "c": "v1",
            "n": 5,
            "b": False,
            "d": HEX32,
            "a": "0x" + "01" * 20,
            "o": {"n": 1},
            "l": [{"n": 2}, {"n": 3}],
            "v": None,
            "e": "blue",
            "s": ["1", "2"],
        }
    )

    assert found.text("t") == "x"
    found.constant("c", "v1")
    assert found.integer("n", least=5, most=5) == 5
    assert found.flag("b") is False
    assert found.digest("d") == b"\xab" * 32
    assert found.bytes32("d") == b"\xab" * 32
    assert found.address("a") == b"\x01" * 20
    assert found.object("o", lambda inner: inner.integer("n")) == 1
    assert found.objects("l", lambda inner: inner.integer("n")) == (2, 3)
    assert found.value("v") is None
    assert found.maybe("t", found.text) == "x"
    assert found.maybe("absent", found.text) is None
    assert found.named("e", Colour) is Colour.BLUE
    assert found.texts("s", parse_decimal) == (Decimal(1), Decimal(2))
    found.close()


REFUSED: dict[str, tuple[Any, Callable[[fi.Fields], object]]] = {
    "text": (1, lambda f: f.text("m")),
    "long text": ("ab", lambda f: f.text("m", most=1)),
    "constant": ("v2", lambda f: f.constant("m", "v1")),
    "integer": ("1", lambda f: f.integer("m")),
    "integer true": (True, lambda f: f.integer("m")),
    "integer small": (4, lambda f: f.integer("m", least=5)),
    "integer large": (6, lambda f: f.integer("m", most=5)),
    "flag": (0, lambda f: f.flag("m")),
    "digest": ("0x00", lambda f: f.digest("m")),
    "address": (HEX32, lambda f: f.address("m")),
    "object": ([], lambda f: f.object("m", fi.Fields.close)),
    "name": ("BLUE", lambda f: f.named("m", Colour)),
    "array": ("ab", lambda f: f.array("m")),
    "array of objects": ({}, lambda f: f.objects("m", fi.Fields.close)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_members_of_another_type_are_refused(case: str) -> None:
    value, read = REFUSED[case]

    with pytest.raises(fi.MemberInvalidError) as caught:
        read(fi.Fields({"m": value}, "here"))

    assert caught.value.detail == {"member": "here.m"}


def test_the_path_of_a_nested_member_is_named() -> None:
    document = b'{"a":[{"b":{"c":1}},{"b":{"c":"x"}}]}'

    def read(fields: fi.Fields) -> object:
        return fields.objects("a", lambda a: a.object("b", lambda b: b.integer("c")))

    with pytest.raises(fi.MemberInvalidError) as caught:
        fi.read_document(document, read)

    assert caught.value.detail == {"member": "a[1].b.c"}


def test_an_item_that_is_no_object_is_named() -> None:
    with pytest.raises(fi.MemberInvalidError) as caught:
        fi.Fields({"a": [1]}).objects("a", fi.Fields.close)

    assert caught.value.detail == {"member": "a[0]"}


@pytest.mark.parametrize("item", ["x", 1])
def test_a_text_of_an_array_that_is_refused_is_named(item: Any) -> None:
    with pytest.raises(fi.MemberInvalidError) as caught:
        fi.Fields({"s": ["1", item]}, "here").texts("s", parse_decimal)

    assert caught.value.detail == {"member": "here.s[1]"}


def test_missing_members_are_named() -> None:
    with pytest.raises(fi.MemberMissingError) as caught:
        fi.read_document(b"{}", lambda fields: fields.text("name"))

    assert caught.value.detail == {"member": "name"}


def test_unknown_members_are_refused_and_the_first_is_named() -> None:
    with pytest.raises(fi.MemberUnknownError) as caught:
        fi.read_document(b'{"n":1,"z":2,"y":3}', lambda fields: fields.integer("n"))

    assert caught.value.detail == {"member": "y"}
