"""Bytes that no client sends by mistake: every one is answered below 500, and the node lives."""

import json
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx
import pytest

from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

PATHS = (
    "/id/abcdefgh23456777/%s",
    "/id/%s/1",
    "/01/%s/21/1",
    "/parts/%s",
    "/search?q=%s",
    "/verify?q=%s",
    "/static/%s",
    "/v1/builds/%s",
    "/v1/content/%s",
    "/v1/designs/%s",
    "/v1/logs/%s/records/0",
    "/v1/parts?label=%s",
    "/v1/parts/%s/bundle",
    "/v1/parts/1.0/bundle?block=%s",
    "/%s",
)
STRINGS = (
    *("..", "../..", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "....//", "/etc/passwd", "C:%5c"),
    *("%00", "a%00b", "%0d%0aX-Evil:%201", "%0a", "%7f", "%ff", "%c0%af", "%ed%a0%80", "%"),
    *("%e2%80%ae", "%f0%9f%92%a9", "%u0041", "%25%30%30", "'%20OR%201=1--", '";--', "{{7*7}}"),
    *("<script>alert(1)</script>", "%3Cscript%3E", "${jndi:ldap://x}", "a" * 8000, "%20", "+"),
    *("-1", "0", "00", "1e3", "0x10", "NaN", "Infinity", "9" * 40, "1.%2b1", "1.1.1", "\\u0000"),
)


def _asked(web: httpx.Client, request: bytes, *, ends: bool = False, wait: float = 0) -> bytes:
    """Return the first bytes of the answer to what is sent as it is; b"" if there is none.

    Args:
        web: The node.
        request: What is sent.
        ends: Whether the sender then says that no more will come.
        wait: Seconds before the answer is read.
    """
    place = urlsplit(str(web.base_url))
    with socket.create_connection((place.hostname, place.port), timeout=10) as link:
        # The node may end the connection before all is sent.
        with suppress(ConnectionError):
            link.sendall(request)
        if ends:
            link.shutdown(socket.SHUT_WR)
        time.sleep(wait)
        try:
            return link.recv(65_536)
        except ConnectionResetError:
            return b""


def _status(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return 0 if found is None else int(found[1])


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode("latin-1")


@pytest.mark.parametrize("path", PATHS)
def test_hostile_text_in_an_address_is_no_fault(
    web: httpx.Client, played: Played, path: str
) -> None:
    for text in STRINGS:
        answer = _asked(web, _get(path.replace("%s", text.replace(" ", "%20"))))

        assert 200 <= _status(answer) < 500, (path, text, answer[:200])
        assert b"x-evil" not in answer.partition(b"\r\n\r\n")[0].lower()
        assert b"<script>alert" not in answer
        assert b"root:" not in answer
    assert "Traceback" not in _log(played)


def test_raw_bytes_in_an_address_are_no_fault(
    web: httpx.Client, played: Played, volume: Callable[[int, int, int], int]
) -> None:
    source = Random(17)
    for _ in range(volume(200, 2_000, 20_000)):
        noise = bytes(source.randrange(256) for _ in range(source.randrange(1, 40)))
        line = source.choice((b"/id/a/", b"/parts/", b"/search?q=", b"/v1/parts?label=", b"/"))

        answer = _asked(web, b"GET " + line + noise + b" HTTP/1.1\r\nHost: a\r\n\r\n")

        assert _status(answer) < 500, (line + noise, answer[:200])
    assert "Traceback" not in _log(played)
    assert web.get("/healthz").status_code == 200


@pytest.mark.parametrize("host", ["", "a b", "\xff", "evil.example", "[::1", "a" * 3000, "x:99999"])
def test_any_host_is_answered(web: httpx.Client, host: str) -> None:
    for path in ("/", "/id/abcdefgh23456777/9", "/v1/chain"):
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

        answer = _asked(web, request.encode("latin-1"))

        assert _status(answer) in {200, 404, 400}, answer[:200]


LINE = b"POST /v1/builds HTTP/1.1\r\nHost: a\r\n"
CHUNKED = LINE + b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("request_bytes", [b"", b"\r\n\r\n", LINE + b"Content-Length: 5\r\n\r\nab"])
def test_what_never_becomes_a_request_ends_quietly(
    web: httpx.Client, played: Played, request_bytes: bytes
) -> None:
    answer = _asked(web, request_bytes, ends=True)

    # What has no known type is refused before its body is waited for, where that is quick enough.
    assert answer == b"" or _status(answer) == 415
    assert web.get("/healthz").status_code == 200
    assert "Traceback" not in _log(played)


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        (b"GET\r\n\r\n", "http.requestMalformed"),
        (b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "http.requestMalformed"),
        (b"\x16\x03\x01\x00\xff", "http.requestMalformed"),
        (b"GET / HTTP/1.1\r\nHost a\r\n\r\n", "http.requestMalformed"),
        (b"GET / HTTP/1.1\r\nHo st: a\r\n\r\n", "http.requestMalformed"),
        (b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", "http.requestMalformed"),
        (b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", "http.requestMalformed"),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", "http.requestMalformed"),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "http.requestMalformed"),
        (LINE + b"Content-Length: x\r\n\r\n", "http.requestMalformed"),
        (LINE + b"Content-Length: -1\r\n\r\n", "http.requestMalformed"),
        (LINE + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "http.requestMalformed"),
        (CHUNKED + b"Content-Length: 1\r\n\r\n", "http.requestMalformed"),
        (CHUNKED + b"\r\nzz\r\n", "http.requestMalformed"),
        (CHUNKED + b"\r\n3\r\nabcd\r\n", "http.requestMalformed"),
        (b"GET / HTTP/9.9\r\n\r\n", "http.versionUnsupported"),
        (b"GET / HTTP/1.2\r\n\r\n", "http.versionUnsupported"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * (64 << 10) + b"\r\n\r\n", "http.headTooLarge"),
        (b"GET / HTTP/1.1\r\n" + b"X: abcdefgh\r\n" * 9_000 + b"\r\n", "http.headTooLarge"),
        (b"GET /" + b"a" * (65 << 10) + b" HTTP/1.1\r\n\r\n", "http.headTooLarge"),
    ],
)
def test_what_is_no_request_is_a_problem(
    web: httpx.Client, played: Played, request_bytes: bytes, code: str
) -> None:
    answer = _asked(web, request_bytes)

    head, _, body = answer.partition(b"\r\n\r\n")
    document = json.loads(body)
    assert b"content-type: application/problem+json" in head.lower()
    assert b"\r\nconnection: close" in head.lower()
    assert b"\r\nx-content-type-options: nosniff" in head.lower()
    assert document["code"] == code
    assert document["status"] == _status(answer)
    assert document["status"] == (431 if code == "http.headTooLarge" else 400)
    assert document["nextStep"]
    assert web.get("/healthz").status_code == 200
    assert "Traceback" not in _log(played)


def test_field_that_never_ends_is_a_problem(web: httpx.Client) -> None:
    answer = _asked(web, b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20))

    assert _status(answer) in {431, 0}
    assert not answer or b"http.headTooLarge" in answer


def test_head_may_be_as_long_as_the_bound(web: httpx.Client) -> None:
    left = (64 << 10) - len("/healthz") - len("HostaX")

    good = _asked(web, _with_field(left))
    bad = _asked(web, _with_field(left + 1))

    assert (_status(good), _status(bad)) == (200, 431)


def test_two_requests_on_one_connection_are_counted_apart(web: httpx.Client) -> None:
    once = _with_field(50 << 10)

    answer = _asked(web, once * 2, wait=1)

    assert answer.count(b"HTTP/1.1 200 ") == 2


def _with_field(size: int) -> bytes:
    return b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * size + b"\r\n\r\n"


def test_no_request_made_a_file_outside_of_the_home(played: Played) -> None:
    names = {path.name for path in played.stage.home("operator-1").iterdir()}
    known = {
        "guildmark.toml",
        "keys",
        "content",
        "node.json",
        "node.lock",
        "trust.json",
        "documents",
        "logs",
    }

    assert {name for name in names if not name.startswith("node.db")} <= known


def _log(played: Played) -> str:
    log: Path = played.stage.folder / "logs" / "operator-1.log"
    return log.read_text(encoding="utf-8")
