"""The master recipe admits all three sites, and its tolerances are the bracket's measures."""

import hashlib
import re
from typing import Any

import pytest

from demo.workshop import CHOICES
from example_design.bracket import Bracket
from guildmark.domain.encoding.fields import read_object
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClauseType
from guildmark.domain.recipes.clauses import (
    DisclosedClauses,
    Violation,
    clause_root,
    compare,
    disclose_all,
)
from unit.examples.places import EXAMPLES, SITES, document, site

GROUPS = ("design", "material", "post", "process", "qa", "safety", "tolerance")


def salted(clause: dict[str, Any]) -> Clause:
    salt = hashlib.sha256(clause["path"].encode()).hexdigest()
    return read_object({**clause, "salt": f"0x{salt}"}, Clause.read)


def master() -> tuple[Clause, ...]:
    return tuple(map(salted, document("recipe.json")["clauses"]))


def site_clauses(name: str) -> tuple[Clause, ...]:
    settings = site(name)["settings"]
    chosen = []
    for clause in document("recipe.json")["clauses"]:
        if clause["class"] in {"window", "site"}:
            kept = {key: clause[key] for key in ("path", "class", "type", "criticality")}
            clause = {**kept, **settings[clause["path"]]}  # noqa: PLW2901 - the site's instead
        chosen.append(salted(clause))
    return tuple(chosen)


def disclosed(clauses: tuple[Clause, ...]) -> DisclosedClauses:
    return disclose_all(clauses).verify(clause_root(clauses))


def violation(clauses: tuple[Clause, ...]) -> Violation | None:
    return compare(disclosed(master()), disclosed(clauses))


def test_the_recipe_is_a_tree_of_all_groups() -> None:
    clauses = master()

    assert disclosed(clauses).is_complete
    assert tuple(sorted({clause.group for clause in clauses})) == GROUPS


def test_documents_are_within_the_strict_profile() -> None:
    for file in (EXAMPLES / "recipe.json", *sorted((EXAMPLES / "sites").glob("*.json"))):
        assert parse_object(file.read_bytes())


def test_there_are_three_sites_in_three_countries_with_two_kinds_of_machine() -> None:
    documents = [site(name) for name in SITES]

    assert len({one["site"]["country"] for one in documents}) == 3
    assert len({one["organization"]["name"] for one in documents}) == 3
    assert len({one["machine"]["model"] for one in documents}) == 2
    assert len({one["slicer"] for one in documents}) == 2


@pytest.mark.parametrize("name", SITES)
def test_a_site_sets_every_free_clause_and_records_every_process_clause(name: str) -> None:
    said = {
        clause.path
        for clause in master()
        if clause.klass in {ClauseClass.WINDOW, ClauseClass.SITE} or clause.group == "process"
    }

    assert set(site(name)["settings"]) == said


@pytest.mark.parametrize("name", SITES)
def test_the_recipe_admits_each_setting(name: str) -> None:
    clauses = {clause.path: clause for clause in master()}

    for path, given in site(name)["settings"].items():
        assert clauses[path].admits(given["value"], given.get("unit")), path


@pytest.mark.parametrize("name", SITES)
def test_a_sites_recipe_departs_nowhere(name: str) -> None:
    assert violation(site_clauses(name)) is None


def test_units_are_customised_by_a_text_a_variant_and_a_size() -> None:
    customs = {str(one.path): one for one in master() if one.klass is ClauseClass.CUSTOM}

    assert set(customs) == {"/post/marking", "/post/screw_set", "/post/tie_length"}
    assert customs["/post/screw_set"].variants == ("none", "M4 x 30", "8-32 x 1 1/4 in")
    for choice in CHOICES.values():
        assert customs[str(choice.path)].admits(choice.value, choice.unit)
    assert {one.path for one in CHOICES.values()} == set(customs)


def test_no_two_sites_share_their_settings() -> None:
    settings = [site(name)["settings"] for name in SITES]

    assert all(a != b for at, a in enumerate(settings) for b in settings[at + 1 :])


def test_the_tolerances_are_around_the_brackets_measures() -> None:
    bracket = Bracket()
    nominal = {
        "axis_height": bracket.axis_height,
        "bore": bracket.bore,
        "hole_spacing": bracket.hole_spacing,
        "mouth": bracket.mouth,
        "width": bracket.width,
    }

    tolerances = [clause for clause in master() if clause.group == "tolerance"]

    lengths = {one.path.rpartition("/")[2]: one for one in tolerances if one.unit == "mm"}
    assert {key: float(one.value or "") for key, one in lengths.items()} == nominal
    assert [one.path for one in tolerances if one.unit == "g"] == ["/tolerance/mass"]


def test_tolerances_are_core_quantities_with_both_bounds() -> None:
    for clause in master():
        if clause.group == "tolerance":
            assert (clause.klass, clause.type) == (ClauseClass.CORE, ClauseType.QUANTITY)
            assert None not in {clause.minimum, clause.value, clause.maximum}


def test_the_readme_explains_every_measured_characteristic() -> None:
    readme = (EXAMPLES / "README.md").read_text()

    for clause in master():
        if clause.group == "tolerance":
            assert f"`{clause.path}`" in readme
            assert f"{clause.value} | {clause.minimum} | {clause.maximum}" in readme


def test_the_readme_shows_every_setting_of_every_site() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    settings = [site(name)["settings"] for name in SITES]

    for path in settings[0]:
        values = " | ".join(one[path]["value"] for one in settings)
        assert re.search(rf"(?m)^\| `{path}` \| .* \| {re.escape(values)} \|$", readme), path
