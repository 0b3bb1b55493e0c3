"""Trees of clauses: disclosure, and a site's recipe against its master."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.fields import read_object
from guildmark.domain.identifiers import Bytes32, Digest
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.recipes import clauses as cs
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType, Criticality


def salt(number: int) -> Bytes32:
    return Bytes32(number.to_bytes(32, "big"))


def clause(
    number: int,
    klass: ClauseClass = ClauseClass.CORE,
    *,
    value: str | None = "1",
    bounds: tuple[str, str] | None = None,
) -> Clause:
    minimum, maximum = bounds or (None, None)
    return Clause(
        path=ClausePath(f"/process/p{number:03d}"),
        type=ClauseType.QUANTITY,
        klass=klass,
        salt=salt(number),
        value=value,
        minimum=minimum,
        maximum=maximum,
        unit="mm",
    )


CORE = clause(0)
WINDOW = clause(1, ClauseClass.WINDOW, value=None, bounds=("1", "2"))
SITE = clause(2, ClauseClass.SITE, value=None)
CUSTOM = clause(3, ClauseClass.CUSTOM, value=None, bounds=("1", "9"))
MASTER = (CORE, WINDOW, SITE, CUSTOM)
CHOSEN = replace(WINDOW, value="1.5", minimum=None, maximum=None, salt=salt(11))
RECORDED = replace(SITE, value="7", salt=salt(12))
SITES = (CORE, CHOSEN, RECORDED, CUSTOM)


def shown(clauses: tuple[Clause, ...], *paths: str) -> cs.DisclosedClauses:
    disclosure = cs.disclose(clauses, paths or [one.path for one in clauses])
    return disclosure.verify(cs.clause_root(clauses))


def test_root_is_that_of_the_rfc_9162_tree_over_leaf_data() -> None:
    assert cs.clause_root(MASTER) == MerkleTree([one.leaf_data() for one in MASTER]).root()


@given(st.integers(1, 40), st.data())
def test_any_clauses_are_disclosed_alone(count: int, data: st.DataObject) -> None:
    tree = tuple(clause(number) for number in range(count))
    wanted = data.draw(st.sets(st.sampled_from(tree)))

    disclosure = cs.disclose(tree, [one.path for one in wanted])
    found = disclosure.verify(cs.clause_root(tree))

    assert set(found.opened.values()) == wanted
    assert found.is_complete == (len(wanted) == count)
    assert read_object(disclosure.to_json(), cs.Disclosure.read) == disclosure


def test_shown_clauses_are_found_by_path_and_beginning() -> None:
    found = shown(MASTER, CORE.path, SITE.path)

    assert found.find(CORE.path) == CORE
    assert found.find(WINDOW.path) is None
    assert found.below("/process/p00") == (CORE, SITE)


def test_unknown_paths_are_not_disclosed() -> None:
    with pytest.raises(cs.ClauseUnknownError) as caught:
        cs.disclose(MASTER, ["/process/none"])

    assert caught.value.detail == {"path": "/process/none"}


@pytest.mark.parametrize(
    "clauses", [(), (CORE, CORE), (WINDOW, CORE), tuple(map(clause, range(cs.CLAUSES_MAX + 1)))]
)
def test_what_is_no_tree_has_no_root(clauses: tuple[Clause, ...]) -> None:
    with pytest.raises(cs.MalformedClauseTreeError):
        cs.clause_root(clauses)


def test_forged_disclosures_are_refused() -> None:
    good = cs.disclose_all(MASTER)
    root = cs.clause_root(MASTER)
    forged = {
        "another root": (good, Digest(bytes(32))),
        "no leaves": (replace(good, leaves=()), root),
        "a leaf more": (replace(good, leaves=(*good.leaves, good.leaves[0])), root),
        "another clause": (replace(good, opened={0: replace(CORE, value="2")}), root),
        "another salt": (replace(good, opened={0: replace(CORE, salt=salt(9))}), root),
        "another leaf": (replace(good, opened={1: CORE}), root),
        "no such leaf": (replace(good, opened={4: CORE}), root),
        "before the first": (replace(good, opened={-4: CORE}), root),
    }

    for disclosure, expected in forged.values():
        with pytest.raises(cs.DisclosureMismatchError):
            disclosure.verify(expected)


def test_a_tree_out_of_order_is_refused_however_it_was_rooted() -> None:
    leaves = (WINDOW.leaf_data(), CORE.leaf_data())
    twice = cs.Disclosure(leaves=leaves, opened={0: WINDOW, 1: CORE})

    with pytest.raises(cs.DisclosureMismatchError, match="order"):
        twice.verify(MerkleTree(leaves).root())


def test_a_leaf_is_opened_once() -> None:
    document = cs.disclose_all((CORE,)).to_json()
    opened = document["opened"]
    assert isinstance(opened, list)

    with pytest.raises(cs.MalformedClauseTreeError):
        read_object({**document, "opened": opened * 2}, cs.Disclosure.read)


def test_a_site_recipe_that_keeps_core_and_windows_has_no_violation() -> None:
    assert cs.compare(shown(MASTER), shown(SITES)) is None
    assert cs.compare(shown(MASTER), shown(MASTER)) is None


def test_equal_leaves_need_not_be_shown() -> None:
    master = shown(MASTER, WINDOW.path, SITE.path)
    site = shown(SITES, CHOSEN.path, RECORDED.path)

    assert cs.compare(master, site) is None


DEPARTURES = [
    ((replace(CORE, salt=salt(9)), *SITES[1:]), 0, cs.Deviation.CORE),
    ((replace(CORE, value="2"), *SITES[1:]), 0, cs.Deviation.CORE),
    ((CORE, replace(CHOSEN, value="2.01"), *SITES[2:]), 1, cs.Deviation.BOUNDS),
    ((CORE, replace(CHOSEN, value="0.99"), *SITES[2:]), 1, cs.Deviation.BOUNDS),
    ((CORE, replace(WINDOW, maximum="3"), *SITES[2:]), 1, cs.Deviation.BOUNDS),
    ((CORE, replace(CHOSEN, unit="Cel"), *SITES[2:]), 1, cs.Deviation.KIND),
    ((CORE, replace(CHOSEN, klass=ClauseClass.SITE), *SITES[2:]), 1, cs.Deviation.KIND),
    ((CORE, replace(CHOSEN, criticality=Criticality.MINOR), *SITES[2:]), 1, cs.Deviation.KIND),
    (
        (CORE, CHOSEN, replace(RECORDED, path=ClausePath("/process/p002a")), CUSTOM),
        2,
        cs.Deviation.PATH,
    ),
    ((*SITES[:3], replace(CUSTOM, maximum="10")), 3, cs.Deviation.BOUNDS),
    (SITES[:3], 3, cs.Deviation.COUNT),
    ((*SITES, clause(4)), 4, cs.Deviation.COUNT),
]


@pytest.mark.parametrize(("site", "leaf", "deviation"), DEPARTURES)
def test_the_first_clause_that_departs_is_named(
    site: tuple[Clause, ...], leaf: int, deviation: cs.Deviation
) -> None:
    found = cs.compare(shown(MASTER), shown(site))

    assert found is not None
    assert (found.leaf, found.deviation) == (leaf, deviation)
    assert found.path == (None if deviation is cs.Deviation.COUNT else MASTER[leaf].path)


@pytest.mark.parametrize("value", ["1", "2", "1.0"])
def test_bounds_of_a_window_are_inside_it(value: str) -> None:
    site = (CORE, replace(CHOSEN, value=value), *SITES[2:])

    assert cs.compare(shown(MASTER), shown(site)) is None


def test_a_unit_may_narrow_what_is_custom() -> None:
    site = (*SITES[:3], replace(CUSTOM, minimum="2", maximum="3"))

    assert cs.compare(shown(MASTER), shown(site)) is None


@pytest.mark.parametrize(
    ("master", "site", "path"),
    [
        (shown(MASTER, CORE.path), shown(SITES), WINDOW.path),
        (shown(MASTER), shown(SITES, CORE.path), WINDOW.path),
        (shown(MASTER, CORE.path), shown(SITES, CORE.path), None),
    ],
)
def test_leaves_that_differ_must_be_shown_by_both(
    master: cs.DisclosedClauses, site: cs.DisclosedClauses, path: str | None
) -> None:
    found = list(cs.violations(master, site))

    assert [one.leaf for one in found] == [1, 2]
    assert all(one.deviation is cs.Deviation.WITHHELD for one in found)
    assert found[0].path == path


def test_a_site_may_write_the_same_value_in_another_unit_of_its_kind() -> None:
    value = replace(CHOSEN, value=None, minimum="1000", maximum="1000", unit="um")
    master = replace(CHOSEN, value=None, minimum="0.5", maximum="1", unit="mm")

    assert cs.compare(shown((master,)), shown((value,))) is None
    assert cs.compare(shown((value,)), shown((replace(master, salt=salt(9)),))) is not None
