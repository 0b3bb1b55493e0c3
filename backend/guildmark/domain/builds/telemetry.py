"""Telemetry: what a machine told while it worked, in salted chunks under one RFC 9162 root.

A statement commits to the root and the number of chunks. Who wants to look draws chunks by a nonce
of his own; only those are opened, and nobody could know before which ones.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from guildmark.domain.builds.predicate import Resource
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.codec import dump, load
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import MalformedError, NonconformingError
from guildmark.domain.identifiers import Bytes32, Cid, Digest, to_hex
from guildmark.domain.log.merkle import (
    MerkleTree,
    ProofMismatchError,
    leaf_hash,
    root_of_path,
    verify_inclusion,
)
from guildmark.domain.shopfloor.jobs import Gap, Sample

TELEMETRY = "telemetry/"
"""A byproduct of this name and the number of chunks carries the root."""

SAMPLES_MAX = 1_000
"""Values of one chunk at most."""

CHUNKS_MAX = 1_000_000
ANSWER_MAX = 64 << 20
"""Bytes of a chunk, and of an answer to a challenge, at most."""

_LIMITS = Limits(size=ANSWER_MAX, depth=10, values=2_000_000)
_CHALLENGE = b"guildmark/challenge/v1"


class ChallengeError(MalformedError):
    """A challenge that asks for nothing, or for more than there is."""

    code = "telemetry.challengeMalformed"
    hint = "Ask for one chunk at least, and for no more than there are."


class DisclosureIncompleteError(NonconformingError):
    """An answer opens other chunks than the challenge drew."""

    code = "telemetry.disclosureIncomplete"
    hint = "Ask for the answer to this very challenge."


class ChunkMalformedError(MalformedError):
    """A chunk's bytes are not in the form that their author's agent writes."""

    code = "telemetry.chunkMalformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Values of one run of a source, in the order in which it told them.

    Args:
        salt: 32 random bytes, so that a chunk that is not shown cannot be guessed.
        source: What told them.
        instance: The source's run since its last start.
        first: The source's number of the first value, where it counts them.
        last: The number of the last value.
        gaps: What the source had told and did not hand out before these values.
    """

    salt: Bytes32 = field(repr=False)
    source: str
    instance: str
    first: int | None = None
    last: int | None = None
    samples: tuple[Sample, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def encode(self) -> bytes:
        """Return the chunk's bytes: the data of its leaf."""
        return canonical(dump(self))

    @classmethod
    def parse(cls, data: bytes) -> "Chunk":
        """Return the chunk that bytes hold.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            ChunkMalformedError: They are in another form.
        """
        chunk = load(cls, parse_object(data, _LIMITS))
        if chunk.encode() != data:
            message = "A chunk is in another form than its agent writes."
            raise ChunkMalformedError(message)
        return chunk

    def takes(self, sample: Sample) -> bool:
        """Return whether a value may follow in this chunk."""
        if len(self.samples) >= SAMPLES_MAX or sample.instance != self.instance:
            return False
        if not self.samples:
            return True
        if self.last is None or sample.sequence is None:
            return self.last is None and sample.sequence is None
        return sample.sequence == self.last + 1

    def with_sample(self, sample: Sample) -> Self:
        """Return the chunk with one more value."""
        first = sample.sequence if not self.samples else self.first
        return replace(self, samples=(*self.samples, sample), first=first, last=sample.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptChunk:
    """A chunk of a job's telemetry, as the agent keeps it.

    Args:
        place: Its place in the job, from 0.
        key: What its encrypted copy opens with.
        cid: Where the node keeps the encrypted copy, None before it is there.
    """

    machine: str
    job: str
    place: int
    chunk: Chunk
    key: Bytes32 = field(repr=False)
    cid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A chunk that is shown, and its path to the root."""

    place: int
    data: str
    path: tuple[Digest, ...]

    @property
    def chunk(self) -> bytes:
        """Return the chunk's bytes.

        Raises:
            ChunkMalformedError: They are no base64.
        """
        try:
            return base64.b64decode(self.data, validate=True)
        except ValueError as error:
            message = f"Chunk {self.place} is not base64."
            raise ChunkMalformedError(message, place=self.place) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure(Document):
    """The answer to a challenge.

    Args:
        nonce: The challenger's random bytes.
        count: How many chunks there are.
    """

    LIMITS = _LIMITS

    nonce: Bytes32
    count: int
    opened: tuple[Opened, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where the encrypted copy of a chunk is said to be kept.

    Args:
        leaf: The hash of the chunk's leaf, which says nothing of what stands in it.
        cid: The address of its encrypted copy, by the word of whoever answers.
        path: From the leaf to the root.
    """

    place: int
    leaf: Digest
    cid: Cid
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(Document):
    """The answer to a challenge that opens nothing: where the drawn chunks are kept.

    Args:
        nonce: The challenger's random bytes.
        count: How many chunks there are.
    """

    LIMITS = _LIMITS

    nonce: Bytes32
    count: int
    kept: tuple[Kept, ...]


def gather(
    chunk: Chunk | None, samples: Sequence[Sample], gaps: Sequence[Gap], blank: Iterator[Chunk]
) -> Iterator[Chunk]:
    """Yield the last chunk of a job with what follows, then further ones.

    Args:
        chunk: The last one so far.
        samples: What the source told now.
        gaps: What it did not hand out, before those.
        blank: Empty chunks with salts of their own.
    """
    current = chunk
    if gaps:
        if current is not None:
            yield current
        current = replace(next(blank), instance=gaps[0].instance, gaps=tuple(gaps))
    for sample in samples:
        if current is None or not current.takes(sample):
            if current is not None:
                yield current
            current = replace(next(blank), instance=sample.instance)
        current = current.with_sample(sample)
    if current is not None:
        yield current


def telemetry_resource(chunks: Sequence[bytes]) -> Resource:
    """Return what a statement names: the root over the chunks, and how many there are."""
    return Resource(name=f"{TELEMETRY}{len(chunks)}", digest=MerkleTree(chunks).root())


def draw_chunks(*, root: Digest, of: int, nonce: Bytes32, most: int) -> tuple[int, ...]:
    """Return the places of the chunks that a challenge draws, ascending.

    The i-th candidate is SHA-256("guildmark/challenge/v1" || root || nonce || i as 8 bytes),
    as an integer modulo the number of chunks; one that was drawn before is passed over. 2^256 is so
    much larger than any count that the remainder favours none.

    Args:
        root: The root that the statement names.
        of: How many chunks it names.
        nonce: 32 random bytes, drawn by the challenger after the statement was signed.
        most: How many chunks are wanted.

    Raises:
        ChallengeError: None is wanted, or more than a statement may have.
    """
    if not 0 < of <= CHUNKS_MAX or most < 1:
        message = f"{most} of {of} chunks cannot be drawn."
        raise ChallengeError(message, wanted=most, count=of)
    drawn: set[int] = set()
    number = 0
    while len(drawn) < min(most, of):
        candidate = sha256(_CHALLENGE + root + nonce + number.to_bytes(8, "big"))
        drawn.add(int.from_bytes(candidate, "big") % of)
        number += 1
    return tuple(sorted(drawn))


def disclose_chunks(chunks: Sequence[bytes], *, nonce: Bytes32, most: int) -> Disclosure:
    """Return the answer to a challenge over a job's chunks.

    Raises:
        ChallengeError: None is wanted, or there is none.
    """
    tree = MerkleTree(chunks)
    places = draw_chunks(root=tree.root(), of=len(chunks), nonce=nonce, most=most)
    opened = tuple(
        Opened(
            place=place,
            data=base64.b64encode(chunks[place]).decode("ascii"),
            path=tree.inclusion_path(place),
        )
        for place in places
    )
    return Disclosure(nonce=nonce, count=len(chunks), opened=opened)


def check_disclosure(
    found: Disclosure, *, resource: Resource, nonce: Bytes32, most: int
) -> tuple[Chunk, ...]:
    """Return the chunks that an answer opens, after each was checked against the statement.

    Args:
        found: The answer.
        resource: The byproduct that the statement names.
        nonce: The challenger's own.
        most: How many chunks were wanted.

    Raises:
        DisclosureIncompleteError: It opens other chunks than the challenge drew.
        ProofError: A chunk is none of the statement's.
        ChunkMalformedError: A chunk is in another form.
    """
    places = [one.place for one in found.opened]
    _check_drawn(found, places, resource=resource, nonce=nonce, most=most)
    chunks = []
    for one in found.opened:
        data = one.chunk
        verify_inclusion(
            data=data,
            index=one.place,
            count=found.count,
            path=one.path,
            root=resource.digest,
        )
        chunks.append(Chunk.parse(data))
    return tuple(chunks)


def locate_chunks(chunks: Sequence[tuple[bytes, Cid]], *, nonce: Bytes32, most: int) -> Presence:
    """Return where the drawn chunks of a job are kept, without what stands in them.

    Args:
        chunks: Each chunk, with the address of its encrypted copy.
        nonce: The challenger's own.
        most: How many chunks are wanted.

    Raises:
        ChallengeError: None is wanted, or there is none.
    """
    tree = MerkleTree(data for data, _ in chunks)
    places = draw_chunks(root=tree.root(), of=len(chunks), nonce=nonce, most=most)
    kept = tuple(
        Kept(
            place=place,
            leaf=leaf_hash(chunks[place][0]),
            cid=chunks[place][1],
            path=tree.inclusion_path(place),
        )
        for place in places
    )
    return Presence(nonce=nonce, count=len(chunks), kept=kept)


def check_presence(
    found: Presence, *, resource: Resource, nonce: Bytes32, most: int
) -> tuple[Cid, ...]:
    """Return the addresses that an answer names, after each leaf was checked.

    That the bytes there are the chunk's is not proven: only who has the key can tell.

    Args:
        found: The answer.
        resource: The byproduct that the statement names.
        nonce: The challenger's own.
        most: How many chunks were wanted.

    Raises:
        DisclosureIncompleteError: It names other chunks than the challenge drew.
        ProofError: A leaf is none of the statement's.
    """
    places = [one.place for one in found.kept]
    _check_drawn(found, places, resource=resource, nonce=nonce, most=most)
    for one in found.kept:
        root = root_of_path(leaf=one.leaf, index=one.place, count=found.count, path=one.path)
        if root != resource.digest:
            message = f"Chunk {one.place} is none of {resource.name}."
            raise ProofMismatchError(message, place=one.place)
    return tuple(one.cid for one in found.kept)


def _check_drawn(
    found: Disclosure | Presence,
    places: Sequence[int],
    *,
    resource: Resource,
    nonce: Bytes32,
    most: int,
) -> None:
    named = resource.name == f"{TELEMETRY}{found.count}"
    wanted = (
        draw_chunks(root=resource.digest, of=found.count, nonce=nonce, most=most)
        if named and found.nonce == nonce
        else None
    )
    if wanted is None or tuple(places) != wanted:
        message = f"The answer is not to challenge {to_hex(nonce)[:18]}… over {resource.name}."
        raise DisclosureIncompleteError(message, resource=resource.name)


def find_telemetry(byproducts: Sequence[Resource]) -> Resource | None:
    """Return the byproduct that carries the root of the telemetry, None where there is none."""
    return next((one for one in byproducts if one.name.startswith(TELEMETRY)), None)
