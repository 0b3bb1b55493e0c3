"""Dataclasses whose methods are made late behave as the standard library's own."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Any

import pytest

from guildmark.domain import deferred

Made = Callable[..., Any]
MAKERS = pytest.mark.parametrize(
    "made", [dataclasses.dataclass, deferred.dataclass], ids=["library", "deferred"]
)


@deferred.dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """At the module's level, where pickles find it."""

    number: int
    salt: bytes = field(default=b"salt", repr=False)
    seen: list[int] = field(default_factory=list, compare=False)
    kept: dict[str, int] = field(default_factory=dict, init=False, compare=False, repr=False)
    form: str = field(default="v1", init=False)
    ranked: int = field(default=0, hash=False)


def _point(made: Made) -> Any:
    @made(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2

        @property
        def total(self) -> int:
            return self.x + self.y

    return Point


def _unit(made: Made) -> Any:
    @made(frozen=True, slots=True, kw_only=True)
    class Unit:
        """With a field of each kind."""

        number: int
        salt: bytes = field(default=b"salt", repr=False)
        seen: list[int] = field(default_factory=list, compare=False)
        kept: dict[str, int] = field(default_factory=dict, init=False, compare=False, repr=False)
        form: str = field(default="v1", init=False)
        ranked: int = field(default=0, hash=False)
        unset: int = field(init=False, repr=False, compare=False)

    return Unit


@MAKERS
def test_fields_are_given_by_place_or_name(made: Made) -> None:
    point = _point(made)

    assert (point(1).x, point(1).y, point(x=1, y=3).total) == (1, 2, 4)
    assert [one.name for one in fields(point)] == ["x", "y"]
    assert point.__match_args__ == ("x", "y")
    assert (point.__doc__, point.__name__) == ("A place.", "Point")
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        point()
    with pytest.raises(TypeError, match="takes from 2 to 3 positional arguments but 4 were given"):
        point(1, 2, 3)


@MAKERS
def test_fields_by_name_alone_take_no_place(made: Made) -> None:
    unit = _unit(made)

    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        unit(1)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'number'"):
        unit()
    with pytest.raises(TypeError, match="unexpected keyword argument 'form'"):
        unit(number=1, form="v2")


@MAKERS
def test_some_by_place_and_others_by_name(made: Made) -> None:
    @made(frozen=True, slots=True)
    class Mixed:
        """One by name stands before one by place."""

        named: int = field(kw_only=True)
        placed: int

    mixed: Any = Mixed
    assert str(inspect.signature(mixed)) == "(placed: int, *, named: int) -> None"
    assert (mixed(1, named=2).placed, mixed(1, named=2).named) == (1, 2)


@MAKERS
def test_values_that_nobody_gives(made: Made) -> None:
    one, other = _unit(made)(number=1), _unit(made)(number=1)

    assert (one.salt, one.seen, one.kept, one.form, one.ranked) == (b"salt", [], {}, "v1", 0)
    assert one.seen is not other.seen
    assert one.kept is not other.kept
    assert _unit(made)(number=1, seen=[7]).seen == [7]
    assert not hasattr(one, "unset")
    assert not hasattr(one, "__dict__")


@MAKERS
def test_a_signature_tells_what_is_taken(made: Made) -> None:
    signature = inspect.signature(_unit(made))

    assert list(signature.parameters) == ["number", "salt", "seen", "ranked"]
    assert {one.kind for one in signature.parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert signature.parameters["salt"].default == b"salt"
    assert signature.parameters["number"].default is inspect.Parameter.empty
    assert signature.parameters["number"].annotation is int
    assert _unit(made).__init__.__qualname__.endswith("Unit.__init__")
    assert _unit(made).__init__.__module__ == __name__


@MAKERS
def test_equality_goes_by_class_and_fields(made: Made) -> None:
    unit, point = _unit(made), _point(made)

    assert unit(number=1, seen=[1]) == unit(number=1, seen=[2])
    assert unit(number=1) != unit(number=2)
    assert unit(number=1) != _unit(made)(number=1)
    assert point(1) != (1, 2)
    assert point(1).__eq__((1, 2)) is NotImplemented


@MAKERS
def test_a_hash_leaves_out_what_is_not_compared_or_says_so(made: Made) -> None:
    unit = _unit(made)

    assert hash(unit(number=1, seen=[1])) == hash(unit(number=1, seen=[2]))
    assert hash(unit(number=1, ranked=1)) == hash(unit(number=1, ranked=2))
    assert unit(number=1, ranked=1) != unit(number=1, ranked=2)
    assert hash(unit(number=1)) == hash((1, b"salt", "v1"))
    assert hash(_point(made)(1)) == hash((1, 2))
    assert {_point(made)(1)} != {_point(made)(2)}


@MAKERS
def test_text_leaves_out_what_is_secret(made: Made) -> None:
    shown = repr(_unit(made)(number=1))

    assert shown.endswith("Unit(number=1, seen=[], form='v1', ranked=0)")


@MAKERS
def test_text_of_what_holds_itself_ends(made: Made) -> None:
    one = _unit(made)(number=1)
    one.seen.append(one)

    assert repr(one).endswith("seen=[...], form='v1', ranked=0)")


@MAKERS
def test_nothing_is_set_or_deleted(made: Made) -> None:
    point = _point(made)(1)

    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 3
    # Before Python 3.12 the library says it of fields alone.
    with pytest.raises((FrozenInstanceError, TypeError)):
        point.other = 3
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert point.x == 1


def test_a_class_below_may_have_attributes_of_its_own() -> None:
    class Noted(_point(deferred.dataclass)):  # type: ignore[misc]
        note: str

    noted = Noted(1)
    noted.note = "here"

    assert noted.note == "here"
    del noted.note
    assert not hasattr(noted, "note")
    with pytest.raises(FrozenInstanceError):
        noted.x = 2
    with pytest.raises(FrozenInstanceError):
        del noted.x
    assert (noted.x, noted == Noted(1)) == (1, True)


@MAKERS
def test_a_dataclass_below_has_the_fields_of_both(made: Made) -> None:
    @made(frozen=True, slots=True)
    class Space(_point(made)):  # type: ignore[misc]
        """A place with a height."""

        z: int = 3

    assert Space(1) == Space(1, 2, 3)
    assert hash(Space(1)) == hash((1, 2, 3))
    assert repr(Space(1)).endswith("Space(x=1, y=2, z=3)")


@MAKERS
def test_what_is_made_is_looked_at(made: Made) -> None:
    @made(frozen=True, slots=True, kw_only=True)
    class Positive:
        """More than nothing."""

        number: int

        def __post_init__(self) -> None:
            if self.number <= 0:
                raise ValueError(self.number)

    positive: Any = Positive
    assert positive(number=1).number == 1
    with pytest.raises(ValueError, match="0"):
        positive(number=0)
    with pytest.raises(ValueError, match="-1"):
        replace(positive(number=1), number=-1)


@MAKERS
def test_own_methods_stay(made: Made) -> None:
    @made(frozen=True, slots=True)
    class Quiet:  # noqa: PLW1641 - its hash is what is tested
        """Says little."""

        number: int

        def __repr__(self) -> str:
            return "quiet"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Quiet)

    quiet: Any = Quiet
    assert repr(quiet(1)) == "quiet"
    assert quiet(1) == quiet(2)
    assert hash(quiet(1)) == hash((1,))


@MAKERS
def test_each_is_itself_where_fields_are_not_compared(made: Made) -> None:
    @made(frozen=True, slots=True, eq=False)
    class Thing:
        """One of its own."""

        number: int

    thing: Any = Thing
    one = thing(1)
    assert one != thing(1)
    assert one == one  # noqa: PLR0124
    assert hash(one) == object.__hash__(one)


@MAKERS
def test_a_class_may_have_no_fields(made: Made) -> None:
    @made(frozen=True, slots=True)
    class Nothing:
        """Empty."""

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(())
    assert repr(Nothing()).endswith("Nothing()")


@MAKERS
@pytest.mark.parametrize("how", [{"slots": True}, {"frozen": True}, {"slots": True, "eq": False}])
def test_what_changes_or_has_no_slots_is_made_by_the_library(
    made: Made, how: dict[str, bool]
) -> None:
    @made(kw_only=True, **how)
    class Count:
        """Of something."""

        number: int

    count: Any = Count
    assert count.__dataclass_params__.frozen == how.get("frozen", False)
    assert count(number=1).number == 1
    assert (count(number=1) == count(number=1)) == how.get("eq", True)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: replace(one, number=1)])
def test_copies_are_equal(copied: Callable[[Unit], Unit]) -> None:
    one = Unit(number=1, seen=[7])
    one.kept["a"] = 1

    assert copied(one) == one
    assert copied(one).seen == [7]


def test_a_pickle_gives_back_every_field() -> None:
    one = Unit(number=1, salt=b"other", seen=[7])
    one.kept["a"] = 1

    found = pickle.loads(pickle.dumps(one))

    assert dataclasses.asdict(found) == dataclasses.asdict(one)


def test_methods_are_compiled_when_they_are_asked_for() -> None:
    point = _point(deferred.dataclass)
    before = {name: vars(point)[name] for name in ("__init__", "__eq__", "__hash__")}

    one = point(1)

    assert inspect.isfunction(vars(point)["__init__"])
    assert vars(point)["__eq__"] is before["__eq__"]
    assert (one == point(1), hash(one) == hash(point(1))) == (True, True)
    assert inspect.isfunction(vars(point)["__eq__"])
    assert inspect.isfunction(vars(point)["__hash__"])
    # Whoever got hold of the former one is served as well.
    assert before["__eq__"].__get__(one, point)(point(1)) is True


def test_one_kind_is_not_derived_from_the_other() -> None:
    with pytest.raises(TypeError, match="cannot inherit"):
        deferred.dataclass(frozen=True, slots=True)(_below(_point(dataclasses.dataclass)))
    with pytest.raises(TypeError, match="cannot inherit"):
        dataclasses.dataclass(frozen=True, slots=True)(_below(_point(deferred.dataclass)))


def _below(kind: Any) -> Any:
    class Below(kind):  # type: ignore[misc]
        z: int = 3

    return Below
