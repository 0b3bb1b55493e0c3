"""Our addresses beside those of a real Kubo."""

import os

import pytest

from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.unixfs import CHUNK, UNIXFS_V1_2025, Builder, Layout
from ipfs.kubo_node import KuboNode

pytestmark = [pytest.mark.needs("kubo"), pytest.mark.allow_hosts(["127.0.0.1"])]


def of_kubo(node: KuboNode, data: bytes, layout: Layout) -> str:
    shape = (f"--chunker=size-{layout.chunk}", f"--max-file-links={layout.width}")
    flags = ("--only-hash", "--quieter", "--cid-version=1", "--raw-leaves", *shape)
    return node.run("add", *flags, data=data).decode().strip()


def of_ours(data: bytes, layout: Layout) -> str:
    builder = Builder(AddressOnly(), layout=layout)
    builder.write(data)
    return str(builder.finish().cid)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 12_345])
def test_kubo_gives_a_file_the_same_address(kubo: KuboNode, size: int) -> None:
    data = os.urandom(size)

    assert of_ours(data, UNIXFS_V1_2025) == of_kubo(kubo, data, UNIXFS_V1_2025)


@pytest.mark.parametrize("leaves", [1, 3, 4, 9, 10, 27, 28, 100])
def test_kubo_builds_trees_of_the_same_shape(kubo: KuboNode, leaves: int) -> None:
    # Narrow trees of small leaves: depths that the profile reaches at a tebibyte only.
    layout = Layout(chunk=16, width=3, depth=6)
    data = os.urandom(leaves * 16 - 1)

    assert of_ours(data, layout) == of_kubo(kubo, data, layout)


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_kubo_grows_a_level_at_the_same_width(kubo: KuboNode, excess: int) -> None:
    # The profile's own width, 1024, over small leaves: at a gibibyte the real ones do the same.
    layout = Layout(chunk=64, width=1024, depth=2)
    data = os.urandom(1024 * 64 + excess)

    assert of_ours(data, layout) == of_kubo(kubo, data, layout)
