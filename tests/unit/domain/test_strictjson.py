"""The input profile: what is read, and each way to be refused."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding import strictjson as sj

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-sj.INTEGER_MAX, sj.INTEGER_MAX)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text('abc\\"[{é\U0001f600'), inner)
)


@given(VALUES, st.booleans())
def test_values_of_the_profile_are_read_back(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert sj.parse(text.encode()) == value


def test_fractions_of_other_programs_are_kept_as_their_text() -> None:
    assert sj.parse_foreign(b'[0.20, 1e3, -0.0, 5, "x"]') == ["0.20", "1e3", "-0.0", 5, "x"]


@pytest.mark.parametrize("text", [b"[NaN]", b'{"a":1,"a":1}', b'"\\ud800"', b"[" * 40, b"9" * 17])
def test_other_programs_are_held_to_the_rest_of_the_profile(text: bytes) -> None:
    with pytest.raises(sj.JsonError):
        sj.parse_foreign(text)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_an_error_of_the_profile(data: bytes) -> None:
    with contextlib.suppress(sj.JsonError):
        sj.parse(data)


REFUSED = {
    b"": sj.JsonError,
    b"nul": sj.JsonError,
    b"[1,]": sj.JsonError,
    b"[1] 2": sj.JsonError,
    b"{'a':1}": sj.JsonError,
    b'{"a"}': sj.JsonError,
    b'"\x01"': sj.JsonError,
    b'"\\x"': sj.JsonError,
    b'"\\': sj.JsonError,
    b"01": sj.JsonError,
    b"+1": sj.JsonError,
    b"][": sj.JsonError,
    b"\xa01": sj.JsonNotUtf8Error,
    b"// comment": sj.JsonError,
    b'["\xff"]': sj.JsonNotUtf8Error,
    b'"\xed\xa0\x80"': sj.JsonNotUtf8Error,
    '{"a":1}'.encode("utf-16"): sj.JsonNotUtf8Error,
    '{"a":1}'.encode("utf-16-le"): sj.JsonError,
    b'\xef\xbb\xbf{"a":1}': sj.JsonByteOrderMarkError,
    b'{"a":1,"a":1}': sj.JsonDuplicateKeyError,
    b'{"a":1,"\\u0061":2}': sj.JsonDuplicateKeyError,
    b'[{"b":[{"":1,"":2}]}]': sj.JsonDuplicateKeyError,
    b"NaN": sj.JsonNotFiniteError,
    b"[-Infinity]": sj.JsonNotFiniteError,
    b"Infinity": sj.JsonNotFiniteError,
    b"1e400": sj.JsonNotFiniteError,
    b"-1e400": sj.JsonNotFiniteError,
    b"1.0": sj.JsonFractionError,
    b"1e2": sj.JsonFractionError,
    b"-0.0": sj.JsonFractionError,
    b"-0": sj.JsonFractionError,
    b"9007199254740992": sj.JsonIntegerTooLargeError,
    b"-9007199254740992": sj.JsonIntegerTooLargeError,
    b"9" * 5000: sj.JsonIntegerTooLargeError,
    b'"\\ud800"': sj.JsonLoneSurrogateError,
    b'{"\\uDFFF":1}': sj.JsonLoneSurrogateError,
    b'"\\udc00\\ud800"': sj.JsonLoneSurrogateError,
    b"[" * 100_000: sj.JsonTooManyValuesError,
    b"[" * 50_000: sj.JsonTooDeepError,
    b'{"":' * 40_000: sj.JsonTooDeepError,
    b"[" * 33: sj.JsonTooDeepError,
    b"[" * 32: sj.JsonError,
    b"[" * 33 + b"]" * 33: sj.JsonTooDeepError,
    b'[{"":' * 17 + b"1" + b"}]" * 17: sj.JsonTooDeepError,
}


@pytest.mark.parametrize(("data", "error"), REFUSED.items(), ids=lambda v: repr(v)[:24])
def test_what_is_outside_the_profile_is_refused(data: bytes, error: type[sj.JsonError]) -> None:
    with pytest.raises(sj.JsonError) as caught:
        sj.parse(data)

    assert type(caught.value) is error


def test_largest_integers_and_deepest_nesting_are_read() -> None:
    assert sj.parse(b"[9007199254740991,-9007199254740991]") == [2**53 - 1, 1 - 2**53]
    assert sj.parse(b"[" * 32 + b"]" * 32)


def test_brackets_inside_strings_do_not_nest() -> None:
    data = b'["' + b"[{" * 100 + b'","\\"[[[[", "\\\\"]'

    assert sj.parse(data, sj.Limits(depth=1)) == ["[{" * 100, '"[[[[', "\\"]


@pytest.mark.parametrize(("size", "fits"), [(6, True), (5, False)])
def test_size_limit_counts_bytes(size: int, fits: bool) -> None:
    if fits:
        assert sj.parse('"éé"'.encode(), sj.Limits(size=size)) == "éé"
    else:
        with pytest.raises(sj.JsonTooLargeError) as caught:
            sj.parse('"éé"'.encode(), sj.Limits(size=size))
        assert caught.value.detail == {"size": 6, "limit": 5}


def test_value_limit_counts_containers_and_members() -> None:
    data = b'[1,{"a":2,"b":[]}]'

    assert sj.parse(data, sj.Limits(values=6)) == [1, {"a": 2, "b": []}]
    with pytest.raises(sj.JsonTooManyValuesError) as caught:
        sj.parse(data, sj.Limits(values=5))
    assert caught.value.detail == {"values": 6, "limit": 5}


def test_duplicate_key_is_named_in_ascii() -> None:
    with pytest.raises(sj.JsonDuplicateKeyError) as caught:
        sj.parse(b'{"b":0,"\\ud800":1,"\\ud800":2}')

    assert caught.value.detail == {"key": "'\\ud800'"}
    str(caught.value).encode()


def test_objects_are_told_from_other_values() -> None:
    assert sj.parse_object(b'{"a":1}') == {"a": 1}
    with pytest.raises(sj.JsonNotObjectError):
        sj.parse_object(b"[1]")


def test_unterminated_strings_full_of_escapes_are_refused_quickly() -> None:
    with pytest.raises(sj.JsonError, match="not JSON"):
        sj.parse(b'"' + b'\\"' * 400_000)
