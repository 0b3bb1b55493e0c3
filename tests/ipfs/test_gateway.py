"""A trustless gateway: a real one, and one that lies."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from guildmark_ipfs import car
from guildmark_ipfs.blocks import MAX_BLOCK
from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import (
    ContentError,
    HashMismatchError,
    MalformedError,
    NotFoundError,
    TooLargeError,
    TruncatedError,
    UnavailableError,
)
from guildmark_ipfs.gateway import Gateway
from guildmark_ipfs.kubo import KuboBlockStore
from guildmark_ipfs.memory import MemoryBlockStore
from guildmark_ipfs.store import ContentStore
from guildmark_ipfs.unixfs import CHUNK
from ipfs.kubo_node import KuboNode
from ipfs.loopback import Answer, Request, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
HTML = b"<!doctype html><title>Welcome</title>"


@dataclass
class GatewayDouble:
    """Serves blocks and CARs, and lies on demand."""

    blocks: MemoryBlockStore = field(default_factory=MemoryBlockStore)
    lie: Callable[[Answer], Answer] = lambda answer: answer
    url: str = ""

    def answer(self, request: Request) -> Answer:
        cid = Cid.parse(request.path.removeprefix("/ipfs/"))
        assert request.method == "GET"
        assert request.headers["Accept-Encoding"] == "identity"
        try:
            return self.lie(self._content(request, cid))
        except NotFoundError:
            return self.lie((404, {}, b"not found"))

    def _content(self, request: Request, cid: Cid) -> Answer:
        if request.query["format"] == "raw":
            assert request.headers["Accept"] == "application/vnd.ipld.raw"
            return 200, {"Content-Type": "application/vnd.ipld.raw"}, self.blocks.get(cid)
        assert request.query["format"] == "car"
        return 200, {}, b"".join(car.write(self.blocks, cid))


@pytest.fixture
def double() -> Iterator[GatewayDouble]:
    found = GatewayDouble()
    with serving(found.answer) as port:
        found.url = f"http://127.0.0.1:{port}"
        yield found


@pytest.mark.needs("kubo")
@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK + 5])
def test_a_file_comes_from_a_real_gateway_by_blocks_and_as_a_car(kubo: KuboNode, size: int) -> None:
    data = os.urandom(size)
    with KuboBlockStore(kubo.url) as node:
        cid = node.add([data])

    with Gateway(kubo.gateway) as gateway:
        blocks = MemoryBlockStore()
        root = gateway.fetch(cid, blocks)

        assert root.size == size
        assert b"".join(ContentStore(blocks).read(cid)) == data
        for each, block in blocks.blocks.items():
            assert gateway.get(each) == block


@pytest.mark.needs("kubo")
def test_what_a_real_gateway_lacks_does_not_come(kubo: KuboNode) -> None:
    missing = Cid.of(os.urandom(9), Codec.RAW)

    with Gateway(kubo.gateway) as gateway:
        with pytest.raises((NotFoundError, UnavailableError)):
            gateway.get(missing)
        # A CAR's status and header are sent before the gateway looks for the root.
        with pytest.raises((NotFoundError, UnavailableError, TruncatedError)):
            gateway.fetch(missing, MemoryBlockStore())


def flipped(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1])


@pytest.mark.parametrize(
    ("change", "of_block", "of_car"),
    [
        (flipped, HashMismatchError, HashMismatchError),
        (lambda body: body[:-1], HashMismatchError, TruncatedError),
        (lambda body: body + b"\n", HashMismatchError, MalformedError),
        (lambda _: b"", HashMismatchError, TruncatedError),
        (lambda _: HTML, HashMismatchError, TooLargeError),
        (lambda _: bytes(MAX_BLOCK + 1), TooLargeError, MalformedError),
    ],
    ids=["one bit", "shorter", "longer", "nothing", "a page", "a flood"],
)
def test_a_lie_is_refused(
    double: GatewayDouble,
    change: Callable[[bytes], bytes],
    of_block: type[ContentError],
    of_car: type[ContentError],
) -> None:
    cid = ContentStore(double.blocks).put([b"the file that was asked for"]).cid
    double.lie = lambda answer: (answer[0], answer[1], change(answer[2]))

    with Gateway(double.url, timeout=5) as gateway:
        with pytest.raises(of_block):
            gateway.get(cid)
        with pytest.raises(of_car):
            gateway.fetch(cid, MemoryBlockStore())


def test_another_file_is_refused(double: GatewayDouble) -> None:
    files = ContentStore(double.blocks)
    asked, other = files.put([b"asked"]).cid, files.put([b"other"]).cid
    content = b"".join(car.write(double.blocks, other))
    double.lie = lambda _: (200, {}, content)

    with (
        Gateway(double.url, timeout=5) as gateway,
        pytest.raises(MalformedError, match=f"the one root {asked}"),
    ):
        gateway.fetch(asked, MemoryBlockStore())


def test_the_limit_holds_for_what_a_gateway_sends(double: GatewayDouble) -> None:
    cid = ContentStore(double.blocks).put([b"12345"]).cid

    with Gateway(double.url, timeout=5) as gateway:
        assert gateway.fetch(cid, MemoryBlockStore(), limit=5).size == 5
        with pytest.raises(TooLargeError):
            gateway.fetch(cid, MemoryBlockStore(), limit=4)


@pytest.mark.parametrize("status", [301, 302, 307, 403, 429, 500, 502, 504, 206])
def test_a_refusal_says_nothing_of_the_content(double: GatewayDouble, status: int) -> None:
    double.lie = lambda _: (status, {"Location": "http://127.0.0.1:9/"}, HTML)
    cid = Cid.of(b"x", Codec.RAW)

    with Gateway(double.url, timeout=5) as gateway:
        with pytest.raises(UnavailableError, match=f"status {status}") as caught:
            gateway.get(cid)
        with pytest.raises(UnavailableError):
            gateway.fetch(cid, MemoryBlockStore())

    assert caught.value.detail["cid"] == str(cid)


@pytest.mark.parametrize("status", [404, 410])
def test_what_a_gateway_does_not_have_is_not_found(double: GatewayDouble, status: int) -> None:
    double.lie = lambda _: (status, {}, HTML)

    with (
        Gateway(double.url, timeout=5) as gateway,
        pytest.raises(NotFoundError, match="does not have"),
    ):
        gateway.get(Cid.of(b"x", Codec.RAW))


def test_a_gateway_that_breaks_off_is_unavailable(double: GatewayDouble) -> None:
    cid = ContentStore(double.blocks).put([os.urandom(100)]).cid
    cut = {"Content-Length": "1000", "Connection": "close"}
    double.lie = lambda answer: (200, cut, answer[2])

    with Gateway(double.url, timeout=5) as gateway:
        with pytest.raises(UnavailableError):
            gateway.get(cid)
        with pytest.raises(UnavailableError):
            gateway.fetch(cid, MemoryBlockStore())
