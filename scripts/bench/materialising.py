"""P2: what it costs to make one logged part a token, against a plain mint of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.rows import Judged, Metric, Round, Row, Target
from bench.tokens import Mint
from bench.workshop import BUYER, Workshop, open_workshop
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, IdentityId, SiteRecipeId
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.record import Record
from guildmark.domain.verification.evidence import Core

_HEIGHTS = {"P2": 20, "P2.n14": 14}
_TIMES_PLAIN = 2.0

_METRICS = tuple(
    Metric(
        id=name,
        text=f"make a part of a batch of 2^{height} a token",
        unit="gas",
        against="OpenZeppelin ERC-721, plain mint",
        target=Target(of=Judged.RATIO, bound=_TIMES_PLAIN),
    )
    for name, height in _HEIGHTS.items()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """A batch on record, with the parts of it that become tokens.

    Args:
        same_answer: Whether the chain's record is the domain's.
    """

    cores: Sequence[Core]
    same_answer: bool


def measure(rounds: int) -> Sequence[Row]:
    """Materialise a part of each batch, and mint a plain token, in each round."""
    with open_workshop("P2") as workshop:
        batches = {name: _logged(workshop, 2**height, rounds) for name, height in _HEIGHTS.items()}
        # A holder's first token costs more.
        workshop.token.mint(BUYER)
        workshop.materialise(_logged(workshop, 1, 1).cores[0], to=BUYER)
        found = [_round(workshop, batches, number) for number in range(rounds)]
    return [Row(metric=it, rounds=[each[it.id] for each in found]) for it in _METRICS]


def _round(workshop: Workshop, batches: dict[str, _Batch], number: int) -> dict[str, Round]:
    mint = workshop.token.mint(BUYER)
    return {name: _compared(workshop, batch, number, mint) for name, batch in batches.items()}


def _compared(workshop: Workshop, batch: _Batch, number: int, mint: Mint) -> Round:
    gas, is_right = workshop.materialise(batch.cores[number], to=BUYER)
    same_answer = batch.same_answer and is_right and mint.same_answer
    return Round(ours=gas, reference=mint.gas, same_answer=same_answer)


def _logged(workshop: Workshop, count: int, parts: int) -> _Batch:
    """Log a batch with real entries at positions spread over it; the other leaves are opaque."""
    positions = [count * at // parts for at in range(parts)]
    entries = {position: _entry(position) for position in positions}
    real = {position: entry.leaf_data(_salt(position)) for position, entry in entries.items()}
    tree = MerkleTree(real.get(at) or sha256(f"{at}".encode()) for at in range(count))
    appended = workshop.append(tree.root(), count, {workshop.lanes[0]: count})
    cores = [_core(entry, appended.record, at, tree) for at, entry in entries.items()]
    return _Batch(cores=cores, same_answer=appended.same_answer)


def _core(entry: Entry, record: Record, position: int, tree: MerkleTree) -> Core:
    return Core(
        envelope=_envelope(position),
        entry=entry,
        salt=_salt(position),
        record=record,
        position=position,
        path=tree.inclusion_path(position),
    )


def _entry(position: int) -> Entry:
    return Entry(
        kind=EntryKind.BUILD,
        subject=sha256(f"subject {position}".encode()),
        envelope=sha256(_envelope(position)),
        site_recipe=SiteRecipeId(sha256(b"site recipe")),
        machine=IdentityId(sha256(b"machine")),
        maker=IdentityId(sha256(b"maker")),
        dependencies=sha256(f"dependencies {position}".encode()),
    )


def _envelope(position: int) -> bytes:
    return f"envelope {position}".encode()


def _salt(position: int) -> Bytes32:
    return Bytes32(sha256(f"salt {position}".encode()))
