"""The door for JSON: the profile that two readers cannot read differently, or a clear error.

UTF-8 only, no duplicate keys, no NaN or Infinity, no fractions (quantities are decimal strings),
integers within +-(2^53 - 1), no lone surrogates, bounded size, depth and count.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from guildmark.domain.errors import MalformedError

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = "Mapping[str, JsonValue]"

INTEGER_MAX = 2**53 - 1

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A string, or the rest of the text where its closing quote is missing: linear on any input.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_OPEN_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_INTEGER_DIGITS_MAX = len(str(-INTEGER_MAX))


class JsonError(MalformedError):
    """JSON outside the input profile."""

    code = "json.malformed"
    hint = "Send JSON (RFC 8259) within the input profile of docs/formats."


class JsonTooLargeError(JsonError):
    """More bytes than the limit."""

    code = "json.tooLarge"
    hint = "Send it in smaller pieces."


class JsonTooDeepError(JsonError):
    """More levels of nesting than the limit."""

    code = "json.tooDeep"
    hint = "Nest objects and arrays less deeply."


class JsonTooManyValuesError(JsonError):
    """More values than the limit."""

    code = "json.tooManyValues"
    hint = "Send it in smaller pieces."


class JsonNotUtf8Error(JsonError):
    """Bytes that are not UTF-8."""

    code = "json.notUtf8"
    hint = "Encode the text as UTF-8."


class JsonByteOrderMarkError(JsonError):
    """A byte order mark before the text."""

    code = "json.byteOrderMark"
    hint = "Save the text as UTF-8 without a byte order mark."


class JsonDuplicateKeyError(JsonError):
    """One key twice in an object."""

    code = "json.duplicateKey"
    hint = "Give each member of an object its own name."


class JsonNotFiniteError(JsonError):
    """NaN, Infinity, or a number too large to be finite."""

    code = "json.notFinite"
    hint = "Leave the member out, or write a finite value as a decimal string."


class JsonFractionError(JsonError):
    """A number with a fraction or an exponent, or a negative zero."""

    code = "json.fraction"
    hint = 'Write quantities as decimal strings, for example "0.20".'


class JsonIntegerTooLargeError(JsonError):
    """An integer that not every reader can hold."""

    code = "json.integerTooLarge"
    hint = "Write integers beyond 2^53 - 1 as decimal strings."


class JsonLoneSurrogateError(JsonError):
    """Half of a surrogate pair, which no UTF-8 text can hold."""

    code = "json.loneSurrogate"
    hint = "Write the character itself, or both halves of its escape."


class JsonNotObjectError(JsonError):
    """The text is JSON, but no object."""

    code = "json.notObject"
    hint = "Send one JSON object."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a reader accepts before it looks at any meaning."""

    size: int = 1 << 20
    depth: int = 32
    values: int = 100_000


DEFAULT_LIMITS = Limits()


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> JsonValue:
    """Return the value that ``data`` writes.

    Raises:
        JsonError: The text is outside the profile; the class and code say how.
    """
    _check_shape(data, limits)
    value = _load(_decode(data), _DECODER)
    if b"\\ud" in data or b"\\uD" in data:
        _refuse_lone_surrogates(value)
    return value


def parse_foreign(data: bytes, limits: Limits = DEFAULT_LIMITS) -> JsonValue:
    """Return the value that ``data`` writes; numbers with a fraction become their own text.

    For what machines and other programs answer: the profile's other rules hold.

    Raises:
        JsonError: The text is outside the profile; the class and code say how.
    """
    _check_shape(data, limits)
    value = _load(_decode(data), _FOREIGN_DECODER)
    _refuse_lone_surrogates(value)
    return value


def parse_object(data: bytes, limits: Limits = DEFAULT_LIMITS) -> JsonObject:
    """Return the object that ``data`` writes.

    Raises:
        JsonError: The text is outside the profile; the class and code say how.
    """
    value = parse(data, limits)
    if not isinstance(value, dict):
        message = "Expected a JSON object, found another value."
        raise JsonNotObjectError(message)
    return value


def _check_shape(data: bytes, limits: Limits) -> None:
    if len(data) > limits.size:
        message = f"The JSON has {len(data)} bytes, the limit is {limits.size}."
        raise JsonTooLargeError(message, size=len(data), limit=limits.size)
    outside_strings = _outside_strings(data)
    brackets = outside_strings.translate(_OPEN_TO_SQUARE, _NOT_BRACKETS)
    # Each value follows a comma or an opening bracket, or is the whole text.
    values = outside_strings.count(b",") + brackets.count(b"[") + 1
    if values > limits.values:
        message = f"The JSON has up to {values} values, the limit is {limits.values}."
        raise JsonTooManyValuesError(message, values=values, limit=limits.values)
    _check_depth(brackets, limits.depth)


def _outside_strings(data: bytes) -> bytes:
    if b"\\" in data:
        return _STRING.sub(b"", data)
    return b"".join(data.split(b'"')[::2])


def _check_depth(brackets: bytes, limit: int) -> None:
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
    # What is left over does not pair up: the parser will say so, if it can go that deep.
    if b"[]" in brackets or brackets.count(b"[") > limit:
        message = f"The JSON nests more than {limit} levels deep."
        raise JsonTooDeepError(message, limit=limit)


def _decode(data: bytes) -> str:
    if data.startswith(_BYTE_ORDER_MARK):
        message = "The JSON starts with a byte order mark."
        raise JsonByteOrderMarkError(message)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"The JSON is not UTF-8 at byte {error.start}."
        raise JsonNotUtf8Error(message, offset=error.start) from error


def _load(text: str, decoder: json.JSONDecoder) -> JsonValue:
    try:
        value: JsonValue = decoder.decode(text)
    except json.JSONDecodeError as error:
        said = error.msg.removesuffix(" starting at")
        message = f"The text is not JSON at character {error.pos}: {said}."
        raise JsonError(message, offset=error.pos) from error
    return value


def _unique(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        message = f"The key {twice[:80]!r} stands twice in one object."
        raise JsonDuplicateKeyError(message, key=ascii(twice[:80]))
    return members


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS_MAX or abs(int(digits)) > INTEGER_MAX:
        message = f"The integer {digits[:40]} is beyond 2^53 - 1."
        raise JsonIntegerTooLargeError(message, found=digits[:40])
    if digits == "-0":
        _refuse_fraction(digits)
    return int(digits)


def _refuse_fraction(digits: str) -> NoReturn:
    if float(digits) in (float("inf"), float("-inf")):
        _refuse_constant(digits)
    message = f"The number {digits[:40]} is not a plain integer."
    raise JsonFractionError(message, found=digits[:40])


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name[:40]} is not a finite number."
    raise JsonNotFiniteError(message, found=name[:40])


def _refuse_lone_surrogates(value: JsonValue) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        message = "A string holds half of a surrogate pair."
        raise JsonLoneSurrogateError(message) from error


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=_refuse_fraction,
    parse_int=_integer,
    parse_constant=_refuse_constant,
)
_FOREIGN_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=str,
    parse_int=_integer,
    parse_constant=_refuse_constant,
)
