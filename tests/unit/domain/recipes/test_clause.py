"""One clause: its leaf, what it admits, and contradictions."""

import hashlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.fields import MemberInvalidError, read_object
from guildmark.domain.identifiers import Bytes32
from guildmark.domain.recipes import clause as cl
from guildmark.domain.recipes.quantity import MalformedDecimalError, UnknownUnitError

SALT = Bytes32(b"\x01" * 32)
DECIMALS = (
    st.decimals(-100, 100, places=2)
    .map(lambda number: f"{number:f}")
    .filter(lambda text: Decimal(text) != 0 or not text.startswith("-"))
)


def quantity(
    value: str | None = None,
    *bounds: str | None,
    klass: cl.ClauseClass = cl.ClauseClass.SITE,
    unit: str | None = "mm",
) -> cl.Clause:
    minimum, maximum = bounds or (None, None)
    return cl.Clause(
        path=cl.ClausePath("/process/layer_height"),
        type=cl.ClauseType.QUANTITY,
        klass=klass,
        salt=SALT,
        value=value,
        minimum=minimum,
        maximum=maximum,
        unit=unit,
    )


def text(value: str | None, klass: cl.ClauseClass = cl.ClauseClass.SITE) -> cl.Clause:
    path = cl.ClausePath("/material/grade")
    return cl.Clause(path=path, type=cl.ClauseType.TEXT, klass=klass, salt=SALT, value=value)


def test_leaf_data_has_the_fixed_layout() -> None:
    clause = quantity("0.20", "0.10", "0.30", klass=cl.ClauseClass.WINDOW)

    layout = (
        cl.CLAUSE_DOMAIN
        + SALT
        + b"\x02\x01\x02"
        + b"\0\0\0\x15/process/layer_height"
        + b"\x01\0\0\0\x040.20"
        + b"\x01\0\0\0\x040.10"
        + b"\x01\0\0\0\x040.30"
        + b"\x01\0\0\0\x02mm"
    )
    assert clause.leaf_data() == hashlib.sha256(layout).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"salt": Bytes32(b"\x02" * 32)},
        {"path": "/process/layer_heighs"},
        {"klass": cl.ClauseClass.CORE},
        {"criticality": cl.Criticality.CRITICAL},
        {"value": "0.2"},
        {"value": None},
        {"minimum": "0.100"},
        {"minimum": None},
        {"maximum": "0.31"},
        {"unit": "um"},
    ],
)
def test_every_field_changes_the_leaf(change: dict[str, Any]) -> None:
    clause = quantity("0.20", "0.10", "0.30")

    assert replace(clause, **change).leaf_data() != clause.leaf_data()


def test_absent_and_empty_texts_have_other_leaves() -> None:
    assert text(None).leaf_data() != text("").leaf_data()


@given(DECIMALS, DECIMALS, DECIMALS)
def test_bounds_admit_themselves_and_what_lies_between(one: str, two: str, value: str) -> None:
    low, high = sorted((one, two), key=Decimal)
    clause = quantity(None, low, high)

    assert clause.admits(low, "mm")
    assert clause.admits(high, "mm")
    assert clause.admits(value, "mm") == (Decimal(low) <= Decimal(value) <= Decimal(high))


def test_one_bound_alone_leaves_the_other_side_free() -> None:
    assert quantity(None, "1", None).admits("999", "mm")
    assert not quantity(None, "1", None).admits("0.99", "mm")
    assert quantity(None, None, "1").admits("-999", "mm")
    assert not quantity(None, None, "1").admits("1.01", "mm")


def test_a_value_alone_admits_equal_numbers_and_texts_only() -> None:
    assert quantity("0.20").admits("0.2", "mm")
    assert not quantity("0.20").admits("0.21", "mm")
    assert text("PA12").admits("PA12")
    assert not text("PA12").admits("PA11")


def test_a_free_clause_admits_every_value_of_its_unit() -> None:
    assert quantity(None).admits("7", "mm")
    assert quantity(None).admits("7", "um")
    assert not quantity(None).admits("7", "Cel")
    assert not quantity(None).admits("7")
    assert text(None).admits("any")
    assert not text(None).admits("7", "mm")


@pytest.mark.parametrize(
    ("value", "unit", "is_admitted"),
    [
        ("25.4", "mm", True),
        ("25.4000001", "mm", False),
        ("2.54", "cm", True),
        ("1", "[in_i]", True),
        ("0.0254", "m", True),
        ("24999.9", "um", False),
        ("25", "Cel", False),
    ],
)
def test_values_compare_by_what_they_are_worth(value: str, unit: str, is_admitted: bool) -> None:
    assert quantity(None, "25", "25.4").admits(value, unit) is is_admitted
    assert quantity("1", unit="[in_i]").admits(value, unit) is is_admitted


def test_a_number_is_asked_of_a_quantity() -> None:
    with pytest.raises(MalformedDecimalError):
        quantity(None, "1", "2").admits("about 1.5", "mm")


@given(st.lists(DECIMALS, min_size=3, max_size=3), st.lists(DECIMALS, min_size=3, max_size=3))
def test_a_narrower_clause_admits_nothing_more(ours: list[str], theirs: list[str]) -> None:
    low, value, high = sorted(ours, key=Decimal)
    wide_low, probe, wide_high = sorted(theirs, key=Decimal)
    wider = quantity(None, wide_low, wide_high)

    for clause in (quantity(None, low, high), quantity(value)):
        if clause.narrows(wider):
            for number in (low, value, high, probe):
                assert not clause.admits(number, "mm") or wider.admits(number, "mm")


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        (quantity("1"), quantity(None, "1", "2"), True),
        (quantity("0.99"), quantity(None, "1", "2"), False),
        (quantity("1", "1", "2"), quantity(None, "1", "2"), True),
        (quantity("1", "0.9", "2"), quantity(None, "1", "2"), False),
        (quantity("1", "1", "2.1"), quantity(None, "1", "2"), False),
        (quantity(None, "1", None), quantity(None, "1", "2"), False),
        (quantity(None, None, "2"), quantity(None, "1", "2"), False),
        (quantity(None, "1", "9"), quantity(None, "1", None), True),
        (quantity(None, "1", "9"), quantity(None, None, "9"), True),
        (quantity(None), quantity(None, "1", "2"), False),
        (quantity(None), quantity(None), True),
        (quantity("5"), quantity(None), True),
        (quantity("5"), quantity("5.0"), True),
        (quantity(None, "5", "5"), quantity("5"), False),
        (quantity("5", unit="um"), quantity(None), True),
        (quantity("5", unit="Cel"), quantity(None), False),
        (quantity(None, "1000", "2000", unit="um"), quantity(None, "1", "2"), True),
        (quantity(None, "999", "2000", unit="um"), quantity(None, "1", "2"), False),
        (quantity(None, "1000", "2001", unit="um"), quantity(None, "1", "2"), False),
        (text("a"), text(None), True),
        (text(None), text("a"), False),
        (text("a"), text("a"), True),
        (text("b"), text("a"), False),
        (text("1"), quantity(None), False),
    ],
)
def test_what_narrows_what(narrow: cl.Clause, wide: cl.Clause, expected: bool) -> None:
    assert narrow.narrows(wide) is expected


REFUSED: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"path": "/process"}, cl.MalformedClauseError),
    ({"path": "process/layer"}, cl.MalformedClauseError),
    ({"path": "/process/"}, cl.MalformedClauseError),
    ({"path": "/process/é"}, cl.MalformedClauseError),
    ({"path": "/process/" + "a" * 65}, cl.MalformedClauseError),
    ({"path": "/a" * 9}, cl.MalformedClauseError),
    ({"unit": None}, UnknownUnitError),
    ({"unit": "furlong"}, UnknownUnitError),
    ({"value": "a"}, MalformedDecimalError),
    ({"value": "0.31"}, cl.MalformedClauseError),
    ({"value": "0.09"}, cl.MalformedClauseError),
    ({"value": None, "minimum": "0.31"}, cl.MalformedClauseError),
    ({"type": cl.ClauseType.TEXT}, cl.MalformedClauseError),
    ({"type": cl.ClauseType.TEXT, "unit": None, "maximum": None}, cl.MalformedClauseError),
    (
        {
            "type": cl.ClauseType.TEXT,
            "unit": None,
            "minimum": None,
            "maximum": None,
            "value": "e\u0301",
        },
        cl.MalformedClauseError,
    ),
]


@pytest.mark.parametrize(("change", "error"), REFUSED)
def test_contradictions_are_refused(change: dict[str, Any], error: type[Exception]) -> None:
    good = quantity("0.20", "0.10", "0.30")

    with pytest.raises(error):
        replace(good, **change)


@pytest.mark.parametrize(
    ("klass", "value", "bounds", "says_enough"),
    [
        (cl.ClauseClass.CORE, None, (None, None), False),
        (cl.ClauseClass.CORE, "1", (None, None), True),
        (cl.ClauseClass.CORE, None, (None, "1"), True),
        (cl.ClauseClass.WINDOW, None, ("1", None), False),
        (cl.ClauseClass.WINDOW, None, (None, "1"), False),
        (cl.ClauseClass.WINDOW, None, ("1", "1"), True),
        (cl.ClauseClass.WINDOW, "1", (None, None), True),
        (cl.ClauseClass.CUSTOM, "1", (None, None), False),
        (cl.ClauseClass.CUSTOM, None, ("1", "2"), True),
        (cl.ClauseClass.SITE, None, (None, None), True),
    ],
)
def test_each_class_says_enough(
    klass: cl.ClauseClass,
    value: str | None,
    bounds: tuple[str | None, str | None],
    says_enough: bool,
) -> None:
    if says_enough:
        assert quantity(value, *bounds, klass=klass).klass is klass
    else:
        with pytest.raises(cl.MalformedClauseError, match="missing"):
            quantity(value, *bounds, klass=klass)


def test_a_custom_text_needs_no_value_and_a_core_text_does() -> None:
    assert text(None, cl.ClauseClass.CUSTOM).value is None
    with pytest.raises(cl.MalformedClauseError):
        text(None, cl.ClauseClass.CORE)


@pytest.mark.parametrize(
    "clause", [quantity("0.20", "0.10", "0.30"), quantity(None), text("PA12"), text(None)]
)
def test_clauses_are_read_back_from_their_documents(clause: cl.Clause) -> None:
    assert read_object(clause.to_json(), cl.Clause.read) == clause


def test_documents_name_class_type_and_criticality() -> None:
    shown = dict(quantity("0.20").to_json())

    assert shown == {
        "path": "/process/layer_height",
        "class": "site",
        "type": "quantity",
        "criticality": "major",
        "value": "0.20",
        "unit": "mm",
        "salt": "0x" + "01" * 32,
    }
    with pytest.raises(MemberInvalidError) as caught:
        read_object(shown | {"class": "SITE"}, cl.Clause.read)
    assert caught.value.detail == {"member": "class"}


def test_group_is_the_first_name_of_the_path() -> None:
    assert quantity(None).group == "process"


NAME = cl.ClausePath("/design/name")


def custom(value: str | None = None, *bounds: str | None) -> cl.Clause:
    least, most = bounds or (None, None)
    return replace(text(value, cl.ClauseClass.CUSTOM), path=NAME, minimum=least, maximum=most)


@pytest.mark.parametrize(
    ("clause", "choice", "is_admitted"),
    [
        (custom(None, "2", "4"), "ab", True),
        (custom(None, "2", "4"), "abcd", True),
        (custom(None, "2", "4"), "a", False),
        (custom(None, "2", "4"), "abcde", False),
        (custom(None, None, "0"), "", True),
        (custom(None, None, "0"), "a", False),
        (custom(None, "1", None), "", False),
        (custom("EU\nUS"), "US", True),
        (custom("EU\nUS"), "EU\nUS", False),
        (custom("EU\nUS"), "UK", False),
        (custom(), "whatever", True),
    ],
)
def test_custom_texts_are_chosen_inside_their_bounds(
    clause: cl.Clause, choice: str, is_admitted: bool
) -> None:
    assert clause.admits(choice) is is_admitted
    assert not clause.admits(choice, "mm")


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        (custom(None, "2", "4"), custom(None, "1", "4"), True),
        (custom(None, "1", "5"), custom(None, "1", "4"), False),
        (custom(None, "0", "4"), custom(None, "1", "4"), False),
        (custom(), custom(None, "1", "4"), False),
        (custom("EU"), custom("EU\nUS"), True),
        (custom("UK"), custom("EU\nUS"), False),
        (custom(), custom("EU\nUS"), False),
        (custom("EU"), custom(), True),
    ],
)
def test_a_site_may_offer_less_to_choose(
    narrow: cl.Clause, wide: cl.Clause, expected: bool
) -> None:
    assert narrow.narrows(wide) is expected


@pytest.mark.parametrize(
    "bounds", [("a", None), ("2", "1"), (None, "1.5"), (None, "-1"), ("01", "2")]
)
def test_bounds_of_custom_texts_are_numbers_of_characters(bounds: tuple[str | None, ...]) -> None:
    with pytest.raises(cl.MalformedClauseError):
        custom(None, *bounds)


def test_variants_are_lines() -> None:
    assert custom("EU\nUS").variants == ("EU", "US")
    assert custom().variants == ()
