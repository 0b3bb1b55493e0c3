"""The part's page checks by itself: what the browser finds, and whose word it says the rest is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from browsing import DESK, PAGES, SHOP, Visitor
from fakes.gateway import Gateway, gateway
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


@pytest.fixture
def rpc(played: Played) -> Iterator[Gateway]:
    """Return a node of the stage's chain that pages may ask."""
    with gateway(played.scene.casting.chain.url) as found:
        yield found


def test_the_readers_own_node_says_that_the_block_is_on_the_chain(
    visitor: Visitor, played: Played, rpc: Gateway
) -> None:
    visit = visitor.open(PAGES["verified"](played), screen=DESK)
    page = visit.page
    assert "No node of yours was asked" in _head(page)

    _ask(page, rpc.url)
    page.get_by_text("(0) chain and block: holds").wait_for()
    said, head = _said(page), _head(page)
    again = visitor.open(PAGES["verified"](played), screen=DESK)
    visitor_kept = (_said(again.page), page.evaluate("localStorage.getItem('guildmark.node')"))

    host = rpc.url.removeprefix("http://")
    assert f"{host}, the node that you named, has the block. Verified" in said
    assert "only the server says" not in said
    assert head.startswith(f"{host}, which you named, has block ")
    assert "its newest final block is " in head
    assert not any("is on the chain" in line for line in _lines(page, "taken"))
    assert visitor_kept == (said, f"{rpc.url}/")
    # The host hears nothing of the node, and the node nothing of the part.
    asked = [one for one in (*visit.asked, *again.asked) if not one.startswith(rpc.url)]
    assert asked
    assert not any(host in one for one in asked)
    assert {path for path, _ in rpc.asked} == {"/"}
    assert {method for _, method in rpc.asked} == {"eth_chainId", "eth_getBlockByNumber"}
    page.get_by_role("button", name="Forget my node").click()
    page.get_by_text("which only the server says").wait_for()
    assert page.evaluate("localStorage.length") == 0


def test_the_door_of_this_machines_local_chain_may_be_asked(
    visitor: Visitor, played: Played
) -> None:
    url = played.scene.casting.chain.url
    page = visitor.open(PAGES["verified"](played)).page

    _ask(page, url)
    page.get_by_text("(0) chain and block: holds").wait_for()

    host = url.removeprefix("http://")
    assert f"{host}, the node that you named, has the block. Verified" in _said(page)
    page.get_by_role("button", name="Forget my node").click()


def test_an_address_that_may_hold_a_key_is_asked_and_not_kept(
    visitor: Visitor, played: Played, rpc: Gateway
) -> None:
    visit = visitor.open(PAGES["verified"](played))

    _ask(visit.page, f"{rpc.url}/v3/key-of-mine")
    visit.page.get_by_text("(0) chain and block: holds").wait_for()

    assert {path for path, _ in rpc.asked} == {"/v3/key-of-mine"}
    assert visit.page.evaluate("localStorage.length") == 0
    assert "key-of-mine" not in visit.page.content()
    assert not any("key-of-mine" in one for one in visit.asked if not one.startswith(rpc.url))
    assert "which only the server says" in _said(visitor.open(PAGES["verified"](played)).page)


def _other_hash(_method: str, params: list[Any], result: Any) -> Any:
    is_asked = params and params[0] not in {"0x0", "finalized"}
    return {**result, "hash": f"0x{'ab' * 32}"} if is_asked else result


def _other_chain(method: str, _params: list[Any], result: Any) -> Any:
    return "0x1" if method == "eth_chainId" else result


def _without_block(_method: str, params: list[Any], result: Any) -> Any:
    return result if not params or params[0] in {"0x0", "finalized"} else None


def test_another_block_at_the_readers_node_is_a_problem(
    visitor: Visitor, played: Played, rpc: Gateway
) -> None:
    rpc.answer = _other_hash
    page = visitor.open(PAGES["verified"](played)).page

    _ask(page, rpc.url)
    page.get_by_text("(verify.blockMismatch)").wait_for()

    assert "where the server says that there is none" in _said(page)
    assert "has another block " in _head(page)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answer": _other_chain}, "Your node is on another chain than your trust file pins"),
        ({"answer": _without_block}, "Your node does not have block "),
        ({"raw": (503, b"")}, "answered with status 503."),
        ({"raw": (200, b"<html>")}, "does not answer as a node of a chain does: no JSON."),
        ({"raw": (200, b" " * ((4 << 20) + 1))}, "answered with more than 4194304 bytes."),
        ({"origins": ""}, "answers, but lets no page of this host read what it says"),
    ],
    ids=["chain", "block", "status", "words", "size", "cors"],
)
def test_a_node_that_does_not_help_proves_nothing(
    visitor: Visitor, played: Played, rpc: Gateway, change: dict[str, Any], words: str
) -> None:
    for name, value in change.items():
        setattr(rpc, name, value)
    page = visitor.open(PAGES["verified"](played)).page

    _ask(page, rpc.url)
    page.locator("#own-said", has_text=words).wait_for()

    assert "which only the server says: " in _said(page)
    assert any("is on the chain" in line for line in _lines(page, "taken"))
    assert not any(line.startswith("(0) ") for line in _lines(page, "done") if "holds" in line)


def test_a_node_that_is_away_or_says_nothing_is_told(
    visitor: Visitor, played: Played, rpc: Gateway
) -> None:
    page = visitor.open(PAGES["verified"](played)).page

    # Nobody listens at the port of discarding.
    _ask(page, "http://localhost:9")
    page.locator("#own-said", has_text="localhost:9 could not be reached.").wait_for()
    rpc.is_silent = True
    _ask(page, rpc.url)
    page.locator("#own-said", has_text="did not answer within 10 seconds.").wait_for()

    assert "which only the server says: " in _said(page)


@pytest.mark.parametrize("typed", ["http://rpc.example.org", "rpc.example.org", "https://a:b@c.d"])
def test_an_address_that_nobody_should_ask_is_refused_in_words(
    visitor: Visitor, played: Played, rpc: Gateway, typed: str
) -> None:
    page = visitor.open(PAGES["verified"](played)).page

    _ask(page, typed)
    page.locator("#own-head", has_text="A node's address ").wait_for()

    assert page.evaluate("localStorage.length") == 0
    assert rpc.asked == []


def test_the_page_itself_may_ask_no_other_host(
    visitor: Visitor, played: Played, rpc: Gateway
) -> None:
    page = visitor.open(PAGES["verified"](played)).page

    found = page.evaluate("(url) => fetch(url).then(() => 'asked', () => 'refused')", rpc.url)

    assert found == "refused"


def _ask(page: Page, url: str) -> None:
    page.get_by_label("Ask your own node").fill(url)
    page.get_by_role("button", name="Ask it").click()


def _head(page: Page) -> str:
    return page.locator("#own-head").inner_text()


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
