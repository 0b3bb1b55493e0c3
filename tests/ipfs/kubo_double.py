"""A double of a Kubo node: the part of its RPC that a block store needs, and lies on demand.

It answers as Kubo 0.39 in offline mode was seen to answer: POST only, errors as status 500 with
JSON, chunked bodies read. It keeps blocks in memory, has no network, no garbage collection and
checks nothing that it is given. The tests that run on it run on a real node too, where one is.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from guildmark_ipfs import dagpb
from guildmark_ipfs.cid import Cid, Codec
from ipfs.loopback import Answer, Request, serving


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

    def answer(self, request: Request) -> Answer:
        command = request.path.removeprefix("/api/v0/")
        self.calls.append(f"{request.method} {command}")
        self.authorizations.append(request.headers.get("Authorization"))
        if request.method != "POST":
            return 405, {"Content-Type": "text/plain"}, b"405 - Method Not Allowed"
        query, kind = request.query, request.headers.get("Content-Type", "")
        handlers = {
            "block/put": lambda: self._put(query, _multipart(kind, request.body)),
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


@contextmanager
def running() -> Iterator[KuboDouble]:
    """Run a double on a free port of this machine."""
    double = KuboDouble()
    with serving(double.answer) as double.port:
        yield double


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
