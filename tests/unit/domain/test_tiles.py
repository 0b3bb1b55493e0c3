"""A tree of tiles proves what the whole tree proves, and opens each tile once."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.log import tiles
from guildmark.domain.log.checkpoint import Tile, TileMalformedError
from guildmark.domain.log.merkle import MerkleTree, ProofPositionError, verify_inclusion
from guildmark.domain.log.tiles import TiledTree

LEAVES = [sha256(number.to_bytes(4, "big")) for number in range(66_000)]
WHOLE = MerkleTree(LEAVES)


def tiled(size: int) -> TiledTree:
    return TiledTree(size, lambda tile: tile.of(WHOLE))


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 66_000), data=st.data())
def test_tiles_prove_what_the_whole_tree_proves(size: int, data: st.DataObject) -> None:
    tree, index = tiled(size), data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))

    path = tree.inclusion_path(index)

    assert len(tree) == size
    assert tree.root() == WHOLE.root(size)
    assert path == WHOLE.inclusion_path(index, size)
    assert tree.consistency_proof(old) == WHOLE.consistency_proof(old, size)
    verify_inclusion(data=LEAVES[index], index=index, count=size, path=path, root=tree.root())


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_first_and_last_leaf_are_proven_at_the_edges_of_tiles(size: int) -> None:
    for index in {0, size - 1, size // 2}:
        assert tiled(size).inclusion_path(index) == WHOLE.inclusion_path(index, size)


def test_a_tile_is_fetched_once_for_all_its_leaves() -> None:
    fetched: Counter[str] = Counter()

    def fetch(tile: Tile) -> bytes:
        fetched[tile.path] += 1
        return tile.of(WHOLE)

    tree = TiledTree(len(WHOLE), fetch)
    for index in range(600):
        tree.inclusion_path(index)

    assert set(fetched.values()) == {1}
    assert {"tile/0/000", "tile/0/001", "tile/0/002", "tile/1/000"} <= set(fetched)


def test_only_so_many_tiles_are_kept_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "TILES_MAX", 1)
    fetched: list[str] = []

    def fetch(tile: Tile) -> bytes:
        fetched.append(tile.path)
        return tile.of(WHOLE)

    tree = TiledTree(512, fetch)

    for index in (0, 256, 0):
        tree.complete_node(0, index)

    assert fetched == ["tile/0/000", "tile/0/001", "tile/0/000"]


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(32 * 300)])
def test_a_tile_of_another_length_is_refused(wrong: bytes) -> None:
    with pytest.raises(TileMalformedError) as caught:
        TiledTree(300, lambda _: wrong).inclusion_path(7)

    assert caught.value.code == "tile.malformed"


@pytest.mark.parametrize("index", [-1, 300])
def test_a_place_outside_the_tree_has_no_proof(index: int) -> None:
    with pytest.raises(ProofPositionError):
        tiled(300).inclusion_path(index)
