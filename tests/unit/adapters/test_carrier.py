"""What carries requests to a node: against servers of this machine, good and bad."""

import select
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from gzip import compress
from pathlib import Path

import pytest

from guildmark.adapters.certificates import certified
from guildmark.adapters.chain import carrier
from guildmark.adapters.chain.carrier import HttpCarrier, NotCarriedError

pytestmark = pytest.mark.enable_socket

_PATIENCE = 30.0
# Where an answer waits before it goes on.
_PAUSE = b"(pause)"


class Node:
    """A server that answers each request with the next of its answers, and keeps what came.

    An empty answer ends the connection instead.
    """

    def __init__(
        self, server: socket.socket, answers: Sequence[bytes], tls: ssl.SSLContext | None
    ) -> None:
        self.port = server.getsockname()[1]
        self.tls = tls
        self.came: list[bytes] = []
        self.pieces = 0
        self.lines = 0
        self._server, self._answers = server, list(answers)

    def serve(self) -> None:
        with suppress(OSError):
            while self._answers:
                line, _ = self._server.accept()
                self.lines += 1
                if self.tls is not None:
                    line = self.tls.wrap_socket(line, server_side=True)
                with line, suppress(ConnectionError):
                    self._serve(line)

    def _serve(self, line: socket.socket) -> None:
        while self._answers:
            request = b""
            while not request.endswith(b"{}"):
                piece = line.recv(4096)
                if not piece:
                    return
                self.pieces += 1
                request += piece
            self.came.append(request)
            answer = self._answers.pop(0)
            for part in answer.split(_PAUSE):
                line.sendall(part)
                time.sleep(0.05 if _PAUSE in answer else 0)
            if not answer or b"onnection: close" in answer:
                return


@contextmanager
def serving(*answers: bytes, tls: ssl.SSLContext | None = None) -> Iterator[Node]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        node = Node(server, answers, tls)
        thread = threading.Thread(target=node.serve, daemon=True)
        thread.start()
        yield node
        # Whoever waits for a connection is woken by its end.
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join(_PATIENCE)
        assert not thread.is_alive()


def answered(body: bytes, *lines: str) -> bytes:
    head = ["HTTP/1.1 200 OK", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def asked(door: HttpCarrier) -> bytes:
    """Return the whole body of an answer."""
    with closing(door.post(b"{}", timeout=_PATIENCE)) as answer:
        return b"".join(answer.pieces())


def await_news(door: HttpCarrier) -> None:
    """Wait until something arrives on the connection that is kept, its end too."""
    ((_, line),) = door._idle
    assert select.select([line.sock], [], [], _PATIENCE)[0]


@contextmanager
def door_to(node: Node, path: str = "", given: str = "") -> Iterator[HttpCarrier]:
    with closing(HttpCarrier(f"http://{given}127.0.0.1:{node.port}{path}")) as door:
        yield door


def test_a_connection_is_kept_for_the_next_request() -> None:
    with serving(answered(b"1"), answered(b"2")) as node, door_to(node) as door:
        found = [asked(door), asked(door)]

    assert (found, node.lines) == ([b"1", b"2"], 1)


def test_a_request_is_one_step() -> None:
    with serving(answered(b"1"), answered(b"2")) as node, door_to(node) as door:
        asked(door)
        asked(door)

    assert node.pieces == 2


def test_a_node_is_asked_by_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certified(["127.0.0.1"], now=int(time.time()))
    for name in ("authority", "certificate", "key"):
        (tmp_path / name).write_bytes(getattr(made, name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority"))

    with (
        serving(answered(b"1"), answered(b"2"), tls=context) as node,
        closing(HttpCarrier(f"https://127.0.0.1:{node.port}")) as door,
    ):
        found = [asked(door), asked(door)]

    assert (found, node.lines, node.pieces) == ([b"1", b"2"], 1, 2)


def test_a_request_names_its_host_path_and_length() -> None:
    with serving(answered(b"")) as node, door_to(node, "/path?key=value") as door:
        asked(door)

    first, *lines = node.came[0].decode().split("\r\n")
    assert first == "POST /path?key=value HTTP/1.1"
    assert {f"Host: 127.0.0.1:{node.port}", "Content-Length: 2"} < set(lines)
    assert "Content-Type: application/json" in lines
    assert "Authorization" not in node.came[0].decode()


@pytest.mark.parametrize(
    ("given", "shown"),
    [("name:p%40ss@", b"name:p@ss"), (":token@", b":token"), ("name@", b"name:")],
)
def test_a_name_and_password_of_a_url_are_shown_to_its_node(given: str, shown: bytes) -> None:
    with serving(answered(b"")) as node, door_to(node, given=given) as door:
        asked(door)

    assert b"Authorization: Basic " + b64encode(shown) in node.came[0]


def test_a_status_is_told_with_what_comes_along() -> None:
    refused = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
    with serving(refused) as node, door_to(node) as door:
        answer = door.post(b"{}", timeout=_PATIENCE)
        with closing(answer):
            assert (answer.status, b"".join(answer.pieces())) == (503, b"busy")


def test_what_comes_in_chunks_is_put_together() -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
    with serving(chunks, answered(b"2")) as node, door_to(node) as door:
        assert (asked(door), asked(door)) == (b"abc", b"2")

    assert node.lines == 1


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    bare = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"
    with serving(bare, answered(b"2")) as node, door_to(node) as door:
        assert (asked(door), asked(door)) == (b"all of it", b"2")

    assert node.lines == 2


def test_what_is_compressed_is_unpacked_in_bounded_pieces() -> None:
    body = b"x" * 1_000_000
    with (
        serving(answered(compress(body), "Content-Encoding: gzip")) as node,
        door_to(node) as door,
        closing(door.post(b"{}", timeout=_PATIENCE)) as answer,
    ):
        pieces = list(answer.pieces())

    assert b"Accept-Encoding: gzip\r\n" in node.came[0]
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) <= 64 * 1024


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        answered(b"no gzip", "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfour",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfour",
    ],
    ids=["nothing", "other", "unpacked", "short", "short chunk"],
)
def test_an_answer_that_is_none_costs_its_connection(bad: bytes) -> None:
    closed = bad if not bad or b"close" in bad else bad.replace(b"200 OK", b"200 OK\r\nX: 1")
    with serving(closed, answered(b"2")) as node, door_to(node) as door:
        with pytest.raises(NotCarriedError):
            asked(door)

        assert asked(door) == b"2"

    assert node.lines == 2


def test_an_answer_that_is_not_read_to_its_end_costs_its_connection() -> None:
    with serving(answered(b"1"), answered(b"2")) as node, door_to(node) as door:
        door.post(b"{}", timeout=_PATIENCE).close()

        assert asked(door) == b"2"

    assert node.lines == 2


def test_a_connection_that_its_node_gave_up_is_replaced() -> None:
    ending = answered(b"1", "X-Then: Connection: close")
    with serving(ending, answered(b"2")) as node, door_to(node) as door:
        asked(door)
        await_news(door)

        assert asked(door) == b"2"

    assert node.lines == 2


def test_a_connection_that_speaks_unasked_is_replaced() -> None:
    with (
        serving(answered(b"1") + _PAUSE + b"HTTP/1.1 200 OK", answered(b"2")) as node,
        door_to(node) as door,
    ):
        asked(door)
        await_news(door)

        assert asked(door) == b"2"

    assert node.lines == 2


def test_a_connection_that_was_idle_for_long_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answered(b"1"), answered(b"2")) as node, door_to(node) as door:
        asked(door)
        later = time.monotonic() + 4.0
        monkeypatch.setattr(carrier, "monotonic", lambda: later)

        assert asked(door) == b"2"

    assert node.lines == 2


def test_threads_ask_on_connections_of_their_own() -> None:
    with serving(answered(b"1"), answered(b"2")) as node, door_to(node) as door:
        first = door.post(b"{}", timeout=_PATIENCE)
        with pytest.raises(NotCarriedError, match="timed out"):
            # The first answer's connection is not shared, and this server takes one at a time.
            door.post(b"{}", timeout=0.1)
        assert b"".join(first.pieces()) == b"1"
        first.close()

        assert asked(door) == b"2"


def test_nobody_listens_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(NotCarriedError, match="refused"):
        asked(HttpCarrier(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize("url", ["nothing://node", "http://", "http://node:port", "node:8545", ""])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(NotCarriedError):
        asked(HttpCarrier(url))


def test_a_connection_with_tls_trusts_the_system_s_authorities() -> None:
    tls = carrier._Place.of("https://node").tls

    assert tls is not None
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname
    assert tls.get_ca_certs()
    assert carrier._Place.of("http://node").tls is None


def test_a_node_that_speaks_no_tls_is_said() -> None:
    with serving() as node, pytest.raises(NotCarriedError):
        HttpCarrier(f"https://127.0.0.1:{node.port}").post(b"{}", timeout=2.0)
