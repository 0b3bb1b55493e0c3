"""After the certificate: charts that remember, and say when a site has drifted.

EWMA after Roberts (1959), with limits that widen over the first builds; CUSUM after Page (1954),
to both sides. Points are means of builds in standard deviations of the certified ones.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guildmark.domain.equivalence import numbers
from guildmark.domain.equivalence.columns import Summary, table
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.engine import summaries
from guildmark.domain.equivalence.later import LaterReadingError
from guildmark.domain.equivalence.plan import EquivalencePlan, Monitoring
from guildmark.domain.recipes.clause import ClausePath


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The first build at which a chart says that a site is not where it was certified.

    Args:
        build: Its place after the certificate, from 0.
        chart: Which chart said so first.
        reason: The same in one sentence.
    """

    build: int
    chart: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What a chart remembers after each build, and the limit that it then has."""

    name: str
    points: Sequence[float]
    limits: Sequence[float]

    def first_beyond(self) -> int | None:
        """Return the first point beyond, or upon, its limit; None where all are within."""
        pairs = enumerate(zip(self.points, self.limits, strict=True))
        return next(
            (
                at
                for at, (point, limit) in pairs
                if numbers.side(abs(point), limit) is not numbers.Side.BELOW
            ),
            None,
        )


def drift(settings: Monitoring, certified: Summary, later: Sequence[float]) -> Drift | None:
    """Return where a site drifted after its certificate, None where it did not.

    Args:
        settings: The plan's.
        certified: The site's own data under the certificate.
        later: The means of the builds since then, in order.
    """
    charts = paths(settings, certified, later)
    found = [(at, chart.name) for chart in charts if (at := chart.first_beyond()) is not None]
    if not found:
        return None
    build, chart = min(found)
    reason = f"The certificate is to be suspended: {chart} shows a drift at build {build + 1}."
    return Drift(build=build, chart=chart, reason=reason)


def reason(
    plan: EquivalencePlan,
    dataset: Dataset,
    site: str,
    later: Mapping[ClausePath, Sequence[float]],
) -> str | None:
    """Return why a certified site is to be suspended, with the characteristic; None where not.

    Args:
        plan: The plan of the certificate.
        dataset: Its data.
        site: The site.
        later: The means of its builds since then, in order, by characteristic; under a
            logarithm the means of the logarithms.

    Raises:
        LaterReadingError: The site has no such data under the certificate.
    """
    certified = summaries(plan, table(plan, dataset))
    for path in sorted(later):
        if (site, path) not in certified:
            message = f"The data of {site[:80]} have nothing to compare {path} with."
            raise LaterReadingError(message)
        found = drift(plan.monitoring, certified[site, path], later[path])
        if found is not None:
            return f"{found.reason[:-1]} ({path})."
    return None


def paths(settings: Monitoring, certified: Summary, later: Sequence[float]) -> tuple[Path, ...]:
    """Return the charts of the builds after a certificate."""
    deviation = math.sqrt(certified.variance)
    scores = [(value - certified.mean) / deviation for value in later]
    return (_ewma(settings, scores), *_cusum(settings, scores))


def _ewma(settings: Monitoring, scores: Sequence[float]) -> Path:
    weight, width = float(settings.weight), float(settings.limit)
    points, limits, now = [], [], 0.0
    for count, score in enumerate(scores, start=1):
        now = weight * score + (1 - weight) * now
        points.append(now)
        spread = weight / (2 - weight) * (1 - (1 - weight) ** (2 * count))
        limits.append(width * math.sqrt(spread))
    return Path(name="EWMA", points=points, limits=limits)


def _cusum(settings: Monitoring, scores: Sequence[float]) -> tuple[Path, Path]:
    slack, decision = float(settings.slack), float(settings.decision)
    upper, lower, up, down = [], [], 0.0, 0.0
    for score in scores:
        up = max(0.0, up + score - slack)
        down = max(0.0, down - score - slack)
        upper.append(up)
        lower.append(down)
    limits = [decision] * len(upper)
    return (
        Path(name="CUSUM upwards", points=upper, limits=limits),
        Path(name="CUSUM downwards", points=lower, limits=limits),
    )
