"""A node of the chain as pages may ask it: before the real one, with CORS, and as told, lying."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, TypeAlias

import httpx

Answer: TypeAlias = Callable[[str, list[Any], Any], Any]
"""Gives the result of a method with its parameters, from that of the real node."""


def honest(_method: str, _params: list[Any], result: Any) -> Any:
    return result


@dataclass(kw_only=True)
class Gateway:
    """What it says, and what it was asked.

    Args:
        behind: The address of the real node.
        answer: What becomes of the real node's results.
        raw: A status and a body instead of any result.
        is_silent: Whether it keeps who asks waiting.
        origins: Who may read it: the header of CORS.
    """

    behind: str
    answer: Answer = honest
    raw: tuple[int, bytes] | None = None
    is_silent: bool = False
    origins: str = "*"
    asked: list[tuple[str, str]] = field(default_factory=list)
    ended: Event = field(default_factory=Event)
    url: str = ""

    def respond(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body for a request to a path."""
        question = json.loads(body)
        self.asked.append((path, question["method"]))
        if self.is_silent:
            self.ended.wait()
        if self.raw is not None:
            return self.raw
        said = httpx.post(self.behind, json=question, timeout=30.0).json()
        if "result" in said:
            method, params = question["method"], question["params"]
            said["result"] = self.answer(method, params, said["result"])
        return 200, json.dumps(said).encode()


@contextmanager
def gateway(behind: str) -> Iterator[Gateway]:
    """Serve a gateway before a real node until the block ends."""
    found = Gateway(behind=behind)

    class Handler(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self._send(204, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._send(*found.respond(self.path, body))

        def do_GET(self) -> None:
            self._send(405, b"")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if found.origins:
                self.send_header("access-control-allow-origin", found.origins)
                self.send_header("access-control-allow-headers", "content-type")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        found.ended.set()
        server.shutdown()
        server.server_close()
