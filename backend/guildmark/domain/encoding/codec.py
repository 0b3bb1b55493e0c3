"""One JSON form for frozen dataclasses: nothing missing, nothing unknown, nothing of another kind.

Names become camelCase, bytes "0x" hex, integers beyond 2^53 - 1 decimal strings, enums their
value; no integer is negative. A member that equals its default is left out, so that one value has
one form; ``SHOWN`` ones stay, for people who edit. A class with ``to_json`` and ``read`` has its
own form.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from operator import methodcaller
from types import NoneType, UnionType
from typing import Any, NewType, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from guildmark.domain.encoding.fields import (
    MemberInvalidError,
    MemberMissingError,
    MemberUnknownError,
    read_object,
)
from guildmark.domain.encoding.strictjson import INTEGER_MAX, JsonValue
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import Address, from_hex, to_hex

T = TypeVar("T")

SHOWN: Mapping[str, object] = {"shown": True}
"""Metadata of a member that is written even where it equals its default."""

_DECIMAL = re.compile(r"[1-9][0-9]{0,77}", re.ASCII)
_ADDRESS_SIZE = 20
_ID_SIZE = 32


def dump(value: Any) -> JsonValue:
    """Return the JSON form of a dataclass, or of a value that a member of one may have."""
    kind: Any = type(value)
    return _dumper(kind)(value)


def load(kind: type[T], value: JsonValue, *, at: str = "") -> T:
    """Return the value of a dataclass that a JSON document writes.

    Args:
        kind: The dataclass.
        value: The parsed document.
        at: Where the value stands, for messages.

    Raises:
        DocumentError: A member is missing, unknown, or of another kind; ``at`` names it.
    """
    loaded: T = _load(kind, value, at)
    return loaded


@cache
def _dumper(kind: Any) -> Callable[[Any], JsonValue]:
    if issubclass(kind, Enum):
        return _dump_enum
    if is_dataclass(kind):
        return methodcaller("to_json") if hasattr(kind, "to_json") else _object_dumper(kind)
    if issubclass(kind, Mapping):
        return _dump_mapping
    if issubclass(kind, tuple):
        return _dump_tuple
    if issubclass(kind, bytes):
        return to_hex
    return _dump_integer if issubclass(kind, int) and kind is not bool else _dump_plain


def _dump_enum(value: Enum) -> JsonValue:
    return dump(value.value)


def _dump_mapping(value: Mapping[Any, Any]) -> JsonValue:
    return {str(dump(key)): dump(member) for key, member in value.items()}


def _dump_tuple(value: tuple[Any, ...]) -> JsonValue:
    return [dump(member) for member in value]


def _object_dumper(kind: Any) -> Callable[[Any], JsonValue]:
    written = [(_key(field), field.name, _left_out(field)) for field in fields(kind)]

    def dump_object(value: Any) -> JsonValue:
        found: dict[str, JsonValue] = {}
        for key, name, left_out in written:
            member = getattr(value, name)
            if member != left_out:
                of: Any = type(member)
                found[key] = _dumper(of)(member)
        return found

    return dump_object


def _dump_plain(value: bool | str | None) -> JsonValue:
    return value


def _dump_integer(value: int) -> JsonValue:
    return str(value) if value > INTEGER_MAX else value


def _left_out(field: Field[Any]) -> Any:
    if "shown" in field.metadata:
        return MISSING
    return field.default if field.default_factory is MISSING else field.default_factory()


def _key(field: Field[Any]) -> str:
    named: str | None = field.metadata.get("json")
    first, *rest = field.name.split("_")
    return named or first + "".join(part.capitalize() for part in rest)


@cache
def _members(kind: type) -> Mapping[str, tuple[Field[Any], Any]]:
    """Return the members of a dataclass by their JSON names, with their types."""
    hints = get_type_hints(kind)
    return {_key(field): (field, hints[field.name]) for field in fields(kind)}


def _load(kind: Any, value: JsonValue, at: str) -> Any:
    return _loader(kind)(value, at)


@cache
def _loader(kind: Any) -> Callable[[JsonValue, str], Any]:
    origin = get_origin(kind)
    if origin is tuple:
        return partial(_load_tuple, get_args(kind)[0])
    if origin in {UnionType, Union}:
        return partial(_load_optional, get_args(kind))
    if origin is not None:
        return partial(_load_mapping, get_args(kind))
    if isinstance(kind, NewType):
        return partial(_load_named, kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return partial(_load_object, kind)
    return partial(_load_scalar, kind)


def _load_object(kind: Any, value: JsonValue, at: str) -> Any:
    given = _object(value, at)
    if hasattr(kind, "read"):
        return read_object(given, kind.read, at)
    members = _members(kind)
    unknown = sorted(given.keys() - members.keys())
    if unknown:
        message = f"{at or 'The document'} has an unknown member {unknown[0][:40]!r}."
        raise MemberUnknownError(message, member=unknown[0][:40])
    found: dict[str, Any] = {}
    for key, (field, hint) in members.items():
        if key in given:
            found[field.name] = _load(hint, given[key], f"{at}/{key}")
        elif field.default is MISSING and field.default_factory is MISSING:
            message = f"{at or 'The document'} lacks the member {key!r}."
            raise MemberMissingError(message, member=key)
    return _construct(kind, found, at)


def _construct(kind: type, found: Mapping[str, Any], at: str) -> Any:
    try:
        return kind(**found)
    except GuildmarkError as error:
        message = f"{at or 'The document'} is wrong. {error.message}"
        raise MemberInvalidError(message, member=at) from error


def _load_tuple(member: Any, value: JsonValue, at: str) -> tuple[Any, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        _refuse(at, "must be a list")
    return tuple(_load(member, item, f"{at}/{number}") for number, item in enumerate(value))


def _load_optional(options: tuple[Any, ...], value: JsonValue, at: str) -> Any:
    kind = next(option for option in options if option is not NoneType)
    return None if value is None else _load(kind, value, at)


def _load_mapping(kinds: tuple[Any, ...], value: JsonValue, at: str) -> dict[Any, Any]:
    key_kind, member = kinds
    return {
        _load(key_kind, key, f"{at}/{key[:40]}"): _load(member, item, f"{at}/{key[:40]}")
        for key, item in _object(value, at).items()
    }


def _load_named(kind: NewType, value: JsonValue, at: str) -> Any:
    if kind.__supertype__ is not bytes:
        return _load(kind.__supertype__, value, at)
    size = _ADDRESS_SIZE if kind is Address else _ID_SIZE
    data = _bytes(value, at)
    if len(data) != size:
        _refuse(at, f"must have {size} bytes, found {len(data)}")
    return data


def _load_scalar(kind: Any, value: JsonValue, at: str) -> Any:
    if issubclass(kind, Enum):
        return _load_enum(kind, value, at)
    if kind is bytes:
        return _bytes(value, at)
    if kind is int and isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    if type(value) is not kind:
        _refuse(at, f"must be of kind {kind.__name__}")
    if isinstance(value, int) and value < 0:
        _refuse(at, "must not be negative")
    return value


def _load_enum(kind: type[Enum], value: JsonValue, at: str) -> Enum:
    for member in kind:
        if type(value) is type(member.value) and value == member.value:
            return member
    return _refuse(at, f"must be one of {', '.join(str(member.value) for member in kind)}")


def _object(value: JsonValue, at: str) -> Mapping[str, JsonValue]:
    if not isinstance(value, Mapping):
        _refuse(at, "must be an object")
    return value


def _bytes(value: JsonValue, at: str) -> bytes:
    if not isinstance(value, str):
        _refuse(at, "must be 0x and lower-case hex")
    try:
        return from_hex(value)
    except MalformedError:
        _refuse(at, "must be 0x and lower-case hex")


def _refuse(at: str, reason: str) -> NoReturn:
    message = f"{at or 'The document'} {reason}."
    raise MemberInvalidError(message, member=at)
