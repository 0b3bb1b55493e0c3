"""Our addresses beside those of a real Kubo."""

import os
from pathlib import Path

import pytest

from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.unixfs import CHUNK, UNIXFS_V1_2025, Builder, Layout
from ipfs.kubo_node import KuboNode

pytestmark = [pytest.mark.needs("kubo"), pytest.mark.allow_hosts(["127.0.0.1"])]


def of_kubo(node: KuboNode, data: bytes, layout: Layout) -> str:
    return node.run("add", "--quieter", *flags_of(layout), data=data).decode().strip()


def flags_of(layout: Layout) -> tuple[str, ...]:
    shape = (f"--chunker=size-{layout.chunk}", f"--max-file-links={layout.width}")
    return ("--only-hash", "--cid-version=1", "--raw-leaves", *shape)


def of_ours(data: bytes, layout: Layout) -> str:
    builder = Builder(AddressOnly(), layout=layout)
    builder.write(data)
    return str(builder.finish().cid)


@pytest.mark.parametrize(
    "size", [0, 1, 5 * CHUNK + 12_345, *(of * CHUNK + by for of in (1, 2) for by in (-1, 0, 1))]
)
def test_kubo_gives_a_file_the_same_address(kubo: KuboNode, size: int) -> None:
    data = os.urandom(size)

    assert of_ours(data, UNIXFS_V1_2025) == of_kubo(kubo, data, UNIXFS_V1_2025)


def test_kubo_builds_trees_of_the_same_shape_around_every_boundary(
    kubo: KuboNode, tmp_path: Path
) -> None:
    # Narrow trees of small leaves: depths that the profile reaches at a tebibyte only. A file a
    # byte less, as long, and a byte longer than each number of leaves, to beyond the fourth level.
    layout, data = Layout(chunk=16, width=3, depth=6), os.urandom(250 * 16)
    leaves = [*range(1, 32), *range(79, 84), *range(242, 246)]
    sizes = sorted({16 * count + by for count in leaves for by in (-1, 0, 1)})
    for size in sizes:
        (tmp_path / str(size)).write_bytes(data[:size])

    said = kubo.run("add", "--recursive", *flags_of(layout), str(tmp_path)).decode().splitlines()

    found = {name.rpartition("/")[2]: cid for _, cid, name in map(str.split, said)}
    assert {size: found[str(size)] for size in sizes} == {
        size: of_ours(data[:size], layout) for size in sizes
    }


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_kubo_grows_a_level_at_the_same_width(kubo: KuboNode, excess: int) -> None:
    # The profile's own width, 1024, over small leaves: at a gibibyte the real ones do the same.
    layout = Layout(chunk=64, width=1024, depth=2)
    data = os.urandom(1024 * 64 + excess)

    assert of_ours(data, layout) == of_kubo(kubo, data, layout)
