"""The JSON form of dataclasses: one form a value, everything else refused with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import pytest

from guildmark.domain.encoding import codec
from guildmark.domain.encoding.fields import DocumentError
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Address, Digest


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    digest: Digest
    raw: bytes = b""

    def __post_init__(self) -> None:
        if self.raw == b"bad":
            message = "It is bad."
            raise MalformedError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    inner_thing: Inner
    colour: Colour
    size: Size
    wallet: Address
    big: int
    text: str
    flag: bool
    many: tuple[Inner, ...] = ()
    table: Mapping[Colour, int] = field(default_factory=dict)
    maybe: Inner | None = None
    since: int = field(default=0, metadata={"json": "from"})
    shown: int = field(default=7, metadata=codec.SHOWN)


INNER = Inner(digest=Digest(b"\1" * 32))
SMALL = Outer(
    inner_thing=INNER,
    colour=Colour.RED,
    size=Size.SMALL,
    wallet=Address(b"\2" * 20),
    big=1,
    text="a",
    flag=True,
)
LARGE = Outer(
    inner_thing=Inner(digest=Digest(b"\1" * 32), raw=b"\xff"),
    colour=Colour.BLUE,
    size=Size.LARGE,
    wallet=Address(b"\2" * 20),
    big=2**256 - 1,
    text="",
    flag=False,
    many=(INNER, INNER),
    table={Colour.RED: 2**53 - 1, Colour.BLUE: 2**53},
    maybe=INNER,
    since=5,
    shown=8,
)
DIGEST = "0x" + "01" * 32
SMALL_JSON: dict[str, JsonValue] = {
    "innerThing": {"digest": DIGEST},
    "colour": "red",
    "size": 1,
    "wallet": "0x" + "02" * 20,
    "big": 1,
    "text": "a",
    "flag": True,
    "shown": 7,
}


def test_defaults_are_left_out() -> None:
    assert codec.dump(SMALL) == SMALL_JSON


def test_big_integers_are_decimal_strings() -> None:
    dumped = codec.dump(LARGE)

    assert isinstance(dumped, Mapping)
    assert dumped["big"] == str(2**256 - 1)
    assert dumped["table"] == {"red": 2**53 - 1, "blue": str(2**53)}
    assert dumped["from"] == 5


@pytest.mark.parametrize("value", [SMALL, LARGE])
def test_what_is_dumped_is_loaded(value: Outer) -> None:
    assert codec.load(Outer, codec.dump(value)) == value


def test_numbers_begin_at_zero() -> None:
    assert codec.load(Outer, {**SMALL_JSON, "big": 0}).big == 0


def test_nothing_stands_for_nothing() -> None:
    assert codec.load(Outer, {**SMALL_JSON, "maybe": None}) == SMALL


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("extra", 1, "The document has an unknown member 'extra'."),
        ("innerThing", [], "/innerThing must be an object."),
        ("innerThing", {}, "/innerThing lacks the member 'digest'."),
        ("innerThing", {"digest": "0x01"}, "/innerThing/digest must have 32 bytes, found 1."),
        ("innerThing", {"digest": 1}, "/innerThing/digest must be 0x and lower-case hex."),
        ("innerThing", {"digest": "0xZZ"}, "/innerThing/digest must be 0x and lower-case hex."),
        (
            "innerThing",
            {"digest": DIGEST, "raw": "0x626164"},
            "/innerThing is wrong. It is bad.",
        ),
        ("colour", "green", "/colour must be one of red, blue."),
        ("size", "1", "/size must be one of 1, 2."),
        ("size", True, "/size must be one of 1, 2."),
        ("wallet", DIGEST, "/wallet must have 20 bytes, found 32."),
        ("big", "01", "/big must be of kind int."),
        ("big", True, "/big must be of kind int."),
        ("big", -1, "/big must not be negative."),
        ("text", 1, "/text must be of kind str."),
        ("flag", 1, "/flag must be of kind bool."),
        ("many", {}, "/many must be a list."),
        ("many", "[]", "/many must be a list."),
        ("many", [1], "/many/0 must be an object."),
        ("table", [], "/table must be an object."),
        ("table", {"green": 1}, "/table/green must be one of red, blue."),
        ("table", {"red": ""}, "/table/red must be of kind int."),
    ],
)
def test_another_form_is_refused_with_its_place(
    member: str, value: JsonValue, message: str
) -> None:
    with pytest.raises(DocumentError) as refused:
        codec.load(Outer, {**SMALL_JSON, member: value})

    assert refused.value.message == message


def test_a_missing_member_is_named() -> None:
    with pytest.raises(DocumentError, match="The document lacks the member 'colour'"):
        codec.load(Outer, {key: value for key, value in SMALL_JSON.items() if key != "colour"})
