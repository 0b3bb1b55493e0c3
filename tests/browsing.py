"""People at a browser: what they open, with which screen, and what their browser complains of."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request

from environments import ROOT
from guildmark.domain.identifiers import to_hex
from stages import Played, design_path, own_design, published_plan, recalled, reconciliation, sold

_CHECKED = """() => {
  const own = document.getElementById('own');
  return own === null || own.dataset.state === 'done';
}"""
PHONE, TABLET, DESK = (360, 740), (768, 1024), (1280, 800)
# Reflow at 400 % of a desk's screen: WCAG 2.2, 1.4.10.
NARROWEST = (320, 640)
# 200 % of a desk's screen.
ZOOMED = (640, 400)
SCHEMES = ("light", "dark")
SHOP = "shop.example"
"""A name of this machine that browsers take for another host's: plain http is no safe context."""
AXE = ROOT / "hardhat-local" / "node_modules" / "axe-core" / "axe.min.js"


def card(played: Played) -> str:
    """Return the address of the first maker's card."""
    return f"{played.node.url}/orgs/{to_hex(played.workshops[0].maker.party.id)}"


def certificate(played: Played) -> str:
    """Return the address of the certificate of the site that was compared with the first."""
    site = to_hex(played.workshops[1].maker.site)
    return f"{played.node.url}/equivalence/{to_hex(published_plan(played))}/sites/{site}"


PAGES: Mapping[str, Callable[[Played], str]] = MappingProxyType(
    {
        "home": lambda played: f"{played.node.url}/",
        "verified": lambda played: f"{played.node.url}/parts/{played.parts[0].hint}",
        "unlisted": lambda played: f"{played.other.url}/parts/{played.parts[0].hint}",
        "altered": lambda played: f"{played.node.url}/parts/{played.bad['altered']}",
        "over-quota": lambda played: f"{played.node.url}/parts/{played.bad['over-quota']}",
        "recalled": lambda played: sold(played)["recalled"],
        "recall closed": lambda played: sold(played)["closed"],
        "perhaps copied": lambda played: sold(played)["copied"],
        "claimed": lambda played: sold(played)["claimed"],
        "reconciliation": reconciliation,
        "card": lambda played: (
            f"{played.node.url}/orgs/{to_hex(played.workshops[0].maker.party.id)}"
        ),
        "design": lambda played: f"{played.node.url}{design_path(played)}",
        "own design": own_design,
        "qualified": lambda played: (
            f"{played.node.url}/recipes/{to_hex(played.package.recipe.id())}/sites"
        ),
        "equivalence": lambda played: (
            f"{played.node.url}/equivalence/{to_hex(published_plan(played))}"
        ),
        "certificate": certificate,
        "recalls": lambda played: f"{played.node.url}/recalls#{recalled(played)}",
        "verify": lambda played: f"{played.node.url}/verify",
        "verify refused": lambda played: f"{played.node.url}/verify?q=no+such+thing",
        "errors": lambda played: f"{played.node.url}/errors",
        "docs": lambda played: f"{played.node.url}/docs",
        "not found": lambda played: f"{played.node.url}/parts/1.99999",
        "no such path": lambda played: f"{played.node.url}/nothing",
        "malformed": lambda played: f"{played.node.url}/search?q=no+such+thing",
    }
)
"""Every kind of page that the nodes show."""


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Start the system's Chromium, which finds no host but this machine."""
    rules = f"--host-resolver-rules=MAP {SHOP} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=[rules, *arguments]
    )


@dataclass(kw_only=True)
class Visit:
    """An open page and what its browser did and said meanwhile."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def width(self) -> int:
        """Return how wide the page is, whatever the screen shows of it."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def findings(self) -> list[str]:
        """Return what the accessibility engine finds wrong, by rule and place."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        assert len(found["passes"]) > 10, "the engine looked at nothing"
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found["violations"]
            for node in each["nodes"]
        ]


class Visitor:
    """Somebody with a browser who looks at one page after the other."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._pages: dict[bool, Page] = {}
        self._visit: Visit

    def open(
        self, address: str, *, screen: tuple[int, int] = PHONE, javascript: bool = True
    ) -> Visit:
        """Open a page and wait until it is whole."""
        page = self._pages.get(javascript) or self._window(javascript=javascript)
        self._visit = Visit(page=page)
        page.set_viewport_size({"width": screen[0], "height": screen[1]})
        page.emulate_media(media="null", color_scheme="null")
        page.goto(address)
        if javascript:
            page.wait_for_function(_CHECKED)
        return self._visit

    @contextmanager
    def large_text(self, page: Page) -> Iterator[None]:
        """Set the browser's text to twice its size."""
        session = page.context.new_cdp_session(page)
        session.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
        yield
        session.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})
        session.detach()

    def _window(self, *, javascript: bool) -> Page:
        context = self._browser.new_context(java_script_enabled=javascript)
        page = self._pages[javascript] = context.new_page()
        page.on("console", self._heard)
        page.on("request", self._requested)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        """Keep a warning or an error; that the page itself is a 404 or 400 is none."""
        is_status = "the server responded with a status of" in message.text
        if message.type in {"error", "warning"} and not is_status:
            self._visit.complaints.append(message.text)

    def _requested(self, request: Request) -> None:
        self._visit.asked.append(request.url)
