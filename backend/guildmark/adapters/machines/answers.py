"""Machines' JSON, read strictly: bounded, no key twice; numbers with a fraction stay texts."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import NoReturn, Self, TypeVar

from guildmark.domain.encoding.strictjson import JsonObject, JsonValue, Limits, parse_foreign
from guildmark.domain.errors import MalformedError
from guildmark.ports.shopfloor import MachineAnswerError

T = TypeVar("T")

LIMITS = Limits(size=8 << 20, depth=32, values=500_000)
_DIGITS_MAX = 18


class Answer:
    """The members of one object of a machine's answer; what it has besides is nobody's concern.

    Args:
        members: The object.
        where: Its place in the answer, for messages.
    """

    __slots__ = ("_members", "_where")

    def __init__(self, members: JsonObject, where: str = "") -> None:
        self._members = members
        self._where = where

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the object that an answer is.

        Raises:
            MachineAnswerError: It is none, or outside the bounds.
        """
        value = _parsed(data)
        if not isinstance(value, Mapping):
            _refuse("the answer", "an object")
        return cls(value)

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return what ``read`` makes of a member, None where it is absent or null."""
        return None if self._members.get(name) is None else read(name)

    def text(self, name: str, *, most: int = 4_096) -> str:
        """Return a member that is a text.

        Raises:
            MachineAnswerError: It is something else.
        """
        value = self._members.get(name)
        if not isinstance(value, str) or len(value) > most:
            _refuse(self._where + name, f"a text of at most {most} characters")
        return value

    def number(self, name: str) -> Decimal:
        """Return a member that is a number.

        Raises:
            MachineAnswerError: It is something else, or has no bounds.
        """
        value = self._members.get(name)
        if isinstance(value, bool) or not isinstance(value, int | str):
            _refuse(self._where + name, "a number")
        number = _decimal(value)
        if number is None or abs(number) >= 10**_DIGITS_MAX:
            _refuse(self._where + name, "a number of at most 18 digits")
        return number

    def count(self, name: str) -> int:
        """Return a member that counts something.

        Raises:
            MachineAnswerError: It is something else.
        """
        value = self._members.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            _refuse(self._where + name, "a whole number from 0 on")
        return value

    def flag(self, name: str) -> bool:
        """Return a member that is true or false.

        Raises:
            MachineAnswerError: It is something else.
        """
        value = self._members.get(name)
        if not isinstance(value, bool):
            _refuse(self._where + name, "true or false")
        return value

    def object(self, name: str) -> "Answer":
        """Return a member that is an object.

        Raises:
            MachineAnswerError: It is something else.
        """
        value = self._members.get(name)
        if not isinstance(value, Mapping):
            _refuse(self._where + name, "an object")
        return Answer(value, f"{self._where}{name}.")

    def objects(self, name: str) -> tuple["Answer", ...]:
        """Return a member that is an array of objects.

        Raises:
            MachineAnswerError: It is something else.
        """
        value = self._members.get(name)
        if not isinstance(value, list):
            _refuse(self._where + name, "an array")
        rows = [one for one in value if isinstance(one, Mapping)]
        if len(rows) < len(value):
            _refuse(self._where + name, "an array of objects")
        return tuple(Answer(row, f"{self._where}{name}[{at}].") for at, row in enumerate(rows))

    def names(self) -> tuple[str, ...]:
        """Return the members' names."""
        return tuple(self._members)


def plain(number: Decimal) -> str:
    """Return a number as documents write it: no exponent, no sign of zero, 9 places at most."""
    text = format(number, ".9f").rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _decimal(value: int | str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _parsed(data: bytes) -> JsonValue:
    try:
        return parse_foreign(data, LIMITS)
    except MalformedError as error:
        message = f"The machine's answer cannot be read: {error.message}"
        raise MachineAnswerError(message) from error


def _refuse(what: str, expected: str) -> NoReturn:
    message = f"The machine's answer is not what its protocol says: {what} is not {expected}."
    raise MachineAnswerError(message, member=what)
