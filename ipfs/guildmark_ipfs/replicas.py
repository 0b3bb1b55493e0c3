"""One file in several stores: kept, read back, challenged, repaired.

The own store takes every block first. A file counts as stored when enough stores gave every block
of it back; until then ``pin`` raises, and a later round makes up for it. A store that does not
answer says nothing about content: *unavailable* is not *invalid*.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from guildmark_ipfs.blocks import BlockSource, BlockStore
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.errors import (
    BlockCorruptError,
    ContentError,
    NotFoundError,
    NotReplicatedError,
    RefusedError,
    StoreFailedError,
    StoreFullError,
    UnavailableError,
)
from guildmark_ipfs.gateway import Gateway
from guildmark_ipfs.keys import Entropy
from guildmark_ipfs.kubo import KuboBlockStore
from guildmark_ipfs.pinning import PinningService
from guildmark_ipfs.unixfs import Tree

# Of these nothing follows for the content itself.
_UNKNOWN = (NotFoundError, UnavailableError, RefusedError, StoreFailedError, StoreFullError)


class Availability(StrEnum):
    """What a challenge showed: the right bytes, none, or others."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"


class Replica(BlockSource, Protocol):
    """A further store of the same files; it hashes again what it returns."""

    @property
    def name(self) -> str:
        """Return what people call it; no secret stands in it."""
        ...

    def keep(self, cid: Cid, source: BlockSource) -> None:
        """Have the store keep a whole file, whatever it holds of it now.

        Raises:
            ContentError: Whatever the store or ``source`` raises.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockReplica:
    """A block store that is given block by block what it lacks."""

    name: str
    blocks: BlockStore

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again."""
        return self.blocks.get(cid)

    def keep(self, cid: Cid, source: BlockSource) -> None:
        """Copy every block that the store does not give back, and pin the file."""
        for address in Tree(source, cid).cids():
            if not _gives(self.blocks, address):
                self.blocks.put(source.get(address), address.codec)
        self.blocks.pin(cid)


@dataclass(frozen=True, slots=True, kw_only=True)
class KuboReplica:
    """A Kubo node that is given whole files, so that its garbage collection waits."""

    name: str
    node: KuboBlockStore

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again."""
        return self.node.get(cid)

    def keep(self, cid: Cid, source: BlockSource) -> None:
        """Add the file; what the node holds of it already is not written again."""
        self.node.add(Tree(source, cid).read())


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedReplica:
    """A pinning service, which fetches content by itself, read through a gateway.

    Args:
        origins: Multiaddresses of nodes that have the content.
    """

    name: str
    service: PinningService
    gateway: Gateway
    origins: tuple[str, ...] = ()

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again."""
        return self.gateway.get(cid)

    def keep(self, cid: Cid, source: BlockSource) -> None:  # noqa: ARG002 - it fetches by itself
        """Ask the service for the file; it may take its time."""
        self.service.pin(cid, origins=self.origins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What one store answered for one file.

    Args:
        code: The error's code, None where the bytes were right.
    """

    store: str
    cid: Cid
    state: Availability
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicatedBlockStore:
    """The own block store and its replicas as one; fulfils ``BlockStore``.

    Args:
        own: Takes every block first, and lists the files.
        replicas: Further stores, in the order in which they are asked.
        sources: Read when no store has a block; they keep nothing.
        folders: Those of the further stores that are folders: other hosts of the same node may put
            files there, too.
        copies: How many stores, the own one included, must give a file back before it counts.
    """

    own: LocalBlockStore
    replicas: Sequence[Replica] = ()
    sources: Sequence[BlockSource] = ()
    folders: Sequence[LocalBlockStore] = ()
    copies: int = 1

    def put(self, block: Buffer, codec: Codec) -> Cid:
        """Keep a block in the own store; ``pin`` brings files to the others."""
        return self.own.put(block, codec)

    def get(self, cid: Cid) -> bytes:
        """Return a block from the first store that has it; the own one is mended on the way.

        Raises:
            NotFoundError: No store has it.
            BlockCorruptError: The own disk holds other bytes, and no store has the right ones.
            UnavailableError: The own store lacks it, and another could not be asked.
        """
        try:
            return self.own.get(cid)
        except (NotFoundError, BlockCorruptError) as exc:
            block = self._from_others(cid, exc)
        self.own.put(block, cid.codec)
        return block

    def has(self, cid: Cid) -> bool:
        """Return whether a store holds the block; others are asked where the own one does not.

        Raises:
            UnavailableError: No store has it, and one could not be asked.
        """
        if self.own.has(cid):
            return True
        try:
            self.get(cid)
        except NotFoundError:
            return False
        return True

    def lists(self, cid: Cid) -> bool:
        """Return whether this file was ever put here, or into a folder that is shared.

        Nobody is asked over a network: strangers may ask for any address.
        """
        own = self.own.is_pinned(cid) or self.own.has(cid)
        return own or any(folder.is_pinned(cid) for folder in self.folders)

    def pin(self, cid: Cid) -> None:
        """Bring a file to every replica and read it back.

        Raises:
            NotFoundError: The own store does not have it whole.
            NotReplicatedError: Fewer stores than wanted gave it back; the own one keeps it, and
                ``mend`` tries again.
        """
        self.own.pin(cid)
        if self.replicas:
            _read_back(self.own, cid)
        faults = {replica.name: self._kept(replica, cid) for replica in self.replicas}
        failed = {name: code for name, code in faults.items() if code is not None}
        held = 1 + len(faults) - len(failed)
        if held < self.copies:
            message = f"{held} of {self.copies} stores gave {cid} back: {_told(failed)}."
            raise NotReplicatedError(message, cid=str(cid), held=held, wanted=self.copies)

    def challenge(self, *, entropy: Entropy = os.urandom) -> Iterator[Challenge]:
        """Ask every store for a random leaf of every file, and yield what each answered."""
        stores: list[tuple[str, BlockSource]] = [
            ("own", self.own),
            *((each.name, each) for each in self.replicas),
        ]
        for cid in self.own.pins():
            for name, store in stores:
                yield _challenged(name, store, cid, entropy)

    def mend(self, found: Challenge) -> Challenge:
        """Bring the file of a failed challenge back to its store, and say what came of it."""
        try:
            if found.store == "own":
                for cid in Tree(self, found.cid).cids():
                    self.get(cid)
                _read_back(self.own, found.cid)
            else:
                replica = next(each for each in self.replicas if each.name == found.store)
                replica.keep(found.cid, self)
                _read_back(replica, found.cid)
        except ContentError as exc:
            return _failed(found.store, found.cid, exc)
        return Challenge(store=found.store, cid=found.cid, state=Availability.OK)

    def _from_others(self, cid: Cid, first: ContentError) -> bytes:
        verdict = first
        for source in (*self.replicas, *self.sources):
            try:
                return source.get(cid)
            except NotFoundError:
                continue
            except ContentError as exc:
                # What lies has said nothing; who is away may still have it.
                verdict = exc if isinstance(exc, UnavailableError) else verdict
        raise verdict

    def _kept(self, replica: Replica, cid: Cid) -> str | None:
        try:
            replica.keep(cid, self.own)
            _read_back(replica, cid)
        except ContentError as exc:
            return exc.code
        return None


def _read_back(source: BlockSource, cid: Cid) -> None:
    for _ in Tree(source, cid).read():
        pass


def _gives(blocks: BlockStore, cid: Cid) -> bool:
    try:
        blocks.get(cid)
    except (NotFoundError, BlockCorruptError):
        return False
    return True


def _challenged(name: str, store: BlockSource, cid: Cid, entropy: Entropy) -> Challenge:
    try:
        tree = Tree(store, cid)
        if tree.size:
            # 64 more bits than any size has: no leaf is favoured.
            offset = int.from_bytes(entropy(16), "big") % tree.size
            next(tree.read(offset, offset + 1))
    except ContentError as exc:
        return _failed(name, cid, exc)
    return Challenge(store=name, cid=cid, state=Availability.OK)


def _failed(name: str, cid: Cid, exc: ContentError) -> Challenge:
    unknown = isinstance(exc, _UNKNOWN)
    state = Availability.UNAVAILABLE if unknown else Availability.INVALID
    return Challenge(store=name, cid=cid, state=state, code=exc.code)


def _told(failed: dict[str, str]) -> str:
    return ", ".join(f"{name} {code}" for name, code in failed.items()) or "no other is configured"
