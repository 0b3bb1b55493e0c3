"""Who counts as a scan: people who open the page, not what looks ahead for them."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from fakes.scans import MemoryScans
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.api.visiting import CountedScans, Visits, led_to, visitor_of
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.services.labels.scanning import Scanning, Visitor

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari"


def request(
    headers: Mapping[str, str] = NO_HEADERS, *, is_head: bool = False, has_client: bool = True
) -> Request:
    named = {"user_agent": PHONE, **headers}
    return Request(
        {
            "type": "http",
            "guildmark.is_head": is_head,
            "client": ("192.0.2.7", 50_000) if has_client else None,
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in named.items()
            ],
        }
    )


def test_a_phone_is_a_visitor() -> None:
    assert visitor_of(request().scope, "") == Visitor(address="192.0.2.7")
    assert visitor_of(request(has_client=False).scope, "") == Visitor(address="")


def test_a_proxy_may_state_the_country_in_the_named_header_alone() -> None:
    stated = request({"cf_ipcountry": "PT"})

    assert visitor_of(stated.scope, "CF-IPCountry") == Visitor(address="192.0.2.7", country="PT")
    assert visitor_of(stated.scope, "") == Visitor(address="192.0.2.7")
    assert visitor_of(request().scope, "CF-IPCountry") == Visitor(address="192.0.2.7")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"x_moz": "prefetch"},
        {"x_purpose": "preview"},
        {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"user_agent": "facebookexternalhit/1.1"},
        {"user_agent": "WhatsApp/2.23"},
        {"user_agent": "curl/8.5.0"},
        {"user_agent": ""},
    ],
)
def test_what_looks_ahead_is_none(headers: dict[str, str]) -> None:
    assert visitor_of(request(headers).scope, "") is None


def test_a_request_for_no_body_is_none() -> None:
    assert visitor_of(request(is_head=True).scope, "") is None


async def _page(scope: Scope, _receive: Receive, send: Send) -> None:
    headers = [(b"guildmark-part", scope["part"])] if scope["part"] else []
    await send({"type": "http.response.start", "status": scope["status"], "headers": headers})
    await send({"type": "http.response.body", "body": b"page"})


def counted(
    *, part: bytes = b"1.7", status: int = 200, name: str = PHONE, kind: str = "http"
) -> int:
    """Return how many scans a page counts."""
    store = MemoryScans()
    scanning = Scanning(store=store, clock=SystemClock(), entropy=SystemEntropy(), days=1)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    scope = {**request({"user_agent": name}).scope, "type": kind, "part": part, "status": status}
    asyncio.run(CountedScans(_page, Visits(scanning=scanning))(scope, receive, send))
    asyncio.run(CountedScans(_page, Visits())(scope, receive, send))
    scanning.write()
    assert [message["type"] for message in sent[::2]] == ["http.response.start"] * 2
    history = store.history(LogNumber(1), Index(7))
    return 0 if history is None else history.count


def test_each_who_is_shown_a_page_behind_a_label_counts() -> None:
    assert counted() == 1
    assert counted(part=b"") == 0
    assert counted(status=404) == 0
    assert counted(name="Googlebot/2.1") == 0
    assert counted(kind="lifespan") == 0
    assert led_to(LogNumber(1), Index(7)) == {"Guildmark-Part": "1.7"}
