"""A node with few descriptors or no memory left: it sends away, says so, and recovers alone."""

import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from e2e.embedded import Node
from stages import until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]

# A node alone has some 25 open.
MOST = 64
MEBI = 1 << 20
SPARE = 4 * MEBI
"""What a node without memory has left; the largest batch needs several times as much."""
FLOWING = 32
"""MiB of a file that is sent to it all the same."""
BEGUN = b"GET /readyz HTTP/1.1\r\nHost: node\r\n"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with pytest.MonkeyPatch.context() as patch:
        # All that is large is asked of the kernel, whatever was given back before (mallopt(3)).
        patch.setenv("MALLOC_MMAP_THRESHOLD_", "131072")
        found = Node(tmp_path_factory.mktemp("node") / "home")
    try:
        until(found.is_ready)
        yield found
        # Whatever befell it, it ends as it should.
        assert found.kill(signal.SIGTERM) == 0
    finally:
        found.process.kill()
        found.process.wait()


@pytest.fixture
def node(started: Node) -> Iterator[Node]:
    """Return the node; what a test bounds is as before after it."""
    process, kinds = started.process.pid, (resource.RLIMIT_NOFILE, resource.RLIMIT_AS)
    limits = {kind: resource.prlimit(process, kind) for kind in kinds}
    yield started
    for kind, bounds in limits.items():
        resource.prlimit(process, kind, bounds)


def held(process: int) -> int:
    """Return how many files and connections a process has open."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def codes(node: Node) -> list[str] | None:
    """Return the codes of a node's alarms, None where it sends the question away."""
    try:
        alarms = httpx.get(f"{node.url}/readyz", timeout=10).json()["alarms"]
    except httpx.HTTPError:
        return None
    return [alarm["code"] for alarm in alarms]


def beginning(node: Node) -> socket.socket:
    """Connect, begin a request, and never end it."""
    host, _, port = node.url.removeprefix("http://").partition(":")
    found = socket.create_connection((host, int(port)), timeout=30)
    found.sendall(BEGUN)
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux: /proc")
def test_node_out_of_descriptors_sends_away_says_so_and_recovers(node: Node) -> None:
    process = node.process.pid
    _, hard = resource.prlimit(process, resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (MOST, hard))

    with ExitStack() as holding:

        def fill(most: int) -> None:
            # Again and again: a node waits for a request's end for a while only.
            for _ in range(most - held(process)):
                holding.enter_context(beginning(node))

        def says_so() -> bool:
            fill(MOST - 4)
            return "node.handlesShort" in (codes(node) or [])

        def sends_away() -> bool:
            fill(2 * MOST)
            return codes(node) is None

        until(says_so)
        until(sends_away)

    until(lambda: codes(node) == [])
    assert httpx.get(f"{node.url}/v1/beacon").status_code == 200


def addresses(process: int) -> int:
    """Return how many bytes of addresses a process uses."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


def sent(node: Node, body: Iterator[bytes] | bytes, path: str, media_type: str) -> httpx.Response:
    headers = {"Content-Type": media_type}
    return httpx.post(f"{node.url}{path}", content=body, headers=headers, timeout=120)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux: /proc")
def test_node_without_memory_sends_away_what_is_large_and_takes_what_flows(node: Node) -> None:
    process, batch = node.process.pid, (b'{"payload":"' + b"a" * MEBI + b'"}\n') * 15
    _, hard = resource.prlimit(process, resource.RLIMIT_AS)
    resource.prlimit(process, resource.RLIMIT_AS, (addresses(process) + SPARE, hard))

    batches = [sent(node, batch, "/v1/builds", "application/x-ndjson") for _ in range(3)]
    flowing = iter([bytes([number]) * MEBI for number in range(FLOWING)])
    stored = sent(node, flowing, "/v1/content", "application/octet-stream")
    during = codes(node)
    resource.prlimit(process, resource.RLIMIT_AS, (hard, hard))
    after = sent(node, batch, "/v1/builds", "application/x-ndjson")

    assert {(each.status_code, each.json()["code"]) for each in batches} == {
        (503, "node.memoryShort")
    }
    assert {each.headers["Retry-After"] for each in batches} == {"5"}
    assert (stored.status_code, during) == (201, [])
    found = httpx.get(f"{node.url}/v1/content/{stored.json()['cid']}", timeout=120)
    assert len(found.content) == FLOWING * MEBI
    assert after.status_code == 200
    assert {each["reception"] for each in after.json()["answers"]} == {"refused"}
