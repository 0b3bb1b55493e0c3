"""What a build's machine told, as far as a plan drew it, and the figures that this amounts to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from guildmark.domain.builds.telemetry import Chunk, Opened, draw_chunks
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    Trace,
    TraceStatistic,
)
from guildmark.domain.identifiers import Bytes32, Digest
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.quantity import MalformedDecimalError, parse_decimal
from guildmark.domain.shopfloor.jobs import Sample

PLACES = 6
"""Digits behind the point that a figure of telemetry is rounded to, half-even."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildTrace:
    """What a site opens of a build's telemetry.

    Args:
        part: The drawn part whose statement commits to it; the first one of the build.
        build: The build.
        root: What the statement commits to.
        count: How many chunks that are.
        nonce: What draws some of them.
        opened: Those of the drawn ones that are shown.
    """

    part: str
    build: str
    root: Digest
    count: int
    nonce: Bytes32
    opened: tuple[Opened, ...] = field(default=(), repr=False)

    def drawn(self, most: int) -> tuple[int, ...]:
        """Return the places of the chunks that are drawn.

        Raises:
            ChallengeError: There is none, or more than a statement may have.
        """
        return draw_chunks(root=self.root, of=self.count, nonce=self.nonce, most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a build's telemetry shows of one channel.

    Args:
        root: The telemetry.
        value: The figure that sites are compared by, None where the channel told nothing.
        drawn: How many chunks were drawn.
        missing: How many of these are not shown.
        coverage: The share of values that are shown, of those that the shown chunks should hold.
        inside: The share of the channel's values inside the window.
        deviation: The greatest distance of a value from the middle of the window.
    """

    build: str
    root: Digest
    value: Decimal | None
    drawn: int
    missing: int
    coverage: Fraction
    inside: Fraction
    deviation: Fraction


Signatures: TypeAlias = Mapping[tuple[str, ClausePath], tuple[Signature, ...]]
"""By site and characteristic, a signature a build."""


def signatures(plan: EquivalencePlan, traces: Mapping[str, tuple[BuildTrace, ...]]) -> Signatures:
    """Return what sites' telemetry shows of each window that a plan promises something of.

    Raises:
        GuildmarkError: A chunk is none.
    """
    wanted = [(one, one.trace) for one in plan.characteristics if one.trace is not None]
    found: dict[tuple[str, ClausePath], tuple[Signature, ...]] = {}
    for site in plan.all_sites if wanted else ():
        own = [(one, _chunks(one)) for one in traces.get(site, ())]
        for one, trace in wanted:
            found[site, one.path] = tuple(
                _signature(shown, chunks, one, trace, plan.chunks or 0) for shown, chunks in own
            )
    return found


def _chunks(shown: BuildTrace) -> tuple[Chunk, ...]:
    return tuple(Chunk.parse(one.chunk) for one in shown.opened)


def _signature(
    shown: BuildTrace,
    chunks: Iterable[Chunk],
    wanted: CharacteristicPlan,
    trace: Trace,
    most: int,
) -> Signature:
    samples = [sample for chunk in chunks for sample in chunk.samples]
    own = [one for one in samples if one.channel == trace.channel]
    values = [value for one in own if (value := _number(one, wanted.unit)) is not None]
    low, high = (Fraction(bound or 0) for bound in (wanted.lower, wanted.upper))
    middle = (low + high) / 2
    deviation = max((abs(value - middle) for value in values), default=Fraction(0))
    figure = deviation if trace.statistic is TraceStatistic.DEVIATION else _mean(values)
    drawn = len(shown.drawn(most))
    return Signature(
        build=shown.build,
        root=shown.root,
        value=_rounded(figure) if values else None,
        drawn=drawn,
        missing=drawn - len(shown.opened),
        coverage=_coverage(chunks, len(samples), len(own) - len(values)),
        inside=_share(sum(low <= value <= high for value in values), len(values)),
        deviation=deviation,
    )


def _number(sample: Sample, unit: str) -> Fraction | None:
    """Return a value in a unit, None where it is a text or in another unit."""
    if sample.unit != unit:
        return None
    try:
        return Fraction(parse_decimal(sample.value))
    except MalformedDecimalError:
        return None


def _coverage(chunks: Iterable[Chunk], told: int, unread: int) -> Fraction:
    """Return the share of values that can be read; of a gap without an end nobody knows it."""
    gaps = [gap for chunk in chunks for gap in chunk.gaps]
    if any(gap.last is None for gap in gaps):
        return Fraction(0)
    lost = sum(max(0, (gap.last or 0) - gap.first + 1) for gap in gaps)
    return _share(told - unread, told + lost)


def _mean(values: list[Fraction]) -> Fraction:
    return _share(sum(values, Fraction(0)), len(values))


def _share(part: Fraction | int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)


def _rounded(figure: Fraction) -> Decimal:
    return Decimal(round(figure * 10**PLACES)).scaleb(-PLACES)
