"""P1: what it costs to log a batch of N parts, metering and authorisation included."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.attesting import Attestations, Attested
from bench.rows import Better, Judged, Metric, Round, Row, Target
from bench.tokens import BatchToken, Mint, PlainToken
from bench.workshop import BUYER, LANES, Appended, Workshop, open_workshop
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest
from guildmark.domain.log.merkle import MerkleTree

_SIZES = (1, 10, 100, 1_000, 10_000)
_LARGEST = _SIZES[-1]
_BEFORE = 10**6
_LIMIT = 75_000
_PART_LIMIT = 7.5
# What rounds to an exponent of 0.00.
_EXPONENT_LIMIT = 0.005
_TIMES_PLAIN = 6_500
_TIMES_BATCH = 250
_TIMES_ATTESTED = 23_000
# What ERC721A mints, and the attestation service attests, within a transaction's cap of gas.
_TOKENS = 5_000
_ATTESTATIONS = 100
_MILLION = 10**6

_METRICS = (
    *(
        Metric(
            id=f"P1.n{size}",
            text=f"log a batch of {size:,}, one lane, log of 10^6",
            unit="gas",
            against="limit",
            target=Target(of=Judged.OURS, bound=_LIMIT),
        )
        for size in _SIZES
    ),
    Metric(
        id="P1.part",
        text=f"a part in a batch of {_LARGEST:,}",
        unit="gas a part",
        against="limit",
        target=Target(of=Judged.OURS, bound=_PART_LIMIT),
    ),
    Metric(
        id="P1.exponent",
        text="growth with N: slope of log gas over log N",
        unit="exponent",
        against="limit",
        target=Target(of=Judged.OURS, bound=_EXPONENT_LIMIT),
    ),
    Metric(
        id="P1.x_erc721",
        text=f"parts for a million gas, batch of {_LARGEST:,}",
        unit="parts",
        against="OpenZeppelin ERC-721, plain mint",
        better=Better.HIGHER,
        target=Target(of=Judged.RATIO, bound=_TIMES_PLAIN),
    ),
    Metric(
        id="P1.x_erc721a",
        text=f"parts for a million gas, batch of {_LARGEST:,}",
        unit="parts",
        against=f"ERC721A, a mint of {_TOKENS:,}",
        better=Better.HIGHER,
        target=Target(of=Judged.RATIO, bound=_TIMES_BATCH),
    ),
    Metric(
        id="P1.x_eas",
        text=f"parts for a million gas, batch of {_LARGEST:,}",
        unit="parts",
        against="EAS, an attestation of 32 bytes",
        better=Better.HIGHER,
        target=Target(of=Judged.RATIO, bound=_TIMES_ATTESTED),
    ),
    Metric(
        id="P1.x_eas_many",
        text=f"parts for a million gas, batch of {_LARGEST:,}",
        unit="parts",
        against=f"EAS, {_ATTESTATIONS} attestations of 32 bytes at once",
        better=Better.HIGHER,
    ),
    Metric(
        id="P1.eas_stamp",
        text=f"log a batch of {_LARGEST:,}, one lane, log of 10^6",
        unit="gas",
        against="EAS, a timestamp of 32 bytes: no order, no rights, nothing of who",
    ),
    Metric(
        id="P1.lanes10",
        text=f"log a batch of 10 that draws from {LANES} lanes",
        unit="gas",
        against="the same from one lane",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Who keeps a token or an attestation a part, on the same chain."""

    plain: PlainToken
    batch: BatchToken
    service: Attestations


def measure(rounds: int) -> Sequence[Row]:
    """Log batches of every size in each round, on a log that stands at 10^6 entries."""
    with open_workshop("P1") as workshop:
        workshop.append(_root("before", _BEFORE), _BEFORE, {workshop.lanes[0]: 1})
        # A holder's first token costs more.
        workshop.token.mint(BUYER)
        peers = Peers(
            plain=workshop.token,
            batch=BatchToken.deploy(workshop.rival),
            service=Attestations.deploy(workshop.rival),
        )
        found = [_round(workshop, peers, number) for number in range(rounds)]
    return [Row(metric=it, rounds=[each[it.id] for each in found]) for it in _METRICS]


def _round(workshop: Workshop, peers: Peers, number: int) -> Mapping[str, Round]:
    lane = workshop.lanes[0]
    batches = {
        size: workshop.append(_root(f"{number}", size), size, {lane: size}) for size in _SIZES
    }
    many = workshop.append(
        _root(f"{number} from many", LANES), LANES, dict.fromkeys(workshop.lanes, 1)
    )
    largest, ten = batches[_LARGEST], batches[LANES]
    return {
        **{f"P1.n{size}": _against(_LIMIT, batch) for size, batch in batches.items()},
        "P1.part": Round(
            ours=largest.gas / _LARGEST, reference=_PART_LIMIT, same_answer=largest.same_answer
        ),
        "P1.exponent": Round(
            ours=abs(_slope({size: batch.gas for size, batch in batches.items()})),
            reference=_EXPONENT_LIMIT,
            same_answer=all(batch.same_answer for batch in batches.values()),
        ),
        **_against_peers(peers, largest, number),
        "P1.lanes10": _against(ten.gas, many, as_right=ten),
    }


def _against_peers(peers: Peers, largest: Appended, number: int) -> Mapping[str, Round]:
    digests = [sha256(f"{number}:{at}".encode()) for at in range(_ATTESTATIONS)]
    single = sha256(f"{number} alone".encode())
    kept: Mapping[str, tuple[int, Mint | Attested]] = {
        "P1.x_erc721": (1, peers.plain.mint(BUYER)),
        "P1.x_erc721a": (_TOKENS, peers.batch.mint(BUYER, _TOKENS)),
        "P1.x_eas": (1, peers.service.attest(single)),
        "P1.x_eas_many": (_ATTESTATIONS, peers.service.attest_all(digests)),
    }
    rows = {
        name: Round(
            ours=_MILLION * _LARGEST / largest.gas,
            reference=_MILLION * count / theirs.gas,
            same_answer=largest.same_answer and theirs.same_answer,
        )
        for name, (count, theirs) in kept.items()
    }
    stamped = peers.service.stamp(single)
    return {**rows, "P1.eas_stamp": _against(stamped.gas, largest, as_right=stamped)}


def _against(limit: int, batch: Appended, *, as_right: Appended | Attested | None = None) -> Round:
    same = batch.same_answer and (as_right is None or as_right.same_answer)
    return Round(ours=batch.gas, reference=limit, same_answer=same)


def _slope(gas: Mapping[int, int]) -> float:
    """Return the exponent of a power law through the figures (least squares)."""
    sizes = [math.log(size) for size in gas]
    return statistics.linear_regression(sizes, [math.log(used) for used in gas.values()]).slope


def _root(name: str, count: int) -> Digest:
    """Return the root over that many leaves, whose data are opaque to a log in any case."""
    return MerkleTree(sha256(f"{name}:{count}:{at}".encode()) for at in range(count)).root()
