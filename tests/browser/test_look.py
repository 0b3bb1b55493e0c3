"""Every page on every screen: it fits, it can be read, it can be printed."""

from typing import Literal

import pytest
from playwright.sync_api import Page

from browsing import DESK, NARROWEST, PAGES, PHONE, SCHEMES, TABLET, ZOOMED, Visitor
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil", "chromium")]

_LONG_WORDS = """() => {
  const texts = document.querySelectorAll(
    'h1, h2, p, dd, dt, th:not(.number), td:not(.number), li, code, summary, .host');
  for (const each of texts) each.textContent = 'W'.repeat(120);
  return texts.length;
}"""
_COLOURS = """() => [document.body, document.querySelector('h1')].map(
  each => [getComputedStyle(each).backgroundColor, getComputedStyle(each).color])"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_every_screen(visitor: Visitor, played: Played, name: str) -> None:
    visit = visitor.open(PAGES[name](played))

    for width, height in (NARROWEST, PHONE, ZOOMED, TABLET, DESK):
        visit.page.set_viewport_size({"width": width, "height": height})

        assert visit.width() <= width, width


@pytest.mark.parametrize("name", PAGES)
def test_no_text_however_long_widens_a_page(visitor: Visitor, played: Played, name: str) -> None:
    visit = visitor.open(PAGES[name](played))

    replaced = visit.page.evaluate(_LONG_WORDS)

    assert replaced > 3
    assert visit.width() <= PHONE[0]


@pytest.mark.parametrize("name", PAGES)
def test_text_can_be_twice_as_large(visitor: Visitor, played: Played, name: str) -> None:
    visit = visitor.open(PAGES[name](played))
    before = _text_size(visit.page)

    # What the browser's setting for text does; WCAG 2.2, 1.4.4.
    with visitor.large_text(visit.page):
        for width, height in (PHONE, DESK):
            visit.page.set_viewport_size({"width": width, "height": height})

            assert _text_size(visit.page) == 2 * before
            assert visit.width() <= width, width


@pytest.mark.parametrize("name", PAGES)
def test_an_accessibility_engine_finds_nothing(visitor: Visitor, played: Played, name: str) -> None:
    visit = visitor.open(PAGES[name](played))

    for scheme in SCHEMES:
        _show(visit.page, scheme)

        assert visit.findings() == [], scheme


def test_the_accessibility_engine_finds_what_is_wrong(visitor: Visitor, played: Played) -> None:
    visit = visitor.open(PAGES["home"](played))
    visit.page.evaluate("document.querySelector('input').removeAttribute('aria-label')")
    visit.page.evaluate("document.querySelector('h1').style.color = '#eee'")
    visit.page.evaluate("document.querySelector('input').placeholder = ''")

    rules = {finding.partition(":")[0] for finding in visit.findings()}

    assert {"label", "color-contrast"} <= rules


@pytest.mark.parametrize(
    "name",
    ["verified", "unlisted", "altered", "over-quota", "recalled", "recall closed", "not found"],
)
def test_a_phone_shows_the_verdict_without_scrolling(
    visitor: Visitor, played: Played, name: str
) -> None:
    page = visitor.open(PAGES[name](played), screen=PHONE).page

    top = page.locator("h1, .verdict svg, .verdict .reason, .verdict .short")
    boxes = [one.bounding_box() for one in top.all()]

    assert len(boxes) >= 2
    assert all(box and box["y"] + box["height"] <= PHONE[1] for box in boxes), boxes
    assert page.locator("h1").evaluate("one => parseFloat(getComputedStyle(one).fontSize)") >= 20


@pytest.mark.parametrize("name", ["verified", "unlisted"])
def test_a_good_verdict_says_at_the_top_what_is_proven_and_what_not(
    visitor: Visitor, played: Played, name: str
) -> None:
    page = visitor.open(PAGES[name](played)).page

    proven, not_proven = page.locator(".verdict dd").all_inner_texts()
    page.get_by_role("link", name="What else is not proven").click()

    assert "Oficina Mondego" in proven
    assert f"unit {played.parts[0].unit} of 60" in proven
    assert "a label can be copied" in not_proven
    box = page.get_by_role("heading", name="What this does not prove").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < PHONE[1]


def test_each_verdict_has_its_own_words_colour_and_icon(visitor: Visitor, played: Played) -> None:
    traits = []
    for name in ("verified", "unlisted", "altered", "not found"):
        card = visitor.open(PAGES[name](played)).page.locator(".verdict")
        colour = card.evaluate("one => getComputedStyle(one).borderLeftColor")
        icon = card.locator("svg").first.inner_html()
        traits.append((card.locator("h1").inner_text(), colour, icon))

    words, colours, icons = zip(*traits, strict=True)
    assert len(set(words)) == len(set(colours)) == len(set(icons)) == 4


def test_a_recall_is_said_at_the_top_and_a_closed_one_stays_in_the_timeline(
    visitor: Visitor, played: Played
) -> None:
    page = visitor.open(PAGES["recalled"](played)).page
    headline, why = page.locator("h1").inner_text(), page.locator(".verdict .reason").inner_text()
    page = visitor.open(PAGES["recall closed"](played)).page
    later, timeline = page.locator("h1").inner_text(), page.locator(".timeline").inner_text()

    assert headline == "Recalled"
    assert "by the machine's controller" in why
    assert "do not use it" in why
    assert later.startswith("Verified")
    assert "Recalled since" in timeline
    assert "was closed." in timeline
    assert page.locator(".verdict .reason").count() == 0


def test_a_label_that_may_be_copied_is_not_green_and_asks_for_its_code(
    visitor: Visitor, played: Played
) -> None:
    page = visitor.open(PAGES["perhaps copied"](played)).page
    tone = page.locator(".verdict").get_attribute("class")
    banner, form = page.locator(".banner").first.inner_text(), page.locator("form.claim")
    box = page.locator(".banner").first.bounding_box()

    assert page.locator("h1").inner_text().endswith("; this label may be copied")
    assert tone is not None
    assert "care" in tone.split()
    assert "This label may be on more than one part" in banner
    assert box is not None
    assert box["y"] < 2 * PHONE[1]
    assert form.get_by_role("button").inner_text() == "Check the code"


@pytest.mark.parametrize(
    "name", ["home", "verified", "unlisted", "altered", "recalled", "perhaps copied", "not found"]
)
def test_light_and_dark_are_two_looks(visitor: Visitor, played: Played, name: str) -> None:
    page = visitor.open(PAGES[name](played)).page
    _show(page, "light")
    light = page.evaluate(_COLOURS)

    _show(page, "dark")

    assert all(
        one != other
        for pair in zip(light, page.evaluate(_COLOURS), strict=True)
        for one, other in zip(*pair, strict=True)
        if one != "rgba(0, 0, 0, 0)"
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_print_is_black_on_white_and_whole(
    visitor: Visitor, played: Played, scheme: Literal["light", "dark"]
) -> None:
    page = visitor.open(PAGES["verified"](played)).page
    page.emulate_media(media="print", color_scheme=scheme)

    assert page.evaluate(_COLOURS)[0] == ["rgb(255, 255, 255)", "rgb(22, 32, 46)"]
    assert page.get_by_text("Site recipe", exact=True).is_visible()
    assert page.get_by_role("heading", name="What this does not prove").is_visible()
    assert page.locator("img.qr").is_visible()
    for unprintable in ("footer nav", ".actions", ".skip"):
        assert not page.locator(unprintable).is_visible(), unprintable
    assert page.pdf().startswith(b"%PDF-")


def test_the_screen_keeps_identifiers_closed(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["verified"](played)).page

    assert not page.get_by_text("Site recipe", exact=True).is_visible()


def _text_size(page: Page) -> float:
    size = page.locator("footer p").evaluate("one => getComputedStyle(one).fontSize")
    return float(size.removesuffix("px"))


def _show(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
