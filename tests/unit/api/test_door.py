"""The door: an answer by it is the one by frame and routes, header by header."""

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fakes.scans import MemoryScans
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.api.app import described
from guildmark.api.description import Application
from guildmark.api.frame import CHECKING_HEADERS
from guildmark.api.kept_pages import keep_for
from guildmark.api.visiting import led_to
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.services.labels.scanning import Scanning

PATH = "/parts/1.7"
PHONE = b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari"
NO_HEADERS: Mapping[bytes, bytes] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one request got, and what was written of it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    line: Mapping[str, Any]

    @property
    def given(self) -> str:
        """Return the id of the request."""
        return dict(self.headers)[b"x-request-id"].decode()

    def without_id(self) -> tuple[object, ...]:
        """Return all but what tells requests apart."""
        headers = [each for each in self.headers if each[0] != b"x-request-id"]
        told = {"request", "milliseconds"}
        line = {name: value for name, value in self.line.items() if name not in told}
        return self.status, headers, self.body, line

    def places(self) -> list[bytes]:
        """Return the names of the headers, in their order."""
        return [name for name, _ in self.headers]


class Site:
    """An application whose page of a part counts how often it was made."""

    def __init__(self, *, seconds: int = 60) -> None:
        self.made = 0
        self.store = MemoryScans()
        self.scanning = Scanning(
            store=self.store, clock=SystemClock(), entropy=SystemEntropy(), days=1
        )
        app = described(page_seconds=seconds, scanning=self.scanning)
        assert isinstance(app, Application)
        self.app, self.door = app, app.door
        paths = (PATH, "/parts/1.8", "/recalls")
        self.app.router.routes[:0] = [Route(path, self._page) for path in paths]
        self.lines: list[Mapping[str, Any]] = []

    async def _page(self, request: Request) -> Response:
        self.made += 1
        page = HTMLResponse(f"page {self.made} of {request.url.path}")
        page.headers.update(CHECKING_HEADERS)
        page.headers.update(keep_for(60))
        page.headers.update(led_to(LogNumber(1), Index(7)))
        page.headers.append("Link", "</a>; rel=first")
        page.headers.append("Link", "</b>; rel=next")
        return page

    async def ask(
        self,
        *,
        method: str = "GET",
        path: str = PATH,
        headers: Mapping[bytes, bytes] = NO_HEADERS,
        through: str = "door",
    ) -> Answer:
        named = {b"host": b"node.example", b"user-agent": PHONE, **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "client": ("192.0.2.7", 50_000),
            "headers": list(named.items()),
        }
        found: list[Any] = []

        async def send(message: Any) -> None:
            found.append(message)

        self.app.door = self.door if through == "door" else None
        await self.app(scope, _receive, send)
        start, *bodies = found
        return Answer(
            status=start["status"],
            headers=list(start["headers"]),
            body=b"".join(each.get("body", b"") for each in bodies),
            line=self.lines.pop(),
        )

    def counted(self) -> int:
        self.scanning.write()
        history = self.store.history(LogNumber(1), Index(7))
        return 0 if history is None else history.count


async def _receive() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


@pytest.fixture
def site(caplog: pytest.LogCaptureFixture) -> Iterator[Site]:
    site = Site()

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            site.lines.append({"message": record.getMessage(), **record.fields})  # type: ignore[attr-defined]

    handler, logger = Told(), logging.getLogger("guildmark.api.frame")
    with caplog.at_level(logging.INFO, logger=logger.name):
        logger.addHandler(handler)
        yield site
        logger.removeHandler(handler)


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "given", [NO_HEADERS, {b"x-request-id": b"mine-1"}, {b"x-request-id": b"?"}]
)
def test_answer_by_the_door_is_the_one_by_the_routes(
    site: Site, method: str, given: Mapping[bytes, bytes]
) -> None:
    async def story() -> None:
        made = await site.ask(method=method, headers=given)
        door = await site.ask(method=method, headers=given)
        routed = await site.ask(method=method, headers=given, through="routes")

        assert site.made == 1
        assert made.without_id() == door.without_id() == routed.without_id()
        assert made.places() == door.places() == routed.places()
        assert door.places().count(b"link") == 2
        assert door.body == (b"" if method == "HEAD" else f"page 1 of {PATH}".encode())
        assert door.line["method"] == method
        assert door.line["bytes"] == len(f"page 1 of {PATH}")
        assert all(each.line["request"] == each.given for each in (made, door, routed))

    _run(story())


def test_door_takes_a_plain_id_of_the_client_and_makes_one_else(site: Site) -> None:
    async def story() -> None:
        await site.ask()

        assert (await site.ask(headers={b"x-request-id": b"mine-1"})).given == "mine-1"
        ids = [(await site.ask(headers={b"x-request-id": b'a"b'})).given for _ in range(2)]
        assert ids[0] != ids[1]
        assert [len(bytes.fromhex(each)) for each in ids] == [8, 8]

    _run(story())


def test_each_who_is_shown_a_page_counts_whoever_showed_it(site: Site) -> None:
    async def story() -> None:
        await site.ask()
        await site.ask()
        await site.ask(through="routes")
        assert site.counted() == 3

        await site.ask(method="HEAD")
        await site.ask(headers={b"user-agent": b"Googlebot/2.1"})
        assert site.counted() == 3

    _run(story())


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/parts/1.8"},
        {"path": "/recalls"},
        {"headers": {b"host": b"other.example"}},
        {"headers": {b"accept": b"application/json"}},
    ],
    ids=["path", "no part's page", "host", "accept"],
)
def test_what_is_not_kept_goes_on_to_the_routes(site: Site, other: dict[str, Any]) -> None:
    async def story() -> None:
        await site.ask()
        answer = await site.ask(**other)

        assert site.made == 2
        assert answer.body.startswith(b"page 2 of ")

    _run(story())


def test_change_closes_the_door_until_a_page_is_made_anew(site: Site) -> None:
    async def story() -> None:
        await site.ask()
        refused = await site.ask(method="POST")
        assert refused.status == 405

        assert (await site.ask()).body.startswith(b"page 2 of ")
        assert (await site.ask()).body.startswith(b"page 2 of ")

    _run(story())


def test_door_is_closed_where_nothing_is_kept() -> None:
    async def story() -> None:
        site = Site(seconds=0)
        site.lines += [{}, {}]
        await site.ask()
        await site.ask()

        assert site.made == 2

    _run(story())
