"""Files as DAGs under profile unixfs-v1-2025: one content, one address.

CIDv1, sha2-256, raw leaves of 1 MiB, at most 1024 children a node, balanced (IPIP-0499; messages:
https://specs.ipfs.tech/unixfs/). The shape follows from the size alone, so a reader demands exactly
that shape: depth, width and size of what it follows are known before the next block is fetched.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark_ipfs import dagpb
from guildmark_ipfs.blocks import BlockSink, BlockSource
from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.errors import MalformedError, TooLargeError
from guildmark_ipfs.wire import VARINT, WireReader, number_field

_TYPE = 1
_FILE_SIZE = 3
_CHILD_SIZE = 4
_TYPE_FILE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file of a given size is cut into a balanced DAG.

    Args:
        chunk: Bytes of a leaf.
        width: Children of a node.
        depth: Levels of nodes above the leaves, at most.
    """

    chunk: int
    width: int
    depth: int

    @property
    def limit(self) -> int:
        """Return the size of the largest file."""
        return self.span(self.depth)

    def span(self, level: int) -> int:
        """Return the most bytes below a node of ``level``; leaves are level 0."""
        return int(self.chunk * self.width**level)

    def level_of(self, size: int) -> int:
        """Return the level of the root of a file of ``size`` bytes."""
        return next(level for level in range(self.depth + 1) if size <= self.span(level))

    def child_sizes(self, size: int, level: int) -> tuple[int, ...]:
        """Return the sizes of the children of a node with ``size`` bytes below it."""
        span = self.span(level - 1)
        full, rest = divmod(size, span)
        return (span,) * full + ((rest,) if rest else ())


UNIXFS_V1_2025 = Layout(chunk=1024 * 1024, width=1024, depth=2)
CHUNK = UNIXFS_V1_2025.chunk
MAX_FILE = UNIXFS_V1_2025.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Address and size of a file."""

    cid: Cid
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """A node or leaf as its parent sees it; ``total`` counts the bytes of all its blocks."""

    cid: Cid
    size: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileNode:
    size: int
    branches: tuple[_Branch, ...] = ()


class Builder:
    """Turns a stream into blocks as it comes, holding one chunk and one row of links a level."""

    def __init__(
        self, sink: BlockSink, *, limit: int = MAX_FILE, layout: Layout = UNIXFS_V1_2025
    ) -> None:
        self._sink = sink
        self._layout = layout
        self._limit = min(limit, layout.limit)
        self._size = 0
        self._rest = memoryview(bytearray(layout.chunk))
        self._filled = 0
        self._levels: list[list[_Branch]] = [[] for _ in range(layout.depth + 1)]
        self._finished = False

    def write(self, data: Buffer, /) -> int:
        """Append ``data`` and return its size.

        Raises:
            TooLargeError: The file would pass the limit.
            ValueError: The file is finished.
        """
        if self._finished:
            message = "The file is finished; begin a new one."
            raise ValueError(message)
        view = memoryview(data).cast("B")
        self._count(len(view))
        offset = 0
        while offset < len(view):
            offset += self._take(view[offset : offset + self._layout.chunk - self._filled])
        return len(view)

    @property
    def size(self) -> int:
        """Return the bytes so far."""
        return self._size

    def adopt(self, leaf: Cid, size: int) -> None:
        """Append a leaf that is stored already: a full chunk, or the file's last one.

        Raises:
            TooLargeError: The file would pass the limit.
            ValueError: The file is finished, or stands inside a chunk.
        """
        if self._finished or self._size % self._layout.chunk or not 0 < size <= self._layout.chunk:
            message = "Leaves are adopted one by one, before the file is finished."
            raise ValueError(message)
        self._count(size)
        self._add(_Branch(cid=leaf, size=size, total=size), 0)

    def finish(self) -> Root:
        """Write what is left and return the file's address."""
        self._finished = True
        if self._filled or not any(self._levels):
            self._add_leaf(self._rest[: self._filled])
        level = 0
        while len(self._levels[level]) != 1 or any(self._levels[level + 1 :]):
            self._close(level)
            level += 1
        return Root(cid=self._levels[level][0].cid, size=self._size)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            message = f"The file has more than the {self._limit} bytes that are allowed."
            raise TooLargeError(message, limit=self._limit)

    def _take(self, piece: memoryview) -> int:
        if len(piece) == self._layout.chunk:
            self._add_leaf(piece)
            return len(piece)
        end = self._filled + len(piece)
        self._rest[self._filled : end] = piece
        self._filled = end
        if end == self._layout.chunk:
            self._add_leaf(self._rest)
        return len(piece)

    def _add_leaf(self, chunk: memoryview) -> None:
        self._filled = 0
        size = len(chunk)
        self._add(_Branch(cid=self._sink.put(chunk, Codec.RAW), size=size, total=size), 0)

    def _add(self, branch: _Branch, level: int) -> None:
        row = self._levels[level]
        row.append(branch)
        if len(row) == self._layout.width:
            self._close(level)

    def _close(self, level: int) -> None:
        row = self._levels[level]
        if not row:
            return
        block = _encode(row)
        branch = _Branch(
            cid=self._sink.put(block, Codec.DAG_PB),
            size=sum(child.size for child in row),
            total=len(block) + sum(child.total for child in row),
        )
        row.clear()
        self._add(branch, level + 1)


class Tree:
    """A stored file: read whole, by range, or listed block by block.

    Args:
        source: Where the blocks are; it hashes every block that it returns.
        limit: The most bytes that the caller will take.

    Raises:
        MalformedError: The DAG is not laid out under the profile.
        TooLargeError: The file has more bytes than ``limit``.
        ContentError: Whatever ``source`` raises for a block.
    """

    def __init__(
        self,
        source: BlockSource,
        cid: Cid,
        *,
        limit: int = MAX_FILE,
        layout: Layout = UNIXFS_V1_2025,
    ) -> None:
        self._source = source
        self._layout = layout
        block = source.get(cid)
        node = _FileNode(size=len(block)) if cid.codec is Codec.RAW else _decode(block)
        self.size = node.size
        if self.size > min(limit, layout.limit):
            message = f"The file {cid} has {self.size} bytes, more than the {limit} allowed."
            raise TooLargeError(message, cid=str(cid), size=self.size, limit=limit)
        self._level = layout.level_of(self.size)
        total = len(block) + sum(child.total for child in node.branches)
        self._root = _Branch(cid=cid, size=self.size, total=total)
        _require_codec(self._root, self._level)
        # The newest leaf and one node a level are kept: reading on in order fetches each once.
        self._leaf = self._root, block
        self._nodes: dict[int, tuple[_Branch, tuple[_Branch, ...]]] = {}
        if self._level:
            children = self._checked(node, len(block), self._root, self._level)
            self._nodes[self._level] = self._root, children

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, at most a chunk at a time."""
        end = self.size if stop is None else min(stop, self.size)
        chunk = self._layout.chunk
        for index in range(start // chunk, -(-end // chunk)):
            base = index * chunk
            yield self._chunk(index)[max(0, start - base) : end - base]

    def cids(self) -> Iterator[Cid]:
        """Yield the address of every block, parents first; leaves are not fetched."""
        yield from self._walk(self._root, self._level)

    def _walk(self, branch: _Branch, level: int) -> Iterator[Cid]:
        yield branch.cid
        if level:
            for child in self._children(branch, level):
                yield from self._walk(child, level - 1)

    def _chunk(self, index: int) -> bytes:
        branch = self._root
        width = self._layout.width
        for level in range(self._level, 0, -1):
            branch = self._children(branch, level)[index // width ** (level - 1) % width]
        if self._leaf[0] != branch:
            self._leaf = branch, self._fetch_leaf(branch)
        return self._leaf[1]

    def _fetch_leaf(self, branch: _Branch) -> bytes:
        block = self._source.get(branch.cid)
        if len(block) != branch.size:
            message = f"Leaf {branch.cid} has {len(block)} bytes, {branch.size} were announced."
            raise MalformedError(message, cid=str(branch.cid))
        return block

    def _children(self, branch: _Branch, level: int) -> tuple[_Branch, ...]:
        known = self._nodes.get(level)
        if known is not None and known[0] == branch:
            return known[1]
        block = self._source.get(branch.cid)
        children = self._checked(_decode(block), len(block), branch, level)
        self._nodes[level] = branch, children
        return children

    def _checked(
        self, node: _FileNode, block_size: int, branch: _Branch, level: int
    ) -> tuple[_Branch, ...]:
        sizes = tuple(child.size for child in node.branches)
        if node.size != branch.size or sizes != self._layout.child_sizes(branch.size, level):
            message = f"Node {branch.cid} is not laid out under profile unixfs-v1-2025."
            raise MalformedError(message, cid=str(branch.cid))
        if block_size + sum(child.total for child in node.branches) != branch.total:
            message = f"Node {branch.cid} announces another sum of block sizes than its links have."
            raise MalformedError(message, cid=str(branch.cid))
        for child in node.branches:
            _require_codec(child, level - 1)
        return node.branches


def _encode(row: list[_Branch]) -> bytes:
    data = number_field(_TYPE, _TYPE_FILE)
    data += number_field(_FILE_SIZE, sum(child.size for child in row))
    data += b"".join(number_field(_CHILD_SIZE, child.size) for child in row)
    links = tuple(dagpb.Link(cid=child.cid, size=child.total) for child in row)
    return dagpb.encode(dagpb.Node(links=links, data=data))


def _decode(block: bytes) -> _FileNode:
    node = dagpb.decode(block)
    reader = WireReader(node.data or b"")
    if reader.number(_TYPE) != _TYPE_FILE:
        raise MalformedError("The node is no UnixFS file.")
    size = reader.number(_FILE_SIZE)
    sizes: list[int] = []
    while reader.begins(_CHILD_SIZE, VARINT):
        sizes.append(reader.number(_CHILD_SIZE))
    reader.finish()
    if len(sizes) != len(node.links) or any(link.name for link in node.links):
        raise MalformedError("The node's links and sizes do not belong together.")
    branches = (
        _Branch(cid=link.cid, size=child, total=link.size)
        for link, child in zip(node.links, sizes, strict=True)
    )
    return _FileNode(size=size, branches=tuple(branches))


def _require_codec(branch: _Branch, level: int) -> None:
    expected = Codec.DAG_PB if level else Codec.RAW
    if branch.cid.codec is not expected or (not level and branch.total != branch.size):
        message = f"Block {branch.cid} stands where the profile wants a {expected.name} block."
        raise MalformedError(message, cid=str(branch.cid))
