"""Letters over HTTP: taken by 2xx alone, to addresses that may be written to, in bounded time."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from guildmark.adapters.courier import URL_MAX, HttpCourier
from guildmark.ports.letters import (
    AddressForbiddenError,
    AddressGoneError,
    UndeliveredError,
    WatchAddressError,
)

pytestmark = pytest.mark.enable_socket


class Receiver(BaseHTTPRequestHandler):
    """Answers as its server says, and keeps what came."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.came.append((self.path, body, dict(self.headers)))
        for chunk in server.answer:
            try:
                self.wfile.write(chunk)
                self.wfile.flush()
            except OSError:
                return
            time.sleep(server.pause)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@contextmanager
def receiving(*answer: bytes, pause: float = 0) -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Receiver)
    server.came, server.answer, server.pause = [], answer, pause
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def answered(status: str, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "Content-Length: 0", "", ""]).encode()


def url_of(server: Any, path: str = "/hook?a=b") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def deliver(url: str, courier: HttpCourier | None = None, *, private: bool = False) -> None:
    headers = {"webhook-id": "one"}
    (courier or HttpCourier()).deliver(url, b'{"a":1}', headers, allows_private=private)


def test_a_letter_arrives_as_it_was_written() -> None:
    with receiving(answered("204 No Content")) as server:
        deliver(url_of(server))

    ((path, body, headers),) = server.came
    assert (path, body) == ("/hook?a=b", b'{"a":1}')
    assert (headers["webhook-id"], headers["Content-Type"]) == ("one", "application/json")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("199 Odd", UndeliveredError),
        ("300 Choices", UndeliveredError),
        ("302 Found", UndeliveredError),
        ("404 Not Found", UndeliveredError),
        ("410 Gone", AddressGoneError),
        ("500 Error", UndeliveredError),
    ],
)
def test_only_2xx_takes_a_letter_and_redirects_are_not_followed(
    status: str, error: type[UndeliveredError]
) -> None:
    moved = answered(status, "Location: http://127.0.0.1:1/")
    with receiving(moved) as server, pytest.raises(error) as caught:
        deliver(url_of(server))

    assert type(caught.value) is error
    assert len(server.came) == 1


def test_an_answer_that_trickles_is_given_up() -> None:
    began = time.monotonic()
    with receiving(*[b"H"] * 100, pause=0.1) as server, pytest.raises(UndeliveredError):
        deliver(url_of(server), HttpCourier(seconds=0.5))

    assert time.monotonic() - began < 5


def test_nobody_and_nonsense_are_named() -> None:
    with receiving(answered("200 OK")) as server:
        url = url_of(server)
    with pytest.raises(UndeliveredError, match="ConnectionRefusedError"):
        deliver(url)
    with receiving(b"no http\r\n\r\n") as server, pytest.raises(UndeliveredError):
        deliver(url_of(server))


def resolved(*addresses: str) -> HttpCourier:
    def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return addresses

    return HttpCourier(resolve=resolve, seconds=0.2)


FORBIDDEN = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
    *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
    # As IPv6 writes addresses of IPv4.
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"),
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_names_that_lead_inside_are_not_written_to(address: str) -> None:
    with pytest.raises(AddressForbiddenError) as caught:
        deliver("https://example.org/", resolved(address))

    assert caught.value.code == "letter.addressForbidden"
    # One of several is enough.
    with pytest.raises(AddressForbiddenError):
        deliver("https://example.org/", resolved("93.184.216.34", address))


@pytest.mark.parametrize("address", ["0.0.0.0", "169.254.169.254", "224.0.0.1", "fe80::1"])
def test_private_is_not_everything(address: str) -> None:
    with pytest.raises(AddressForbiddenError):
        deliver("https://example.org/", resolved(address), private=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "93.184.216.34"])
def test_http_is_for_this_machine_alone(address: str) -> None:
    with pytest.raises(AddressForbiddenError):
        deliver("http://localhost/", resolved(address), private=True)


def test_names_without_an_address_are_forbidden() -> None:
    for courier in (resolved(), resolved("nonsense")):
        with pytest.raises(AddressForbiddenError):
            deliver("https://example.org/", courier)


def test_a_private_receiver_is_reached_once_that_is_allowed_and_its_certificate_counts() -> None:
    with receiving(answered("200 OK")) as server:
        url = f"https://shop.example:{server.server_port}/"
        with pytest.raises(AddressForbiddenError):
            deliver(url, resolved("127.0.0.1"))
        # It speaks no TLS, so that the connection ends there: it was made.
        with pytest.raises(UndeliveredError) as caught:
            deliver(url, resolved("127.0.0.1"), private=True)

    assert type(caught.value) is UndeliveredError
    assert server.came == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org:8443/a?b=c",
        "http://127.0.0.1:1/",
        "http://[::1]/",
    ],
)
def test_addresses_of_receivers(url: str) -> None:
    HttpCourier().check(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "ftp://example.org/", "https:///a", "https://example.org:port/"),
        *("http://example.org/", "http://10.0.0.1/", "https://user@example.org/"),
        *("https://user:secret@example.org/", "https://example.org/#a", "https://exämple.org/"),
        *("https://example.org/a b", "https://example.org/\n", "https://a/" + "b" * URL_MAX),
    ],
)
def test_what_is_no_address_of_a_receiver_is_refused(url: str) -> None:
    with pytest.raises(WatchAddressError) as caught:
        HttpCourier().check(url)

    assert caught.value.code == "recall.watchAddress"
    assert "secret" not in caught.value.message
