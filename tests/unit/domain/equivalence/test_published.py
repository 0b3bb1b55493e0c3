"""Known answers: published data, computed anew."""

import math
from dataclasses import replace
from decimal import Decimal

import pytest

import comparing
import published
from guildmark.domain.equivalence.columns import Summary, summary, table
from guildmark.domain.equivalence.engine import run
from guildmark.domain.equivalence.gauge import GaugeVariation, variation
from guildmark.domain.equivalence.plan import Chart, RunRule, Transformation
from guildmark.domain.equivalence.stability import control_charts
from guildmark.domain.equivalence.verdict import Gate, Verdict

RINGS_PLAN = comparing.plan(units=125, chart=Chart.XBAR, rules=(RunRule.BEYOND_LIMITS,))


def rings() -> Summary:
    """Return the first 25 samples, from which the limits are computed."""
    readings = [
        comparing.reading(comparing.SITE, build, part, str(value))
        for build, row in enumerate(published.RINGS[:25], start=1)
        for part, value in enumerate(row, start=1)
    ]
    series = table(RINGS_PLAN, comparing.dataset(readings)).series
    return summary(series[comparing.SITE, comparing.WIDTH], Transformation.NONE)


def test_repeatability_and_reproducibility_add_up_as_published() -> None:
    parts = math.sqrt(3.81**2 - 1.85**2 - 2.54**2)
    found = GaugeVariation(repeatability=1.85, reproducibility=2.54, parts=parts)

    assert found.gauge == pytest.approx(3.142, abs=5e-4)
    assert found.total == pytest.approx(3.81)


def test_limits_of_the_piston_rings_are_the_published_ones() -> None:
    located, ranged = control_charts(RINGS_PLAN, rings())

    assert located.center == pytest.approx(74.001176, abs=5e-7)
    assert ranged.center == pytest.approx(0.02276, abs=5e-6)
    assert located.lower == pytest.approx(73.98804, abs=1.5e-5)
    assert located.upper == pytest.approx(74.01431, abs=1.5e-5)
    assert not located.signals
    assert not ranged.signals


def test_the_published_samples_of_the_piston_rings_are_out() -> None:
    located, _ = control_charts(RINGS_PLAN, rings())
    means = {at: sum(row) / 5 for at, row in enumerate(published.RINGS, start=1)}

    beyond = [at for at, mean in means.items() if not located.lower < mean < located.upper]

    assert beyond == [37, 38, 39]


def test_the_engine_finds_the_piston_rings_drift() -> None:
    readings = [
        comparing.reading(site, build, part, str(value + shift))
        for site, shift in ((comparing.REFERENCE, Decimal(0)), (comparing.SITE, Decimal("0.0001")))
        for build, row in enumerate(published.RINGS, start=1)
        for part, value in enumerate(row, start=1)
    ]
    plan = replace(RINGS_PLAN, units=200)

    result = run(plan, comparing.dataset(readings))

    # The second site's values are the first one's, shifted: both gates say what they saw.
    gates = {one.gate for one in result.gates if not one.passed}
    assert result.verdicts[0].verdict is Verdict.INVALID
    assert gates == {Gate.INTEGRITY}


def test_machines_differ_as_published() -> None:
    sites = {"A": comparing.REFERENCE, "B": comparing.SITE, "C": comparing.OTHER}
    readings = [
        comparing.reading(sites[name], worker, part, str(value))
        for name, rows in published.MACHINES.items()
        for worker, row in enumerate(rows, start=1)
        for part, value in enumerate(row, start=1)
    ]
    plan = comparing.plan(
        sites=(comparing.SITE, comparing.OTHER),
        characteristics=(comparing.characteristic(margin="5"),),
        units=18,
        replicates=6,
    )

    found = table(plan, comparing.dataset(readings)).series
    means = [
        round(summary(found[site, comparing.WIDTH], Transformation.NONE).mean, 3)
        for site in sites.values()
    ]
    verdicts = [one.verdict for one in run(plan, comparing.dataset(readings)).verdicts]

    assert means == [52.356, 60.322, 66.272]
    assert verdicts == [Verdict.INCONCLUSIVE, Verdict.NOT_EQUIVALENT]


def test_an_analysis_of_variance_by_hand() -> None:
    # Two parts, two appraisers, twice each; all sums of squares are whole numbers.
    cells = [[[1.0, 3.0], [2.0, 4.0]], [[11.0, 13.0], [14.0, 16.0]]]

    found = variation(cells)

    # Mean squares of parts, appraisers, interaction and error: 242, 8, 2 and 2. The interaction
    # joins the error.
    assert found.repeatability == pytest.approx(math.sqrt(2))
    assert found.reproducibility == pytest.approx(math.sqrt((8 - 2) / 4))
    assert found.parts == pytest.approx(math.sqrt((242 - 2) / 4))
