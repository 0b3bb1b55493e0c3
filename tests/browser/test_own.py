"""The part's page checks by itself: what the browser finds, and whose word it says the rest is."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from browsing import DESK, PAGES, SHOP, Visitor
from guildmark.domain import bundle, trust
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.trust import TrustedBlock
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil", "chromium")]


@pytest.fixture(autouse=True)
def nothing_kept(visitor: Visitor, played: Played) -> Iterator[None]:
    """Leave the browser as it was: without a list."""
    yield
    visitor.open(PAGES["home"](played)).page.evaluate("localStorage.clear()")


def test_the_browser_says_what_it_checked_what_it_took_and_what_is_left(
    visitor: Visitor, played: Played
) -> None:
    visit = visitor.open(PAGES["verified"](played))

    page = visit.page
    rows = page.locator("#checks ~ ol .what").all_inner_texts()
    done, taken, left = (_lines(page, name) for name in ("done", "taken", "left"))
    assert "Checked by this browser, by the list of " in _said(page)
    assert "is on the chain, which only the server says: Verified" in _said(page)
    assert done[0].startswith("The archive: ")
    held = [line for line in done if line.endswith(": holds")]
    assert [line.partition(" ")[0] for line in held] == [
        f"({number})" for number in (*range(1, 9), 10, 12)
    ]
    assert any("is on the chain" in line for line in taken)
    assert not any("the server judged another bundle" in line for line in taken)
    assert any(line.startswith("The trust list: it is that of") for line in taken)
    assert len(rows) == 13
    for row in rows:
        name, _, number = row.casefold().rpartition(" (")
        assert any(line.startswith(f"({number} {name}") for line in (*held, *left)), row
    assert page.locator("#own .good").count() == 0
    assert any("/bundle?block=" in asked for asked in visit.asked)


def test_the_browser_finds_what_the_server_found(visitor: Visitor, played: Played) -> None:
    page = visitor.open(PAGES["altered"](played)).page

    assert "finds a problem in the evidence, too" in _said(page)
    assert any("(verify.signatureInvalid)" in line for line in _lines(page, "done"))


def test_a_server_that_says_other_than_its_evidence_is_found_out(
    visitor: Visitor, played: Played
) -> None:
    page = visitor.open(PAGES["home"](played)).page
    altered = httpx.get(f"{played.node.url}/v1/parts/{played.bad['altered']}/bundle").content
    page.route("**/bundle?*", lambda route: route.fulfill(body=altered))

    visitor.open(PAGES["verified"](played))

    assert "where the server says that there is none" in _said(page)
    assert any("the server judged another bundle" in line for line in _lines(page, "taken"))
    page.unroute_all()


def test_on_plain_http_the_page_says_that_it_cannot_check(visitor: Visitor, played: Played) -> None:
    visit = visitor.open(PAGES["verified"](played).replace("127.0.0.1", SHOP))

    assert "cannot check by itself here: the page came over plain http" in _said(visit.page)
    assert not visit.page.locator("#own form").is_visible()
    assert not any("/bundle" in asked for asked in visit.asked)


def test_a_reader_takes_a_list_of_his_own_after_seeing_it_in_words(
    visitor: Visitor, played: Played, tmp_path: Path
) -> None:
    page = visitor.open(PAGES["verified"](played), screen=DESK).page
    file = tmp_path / "mine.json"
    file.write_bytes(_own_list(played, page))

    page.locator("#own-file").set_input_files(file)
    page.get_by_role("button", name="Take this list").wait_for()
    offered = page.locator("#own-words").inner_text()
    assert "the list that" in page.locator("#own-list").inner_text()
    page.get_by_role("button", name="Take this list").click()
    page.get_by_text("(0) chain and block: holds").wait_for()
    said, taken = _said(page), _lines(page, "taken")
    page = visitor.open(PAGES["verified"](played)).page

    assert "Nobody else, 0x" in offered
    # The list names no issuer: it takes more than a sound record to be called verified.
    assert said.startswith("Checked by you: in this browser, by your own list. Verified")
    assert said.endswith(", but the maker's issuer is not on your trust list.")
    assert not any("trust list" in line or "is on the chain" in line for line in taken)
    assert "your own list" in page.locator("#own-list").inner_text()
    page.get_by_role("button", name="Forget my list").click()
    page.get_by_text("Judged by the list that").wait_for()
    assert page.evaluate("localStorage.length") == 0


def test_a_file_that_is_no_list_is_not_offered(
    visitor: Visitor, played: Played, tmp_path: Path
) -> None:
    page = visitor.open(PAGES["verified"](played)).page
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({**json.loads(_own_list(played, page)), "everybody": True}))

    page.locator("#own-file").set_input_files(file)
    page.get_by_text("has an unknown member everybody").wait_for()

    assert not page.get_by_role("button", name="Take this list").is_visible()


def _own_list(played: Played, page: Page) -> bytes:
    """Return a list that believes the block which the page is about."""
    node = httpx.Client(base_url=played.node.url)
    known = trust.parse(node.get("/.well-known/guildmark-trust.json").content)
    known = trust.Trust(
        version=known.version,
        chain=known.chain,
        operators=(trust.Listed(id=known.operators[0].id, name="Nobody else"),),
    )
    address = page.locator("#own").get_attribute("data-bundle")
    header = decode_header(bundle.read(node.get(str(address)).content).chain.header)
    block = TrustedBlock(number=header.number, hash=header.hash, time=header.time)
    node.close()
    return trust.serialise(known.with_block(block))


def _said(page: Page) -> str:
    return page.locator("#own-said").inner_text()


def _lines(page: Page, name: str) -> list[str]:
    return page.locator(f"#own-{name} li").all_inner_texts()
