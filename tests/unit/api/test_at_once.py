"""A kept page that a connection writes at once: byte for byte what the server would write."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Scope

from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.api.app import described
from guildmark.api.description import Application
from guildmark.api.door import Door
from guildmark.api.frame import CHECKING_HEADERS
from guildmark.api.kept_pages import Page, keep_for
from guildmark.api.visiting import led_to
from guildmark.api.wire import Wire
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.services.labels.scanning import Scanning, Visitor

pytestmark = pytest.mark.enable_socket

PATH = "/parts/1.7"
_TOLD_APART = re.compile(rb"(date|x-request-id): [^\r]*\r\n")

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Scanning):
    """Notes who scanned."""

    visitors: list[Visitor] = field(default_factory=list)

    def note(self, _log: LogNumber, _index: Index, visitor: Visitor) -> None:
        self.visitors.append(visitor)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDoor(Door):
    """Notes what was written at once."""

    answers: list[bytes] = field(default_factory=list)

    def written(self, page: Page, scope: Scope, *, first: bytes, last: bytes) -> bytes:
        answer = Door.written(self, page, scope, first=first, last=last)
        self.answers.append(answer)
        return answer


class Site:
    """A node's application with a page that is kept, one without a length, and a slow one."""

    def __init__(self) -> None:
        store: Any = None
        self.scanning = Noted(store=store, clock=SystemClock(), entropy=SystemEntropy(), days=1)
        app = described(page_seconds=60, scanning=self.scanning)
        assert isinstance(app, Application)
        assert app.door is not None
        self.app = app
        self.app.door = self.door = SeenDoor(kept=app.door.kept, visits=app.door.visits)
        self.app.router.routes[:0] = [
            Route(PATH, self._page),
            Route("/parts/1.8", self._stream),
            Route("/recalls", self._slow),
        ]

    async def _page(self, _request: Request) -> Response:
        return self._marked(HTMLResponse("page " * 4000))

    async def _stream(self, _request: Request) -> Response:
        async def parts() -> Any:
            yield b"part"

        return self._marked(StreamingResponse(parts()))

    async def _slow(self, _request: Request) -> Response:
        await asyncio.sleep(0.2)
        return HTMLResponse("slow")

    def _marked(self, page: Response) -> Response:
        page.headers.update(CHECKING_HEADERS)
        page.headers.update(keep_for(60))
        page.headers.update(led_to(LogNumber(1), Index(7)))
        return page

    def told(self, talk: Talk, *, at_once: bool = True, idle: float = 5) -> Any:
        """Serve and return what a conversation brought."""
        site = self

        class Seen(Wire):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self._door = self._door if at_once else None

        async def run() -> Any:
            config = uvicorn.Config(
                site.app, http=Seen, log_config=None, lifespan="off", server_header=False
            )
            config.timeout_keep_alive = idle  # type: ignore[assignment]
            config.load()
            state = uvicorn.Server(config).server_state
            state.default_headers = [(b"date", b"today"), *config.encoded_headers]

            def protocol() -> Wire:
                return Seen(config=config, server_state=state, app_state={})

            loop = asyncio.get_running_loop()
            listening = await loop.create_server(protocol, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(talk(reader, writer), 30)
            finally:
                writer.close()
                listening.close()

        return asyncio.run(run())


def _asked(*lines: str, path: str = PATH, method: str = "GET", version: str = "1.1") -> bytes:
    given = [f"{method} {path} HTTP/{version}", "Host: node", *lines]
    return "\r\n".join([*given, "", ""]).encode()


def _saying(*requests: bytes) -> Talk:
    """Return a conversation of requests, the last of which closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"".join(requests))
        return await reader.read()

    return talk


CLOSING = "Connection: close"


@pytest.mark.parametrize(
    ("request_", "written"),
    [
        (_asked(CLOSING), 1),
        (_asked(CLOSING, method="HEAD"), 1),
        (_asked(version="1.0"), 1),
        (_asked(CLOSING, "User-Agent: a phone", "X-Request-ID: mine-1"), 1),
        (_asked(CLOSING, "X-Forwarded-For: 203.0.113.9", "User-Agent: a phone"), 0),
        (_asked(CLOSING, "Expect: 100-continue", "Content-Length: 2") + b"ab", 1),
        (_asked(CLOSING, path="/parts/1.8"), 0),
        (_asked() + _asked() + _asked(CLOSING, method="HEAD"), 3),
    ],
    ids=["get", "head", "1.0", "phone", "proxy", "body", "no length", "several"],
)
def test_what_is_written_at_once_is_what_the_server_would_write(
    request_: bytes, written: int
) -> None:
    site = Site()
    path = "/parts/1.8" if b"1.8" in request_ else PATH
    site.told(_saying(_asked(CLOSING, path=path)))

    by_server = site.told(_saying(request_), at_once=False)
    assert site.door.answers == []
    counted = len(site.scanning.visitors)
    at_once = site.told(_saying(request_))

    assert len(site.door.answers) == written
    assert _TOLD_APART.sub(b"", at_once) == _TOLD_APART.sub(b"", by_server)
    assert at_once.count(b"HTTP/1.1 200 OK\r\n") == request_.count(b" HTTP/1.")
    assert at_once.count(b"date: today\r\n") == at_once.count(b"x-request-id: ")
    assert site.scanning.visitors == site.scanning.visitors[:counted] * 2


def test_who_comes_by_a_proxy_is_counted_by_his_own_address() -> None:
    site = Site()
    site.told(_saying(_asked(CLOSING)))
    phone = "User-Agent: a phone"

    site.told(_saying(_asked(CLOSING, phone)))
    site.told(_saying(_asked(CLOSING, phone, "X-Forwarded-For: 203.0.113.9")))

    assert [one.address for one in site.scanning.visitors] == ["127.0.0.1", "203.0.113.9"]


def test_slow_answer_behind_one_at_once_is_not_cut_off_as_idle() -> None:
    site = Site()
    site.told(_saying(_asked(CLOSING)))

    answers = site.told(_saying(_asked(), _asked(CLOSING, path="/recalls")), idle=0.05)

    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert answers.endswith(b"slow")


def test_connection_is_closed_when_nothing_follows_a_page() -> None:
    site = Site()
    site.told(_saying(_asked(CLOSING)))

    assert site.told(_saying(_asked()), idle=0.05).count(b"HTTP/1.1 200 OK\r\n") == 1


def test_who_asks_often_and_reads_slowly_fills_no_memory_and_gets_all() -> None:
    site = Site()
    site.told(_saying(_asked(CLOSING)))

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(_asked() * 999 + _asked(CLOSING))
        await asyncio.sleep(0.2)
        return await reader.read()

    answers = site.told(slowly)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 1000
    assert answers.count(b"page ") == 4000 * 1000
    assert 0 < len(site.door.answers) < 1000
