"""The edge of the equivalence engine: it computes where the extra `equivalence` is installed."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.errors import SettingsError
from guildmark.domain.recipes.clause import ClausePath

_NEEDED = ("numpy", "scipy")
_ROOM = "guildmark.domain.equivalence"


class StatisticsSupportError(SettingsError):
    """What computes equivalence is not installed."""

    code = "equivalence.supportMissing"
    hint = "pip install 'guildmark[equivalence]'"


def is_installed() -> bool:
    """Return whether equivalence can be computed here."""
    return all(find_spec(name) is not None for name in _NEEDED)


def evaluate(plan: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
    """Return what a plan makes of its data.

    Raises:
        StatisticsSupportError: The extra `equivalence` is not installed.
        OtherEngineError: The plan names another engine.
        ForeignSiteError: A reading is of a site that the plan does not name.
    """
    result: EquivalenceResult = _module("engine").run(plan, dataset)
    return result


def draw(
    plan: EquivalencePlan, dataset: Dataset, result: EquivalenceResult, names: Mapping[str, str]
) -> Mapping[str, bytes]:
    """Return the pictures of a result by their file names, as SVG.

    Args:
        plan: The plan.
        dataset: Its data.
        result: What the engine made of them.
        names: What people call the sites.

    Raises:
        StatisticsSupportError: The extra `equivalence` is not installed.
    """
    drawn: Mapping[str, bytes] = _module("plots.album").album(plan, dataset, result, names)
    return drawn


def required_replicates(
    *, margin: float, deviations: tuple[float, float], alpha: float, power: float
) -> int:
    """Return how many replicates a site needs for a power at no difference.

    Raises:
        StatisticsSupportError: The extra `equivalence` is not installed.
        PowerUnreachableError: No reasonable number is enough.
    """
    count: int = _module("planning").required_replicates(
        margin=margin, deviations=deviations, alpha=alpha, wanted=power
    )
    return count


def drift(
    plan: EquivalencePlan,
    dataset: Dataset,
    site: str,
    later: Mapping[ClausePath, Sequence[float]],
) -> str | None:
    """Return why a site's certificate is to be suspended, None where nothing drifted.

    Args:
        plan: The plan of the certificate.
        dataset: Its data.
        site: The certified site.
        later: The means of its builds since then, in order, by characteristic.

    Raises:
        StatisticsSupportError: The extra `equivalence` is not installed.
    """
    reason: str | None = _module("monitoring").reason(plan, dataset, site, later)
    return reason


def _module(name: str) -> Any:
    """Load a part of the engine: whoever only reads plans and results has no scipy."""
    if not is_installed():
        message = "Equivalence is computed by packages that are not installed."
        raise StatisticsSupportError(message)
    return import_module(f"{_ROOM}.{name}")
