"""A real browser beside running nodes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

import browsing
from browsing import Visitor
from playing import played

__all__ = ["played"]


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    """Return somebody at Debian's Chromium.

    It ends with its module: while it runs, the thread has an event loop of its own.
    """
    with sync_playwright() as playwright:
        browser = browsing.launch(playwright)
        yield Visitor(browser)
        browser.close()
