"""Proofs from tiles alone: by whoever mirrors a log's files and keeps no tree."""

from collections.abc import Callable
from functools import lru_cache

from guildmark.domain.identifiers import Digest
from guildmark.domain.log.checkpoint import TILE_HEIGHT, TILE_WIDTH, Tile, TileMalformedError
from guildmark.domain.log.merkle import HASH_SIZE, Provable, parents

TILES_MAX = 256
"""How many tiles are kept open: 16 KiB each, with the nodes between them and the next level."""


class TiledTree(Provable):
    """A tree of which tiles are at hand, each fetched when a proof needs it.

    Nobody vouches for the tiles: what they prove is checked against a checkpoint by who reads it.

    Args:
        size: How many leaves the tree has.
        fetch: Returns a tile's hashes.
    """

    __slots__ = ("_fetch", "_open", "_size")

    def __init__(self, size: int, fetch: Callable[[Tile], bytes]) -> None:
        super().__init__()
        self._size, self._fetch = size, fetch
        self._open = lru_cache(TILES_MAX)(self._opened)

    def __len__(self) -> int:
        return self._size

    def complete_node(self, level: int, index: int) -> Digest:
        """Return the hash of a node over 2^level leaves, none of which is missing.

        Raises:
            TileMalformedError: The tile has another length than its width says.
        """
        row, height = divmod(level, TILE_HEIGHT)
        tile, place = divmod(index, TILE_WIDTH >> height)
        found = self._open(row, tile)[height]
        return Digest(found[place * HASH_SIZE : (place + 1) * HASH_SIZE])

    def _opened(self, level: int, index: int) -> list[bytes]:
        """Return a tile's hashes, and those of the nodes above them up to the next row of tiles."""
        width = min(TILE_WIDTH, (self._size >> TILE_HEIGHT * level) - index * TILE_WIDTH)
        tile = Tile(level=level, index=index, width=width)
        hashes = self._fetch(tile)
        if len(hashes) != width * HASH_SIZE:
            message = f"The tile {tile.path} has {len(hashes)} bytes, {width * HASH_SIZE} are due."
            raise TileMalformedError(message, tile=tile.path)
        levels = [hashes]
        while len(levels) < TILE_HEIGHT:
            below = levels[-1]
            levels.append(parents(below[: len(below) // (2 * HASH_SIZE) * 2 * HASH_SIZE]))
        return levels
