"""Dataclasses whose methods are made when somebody needs them.

The standard library writes and compiles six methods of a frozen dataclass when the class is made.
For the classes that a verifier imports this was half of its start, and most of those methods are
never called. Here the library finds the fields and makes the slots; ``__init__``, equality and hash
are compiled when they are first asked for, and the other methods need no compiler. Classes behave
as the library's own: fields, ``replace``, equality, hash, text, copies, pickles. ``InitVar`` is not
taken.

Only frozen classes with slots are made so; all others are the library's. A class of one kind can't
be derived from one of the other kind: the library refuses it when the class is made.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from reprlib import recursive_repr
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

_T = TypeVar("_T")


def _dataclass(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
) -> Callable[[type[_T]], type[_T]]:
    """Return a decorator that does what the library's does, and some of it later."""
    if not (frozen and slots):
        return dataclasses.dataclass(frozen=frozen, slots=slots, kw_only=kw_only, eq=eq)
    # Without any of the methods that the library would compile; slots make a new class.
    bare = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)

    def decorate(cls: type[_T]) -> type[_T]:
        made: type[_T] = bare(cls)
        own = dict(vars(made))
        for name, method in _methods(made, eq=eq).items():
            if own.get(name) is None:
                setattr(made, name, method)
        return made

    return decorate


if TYPE_CHECKING:
    # Type checkers know the library's decorator, and what `replace` and `fields` take.
    from dataclasses import dataclass
else:
    dataclass = _dataclass

__all__ = ["dataclass"]


class _Method:
    """Stands in a class for one of its methods until that is asked for."""

    __slots__ = ("_cls", "_make")

    def __init__(self, cls: type, make: Callable[[Any], FunctionType]) -> None:
        self._cls = cls
        self._make = make

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        method = self._make(self._cls)
        method.__module__ = self._cls.__module__
        method.__qualname__ = f"{self._cls.__qualname__}.{method.__name__}"
        # Two threads may both come here: what they make is the same.
        setattr(self._cls, method.__name__, method)
        return method.__get__(instance, owner)


def _methods(cls: Any, *, eq: bool) -> Mapping[str, object]:
    names = frozenset(one.name for one in fields(cls))

    def set_attribute(self: object, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            message = f"cannot assign to field {name!r}"
            raise FrozenInstanceError(message)
        super(cls, self).__setattr__(name, value)

    def delete_attribute(self: object, name: str) -> None:
        if type(self) is cls or name in names:
            message = f"cannot delete field {name!r}"
            raise FrozenInstanceError(message)
        super(cls, self).__delattr__(name)

    methods = {
        "__init__": _Method(cls, _init),
        "__repr__": _text,
        "__setattr__": set_attribute,
        "__delattr__": delete_attribute,
        "__getstate__": _state,
        "__setstate__": _restore,
    }
    compared = {"__eq__": _Method(cls, _eq), "__hash__": _Method(cls, _hash)}
    return {**methods, **compared} if eq else methods


def _init(cls: Any) -> FunctionType:
    """Return what takes a class's fields."""
    # What sets a slot is asked for once, and passes by the class's own refusal to be changed.
    scope: dict[str, Any] = {f"_set_{name}": slot.__set__ for name, slot in _slots(cls)}
    scope["_missing"] = MISSING
    # Those by keyword come last.
    ordered = sorted(fields(cls), key=lambda one: bool(one.kw_only))
    parameters, lines = ["self"], []
    for one in ordered:
        if one.init and one.kw_only and "*" not in parameters:
            parameters.append("*")
        default, value = _taken(one, scope)
        if one.init:
            parameters.append(f"{one.name}{default}")
        if value:
            lines.append(f"_set_{one.name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    init = _compiled(f"__init__({', '.join(parameters)})", lines or ["pass"], scope)
    init.__annotations__ = {**{one.name: one.type for one in ordered if one.init}, "return": None}
    return init


def _slots(cls: Any) -> Iterator[tuple[str, Any]]:
    return ((one.name, getattr(cls, one.name)) for one in fields(cls))


def _taken(one: Field[Any], scope: dict[str, Any]) -> tuple[str, str]:
    """Return a field's default as a parameter, and its value; each empty where there is none."""
    given = f"_of_{one.name}"
    if one.default_factory is not MISSING:
        scope[given] = one.default_factory
        made = f"{given}()"
        return (
            "=_missing",
            f"{made} if {one.name} is _missing else {one.name}" if one.init else made,
        )
    if one.default is not MISSING:
        scope[given] = one.default
        return f"={given}", one.name if one.init else given
    return "", one.name if one.init else ""


def _eq(cls: Any) -> FunctionType:
    names = [one.name for one in fields(cls) if one.compare]
    lines = [
        "if other.__class__ is self.__class__:",
        f" return {_values('self', names)} == {_values('other', names)}",
        "return NotImplemented",
    ]
    return _compiled("__eq__(self, other)", lines, {})


def _hash(cls: Any) -> FunctionType:
    # A field's own word on hashing goes before that on comparing.
    shown = [one for one in fields(cls) if (one.compare if one.hash is None else one.hash)]
    values = _values("self", [one.name for one in shown])
    return _compiled("__hash__(self)", [f"return hash({values})"], {})


def _values(of: str, names: Sequence[str]) -> str:
    return "(" + "".join(f"{of}.{name}, " for name in names) + ")"


def _compiled(head: str, lines: Sequence[str], scope: dict[str, Any]) -> FunctionType:
    body = "".join(f"\n {line}" for line in lines)
    # As the library does; it is made of the names of fields alone.
    exec(f"def {head}:{body}", scope)  # noqa: S102
    found: FunctionType = scope[head.partition("(")[0]]
    return found


@recursive_repr("...")
def _text(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _restore(self: Any, state: Sequence[Any]) -> None:
    for (_, slot), value in zip(_slots(type(self)), state, strict=True):
        slot.__set__(self, value)
