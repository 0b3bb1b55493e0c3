"""A designer fills in a recipe's form: a real browser, without JavaScript."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from playwright.sync_api import Page

from browsing import DESK, PHONE, SCHEMES, Visitor
from guildmark.agent.editing.pages import Pages
from guildmark.agent.editing.sheet import read_sheet
from guildmark.agent.local import Door, listen
from guildmark.domain.recipes.drafts import lint, read_either, write_draft
from guildmark.domain.recipes.templates import template

pytestmark = [pytest.mark.enable_socket, pytest.mark.needs("chromium")]

TITLE, CLAUSES = template("laser-cutting")


@pytest.fixture
def form(tmp_path: Path) -> Iterator[tuple[Pages, str]]:
    """Return a form that is served, and its address."""
    listener, hosts = listen(0)
    start = read_sheet(write_draft(TITLE, CLAUSES).encode())
    before = read_either(write_draft(TITLE, CLAUSES).encode()).clauses
    file = tmp_path / "recipe.json"
    pages = Pages(file=file, start=start, before=before, door=Door(hosts=hosts))
    server = uvicorn.Server(uvicorn.Config(pages.application(), log_config=None))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield pages, f"http://127.0.0.1:{listener.getsockname()[1]}/enter?ticket={pages.ticket}"
    server.should_exit = True
    thread.join()
    listener.close()


def press(page: Page, wish: str) -> None:
    page.locator(f"button[value={wish}]").first.click()


def test_a_recipe_is_filled_in_and_saved_without_javascript(
    visitor: Visitor, form: tuple[Pages, str]
) -> None:
    pages, address = form
    page = visitor.open(address, javascript=False).page

    page.get_by_label("Least").last.fill("99,7")
    press(page, "save")
    refused = page.inner_text("main")
    typed = page.get_by_label("Least").last.input_value()
    page.get_by_label("Least").last.fill("99.7")
    press(page, "add")
    page.get_by_label("Name").last.fill("use2")
    page.get_by_label("Group").last.select_option("safety")
    page.get_by_label("Least").last.fill("1")
    page.get_by_label("Unit").last.fill("mm")
    page.keyboard.press("Enter")
    change = page.inner_text("#change")
    press(page, "save")

    assert "no decimal string" in refused
    assert typed == "99,7"
    assert change == "Change: requalify"
    assert "saved" in page.inner_text("[role=status]")
    data = pages.file.read_bytes()
    assert len(read_either(data).clauses) == len(CLAUSES) + 1
    # What the template leaves to its user is still to be said.
    assert [(one.rule, one.path) for one in lint(data)] == [("lint.unsaid", "/safety/use")]


def test_the_form_fits_its_screen_in_light_and_dark_and_is_accessible(
    visitor: Visitor, form: tuple[Pages, str]
) -> None:
    visit = visitor.open(form[1])
    visit.page.get_by_label("Unit").last.fill("sec")
    press(visit.page, "check")

    for scheme in SCHEMES:
        visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # of two
        assert visit.findings() == []
    for screen in (PHONE, DESK):
        visit.page.set_viewport_size({"width": screen[0], "height": screen[1]})
        assert visit.width() <= screen[0]
    assert visit.complaints == []
