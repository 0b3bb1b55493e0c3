"""Gate 2: whether the data may be used at all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from guildmark.domain.equivalence import copies, numbers
from guildmark.domain.equivalence.columns import Series, Table, distinct
from guildmark.domain.equivalence.dataset import Claim, Dataset, Statistic
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    Kind,
    Transformation,
)
from guildmark.domain.equivalence.process.traces import Signature, Signatures
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome, figure
from guildmark.domain.identifiers import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A series, and what it is checked against."""

    plan: EquivalencePlan
    dataset: Dataset
    series: Series
    wanted: CharacteristicPlan


def judge(
    plan: EquivalencePlan, dataset: Dataset, table: Table, told: Signatures
) -> dict[str, list[GateOutcome]]:
    """Return what is wrong with each site's data, or that nothing is."""
    found: dict[str, list[GateOutcome]] = {
        site: list(_of_site(plan, dataset, table, site)) for site in plan.all_sites
    }
    for wanted in plan.characteristics:
        if wanted.trace is not None:
            for site in set(plan.all_sites) - dataset.failed.keys():
                found[site] += _of_telemetry(dataset, site, wanted, told[site, wanted.path])
    for site, reason in copies.found(plan, table):
        found[site].append(_invalid(site, reason))
    for site, problems in found.items():
        if not problems:
            count = len(plan.characteristics)
            plural = "" if count == 1 else "s"
            reason = f"{count} characteristic{plural}, {plan.units} parts, each measured once."
            problems.append(
                GateOutcome(
                    gate=Gate.INTEGRITY, outcome=Outcome.PASSED, reason=reason, sites=(site,)
                )
            )
    return found


def _of_site(
    plan: EquivalencePlan, dataset: Dataset, table: Table, site: str
) -> Iterator[GateOutcome]:
    if site in dataset.failed:
        # What was not opened is not looked at.
        yield _invalid(site, dataset.failed[site])
        return
    planned = {one.path for one in plan.characteristics}
    given = {path for owner, path in (*table.series, *table.excess) if owner == site}
    for path in sorted(given - planned):
        yield _invalid(site, f"The plan does not know the characteristic {path}.")
    if site in table.placed_twice:
        part = table.placed_twice[site]
        yield _invalid(site, f"The part {part} is said to come from two places.")
    for wanted in plan.characteristics:
        yield from _of_series(plan, dataset, table, site, wanted)


def _of_telemetry(
    dataset: Dataset, site: str, wanted: CharacteristicPlan, builds: Sequence[Signature]
) -> Iterator[GateOutcome]:
    """Yield where a site's figures are not what its telemetry gives."""
    key = (site, wanted.path)
    own = (one for one in dataset.readings if (one.site, one.characteristic) == key)
    said = {(one.build, one.raw): one.value for one in own}
    given: dict[tuple[str, Digest | None], Decimal | None] = {
        (one.build, one.root): one.value for one in builds
    }
    for build in sorted(said.keys() | given.keys(), key=str):
        value, actual = said.get(build), given.get(build)
        if value is None or value != actual:
            reason = (
                f"The build {build[0]} is given the value {value}; its telemetry gives {actual}."
            )
            yield _invalid(site, reason, wanted)


def _of_series(
    plan: EquivalencePlan, dataset: Dataset, table: Table, site: str, wanted: CharacteristicPlan
) -> Iterator[GateOutcome]:
    key = (site, wanted.path)
    if key in table.excess:
        reason = f"The value {table.excess[key]} is absurd: it has too many digits."
        yield _invalid(site, reason, wanted)
        return
    series = table.series.get(key)
    if series is None:
        yield _invalid(site, "There is no value at all.", wanted)
        return
    case = _Case(plan=plan, dataset=dataset, series=series, wanted=wanted)
    for check in _CHECKS:
        if (problem := check(case)) is not None:
            yield _invalid(site, problem, wanted)
    for claim in dataset.claims:
        if (claim.site, claim.characteristic) == key:
            yield from _claim(claim, series, wanted)


def _instruments(case: _Case) -> str | None:
    strange = sorted(case.series.instruments - case.dataset.instruments)
    if strange:
        return f"The instrument {strange[0]} is no registered machine."
    if len(case.series.instruments) > 1 and not case.plan.mixes_instruments:
        named = ", ".join(sorted(case.series.instruments))
        return f"Values of several instruments are mixed: {named}."
    return None


def _units(case: _Case) -> str | None:
    strange = sorted(case.series.units - {case.wanted.unit})
    if not strange:
        return None
    return f"A value is given in {strange[0]} where the plan says {case.wanted.unit}."


def _counts(case: _Case) -> str | None:
    count, parts = len(case.series.values), distinct(case.series.parts)
    if count != parts:
        return f"{count} values of {parts} parts: a part is measured more than once."
    if case.wanted.kind is Kind.PART and parts != case.plan.units:
        return f"{parts} parts are measured where the plan draws {case.plan.units}."
    return None


def _raws(case: _Case) -> str | None:
    if case.series.raws.min() >= 0:
        return None
    return "A value comes without the digest of its raw data."


def _plausible(case: _Case) -> str | None:
    bounds = (case.wanted.least, case.wanted.most)
    if bounds == (None, None):
        return None
    least, most = case.series.numbers.min(), case.series.numbers.max()
    if bounds[0] is not None and least < float(bounds[0]):
        return f"The value {figure(least)} is absurd: nothing is below {bounds[0]}."
    if bounds[1] is not None and most > float(bounds[1]):
        return f"The value {figure(most)} is absurd: nothing is above {bounds[1]}."
    return None


def _positive(case: _Case) -> str | None:
    least = case.series.values.min()
    if case.wanted.transformation is Transformation.NONE or least > 0:
        return None
    return "A value is not above 0 and has no logarithm."


def _varied(case: _Case) -> str | None:
    if len(case.series.values) > 1 and case.series.values.min() == case.series.values.max():
        return f"All {len(case.series.values)} values are equal."
    values = case.series.numbers.tolist()
    ends = [*case.series.starts.tolist(), len(values)]
    means = (numbers.mean(values[start:end]) for start, end in pairwise(ends))
    first = next(means)
    if len(case.series.starts) > 1 and all(other == first for other in means):
        return f"The means of all {len(case.series.starts)} {case.plan.replication}s are equal."
    return None


_CHECKS: Sequence[Callable[[_Case], str | None]] = (
    _instruments,
    _units,
    _counts,
    _raws,
    _plausible,
    _positive,
    _varied,
)


def _claim(claim: Claim, series: Series, wanted: CharacteristicPlan) -> Iterator[GateOutcome]:
    actual = _recomputed(claim.statistic, series)
    if not claim.value.is_finite() or abs(claim.value - actual) > _rounding(claim.value):
        said = format(claim.value)[:40]
        reason = (
            f"The claimed {claim.statistic} is {said}; from the values it is "
            f"{figure(float(actual))}."
        )
        yield _invalid(claim.site, reason, wanted)


def _recomputed(statistic: Statistic, series: Series) -> Decimal:
    values = series.numbers.tolist()
    average = numbers.mean(values)
    if statistic is Statistic.DEVIATION:
        spread = numbers.variance(values, average) if len(values) > 1 else 0.0
        return Decimal(spread).sqrt()
    exact = {
        Statistic.COUNT: len(values),
        Statistic.MEAN: average,
        Statistic.LEAST: min(values),
        Statistic.GREATEST: max(values),
    }
    return Decimal(exact[statistic])


def _rounding(value: Decimal) -> Decimal:
    """Return a half of a claim's last place, and a little more for doubles."""
    exponent = int(value.as_tuple().exponent)
    return Decimal(1).scaleb(exponent) / 2 + abs(value) * Decimal(1).scaleb(-12)


def _invalid(site: str, reason: str, wanted: CharacteristicPlan | None = None) -> GateOutcome:
    return GateOutcome(
        gate=Gate.INTEGRITY,
        outcome=Outcome.INVALID,
        reason=reason,
        sites=(site,),
        characteristic=None if wanted is None else wanted.path,
    )
