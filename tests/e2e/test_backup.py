"""A home copied while its node works, restored on an empty machine, and worked on from there."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from e2e.cli_actors import Actor
from e2e.embedded import Node
from guildmark.adapters.peers.client import NodeClient
from guildmark.settings import load
from stages import until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]


@pytest.fixture
def nodes() -> Iterator[ExitStack]:
    """Return what ends every node that was started."""
    with ExitStack() as stack:
        yield stack


def start(nodes: ExitStack, home: Path) -> Node:
    node = Node(home)
    nodes.callback(node.process.wait)
    nodes.callback(node.process.kill)
    until(node.is_ready)
    return node


class Work:
    """Puts content and writes records, over and over, until it is told to end."""

    def __init__(self, node: Node) -> None:
        self.node, self.put = node, 0
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=one) for one in (self._store, self._tick)]

    def __enter__(self) -> "Work":
        for thread in self._threads:
            thread.start()
        until(lambda: self.put > 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _store(self) -> None:
        with NodeClient(self.node.url) as client:
            while not self._ended.is_set():
                client.put_content([b"content %d" % self.put])
                self.put += 1

    def _tick(self) -> None:
        while not self._ended.is_set():
            Actor(self.node.home).say("log", "tick")


def test_a_home_is_copied_at_work_and_goes_on_elsewhere(nodes: ExitStack, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    backup, password = tmp_path / "a.backup", tmp_path / "password"
    password.write_text("a password of some length")
    node = start(nodes, old)
    with Work(node):
        made = Actor(old).ask("backup", "create", backup, "--with-keys", password)
    before = httpx.get(f"{node.url}/v1/beacon").json()
    node.kill(signal.SIGKILL)

    Actor(new).say("backup", "restore", backup, "--with-keys", password)
    restored = start(nodes, new)

    assert made["journal"] > 0
    assert load(new).own_node() == load(old).own_node()
    after = httpx.get(f"{restored.url}/v1/beacon").json()
    assert after["log"] == before["log"]
    Actor(new).say("log", "tick")
    assert Actor(new).ask("fsck") == {"clean": True, "differences": []}
    assert restored.kill(signal.SIGTERM) == 0
