"""P1: what it costs to log a batch of N parts, metering and authorisation included."""

import math
import statistics
from collections.abc import Mapping, Sequence

from bench.rows import Better, Judged, Metric, Round, Row, Target
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
        id="P1.lanes10",
        text=f"log a batch of 10 that draws from {LANES} lanes",
        unit="gas",
        against="the same from one lane",
    ),
)


def measure(rounds: int) -> Sequence[Row]:
    """Log batches of every size in each round, on a log that stands at 10^6 entries."""
    with open_workshop("P1") as workshop:
        workshop.append(_root("before", _BEFORE), _BEFORE, {workshop.lanes[0]: 1})
        # A holder's first token costs more.
        workshop.token.mint(BUYER)
        found = [_round(workshop, number) for number in range(rounds)]
    return [Row(metric=it, rounds=[each[it.id] for each in found]) for it in _METRICS]


def _round(workshop: Workshop, number: int) -> Mapping[str, Round]:
    lane = workshop.lanes[0]
    batches = {
        size: workshop.append(_root(f"{number}", size), size, {lane: size}) for size in _SIZES
    }
    many = workshop.append(
        _root(f"{number} from many", LANES), LANES, dict.fromkeys(workshop.lanes, 1)
    )
    mint = workshop.token.mint(BUYER)
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
        "P1.x_erc721": Round(
            ours=_MILLION * _LARGEST / largest.gas,
            reference=_MILLION / mint.gas,
            same_answer=largest.same_answer and mint.same_answer,
        ),
        "P1.lanes10": Round(
            ours=many.gas,
            reference=ten.gas,
            same_answer=many.same_answer and ten.same_answer,
        ),
    }


def _against(limit: int, batch: Appended) -> Round:
    return Round(ours=batch.gas, reference=limit, same_answer=batch.same_answer)


def _slope(gas: Mapping[int, int]) -> float:
    """Return the exponent of a power law through the figures (least squares)."""
    sizes = [math.log(size) for size in gas]
    return statistics.linear_regression(sizes, [math.log(used) for used in gas.values()]).slope


def _root(name: str, count: int) -> Digest:
    """Return the root over that many leaves, whose data are opaque to a log in any case."""
    return MerkleTree(sha256(f"{name}:{count}:{at}".encode()) for at in range(count)).root()
