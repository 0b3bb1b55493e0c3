"""A double of a Kubo node: the part of its RPC that a block store needs, and lies on demand.

It answers as Kubo 0.39 in offline mode was seen to answer: POST only, errors as status 500 with
JSON, chunked bodies read. It keeps blocks in memory, has no network, no garbage collection and
checks nothing that it is given. The tests that run on it run on a real node too, where one is.
"""

import http.server
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from guildmark_ipfs import dagpb
from guildmark_ipfs.cid import Cid, Codec

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class KuboDouble:
    """The node's state, and how it lies."""

    port: int = 0
    blocks: dict[str, bytes] = field(default_factory=dict)
    pins: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    # Set by a test: what becomes of an answer on its way out.
    lie: Callable[[str, Answer], Answer] | None = None

    @property
    def address(self) -> str:
        return f"/ip4/127.0.0.1/tcp/{self.port}/http"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, target: str, content_type: str, body: bytes) -> Answer:
        url = urlsplit(target)
        command = url.path.removeprefix("/api/v0/")
        self.calls.append(f"{method} {command}")
        if method != "POST":
            return 405, {"Content-Type": "text/plain"}, b"405 - Method Not Allowed"
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        handlers = {
            "block/put": lambda: self._put(query, _multipart(content_type, body)),
            "block/get": lambda: self._get(query["arg"]),
            "block/stat": lambda: self._stat(query["arg"]),
            "pin/add": lambda: self._pin(query["arg"]),
        }
        if command not in handlers and self.lie is None:
            return 404, {"Content-Type": "text/plain"}, b"404 page not found\n"
        result = handlers[command]() if command in handlers else _json({})
        return self.lie(command, result) if self.lie else result

    def _put(self, query: dict[str, str], block: bytes) -> Answer:
        codec = {"raw": Codec.RAW, "dag-pb": Codec.DAG_PB}[query["cid-codec"]]
        assert query["mhtype"] == "sha2-256"
        cid = str(Cid.of(block, codec))
        self.blocks[cid] = block
        return _json({"Key": cid, "Size": len(block)})

    def _get(self, cid: str) -> Answer:
        if cid not in self.blocks:
            return _missing("", cid)
        return 200, {"Content-Type": "application/octet-stream"}, self.blocks[cid]

    def _stat(self, cid: str) -> Answer:
        if cid not in self.blocks:
            return _missing("", cid)
        return _json({"Key": cid, "Size": len(self.blocks[cid])})

    def _pin(self, cid: str) -> Answer:
        for below in self._below(Cid.parse(cid)):
            if str(below) not in self.blocks:
                return _missing("pin: ", str(below))
        self.pins.add(cid)
        return _json({"Pins": [cid]})

    def _below(self, cid: Cid) -> Iterator[Cid]:
        yield cid
        if cid.codec is Codec.DAG_PB and str(cid) in self.blocks:
            for link in dagpb.decode(self.blocks[str(cid)]).links:
                yield from self._below(link.cid)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self._reply()

    def do_GET(self) -> None:
        self._reply()

    def _reply(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.double.authorizations.append(self.headers.get("Authorization"))
        status, headers, answer = self.server.double.answer(
            self.command, self.path, self.headers.get("Content-Type", ""), self._body()
        )
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(answer))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = headers.get("Connection") == "close"

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *args: object) -> None:
        """Stay silent."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, double: KuboDouble) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double = double
        self._connections: list[socket.socket] = []
        double.port = self.server_port

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, peer = self.socket.accept()
        self._connections.append(connection)
        return connection, peer

    def hang_up(self) -> None:
        """End every connection: a client that keeps one open must not keep the test waiting."""
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent when a client hangs up: some tests do."""


@contextmanager
def running() -> Iterator[KuboDouble]:
    """Run a double on a free port of this machine."""
    with _Server(KuboDouble()) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.double
        finally:
            server.shutdown()
            server.hang_up()
            thread.join()


def _multipart(content_type: str, body: bytes) -> bytes:
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    assert boundary is not None
    mark = b"--" + boundary[1].encode()
    assert body.startswith(mark)
    assert body.rstrip().endswith(mark + b"--")
    part = body[len(mark) : body.rindex(b"\r\n" + mark + b"--")]
    return part.split(b"\r\n\r\n", 1)[1]


def _json(value: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _missing(prefix: str, cid: str) -> Answer:
    message = f"{prefix}block was not found locally (offline): ipld: could not find {cid}"
    body = json.dumps({"Message": message, "Code": 0, "Type": "error"}).encode()
    return 500, {"Content-Type": "application/json"}, body
