"""How much is read of a stranger's file; checked before it is parsed."""

from dataclasses import dataclass

_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file of a shape may have.

    Args:
        size: Bytes of the file.
        entries: Entries of an archive.
        total: Bytes of all its entries, unpacked.
        ratio: How many times larger than packed an entry may be; small ones are free.
        free: Up to how many bytes an entry is small.
        depth: Elements that stand in each other; components likewise.
        triangles: Triangles, all copies counted.
        coordinate: The greatest coordinate, either way.
        pixels: Of a picture inside a file.
    """

    size: int = 128 * _MIB
    entries: int = 1_000
    total: int = 256 * _MIB
    ratio: int = 200
    free: int = _MIB
    depth: int = 32
    triangles: int = 2_000_000
    coordinate: float = 1e5
    pixels: int = 4096 * 4096


LIMITS = Limits()
