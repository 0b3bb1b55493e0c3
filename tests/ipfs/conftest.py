"""The block stores that every test of the port runs on."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from guildmark_ipfs.blocks import BlockStore
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.ipfshttp import IpfsHttpBlockStore
from guildmark_ipfs.memory import MemoryBlockStore
from ipfs import kubo_double
from ipfs.kubo_double import KuboDouble

KUBO = shutil.which("ipfs")
needs_kubo = pytest.mark.skipif(KUBO is None, reason="needs kubo: no `ipfs` on the PATH")


@pytest.fixture
def double() -> Iterator[KuboDouble]:
    with kubo_double.running() as node:
        yield node


@pytest.fixture(scope="session")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a real node without a network and yield the address of its RPC."""
    folder = tmp_path_factory.mktemp("kubo")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "IPFS_PATH": str(folder)}

    def ipfs(*arguments: str) -> None:
        subprocess.run([str(KUBO), *arguments], env=environment, check=True, capture_output=True)

    ipfs("init", "--profile=test")
    for name, value in (
        ("AutoConf.Enabled", "false"),
        ("Bootstrap", "[]"),
        ("DNS.Resolvers", "{}"),
        ("Routing.DelegatedRouters", "[]"),
        ("Ipns.DelegatedPublishers", "[]"),
    ):
        ipfs("config", "--json", name, value)
    with (folder / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen([str(KUBO), "daemon", "--offline"], env=environment, stdout=log)
    try:
        yield _address(folder / "api", daemon)
    finally:
        daemon.terminate()
        daemon.wait()


def _address(file: Path, daemon: "subprocess.Popen[bytes]") -> str:
    for _ in range(300):
        assert daemon.poll() is None
        if file.exists() and file.read_text():
            return file.read_text()
        time.sleep(0.1)
    raise TimeoutError


def _local(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    yield LocalBlockStore.open(request.getfixturevalue("tmp_path") / "store")


def _memory(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    yield MemoryBlockStore()


def _http_double(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    with IpfsHttpBlockStore(request.getfixturevalue("double").address, timeout=5) as store:
        yield store


def _http_kubo(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    with IpfsHttpBlockStore(request.getfixturevalue("kubo"), timeout=20) as store:
        yield store


@pytest.fixture(
    params=[
        pytest.param(_local, id="local"),
        pytest.param(_memory, id="memory"),
        pytest.param(_http_double, id="ipfshttp on the double"),
        pytest.param(_http_kubo, id="ipfshttp on kubo", marks=needs_kubo),
    ]
)
def blocks(request: pytest.FixtureRequest) -> Iterator[BlockStore]:
    """Every adapter in turn."""
    yield from request.param(request)
