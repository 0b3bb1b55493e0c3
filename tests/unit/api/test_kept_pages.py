"""Pages kept for a moment: who gets the same bytes, and what is never kept."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from guildmark.api.kept_pages import KeptPages, keep_for
from guildmark.api.making_pages import MakingPages
from guildmark.services.evidence.linking import PAGES

MARKED = [(b"cdn-cache-control", b"max-age=2")]
PATH = "/parts/1.7"


@dataclass(kw_only=True)
class Site:
    """Counts the pages that it makes; each waits until it is let go."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: list(MARKED))
    status: int = 200
    chunks: tuple[bytes, ...] = ()
    made: int = 0
    gate: asyncio.Event | None = None
    fault: Exception | None = None

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.made += 1
        number = self.made
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        scope["route"] = "the route"
        start = {
            "type": "http.response.start",
            "status": self.status,
            "headers": list(self.headers),
        }
        await send(start)
        for chunk in self.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"page %d" % number})


@dataclass(kw_only=True)
class Reader:
    """Asks, and adds a header to what it gets as the frame does."""

    pages: MakingPages

    async def ask(
        self,
        path: str = PATH,
        *,
        method: str = "GET",
        query: bytes = b"",
        headers: Mapping[bytes, bytes] | None = None,
    ) -> tuple[int, bytes]:
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": list((headers or {b"host": b"one.example"}).items()),
        }
        found: list[Any] = []

        async def send(message: Any) -> None:
            found.append(message)

        await self.pages(scope, _nothing, send)
        start, *bodies = found
        # A second one would show that the kept message itself was changed.
        assert [name for name, _ in start["headers"]].count(b"x-request-id") == 0
        start["headers"].append((b"x-request-id", b"1"))
        assert scope["route"] == "the route"
        return start["status"], b"".join(body["body"] for body in bodies)


async def _nothing() -> Any:
    raise AssertionError


@dataclass(kw_only=True)
class Clock:
    """Seconds that a test sets."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def _pages(site: Callable[..., Awaitable[None]], clock: Clock, *, seconds: int = 2) -> Reader:
    kept = KeptPages(seconds=seconds, monotonic=clock)
    return Reader(pages=MakingPages(site, kept))


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@pytest.mark.parametrize(
    "path",
    [PATH, f"{PAGES}/01/09506000134352/21/A1", "/id/acme/A1", "/01/09506000134352/21/A1"],
)
def test_page_is_made_once_in_its_moment(path: str) -> None:
    async def story() -> None:
        site, clock = Site(chunks=(b"long ",)), Clock()
        reader = _pages(site, clock)

        assert await reader.ask(path) == (200, b"long page 1")
        clock.now += 1.999
        assert await reader.ask(path) == (200, b"long page 1")
        clock.now += 0.001
        assert await reader.ask(path) == (200, b"long page 2")

    _run(story())


def test_age_counts_from_when_a_page_was_begun() -> None:
    async def story() -> None:
        site, clock = Site(gate=asyncio.Event()), Clock()
        assert site.gate is not None
        reader = _pages(site, clock)
        first = asyncio.ensure_future(reader.ask())
        await asyncio.sleep(0)
        clock.now += 2
        site.gate.set()
        await first

        assert await reader.ask() == (200, b"page 2")

    _run(story())


def test_old_page_is_shown_while_a_newer_one_is_made_for_one_moment_more() -> None:
    async def story() -> None:
        site, clock = Site(), Clock()
        reader = _pages(site, clock)
        await reader.ask()
        clock.now += 2
        site.gate = asyncio.Event()
        newer = asyncio.ensure_future(reader.ask())
        await asyncio.sleep(0)
        clock.now += 1.999
        assert await reader.ask() == (200, b"page 1")
        clock.now += 0.001
        late = asyncio.ensure_future(reader.ask())
        await asyncio.sleep(0)
        assert not late.done()
        site.gate.set()

        assert await newer == await late == (200, b"page 2")
        assert site.made == 2

    _run(story())


def test_who_asks_meanwhile_waits_for_the_same_page() -> None:
    async def story() -> None:
        site, clock = Site(gate=asyncio.Event()), Clock()
        assert site.gate is not None
        reader = _pages(site, clock)
        asking = [asyncio.ensure_future(reader.ask()) for _ in range(5)]
        await asyncio.sleep(0)
        asking[3].cancel()
        await asyncio.sleep(0)
        site.gate.set()
        found = await asyncio.gather(*asking, return_exceptions=True)

        assert site.made == 1
        assert found[:3] == [(200, b"page 1")] * 3
        assert isinstance(found[3], asyncio.CancelledError)
        assert found[4] == (200, b"page 1")

    _run(story())


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/parts/1.8"},
        {"query": b"p=1.7"},
        {"headers": {b"host": b"two.example"}},
        {"headers": {b"host": b"one.example", b"accept": b"application/linkset+json"}},
    ],
    ids=["path", "query", "host", "accept"],
)
def test_page_of_another_question_is_another_page(other: dict[str, Any]) -> None:
    async def story() -> None:
        reader = _pages(Site(), Clock())
        await reader.ask()

        assert await reader.ask(**other) == (200, b"page 2")
        assert await reader.ask() == (200, b"page 1")

    _run(story())


@pytest.mark.parametrize(
    ("site", "path"),
    [
        (Site(headers=[]), PATH),
        (Site(status=404), PATH),
        (Site(chunks=(b"x" * 2**20,)), PATH),
        (Site(), "/v1/parts/1.7"),
        (Site(), "/designs/0x12"),
    ],
    ids=["not marked", "refused", "too long", "for programs", "another page"],
)
def test_what_may_not_be_kept_is_made_anew(site: Site, path: str) -> None:
    async def story() -> None:
        reader = _pages(site, Clock())
        await reader.ask(path)
        await asyncio.gather(reader.ask(path), reader.ask(path))

        assert site.made == 3

    _run(story())


def test_nothing_is_kept_where_nobody_wants_it() -> None:
    async def story() -> None:
        reader = _pages(Site(), Clock(), seconds=0)
        await reader.ask()

        assert await reader.ask() == (200, b"page 2")

    _run(story())


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_who_changes_something_sees_it_at_once(method: str) -> None:
    async def story() -> None:
        site = Site()
        reader = _pages(site, Clock())
        await reader.ask()
        await reader.ask("/v1/disclosures/terms/1", method=method)

        assert await reader.ask() == (200, b"page 3")

    _run(story())


def test_page_begun_before_a_change_is_neither_kept_nor_waited_for() -> None:
    async def story() -> None:
        site = Site(gate=asyncio.Event())
        assert site.gate is not None
        gate = site.gate
        reader = _pages(site, Clock())
        before = asyncio.ensure_future(reader.ask())
        await asyncio.sleep(0)
        site.gate = None
        await reader.ask("/v1/uploads", method="POST")

        assert await reader.ask() == (200, b"page 3")
        gate.set()
        assert await before == (200, b"page 1")
        assert await reader.ask() == (200, b"page 3")

    _run(story())


def test_fault_reaches_one_and_the_others_ask_for_themselves() -> None:
    async def story() -> None:
        site = Site(gate=asyncio.Event(), fault=ZeroDivisionError())
        assert site.gate is not None
        reader = _pages(site, Clock())
        first, second = (asyncio.ensure_future(reader.ask()) for _ in range(2))
        await asyncio.sleep(0)
        site.gate.set()
        with pytest.raises(ZeroDivisionError):
            await first
        site.fault = None

        assert await second == (200, b"page 2")

    _run(story())


def test_oldest_pages_leave_first_where_there_are_too_many() -> None:
    async def story() -> None:
        site = Site(chunks=(b"x" * 1_000_000,))
        reader = _pages(site, Clock())
        for number in range(34):
            await reader.ask(f"/parts/1.{number}")
        await reader.ask("/parts/1.33")
        await reader.ask("/parts/1.1")
        assert site.made == 34

        await reader.ask("/parts/1.0")
        assert site.made == 35

    _run(story())


def test_page_that_is_too_old_makes_room() -> None:
    async def story() -> None:
        site, clock = Site(), Clock()
        reader = _pages(site, clock)
        await reader.ask("/parts/1.1")
        clock.now += 5
        await reader.ask("/parts/1.2")

        assert len(reader.pages.kept._pages) == 1

    _run(story())


def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    async def story() -> None:
        pages = MakingPages(app, KeptPages(seconds=1))
        await pages({"type": "lifespan"}, _nothing, _nothing_more)

    _run(story())
    assert seen == ["lifespan"]


async def _nothing_more(_message: Any) -> None:
    raise AssertionError


def test_seconds_are_said_to_every_cache() -> None:
    assert keep_for(7) == {"CDN-Cache-Control": "max-age=7, stale-while-revalidate=7"}
    assert keep_for(0) == {}
