"""People use the pages: by keyboard, without JavaScript, with a label in their hand."""

import io

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page

from browsing import DESK, PAGES, PHONE, SCHEMES, Visit, Visitor
from demo.showing import label_link
from guildmark.adapters.labels import pictures
from guildmark.domain.labels.activation import ClaimFile
from stages import HIDDEN_CODE, Played, sold

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil", "chromium")]

VERIFIED = "Verified on this node's own chain"
_FOCUS = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  return {
    what: one.tagName + ' ' + one.textContent.trim() + (one.name || ''),
    outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    seen: box.width > 0 && box.left >= 0 && box.top >= 0 && box.bottom <= innerHeight,
  };
}"""
_REACHABLE = """() => [...document.querySelectorAll('a, button, input, summary')]
  .filter(one => one.checkVisibility()).length"""
_INJECT = """() => {
  const script = document.createElement('script');
  script.textContent = 'window.injected = true';
  document.head.append(script);
  return window.injected === true;
}"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_its_own_host_alone_and_nothing_is_blocked(
    visitor: Visitor, played: Played, name: str
) -> None:
    visit = visitor.open(PAGES[name](played))

    assert visit.complaints == []
    assert len(visit.asked) >= 2
    # The icon of the page before, of the other node, may still be on its way.
    nodes = (f"{played.node.url}/", f"{played.other.url}/")
    assert all(asked.startswith(nodes) for asked in visit.asked), visit.asked


@pytest.mark.parametrize("name", ["verified", "altered", "home", "not found"])
def test_an_injected_script_does_not_run(visitor: Visitor, played: Played, name: str) -> None:
    visit = visitor.open(PAGES[name](played))
    answer = visit.page.reload()

    ran = visit.page.evaluate(_INJECT)

    assert answer is not None
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not ran
    assert any("Content Security Policy" in complaint for complaint in visit.complaints)


def test_a_code_is_claimed_without_javascript_and_who_comes_second_may_hold_a_copy(
    visitor: Visitor, played: Played
) -> None:
    label = sold(played)["unclaimed"]
    second = visitor.open(label)
    first = visitor.open(label, javascript=False).page
    _type_code(first)
    asked = _headline(first)
    first.get_by_role("button", name="Claim this part").click()
    told, address = _headline(first), first.url
    with first.expect_download() as saved:
        first.get_by_role("button", name="Save the proof").click()
    first.get_by_role("link", name="Back to part").click()

    _type_code(second.page)

    proof = ClaimFile.parse(saved.value.path().read_bytes())
    assert (asked, told, _headline(second.page)) == (
        "The code is right",
        "Claimed",
        "Possible copy",
    )
    assert "Claimed since the hour of" in first.locator("main").inner_text()
    assert first.locator("form.claim").count() == 0
    assert proof.code == HIDDEN_CODE
    assert address.endswith("/claim")
    assert second.findings() == []
    second.page.emulate_media(color_scheme="dark")
    assert second.findings() == []
    assert second.width() <= PHONE[0]


@pytest.mark.parametrize("name", ["verified", "unlisted", "altered", "errors", "not found"])
def test_a_page_says_the_same_without_javascript(
    visitor: Visitor, played: Played, name: str
) -> None:
    page = visitor.open(PAGES[name](played)).page
    # What the browser checks by itself is said by scripts alone.
    page.evaluate("document.getElementById('own')?.remove()")
    with_it = page.locator("main").inner_text()

    without = visitor.open(PAGES[name](played), javascript=False).page

    assert without.locator("main").inner_text() == with_it
    assert without.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") != "32px"


def test_identifiers_open_without_javascript(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["verified"](played), javascript=False).page

    page.get_by_text("Identifiers").click()

    assert page.get_by_text(played.parts[0].label).is_visible()


@pytest.mark.parametrize("name", ["home", "verified", "altered", "malformed"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    visitor: Visitor, played: Played, name: str
) -> None:
    page = visitor.open(PAGES[name](played), screen=DESK).page
    count = page.evaluate(_REACHABLE)
    reached = []

    for _ in range(count):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        reached.append(focus["what"])

        assert focus["outline"] >= 2, focus
        assert focus["seen"], focus

    assert reached[0] == "A Skip to the content"
    assert reached[-1] == "A For programs"
    assert count > 6


def test_the_skip_link_leads_past_the_header(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["verified"](played)).page

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_keyboard_opens_the_identifiers(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["verified"](played)).page

    page.get_by_text("Identifiers").focus()
    page.keyboard.press("Enter")

    assert page.get_by_text(played.parts[0].label).is_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_the_search_leads_to_the_part(visitor: Visitor, played: Played, javascript: bool) -> None:
    part = played.parts[0]
    for typed in (part.hint, part.label):
        page = visitor.open(PAGES["home"](played), javascript=javascript).page

        page.get_by_role("searchbox").fill(typed)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{part.hint}")

        assert _headline(page) == VERIFIED


def test_the_search_keeps_its_hold_on_who_mistyped(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["home"](played)).page

    page.get_by_role("button", name="Check").click()
    assert page.url == PAGES["home"](played)
    page.get_by_role("searchbox").fill("no such thing")
    page.get_by_role("button", name="Check").click()
    assert _headline(page) == "Cannot be read"
    page.get_by_role("searchbox").fill(played.parts[0].hint)
    page.get_by_role("button", name="Check").click()
    assert _headline(page) == VERIFIED


def test_the_newest_entries_lead_to_their_parts(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["home"](played)).page
    # Other tests log parts to the same node: the newest is whichever came last.
    newest = page.locator("tbody tr").first
    entry, serial, _ = newest.locator("td").all_inner_texts()

    newest.get_by_role("link").click()
    page.get_by_text("Identifiers").click()

    assert page.url.endswith(f"/parts/{entry}")
    assert page.get_by_text(serial).last.is_visible()


def test_a_failed_check_leads_to_what_its_code_means(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["altered"](played)).page

    page.get_by_role("link", name="verify.signatureInvalid").click()

    entry = page.locator(":target")
    assert "How to solve" in entry.inner_text()
    box = entry.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 740


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_code_on_the_page_can_be_scanned(visitor: Visitor, played: Played, scheme: str) -> None:
    visit = visitor.open(PAGES["verified"](played))
    visit.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    text = _scanned(visit.page.locator("img.qr").screenshot())

    assert _opened(visitor, text, played) == VERIFIED


def test_the_label_s_files_can_be_scanned(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["verified"](played), screen=DESK).page
    with page.expect_response("**/label.svg"):
        page.get_by_role("link", name="Label (SVG)").click()
    drawn = _scanned(page.screenshot())
    served = page.request.get(page.url.replace(".svg", ".png"))

    assert _opened(visitor, drawn, played) == VERIFIED
    assert _scanned(served.body()) == drawn


def test_a_label_of_the_demo_leads_to_its_page(visitor: Visitor, played: Played) -> None:
    text = label_link(played.scene, played.parts[0])

    assert _scanned(pictures.png(text)) == text
    assert _opened(visitor, text, played) == VERIFIED


def test_the_evidence_can_be_saved(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["verified"](played)).page

    with page.expect_download() as saved:
        page.get_by_role("link", name="Evidence (zip)").click()

    name = saved.value.suggested_filename
    assert page.get_by_text(f"guildmark verify {name}").is_visible()
    assert saved.value.path().read_bytes().startswith(b"PK")


def _headline(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def _scanned(picture: bytes) -> str:
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return str(found.text)


def _opened(visitor: Visitor, text: str, played: Played) -> str:
    """Return the headline of the page behind a code, which is of the node that shows the label."""
    path = played.parts[0].label.removeprefix("https://parts.douro.example")
    assert text == f"{played.node.url}{path}?p={played.parts[0].hint}"
    visit: Visit = visitor.open(text)
    return _headline(visit.page)


def _type_code(page: Page) -> None:
    page.get_by_role("textbox", name="Code under").fill(HIDDEN_CODE.text().lower())
    page.get_by_role("button", name="Check the code").click()
