"""Our addresses beside those of a real Kubo, where one is on the PATH."""

import os
import subprocess
from pathlib import Path

import pytest

from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.unixfs import CHUNK, UNIXFS_V1_2025, Builder, Layout
from ipfs.conftest import KUBO, needs_kubo

pytestmark = needs_kubo


def of_kubo(repository: Path, data: bytes, layout: Layout) -> str:
    environment = {"PATH": os.environ["PATH"], "IPFS_PATH": str(repository)}
    if not (repository / "config").exists():
        init = [str(KUBO), "init", "--profile=test"]
        subprocess.run(init, env=environment, check=True, capture_output=True)
    done = subprocess.run(
        [
            str(KUBO),
            "add",
            "--only-hash",
            "--quieter",
            "--cid-version=1",
            "--raw-leaves",
            f"--chunker=size-{layout.chunk}",
            f"--max-file-links={layout.width}",
        ],
        input=data,
        env=environment,
        check=True,
        capture_output=True,
    )
    return done.stdout.decode().strip()


def of_ours(data: bytes, layout: Layout) -> str:
    builder = Builder(AddressOnly(), layout=layout)
    builder.write(data)
    return str(builder.finish().cid)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 12_345])
def test_kubo_gives_a_file_the_same_address(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)

    assert of_ours(data, UNIXFS_V1_2025) == of_kubo(tmp_path, data, UNIXFS_V1_2025)


@pytest.mark.parametrize("leaves", [1, 3, 4, 9, 10, 27, 28, 100])
def test_kubo_builds_trees_of_the_same_shape(tmp_path: Path, leaves: int) -> None:
    # Narrow trees of small leaves: depths that the profile reaches at a tebibyte only.
    layout = Layout(chunk=16, width=3, depth=6)
    data = os.urandom(leaves * 16 - 1)

    assert of_ours(data, layout) == of_kubo(tmp_path, data, layout)
