"""Strict reading of JSON documents: each member has its type, and unknown members are refused."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import NoReturn, TypeVar

from guildmark.domain.encoding.strictjson import (
    DEFAULT_LIMITS,
    INTEGER_MAX,
    JsonObject,
    JsonValue,
    Limits,
    parse_object,
)
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    Digest,
    address_from_hex,
    bytes32_from_hex,
)

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

TEXT_MAX = 4096


class DocumentError(MalformedError):
    """A document that does not follow its schema; a subclass says how."""

    code = "document.malformed"
    hint = "Correct the member that is named; docs/formats shows the schema."


class MemberMissingError(DocumentError):
    """A member that the schema asks for is absent."""

    code = "document.memberMissing"


class MemberUnknownError(DocumentError):
    """A member that the schema does not know."""

    code = "document.memberUnknown"


class MemberInvalidError(DocumentError):
    """A member with a value that the schema does not allow."""

    code = "document.memberInvalid"


class Fields:
    """The members of one JSON object, each to be read by its type.

    Args:
        members: The object.
        where: The path of the object in its document, for messages.
    """

    __slots__ = ("_left", "_members", "_where")

    def __init__(self, members: JsonObject, where: str = "") -> None:
        self._members = members
        self._where = where
        self._left = set(members)

    def has(self, name: str) -> bool:
        """Return whether the member is there."""
        return name in self._members

    def value(self, name: str) -> JsonValue:
        """Return a member of any type.

        Raises:
            MemberMissingError: It is absent.
        """
        if name not in self._members:
            message = f"The member {self._path(name)} is missing."
            raise MemberMissingError(message, member=self._path(name))
        self._left.discard(name)
        return self._members[name]

    def text(self, name: str, *, most: int = TEXT_MAX) -> str:
        """Return a member that is a string of at most ``most`` characters.

        Raises:
            DocumentError: It is absent or something else.
        """
        value = self.value(name)
        if not isinstance(value, str) or len(value) > most:
            self.refuse(name, f"a string of at most {most} characters")
        return value

    def constant(self, name: str, expected: str) -> None:
        """Check that a member is one fixed string.

        Raises:
            DocumentError: It is absent or something else.
        """
        if self.value(name) != expected:
            self.refuse(name, repr(expected))

    def integer(self, name: str, *, least: int = 0, most: int = INTEGER_MAX) -> int:
        """Return a member that is an integer in [least, most].

        Raises:
            DocumentError: It is absent or something else.
        """
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.refuse(name, f"an integer from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """Return a member that is true or false.

        Raises:
            DocumentError: It is absent or something else.
        """
        value = self.value(name)
        if not isinstance(value, bool):
            self.refuse(name, "true or false")
        return value

    def bytes32(self, name: str) -> Bytes32:
        """Return a member that is 32 bytes of hex; wrap it in the id type that is meant.

        Raises:
            DocumentError: It is absent or something else.
        """
        return self.parsed(name, bytes32_from_hex)

    def digest(self, name: str) -> Digest:
        """Return a member that is a digest in hex.

        Raises:
            DocumentError: It is absent or something else.
        """
        return Digest(self.bytes32(name))

    def address(self, name: str) -> Address:
        """Return a member that is an address in hex.

        Raises:
            DocumentError: It is absent or something else.
        """
        return self.parsed(name, address_from_hex)

    def parsed(self, name: str, parse: Callable[[str], T]) -> T:
        """Return what ``parse`` makes of a string member.

        Raises:
            DocumentError: It is absent, no string, or ``parse`` refuses it.
        """
        text = self.text(name)
        try:
            return parse(text)
        except MalformedError as error:
            return self.refuse(name, error.message, error)

    def named(self, name: str, kind: type[E]) -> E:
        """Return the member of an enumeration that a string names in lower case.

        Raises:
            DocumentError: It is absent or names no member.
        """
        members = {member.name.lower(): member for member in kind}
        found = members.get(self.text(name))
        if found is None:
            self.refuse(name, "one of " + ", ".join(members))
        return found

    def object(self, name: str, read: Callable[["Fields"], T]) -> T:
        """Return what ``read`` makes of a member that is an object.

        Raises:
            DocumentError: It is absent, something else, or does not follow its own schema.
        """
        value = self.value(name)
        if not isinstance(value, Mapping):
            self.refuse(name, "an object")
        return read_object(value, read, self._path(name))

    def objects(self, name: str, read: Callable[["Fields"], T]) -> tuple[T, ...]:
        """Return what ``read`` makes of each object of an array.

        Raises:
            DocumentError: It is absent, something else, or one does not follow its schema.
        """
        found: list[T] = []
        for number, value in enumerate(self.array(name)):
            item = f"{name}[{number}]"
            if not isinstance(value, Mapping):
                self.refuse(item, "an object")
            found.append(read_object(value, read, self._path(item)))
        return tuple(found)

    def texts(self, name: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        """Return what ``parse`` makes of each string of an array.

        Raises:
            DocumentError: It is absent, something else, or ``parse`` refuses one.
        """
        items = {f"{name}[{number}]": value for number, value in enumerate(self.array(name))}
        inner = Fields(items, self._where)
        return tuple(inner.parsed(item, parse) for item in items)

    def array(self, name: str) -> Sequence[JsonValue]:
        """Return a member that is an array.

        Raises:
            DocumentError: It is absent or something else.
        """
        value = self.value(name)
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.refuse(name, "an array")
        return value

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return what ``read`` makes of a member, None where the object does not have it.

        Raises:
            DocumentError: It is there and ``read`` refuses it.
        """
        return read(name) if self.has(name) else None

    def refuse(self, name: str, expected: str, cause: Exception | None = None) -> NoReturn:
        """Refuse the value of a member.

        Raises:
            MemberInvalidError: Always.
        """
        message = f"The member {self._path(name)} is not as expected: {expected.removesuffix('.')}."
        raise MemberInvalidError(message, member=self._path(name)) from cause

    def close(self) -> None:
        """Check that every member was read.

        Raises:
            MemberUnknownError: One was not.
        """
        if self._left:
            name = min(self._left)
            message = f"The member {self._path(name)!r} is not known here."
            raise MemberUnknownError(message, member=self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._where}.{name[:80]}" if self._where else name[:80]


def read_object(members: JsonObject, read: Callable[[Fields], T], where: str = "") -> T:
    """Return what ``read`` makes of an object, and refuse members that it did not read.

    Raises:
        DocumentError: The object does not follow its schema.
    """
    fields = Fields(members, where)
    value = read(fields)
    fields.close()
    return value


def read_document(data: bytes, read: Callable[[Fields], T], limits: Limits = DEFAULT_LIMITS) -> T:
    """Return what ``read`` makes of a document, bytes as received.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: The document does not follow its schema.
    """
    return read_object(parse_object(data, limits), read)
