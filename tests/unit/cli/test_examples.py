"""What the how-to pages print as an example is taken as it stands."""

import re
import time
from pathlib import Path

import pytest

from fakes.world import DESIGNER, Tools
from guildmark.cli.arguments import moment
from guildmark.cli.jobs import Report, read_settings
from guildmark.domain.recipes.clause import ClauseType
from guildmark.domain.recipes.recipe import RecipeDocument

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
_JSON = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
_DOUBT = re.compile(r"(?:notice|guardian) .*--from (\S+)")


def test_the_printed_report_measures_what_the_example_recipe_asks_for() -> None:
    page = (ROOT / "docs" / "how-to" / "manufacturer.md").read_text()
    report = Report.parse(_JSON.findall(page)[0].encode())
    measured = {one.characteristic: one for one in report.measurements}

    asked = {
        clause.path: clause
        for clause in example_recipe().clauses
        if clause.path.startswith("/tolerance/") and clause.type is ClauseType.QUANTITY
    }

    assert measured.keys() == asked.keys()
    for path, one in measured.items():
        assert asked[path].admits(one.value, one.unit), path


def test_the_printed_report_is_of_the_past() -> None:
    page = (ROOT / "docs" / "how-to" / "manufacturer.md").read_text()
    report = Report.parse(_JSON.findall(page)[0].encode())

    assert report.started_on < report.finished_on < time.time()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_printed_notices_doubt_the_past(page: Path) -> None:
    times = [moment(found) for found in _DOUBT.findall(page.read_text())]

    assert all(found < time.time() for found in times)


def test_pages_print_notices_at_all() -> None:
    assert sum(len(_DOUBT.findall(page.read_text())) for page in PAGES) >= 4


@pytest.mark.parametrize("name", ["site-a.json", "site-b.json", "site-c.json"])
def test_linked_settings_keep_the_example_recipe(name: str) -> None:
    clauses = {clause.path: clause for clause in example_recipe().clauses}
    settings = read_settings((ROOT / "examples" / "sites" / name).read_bytes())

    for setting in settings:
        assert clauses[setting.path].admits(setting.value, setting.unit), setting.path


def example_recipe() -> RecipeDocument:
    """Return the linked recipe, under salts that do not matter here."""
    data = (ROOT / "examples" / "recipe.json").read_bytes()
    return Tools().recipes(DESIGNER).draft(data)
