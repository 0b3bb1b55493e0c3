"""What a newer recipe changes, and what the rules make of it."""

from dataclasses import replace

import pytest

from guildmark.domain.identifiers import Bytes32
from guildmark.domain.recipes import differing as df
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType, Criticality
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.recipes.recipe import Change

WINDOW = Clause(
    path=ClausePath("/process/layer_height"),
    type=ClauseType.QUANTITY,
    klass=ClauseClass.WINDOW,
    salt=Bytes32(bytes(32)),
    minimum="0.1",
    maximum="0.3",
    unit="mm",
)
CORE = replace(WINDOW, klass=ClauseClass.CORE, minimum=None, maximum=None, value="0.2")
FREE = replace(WINDOW, klass=ClauseClass.SITE)
CUSTOM = replace(WINDOW, klass=ClauseClass.CUSTOM)
TEXT = replace(CORE, type=ClauseType.TEXT, unit=None, value="PETG, dry")

CASES = [
    (WINDOW, replace(WINDOW, minimum="100", maximum="300", unit="um"), df.Kind.SPELLING),
    (CORE, replace(CORE, value="0.200"), df.Kind.SPELLING),
    (TEXT, replace(TEXT, value="PETG,  dry"), df.Kind.SPELLING),
    (WINDOW, replace(WINDOW, maximum="0.29"), df.Kind.NARROWED),
    (WINDOW, replace(WINDOW, maximum="0.31"), df.Kind.CHANGED),
    (WINDOW, CORE, df.Kind.CHANGED),
    (CORE, replace(CORE, value="0.21"), df.Kind.CHANGED),
    (CORE, replace(CORE, unit="m"), df.Kind.CHANGED),
    (CORE, replace(CORE, unit="g"), df.Kind.CHANGED),
    (TEXT, replace(TEXT, value="PLA, dry"), df.Kind.CHANGED),
    (WINDOW, replace(WINDOW, criticality=Criticality.CRITICAL), df.Kind.CRITICALITY),
    (FREE, replace(FREE, maximum="9"), df.Kind.FREE),
    (CUSTOM, replace(CUSTOM, maximum="9"), df.Kind.FREE),
    (None, FREE, df.Kind.FREE),
    (CUSTOM, None, df.Kind.FREE),
    (None, CORE, df.Kind.ADDED),
    (WINDOW, None, df.Kind.REMOVED),
]


@pytest.mark.parametrize(("before", "after", "kind"), CASES)
def test_each_change_of_a_clause_has_its_kind(
    before: Clause | None, after: Clause | None, kind: df.Kind
) -> None:
    old, new = ([one] if one else [] for one in (before, after))

    (only,) = df.differences(old, new)

    assert (only.path, only.kind, only.before, only.after) == (WINDOW.path, kind, before, after)
    assert only.change is df.RULES[kind]


def tree(*clauses: Clause, hidden: str = "") -> DisclosedClauses:
    """Return clauses in the order of their paths, of which some may be hidden by their names."""
    ordered = sorted(clauses, key=lambda one: one.path)
    names = hidden.split()
    opened = {at: one for at, one in enumerate(ordered) if one.path[-1] not in names}
    return DisclosedClauses(leaves=tuple(one.leaf_data() for one in ordered), opened=opened)


def at(name: str, one: Clause) -> Clause:
    return replace(one, path=ClausePath(f"/process/{name}"), salt=Bytes32(name.encode() * 32))


A, B, C = at("a", CORE), at("b", FREE), at("c", WINDOW)
SALTED = replace(B, salt=Bytes32(b"\1" * 32))
FREER, OTHER = replace(B, maximum="9"), replace(A, value="9")


@pytest.mark.parametrize(
    ("before", "after", "least", "is_known"),
    [
        (tree(A, B), tree(A, B), Change.EDITORIAL, True),
        (tree(A, B, hidden="a b"), tree(A, B, hidden="a b"), Change.EDITORIAL, True),
        (tree(A, B, hidden="a"), tree(A, B), Change.EDITORIAL, True),
        (tree(A, B), tree(A, SALTED), Change.EDITORIAL, True),
        (tree(A, B), tree(A, SALTED, hidden="b"), Change.EDITORIAL, False),
        (tree(A, B, hidden="b"), tree(A, SALTED), Change.EDITORIAL, False),
        (tree(A, B), tree(A, FREER), Change.MINOR, True),
        (tree(A, B), tree(A), Change.MINOR, True),
        (tree(A), tree(A, B), Change.MINOR, True),
        (tree(A), tree(A, C), Change.REQUALIFY, True),
        (tree(A), tree(A, C, hidden="c"), Change.EDITORIAL, False),
        (tree(A, C), tree(A), Change.REQUALIFY, True),
        (tree(A, C, hidden="c"), tree(A), Change.EDITORIAL, False),
        (tree(A, C, hidden="a"), tree(OTHER, C), Change.EDITORIAL, False),
        (tree(A, B, hidden="b"), tree(OTHER, C), Change.REQUALIFY, True),
        (tree(A, B), tree(OTHER, B, C, hidden="c"), Change.REQUALIFY, True),
        (tree(A, B, C, hidden="c"), tree(A, FREER), Change.MINOR, False),
    ],
)
def test_the_rules_are_asked_of_what_is_shown(
    before: DisclosedClauses, after: DisclosedClauses, least: Change, is_known: bool
) -> None:
    assert df.ruled(before, after) == df.Ruled(least=least, is_known=is_known)


def test_salts_are_no_difference() -> None:
    assert list(df.differences([CORE], [replace(CORE, salt=Bytes32(b"\1" * 32))])) == []
    assert df.change_of([]) is Change.EDITORIAL


def test_the_greatest_change_is_the_recipes_and_nobody_may_say_less() -> None:
    text = replace(TEXT, path=ClausePath("/material/polymer"))
    found = tuple(
        df.differences(
            [text, WINDOW], [replace(text, value="PETG, dry "), replace(WINDOW, minimum="0.05")]
        )
    )

    assert [one.change for one in found] == [Change.EDITORIAL, Change.REQUALIFY]
    assert df.change_of(found) is Change.REQUALIFY
    df.check_stated(Change.REQUALIFY, found)
    with pytest.raises(df.ChangeUnderstatedError) as caught:
        df.check_stated(Change.MINOR, found)
    assert caught.value.detail == {
        "path": WINDOW.path,
        "found": "minor",
        "expected": "requalify",
    }


def test_rules_cover_every_kind_and_never_lessen() -> None:
    assert list(df.RULES) == list(df.Kind)
    assert list(df.RULES.values()) == sorted(df.RULES.values())
