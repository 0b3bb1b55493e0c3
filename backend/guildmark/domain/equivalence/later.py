"""What a site built after its certificate: the points that charts of monitoring get."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    Kind,
    Replication,
    Transformation,
)
from guildmark.domain.errors import UsageError
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath


class LaterReadingError(UsageError):
    """A reading after a certificate that the plan's charts cannot take, or none at all."""

    code = "equivalence.laterReadingWrong"
    hint = "Give readings of the certified site in the plan's characteristics and units."


def points(
    plan: EquivalencePlan, site: str, readings: Iterable[Reading]
) -> Mapping[ClausePath, Sequence[float]]:
    """Return the mean of each replicate, in the order in which they first come, by characteristic.

    Args:
        plan: The plan of the certificate.
        site: The certified site.
        readings: What was measured since, in the order in which it was built.

    Returns:
        The characteristics of parts that were measured; under a logarithm means of logarithms.

    Raises:
        LaterReadingError: One is of another site, characteristic or unit or has no logarithm, or
            there is none.
    """
    planned = {one.path: one for one in plan.characteristics if one.kind is Kind.PART}
    grouped: dict[ClausePath, dict[str, list[float]]] = {}
    for one in readings:
        if one.site != site:
            _refuse(f"The part {one.part} is of the site {one.site[:80]}, not of {site}.")
        wanted = planned.get(one.characteristic)
        if wanted is None:
            _refuse(f"The plan does not compare {one.characteristic}.")
        series = grouped.setdefault(wanted.path, {})
        series.setdefault(_replicate(one, plan.replication), []).append(_value(one, wanted))
    if not grouped:
        _refuse("Nothing was measured of the site since.")
    return {
        path: [math.fsum(values) / len(values) for values in series.values()]
        for path, series in grouped.items()
    }


def _replicate(one: Reading, replication: Replication) -> str:
    named = {
        Replication.PART: one.part,
        Replication.BUILD: one.build,
        Replication.LOT: one.lot or "",
    }
    return named[replication]


def _value(one: Reading, wanted: CharacteristicPlan) -> float:
    if one.unit != wanted.unit:
        _refuse(f"{one.characteristic} of {one.part} is in {one.unit}, planned is {wanted.unit}.")
    if wanted.transformation is Transformation.NONE:
        return float(one.value)
    if one.value <= 0:
        _refuse(f"{one.characteristic} of {one.part} is {one.value}, which has no logarithm.")
    return math.log(one.value)


def _refuse(message: str) -> NoReturn:
    raise LaterReadingError(message)
