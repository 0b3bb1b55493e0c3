"""Canonical JSON: known answers of RFC 8785 and its laws."""

from typing import Any

import pytest
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


@pytest.mark.parametrize("value", [2**53, -(2**53), "\ud800", {"\ud800": 1}, {1: 2}, object()])
def test_values_without_a_canonical_text_are_refused(value: Any) -> None:
    with pytest.raises(cj.NotCanonicalError):
        cj.canonical(value)
