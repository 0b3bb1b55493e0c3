"""P6: inclusion proofs a second from a log of a million entries, warm and from its tiles.

Run by its path it is the process whose proofs are timed.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pymerkle

from bench.rows import Better, Judged, Metric, Round, Row, Target
from environments import ROOT
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.log.checkpoint import Tile, tiles_of
from guildmark.domain.log.merkle import MerkleTree, leaf_hash
from guildmark.domain.log.tiles import TiledTree

_ENTRIES = 1_000_000
_PROOFS, _PEER_PROOFS = 100_000, 5_000
# The peer hashes its whole tree for a root: it gets one as deep as time allows.
_PEER_ENTRIES = 1 << 14
_STEP = 7_919
_FOLDER = ROOT / "build" / "bench" / "proving"
_MEMORY_LIMIT = 100.0
_PEER = "pymerkle, a log of 16,384 entries"


def _rate_row(name: str, text: str, bound: float) -> Metric:
    return Metric(
        id=name,
        text=text,
        unit="proofs/s",
        against=_PEER,
        better=Better.HIGHER,
        target=Target(of=Judged.OURS, bound=bound),
    )


_WARM = _rate_row("P6.warm", "inclusion proofs at 10^6 entries, the tree in memory", 150_000)
_TILES = _rate_row(
    "P6.tiles", "the same from tiles on disk, entries in their order, tiles opened anew", 20_000
)
_MEMORY = Metric(
    id="P6.memory",
    text="memory of that tree an entry",
    unit="B",
    against="limit",
    target=Target(of=Judged.OURS, bound=_MEMORY_LIMIT),
)


def measure(rounds: int) -> Sequence[Row]:
    """Prove entries of one log from its tree and from its tiles, each round in its own process."""
    found = [_run() for _ in range(rounds)]

    def row(metric: Metric, name: str, reference: str | float) -> Row:
        return Row(
            metric=metric,
            rounds=[
                Round(
                    ours=one[name],
                    reference=one[reference] if isinstance(reference, str) else reference,
                    same_answer=one["same"],
                )
                for one in found
            ],
        )

    return [
        row(_WARM, "warm", "peer"),
        row(_TILES, "tiles", "peer"),
        row(_MEMORY, "memory", _MEMORY_LIMIT),
    ]


def _run() -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, __file__], env=environment, check=True, capture_output=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _leaf(number: int) -> bytes:
    return sha256(number.to_bytes(8, "big"))


def _resident() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _rate(prove: Callable[[int], object], places: Sequence[int]) -> float:
    """Return how many proofs a core makes in a second of its own time."""
    started = time.process_time()
    for place in places:
        prove(place)
    return len(places) / (time.process_time() - started)


def _written(tree: MerkleTree, folder: Path) -> TiledTree:
    """Write the tree's tiles as files, and return the tree that reads them."""
    for tile in tiles_of(len(tree)):
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tile.of(tree))

    def fetch(tile: Tile) -> bytes:
        return (folder / tile.path).read_bytes()

    return TiledTree(len(tree), fetch)


def _same(tree: MerkleTree, tiled: TiledTree, peer: pymerkle.InmemoryTree) -> bool:
    """Return whether tree and tiles agree at a million entries, and tree and peer at theirs."""
    small = MerkleTree(_leaf(number) for number in range(_PEER_ENTRIES))
    return (
        tree.root() == tiled.root()
        and all(tree.inclusion_path(at) == tiled.inclusion_path(at) for at in _places(_ENTRIES))
        and small.root() == peer.get_root()
        and all(_theirs(peer, at) == _ours(small, at) for at in _places(_PEER_ENTRIES))
    )


def _places(count: int) -> range:
    return range(0, count, count // 100)


def _ours(tree: MerkleTree, place: int) -> Sequence[str]:
    hashes = (*tree.inclusion_path(place), leaf_hash(_leaf(place)))
    return sorted(one.hex() for one in hashes)


def _theirs(peer: pymerkle.InmemoryTree, place: int) -> Sequence[str]:
    """Return the peer's path, which has the leaf's own hash in it, in no order of ours."""
    return sorted(peer.prove_inclusion(place + 1, _PEER_ENTRIES).serialize()["path"])


def main() -> None:
    """Print what this process took."""
    before = _resident()
    tree = MerkleTree()
    for first in range(0, _ENTRIES, _PEER_ENTRIES):
        tree.extend(_leaf(number) for number in range(first, min(first + _PEER_ENTRIES, _ENTRIES)))
    memory = (_resident() - before) / _ENTRIES
    tiled = _written(tree, _FOLDER)
    peer = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(_PEER_ENTRIES):
        peer.append_entry(_leaf(number))
    scattered = [number * _STEP % _ENTRIES for number in range(_PROOFS)]
    found = {
        "warm": _rate(tree.inclusion_path, scattered),
        "tiles": _rate(tiled.inclusion_path, range(_PROOFS)),
        "peer": _rate(lambda at: peer.prove_inclusion(at + 1, _PEER_ENTRIES), range(_PEER_PROOFS)),
        "memory": memory,
        "same": _same(tree, tiled, peer),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
