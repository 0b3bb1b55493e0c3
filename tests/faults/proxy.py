"""A proxy between a node and its chain that knows JSON-RPC and fails as it is told."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

SEND = "eth_sendRawTransaction"
RESET = struct.pack("ii", 1, 0)


class Fault(Enum):
    """What goes wrong with one HTTP request."""

    CLOSED = auto()
    """The connection ends before the chain hears anything."""
    RESET = auto()
    """It is reset, before the chain hears anything."""
    LOST = auto()
    """The chain does what it is asked; its answer is lost."""
    TORN = auto()
    """Half of the answer arrives."""
    SLOW = auto()
    """The answer comes late, and in time."""
    SILENT = auto()
    """The connection stays open and nothing comes."""
    REFUSED = auto()
    """HTTP 503, before the chain hears anything."""
    NO_JSON = auto()
    """Another server answers."""


Decide = Callable[[Sequence[str]], Fault | None]
Lie = Callable[[Any], Any]


def _sound(_methods: Sequence[str]) -> None:
    """Let nothing fail."""


@dataclass
class FaultProxy:
    """Listens on this machine and forwards to a chain's node.

    Args:
        upstream: The chain's address.
        patience: For how many seconds its users wait.
    """

    upstream: str
    patience: float = 5.0
    decide: Decide = _sound
    lies: dict[str, Lie] = field(default_factory=dict)
    """By method, what is answered instead of the truth."""
    faults: int = 0
    """How many requests failed."""
    _server: ThreadingHTTPServer = field(init=False)
    _local: threading.local = field(default_factory=threading.local)

    def __enter__(self) -> Self:
        self._server = _Server(self)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def heal(self) -> None:
        """Let nothing fail any more."""
        self.decide, self.patience = _sound, 5.0
        self.lies.clear()

    def forwarded(self, body: bytes) -> bytes:
        """Return the chain's answer, with lies where they were asked for."""
        answer = self._asked(body)
        if not self.lies:
            return answer
        calls, answers = json.loads(body), json.loads(answer)
        is_batch = isinstance(calls, list)
        methods = {call["id"]: call["method"] for call in (calls if is_batch else [calls])}
        for one in answers if is_batch else [answers]:
            lie = self.lies.get(methods[one["id"]])
            if lie is not None and "result" in one:
                one["result"] = lie(one["result"])
        return json.dumps(answers).encode()

    def hang_up(self) -> None:
        """End this thread's connection to the chain."""
        link: HTTPConnection | None = getattr(self._local, "link", None)
        if link is not None:
            link.close()

    def _asked(self, body: bytes) -> bytes:
        for attempt in range(2):
            link: HTTPConnection | None = getattr(self._local, "link", None)
            if link is None or attempt:
                link = self._local.link = HTTPConnection(urlsplit(self.upstream).netloc)
            try:
                link.request("POST", "/", body, {"content-type": "application/json"})
                return link.getresponse().read()
            except OSError:
                link.close()
        message = "the chain ended"
        raise RuntimeError(message)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: FaultProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that die are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def owner(self) -> FaultProxy:
        server = self.server
        assert isinstance(server, _Server)
        return server.owner

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        calls = json.loads(body)
        methods = [call["method"] for call in (calls if isinstance(calls, list) else [calls])]
        fault = self.owner.decide(methods)
        if fault is None:
            self._answer(self.owner.forwarded(body))
            return
        self.owner.faults += 1
        self._fail(fault, body)

    def _fail(self, fault: Fault, body: bytes) -> None:
        if fault is Fault.REFUSED:
            self._answer(b"{}", status=503)
        elif fault is Fault.NO_JSON:
            self._answer(b"<html>hello</html>")
        elif fault is Fault.SLOW:
            answer = self.owner.forwarded(body)
            time.sleep(self.owner.patience / 10)
            self._answer(answer)
        elif fault is Fault.TORN:
            answer = self.owner.forwarded(body)
            self._answer(answer[: len(answer) // 2], size=len(answer))
            self._end()
        else:
            self._cut(fault, body)

    def _cut(self, fault: Fault, body: bytes) -> None:
        if fault is Fault.LOST:
            self.owner.forwarded(body)
        elif fault is Fault.SILENT:
            time.sleep(self.owner.patience * 1.5)
        elif fault is Fault.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._end()

    def _end(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _answer(self, content: bytes, *, status: int = 200, size: int | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content) if size is None else size))
        self.end_headers()
        self.wfile.write(content)

    def finish(self) -> None:
        super().finish()
        self.owner.hang_up()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        """Say nothing."""
