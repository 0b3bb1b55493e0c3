"""A node that may open few files and connections: it sends away, says so, and recovers alone."""

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
BEGUN = b"GET /readyz HTTP/1.1\r\nHost: node\r\n"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    started = Node(tmp_path / "home")
    yield started
    started.process.kill()
    started.process.wait()


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
    until(node.is_ready)
    process = node.process.pid
    resource.prlimit(process, resource.RLIMIT_NOFILE, (MOST, MOST))

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
    assert node.kill(signal.SIGTERM) == 0
