"""The block stores that every test of the port runs on."""

from collections.abc import Iterator

import pytest

from guildmark_ipfs.blocks import BlockStore
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.ipfshttp import IpfsHttpBlockStore
from guildmark_ipfs.kubo import KuboBlockStore
from guildmark_ipfs.memory import MemoryBlockStore
from ipfs import kubo_double
from ipfs.kubo_double import KuboDouble
from ipfs.kubo_node import KuboNode


@pytest.fixture
def double() -> Iterator[KuboDouble]:
    with kubo_double.running() as node:
        yield node


@pytest.fixture(scope="session")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KuboNode]:
    """Run a real node for all tests."""
    node = KuboNode(tmp_path_factory.mktemp("kubo"))
    node.start()
    try:
        yield node
    finally:
        node.stop()


def _local(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    yield LocalBlockStore.open(request.getfixturevalue("tmp_path") / "store")


def _memory(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    yield MemoryBlockStore()


def _http_double(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    with IpfsHttpBlockStore(request.getfixturevalue("double").address, timeout=5) as store:
        yield store


def _http_kubo(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    with IpfsHttpBlockStore(request.getfixturevalue("kubo").address, timeout=20) as store:
        yield store


def _kubo_double(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    with KuboBlockStore(request.getfixturevalue("double").url, timeout=5) as store:
        yield store


def _kubo(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    with KuboBlockStore(request.getfixturevalue("kubo").url, timeout=20) as store:
        yield store


@pytest.fixture(
    params=[
        pytest.param(_local, id="local"),
        pytest.param(_memory, id="memory"),
        pytest.param(_http_double, id="ipfshttp on the double"),
        pytest.param(_http_kubo, id="ipfshttp on kubo", marks=pytest.mark.needs("kubo")),
        pytest.param(_kubo_double, id="kubo's rpc on the double"),
        pytest.param(_kubo, id="kubo's rpc on kubo", marks=pytest.mark.needs("kubo")),
    ]
)
def blocks(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    """Every adapter in turn."""
    yield from request.param(request)
