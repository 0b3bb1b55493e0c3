"""A node and a chain's node on 127.0.0.1, with answers that a test chooses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Web:
    """Answers by path for GET, by JSON-RPC method for POST; what it does not know is 404.

    Args:
        pages: Status and body by path and query.
        results: JSON-RPC results by method; a callable is given the parameters.
    """

    url: str = ""
    pages: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        self.asked.append(path)
        if self.raw is not None:
            return 200, self.raw
        if body is None:
            return self.pages.get(path, (404, b""))
        call = json.loads(body)
        result = self.results.get(call["method"])
        if callable(result):
            result = result(*call["params"])
        if isinstance(result, Exception):
            return 200, json.dumps({"error": {"message": str(result)}}).encode()
        return 200, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()


@contextmanager
def serving(web: Web) -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*web.answer(self.path, None))

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            self._send(*web.answer(self.path, self.rfile.read(length)))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            return

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
