"""A node that lies over HTTP: about places, with statuses and lengths, and without an end."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Event, Thread

from fakes.lies import Truth, World

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]

_PIECE = bytes(1 << 16)
_WAIT = 0.01


@dataclass
class LyingNode:
    """Answers each question with what one lie says.

    Args:
        world: Whose bundles it has.
        url: Where it is asked.
        is_over: Set when nobody listens any more.
    """

    world: World
    url: str = ""
    is_over: Event = field(default_factory=Event)
    _truth: Truth | None = None
    _dice: Random = field(default_factory=Random)
    _lie: str = ""

    def lies(self, lie: str, seed: str) -> Truth:
        """Choose how is lied from now on; return about what."""
        self._lie, self._dice = lie, Random(seed)
        self._truth = self._dice.choice(self.world.truths)
        return self._truth

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        assert self._truth is not None
        path = handler.path.partition("?")[0]
        log, index = self._truth.place
        if path == "/v1/parts":
            positions = {"log": log, "index": index, "others": []}
            HTTP_LIES[self._lie].of_positions(self, handler, json.dumps(positions).encode())
        elif path == f"/v1/parts/{log}.{index}/bundle":
            HTTP_LIES[self._lie].of_bundle(self, handler, self._truth.given.bundle)
        else:
            # Of whatever else is asked for, it has another honest bundle.
            send(self, handler, self._dice.choice(self.world.truths).given.bundle)

    @property
    def dice(self) -> Random:
        return self._dice


Told = Callable[[LyingNode, BaseHTTPRequestHandler, bytes], None]


def send(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Answer as an honest node does."""
    _head(handler, 200, {"content-length": str(len(body))})
    handler.wfile.write(body)


@dataclass(frozen=True)
class HttpLie:
    """How each kind of question is answered."""

    of_bundle: Told = send
    of_positions: Told = send


def _head(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str]) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def _status(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    status = node.dice.choice((201, 204, 206, 304, 400, 401, 404, 409, 418, 429, 500, 503, 599))
    _head(handler, status, {"content-length": str(len(body))})
    with suppress(OSError):
        handler.wfile.write(body)


def _redirect(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    status = node.dice.choice((301, 302, 303, 307, 308))
    _head(handler, status, {"location": f"{node.url}/elsewhere", "content-length": "0"})


def _headers(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    size = len(body)
    wrong = str(node.dice.choice((0, 1, size - 1, size // 2, -1, "x", 10**30)))
    headers = node.dice.choice(
        (
            {"content-length": wrong},
            {"transfer-encoding": "chunked"},
            {"content-length": str(size), "content-encoding": "gzip"},
            {f"x-{at}": "y" for at in range(200)},
            {"x": "y" * (1 << 17)},
        )
    )
    with suppress(OSError):
        _head(handler, 200, headers)
        handler.wfile.write(body)
    handler.close_connection = True


def _garbage(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    with suppress(OSError):
        handler.wfile.write(node.dice.choice((b"", b"\0" * 400, b"HTTP/1.1", b"SSH-2.0-x\r\n")))
    handler.close_connection = True


def _dripping(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Send a byte now and then: no single wait is long."""
    with suppress(OSError):
        _head(handler, 200, {"content-length": str(len(body))})
        for at in range(len(body)):
            if node.is_over.wait(_WAIT):
                return
            handler.wfile.write(body[at : at + 1])


def _silent(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    node.is_over.wait(1)


def _endless(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    with suppress(OSError):
        _head(handler, 200, {})
        handler.wfile.write(body)
        while not node.is_over.is_set():
            handler.wfile.write(_PIECE)
    handler.close_connection = True


def _of_another(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    send(node, handler, node.dice.choice(node.world.truths).given.bundle)


def _positions(node: LyingNode, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    dice = node.dice
    place = {"log": dice.randrange(9), "index": dice.randrange(200)}
    lies = (
        json.dumps({**place, "others": [place] * dice.randrange(1, 40)}),
        json.dumps({**place, "others": "none"}),
        json.dumps({"log": -1, "index": 2**60, "others": []}),
        '{"log":1,"log":2,"index":103,"others":[]}',
        "[" * 500,
        "null",
        "<html>",
    )
    send(node, handler, dice.choice(lies).encode())


HTTP_LIES: Mapping[str, HttpLie] = {
    "statuses": HttpLie(of_bundle=_status),
    "redirects": HttpLie(of_bundle=_redirect, of_positions=_redirect),
    "headers": HttpLie(of_bundle=_headers),
    "no HTTP": HttpLie(of_bundle=_garbage, of_positions=_garbage),
    "another part": HttpLie(of_bundle=_of_another),
    "places of the label": HttpLie(of_positions=_positions),
    "dripping": HttpLie(of_bundle=_dripping),
    "silence": HttpLie(of_bundle=_silent),
    "without an end": HttpLie(of_bundle=_endless),
}


@contextmanager
def lying(world: World) -> Iterator[LyingNode]:
    """Serve lies on 127.0.0.1."""
    node = LyingNode(world=world)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            node.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    node.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield node
    finally:
        node.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()
