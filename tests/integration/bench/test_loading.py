"""Who reads a page for the bench: counts whole answers, and tells what they hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bench.loading import Load, NotAnsweredError, read


@contextmanager
def _server(status: int) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"good")

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/part?a=1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _one(expected: bytes, status: int = 200) -> Load:
    with _server(status) as url:
        return read(url, readers=3, seconds=0, expected=expected)


@pytest.mark.parametrize(("expected", "is_same"), [(b"good", True), (b"bad", False)])
def test_each_reader_gets_an_answer_and_is_told_what_it_holds(
    expected: bytes, is_same: bool
) -> None:
    found = _one(expected)

    assert len(found.seconds) == 3
    assert found.rate > 0
    assert found.same_answer is is_same


def test_an_answer_that_is_none_stops_the_measurement() -> None:
    with pytest.raises(NotAnsweredError, match=r"^HTTP/1\.1 503 Service Unavailable$"):
        _one(b"good", status=503)


@pytest.mark.parametrize(("seconds", "late"), [([0.5], 0.5), ([0.0, 1.0], 0.99)])
def test_99_of_100_come_within_that_time(seconds: list[float], late: float) -> None:
    load = Load(rate=1.0, seconds=seconds, same_answer=True)

    assert load.p99 == pytest.approx(late)
