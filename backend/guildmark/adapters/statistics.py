"""The edge of the equivalence engine: it computes where the extra `equivalence` is installed."""

from importlib import import_module
from importlib.util import find_spec

from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.errors import SettingsError

_NEEDED = ("numpy", "scipy")


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
    if not is_installed():
        message = "Equivalence is computed by packages that are not installed."
        raise StatisticsSupportError(message)
    # Loaded here: whoever only reads plans and results has neither numpy nor scipy.
    result: EquivalenceResult = import_module("guildmark.domain.equivalence.engine").run(
        plan, dataset
    )
    return result
