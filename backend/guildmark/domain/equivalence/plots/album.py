"""All pictures of one result, for a page or a report."""

import math
from collections.abc import Iterator, Mapping

from guildmark.domain.equivalence.columns import Summary, table
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.engine import summaries
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    Kind,
    Transformation,
)
from guildmark.domain.equivalence.planning import operating_curve
from guildmark.domain.equivalence.plots import pictures
from guildmark.domain.equivalence.stability import control_charts
from guildmark.domain.equivalence.verdict import EquivalenceResult, Gate
from guildmark.domain.recipes.clause import ClausePath


def album(
    plan: EquivalencePlan, dataset: Dataset, result: EquivalenceResult, names: Mapping[str, str]
) -> Mapping[str, bytes]:
    """Return the pictures of a result by their file names, as SVG.

    Args:
        plan: The plan.
        dataset: Its data.
        result: What the engine made of them.
        names: What people call the sites.
    """
    refused = {
        site
        for one in result.gates
        if one.gate is Gate.INTEGRITY and not one.passed
        for site in one.sites
    }
    found = {
        key: one
        for key, one in summaries(plan, table(plan, dataset)).items()
        if key[0] not in refused
    }
    drawn = {"intervals.svg": pictures.intervals(result.gates, names)}
    asked = {str(one.path): one.min_cpk for one in plan.characteristics if one.min_cpk is not None}
    if asked:
        drawn["capability.svg"] = pictures.capability(result.gates, asked, names)
    for number, wanted in enumerate(plan.characteristics, start=1):
        drawn |= _of_characteristic(plan, wanted, number, found, names)
    return drawn


def _of_characteristic(
    plan: EquivalencePlan,
    wanted: CharacteristicPlan,
    number: int,
    found: Mapping[tuple[str, ClausePath], Summary],
    names: Mapping[str, str],
) -> dict[str, bytes]:
    drawn: dict[str, bytes] = {}
    for place, site in enumerate(plan.all_sites, start=1):
        own = found.get((site, wanted.path))
        if own is not None:
            title = f"{wanted.path}, {names.get(site, site[:10])}"
            drawn |= dict(_of_series(plan, wanted, own, f"{number}-{place}", title))
    curve = _operating(plan, wanted, found)
    if curve is not None:
        drawn[f"operating-{number}.svg"] = curve
    return drawn


def _of_series(
    plan: EquivalencePlan, wanted: CharacteristicPlan, own: Summary, label: str, title: str
) -> Iterator[tuple[str, bytes]]:
    is_ratio = wanted.transformation is Transformation.LOG
    for chart in control_charts(plan, own):
        unit = f"ln {wanted.unit}" if is_ratio else wanted.unit
        yield f"control-{chart.name}-{label}.svg", pictures.control(chart, title, unit)
    if wanted.kind is Kind.PART:
        listed: list[float] = own.numbers.tolist()
        values = [math.exp(value) for value in listed] if is_ratio else listed
        yield f"histogram-{label}.svg", pictures.histogram(values, wanted, title)


def _operating(
    plan: EquivalencePlan,
    wanted: CharacteristicPlan,
    found: Mapping[tuple[str, ClausePath], Summary],
) -> bytes | None:
    """Return the curve of the first pair that has data, with the deviations that it showed."""
    margin = float(wanted.margin)
    is_ratio = wanted.transformation is Transformation.LOG
    bound = math.log(margin) if is_ratio else margin
    unit = f"ln {wanted.unit}" if is_ratio else wanted.unit
    for first, second in plan.pairs:
        own = [found.get((site, wanted.path)) for site in (first, second)]
        pair = [one for one in own if one is not None]
        if len(pair) == len(own):
            curve = operating_curve(
                min(one.replicates for one in pair),
                margin=bound,
                deviations=(math.sqrt(pair[0].variance), math.sqrt(pair[1].variance)),
                alpha=float(plan.alpha),
            )
            title = f"{wanted.path}, {unit}"
            return pictures.operating(curve, bound, float(plan.alpha), float(plan.power), title)
    return None
