"""The tree of a log's records as others read it: checkpoints, tiles, proofs as text.

Formats: c2sp.org/tlog-checkpoint, tlog-tiles, tlog-proof and, for witnesses, tlog-witness. The
leaf data of the tree are the digests of the log's records, as the chain holds them.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from guildmark.domain.chain.contracts import ChainPin, ContractName
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Digest, LogNumber
from guildmark.domain.log import note
from guildmark.domain.log.merkle import HASH_SIZE, MerkleTree, verify_inclusion
from guildmark.domain.log.note import Note, NoteKey

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
LEVEL_MAX: Final = 7
"""A hash of the next level would stand over more leaves than 2^63."""
PROOF_LINES_MAX: Final = 63

_SIZE_MAX = 2**63 - 1
_DEPLOYMENT_SIZE = 8
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_INDEX = re.compile(r"((?:x[0-9]{3}/){0,6})([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_PROOF_HEAD = "c2sp.org/tlog-proof@v1"


class CheckpointMalformedError(MalformedError):
    """A text that is no checkpoint, no proof about one, or no request to a witness."""

    code = "checkpoint.malformed"
    hint = "Fetch it again, whole and unchanged."


class TileMalformedError(MalformedError):
    """A path that names no tile, or a size that no tree has."""

    code = "tile.malformed"
    hint = "Name tiles as c2sp.org/tlog-tiles does: 000, x001/234 or, of part width, 000.p/5."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How many leaves a log has, and the root over them.

    Args:
        origin: The log's name.
        extensions: Further lines, which nobody here gives a meaning.
    """

    origin: str
    size: int
    root: Digest
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode())
        return "".join(f"{line}\n" for line in (*lines, *self.extensions))

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Return the checkpoint that a note's text writes.

        Raises:
            CheckpointMalformedError: It is none.
        """
        origin, *rest = text.split("\n")[:-1] or [""]
        if not origin or len(rest) < 2 or "" in rest:  # noqa: PLR2004 - size and root
            _refuse("A checkpoint has at least three lines: origin, size, root.")
        size, root, *extensions = rest
        return cls(
            origin=origin, size=_number(size), root=_hash(root), extensions=tuple(extensions)
        )


def origin_of(pin: ChainPin, log: LogNumber) -> str:
    """Return the name of a log's checkpoints: the same at every node, and at no other chain."""
    deployed = sha256(pin.genesis + pin.contracts[ContractName.LOG].address)
    return f"guildmark.org/{pin.chain_id}/{deployed[:_DEPLOYMENT_SIZE].hex()}/log/{log}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Up to 256 neighbouring hashes of one level of tiles.

    Raises:
        TileMalformedError: There is no such tile in any tree.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        sound = 0 <= self.level <= LEVEL_MAX and self.index >= 0 and 0 < self.width <= TILE_WIDTH
        if not sound:
            message = f"No tree has a tile {self.index} of width {self.width} at {self.level}."
            raise TileMalformedError(message, level=self.level, index=self.index)

    @property
    def first(self) -> int:
        """Return the place of the tile's first hash among those of its level."""
        return self.index * TILE_WIDTH

    @property
    def place(self) -> str:
        """Return index and width as a path has them."""
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        return path if self.width == TILE_WIDTH else f"{path}.p/{self.width}"

    @property
    def path(self) -> str:
        """Return the path of the hashes below the log's address."""
        return f"tile/{self.level}/{self.place}"

    @property
    def entries_path(self) -> str:
        """Return the path of the leaves' data below the log's address."""
        return f"tile/entries/{self.place}"

    @classmethod
    def parse(cls, level: int, place: str) -> "Tile":
        """Return the tile that a level and the rest of a path name.

        Raises:
            TileMalformedError: They name none, or not in the one spelling.
        """
        found = _INDEX.fullmatch(place)
        if found is not None:
            index = int(found[1].replace("x", "").replace("/", "") + found[2])
            width = TILE_WIDTH if found[3] is None else int(found[3])
            tile = cls(level=level, index=index, width=width)
            if tile.place == place:
                return tile
        message = f"{place[:80]!r} names no tile."
        raise TileMalformedError(message, tile=place[:80])

    def is_in(self, size: int) -> bool:
        """Return whether a tree of that size has all the hashes of the tile."""
        return self.first + self.width <= size >> TILE_HEIGHT * self.level

    def of(self, tree: MerkleTree) -> bytes:
        """Return the tile's hashes.

        Raises:
            ProofPositionError: The tree does not have them all.
        """
        return tree.nodes(TILE_HEIGHT * self.level, self.first, self.width)


def tiles_of(size: int, *, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles of a tree of ``size`` leaves that one of ``since`` leaves does not have."""
    level = 0
    while size:
        for index in range(since // TILE_WIDTH, -(-size // TILE_WIDTH)):
            width = min(TILE_WIDTH, size - index * TILE_WIDTH)
            if size > since:
                yield Tile(level=level, index=index, width=width)
        level, size, since = level + 1, size // TILE_WIDTH, since // TILE_WIDTH


def entries(leaves: Sequence[bytes]) -> bytes:
    """Return the data of leaves as entry bundles write them: each behind its length."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def read_entries(data: bytes) -> tuple[bytes, ...]:
    """Return the leaves of an entry bundle.

    Raises:
        TileMalformedError: It ends in the middle of one.
    """
    found, at = list[bytes](), 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            message = "The entry bundle ends in the middle of an entry."
            raise TileMalformedError(message)
        found.append(data[at + 2 : end])
        at = end
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """That a leaf stands in the tree of a checkpoint (c2sp.org/tlog-proof).

    Args:
        index: The leaf's place: a record's number in its log.
        checkpoint: The signed note, bytes as received.
    """

    index: int
    path: tuple[Digest, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Return the proof as text."""
        head = f"{_PROOF_HEAD}\nindex {self.index}\n{_lines(self.path)}\n"
        return head.encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "LogProof":
        """Return the proof that a text writes; what it says on the side is passed over.

        Raises:
            CheckpointMalformedError: It is none.
        """
        head, blank, checkpoint = data.partition(b"\n\n")
        first, *lines = _text(head).split("\n")
        if lines and lines[0].startswith("extra "):
            lines = lines[1:]
        if first != _PROOF_HEAD or not blank or not lines or not lines[0].startswith("index "):
            _refuse("A proof has a head, an index, hashes, an empty line and a checkpoint.")
        index = _number(lines[0].removeprefix("index "))
        return cls(index=index, path=_hashes(lines[1:]), checkpoint=checkpoint)

    def verify(self, leaf: bytes, *, origin: str, keys: Sequence[NoteKey], quorum: int = 1) -> Note:
        """Check that ``leaf`` is in the tree of a checkpoint of ``origin``; return the checkpoint.

        Args:
            leaf: The leaf's data: a record's digest.
            origin: The log's name.
            keys: Who must have signed the checkpoint.
            quorum: How many of them.

        Raises:
            ProofError: It is not proven.
            NoteSignatureError: Too few of the keys signed, or a signature is wrong.
            MalformedError: The checkpoint is none of this log.
        """
        signed = Note.parse(self.checkpoint)
        head = open_checkpoint(signed, origin=origin, keys=keys, quorum=quorum)
        verify_inclusion(
            data=leaf, index=self.index, count=head.size, path=self.path, root=head.root
        )
        return signed


def open_checkpoint(
    signed: Note, *, origin: str, keys: Sequence[NoteKey], quorum: int = 1
) -> Checkpoint:
    """Return the checkpoint that a note holds, its signatures checked.

    Raises:
        CheckpointMalformedError: It is none, or another log's.
        NoteSignatureError: Fewer than ``quorum`` of the keys signed it, or a signature is wrong.
    """
    head = Checkpoint.parse(signed.text)
    if head.origin != origin:
        _refuse(f"The checkpoint is one of {head.origin[:120]}, not of {origin}.")
    signers = signed.signers(keys)
    if len({key.public for key in signers}) < quorum:
        message = f"{len(signers)} known keys signed the checkpoint, {quorum} must."
        raise note.NoteSignatureError(message, found=len(signers), expected=quorum)
    return head


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What a log asks a witness: to cosign a checkpoint that grew from an older size.

    Args:
        old: The size that the witness cosigned last, 0 for none.
        proof: That the older tree begins the newer one.
        checkpoint: The signed note, bytes as received.
    """

    old: int
    proof: tuple[Digest, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Return the body of the request."""
        return f"old {self.old}\n{_lines(self.proof)}\n".encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "Addition":
        """Return what a request's body asks.

        Raises:
            CheckpointMalformedError: It is no such request.
        """
        head, blank, checkpoint = data.partition(b"\n\n")
        first, *lines = _text(head).split("\n")
        if not first.startswith("old ") or not blank:
            _refuse("A request has an old size, hashes, an empty line and a checkpoint.")
        old = _number(first.removeprefix("old "))
        return cls(old=old, proof=_hashes(lines), checkpoint=checkpoint)


def _lines(hashes: Sequence[bytes]) -> str:
    return "".join(f"{base64.b64encode(one).decode()}\n" for one in hashes)


def _text(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        _refuse("A proof is written in ASCII.")


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > _SIZE_MAX:
        _refuse(f"{text[:40]!r} is no size or index in plain digits.")
    return int(text)


def _hashes(lines: Sequence[str]) -> tuple[Digest, ...]:
    if len(lines) > PROOF_LINES_MAX:
        _refuse(f"A proof has at most {PROOF_LINES_MAX} hashes.")
    return tuple(_hash(line) for line in lines)


def _hash(text: str) -> Digest:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != HASH_SIZE or base64.b64encode(data).decode() != text:
        _refuse(f"{text[:60]!r} is no hash of {HASH_SIZE} bytes in base64.")
    return Digest(data)


def _refuse(message: str) -> NoReturn:
    raise CheckpointMalformedError(message)
