"""Canonical JSON: known answers of RFC 8785 and its laws."""

from enum import IntEnum, StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given

from guildmark.domain.encoding import canonical as cj
from guildmark.domain.encoding import strictjson
from unit.domain.test_strictjson import VALUES


def test_keys_are_sorted_by_utf16_code_units() -> None:
    # RFC 8785, 3.2.3: the emoji's first unit D83D comes before FB33.
    value = {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "1": 4, "\r": 5}

    expected = '{"\\r":5,"1":4,"\u20ac":3,"\U0001f600":2,"\ufb33":1}'.encode()
    assert cj.canonical(value) == expected


def test_strings_escape_only_what_json_demands() -> None:
    assert cj.canonical('\u20ac$\x0f\nA\'B"\\\\"/') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@given(VALUES)
def test_canonical_text_is_a_fixed_point(value: Any) -> None:
    text = cj.canonical(value)

    assert strictjson.parse(text) == value
    assert cj.canonical(strictjson.parse(text)) == text


@given(VALUES)
def test_canonical_text_is_the_library_s(value: Any) -> None:
    assert cj.canonical(value) == rfc8785.dumps(value)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    "value",
    [
        "".join(map(chr, range(0x21))) + '"\\/\x7f\x80\u2028\u2029\U0001f600',
        {"b": [1, -1, 0, 2**53 - 1, 1 - 2**53], "a": (True, False, None), "": {}, "B": []},
        {"\x7f": 1, "~": 2, "a\n": 3, 'a"': 4, "aa": 5},
        {Colour.RED: Colour.RED, "blue": [Colour.RED]},
        {"half": 0.5, "a": 1e30, "b": -0.0},
        Level.LOW,
    ],
)
def test_what_is_at_the_edge_is_written_as_the_library_does(value: Any) -> None:
    assert cj.canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), "\ud800", {"\ud800": 1}, {1: 2}, object()])
def test_values_without_a_canonical_text_are_refused(value: Any) -> None:
    with pytest.raises(cj.NotCanonicalError):
        cj.canonical(value)
