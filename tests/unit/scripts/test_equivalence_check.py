from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import comparing
import equivalence_check
from guildmark.domain.equivalence.engine import run
from guildmark.domain.equivalence.location import tost
from guildmark.domain.equivalence.verdict import Gate


@pytest.mark.parametrize("design", equivalence_check.DESIGNS, ids=lambda design: design.name)
@pytest.mark.parametrize("truth", ["margin", "zero"])
def test_error_rates_are_what_the_plan_promises(
    design: equivalence_check.Design, truth: str, volume: Callable[[int, int, int], int]
) -> None:
    found = equivalence_check.row(design, truth, volume(1_000, 10_000, 100_000), seed=2)

    assert equivalence_check.is_kept(found), found


def test_counting_all_parts_as_independent_would_break_the_promise() -> None:
    design = equivalence_check.Design(name="nested", between=(1.0, 1.0), within=0.2, parts=10)
    generator = np.random.default_rng(1)
    shape, margin = (500, 12), 1.0

    def site(number: int) -> Any:
        levels = generator.normal(0, design.between[number], (*shape, 1))
        return (levels + generator.normal(0, design.within, (*shape, 10))).reshape(500, -1)

    first, second = site(0), site(1) + margin
    low, high, _ = tost(
        second.mean(axis=1) - first.mean(axis=1),
        (first.var(axis=1, ddof=1) / 120, second.var(axis=1, ddof=1) / 120),
        (119, 119),
        0.05,
        margin,
    )

    assert ((low > -margin) & (high < margin)).mean() > 0.2


@pytest.mark.parametrize(
    ("truth", "rate", "kept"),
    [
        ("margin", 0.0565, True),
        ("margin", 0.0566, False),
        ("zero", 0.788, True),
        ("zero", 0.7879, False),
    ],
)
def test_rates_have_three_standard_errors_of_room(truth: str, rate: float, kept: bool) -> None:
    row = {"truth": truth, "rate": rate, "runs": 10_000, "alpha": 0.05, "power": 0.8}

    assert equivalence_check.is_kept(row) is kept


def test_what_is_simulated_is_what_the_engine_computes() -> None:
    sites = [comparing.drawn(site, seed) for seed, site in enumerate(comparing.plan().all_sites)]
    means = [
        np.array([float(one.value) for one in site]).reshape(12, 3).mean(axis=1) for site in sites
    ]

    result = run(comparing.plan(), comparing.dataset(*sites))
    low, high, p = tost(
        means[1].mean() - means[0].mean(),
        (means[0].var(ddof=1) / 12, means[1].var(ddof=1) / 12),
        (11, 11),
        0.05,
        0.1,
    )

    location = next(one for one in result.gates if one.gate is Gate.LOCATION)
    assert float(location.figures["low"]) == pytest.approx(low, abs=1e-9)
    assert float(location.figures["high"]) == pytest.approx(high, abs=1e-9)
    assert float(location.figures["p"]) == pytest.approx(p, rel=1e-6)
