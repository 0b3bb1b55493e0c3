"""The gates' own formulas: bounds, laws, and what is known of them by other ways."""

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import comparing
from guildmark.domain.equivalence import (
    columns,
    distribution,
    monitoring,
    planning,
    ranks,
    spread,
    stability,
)
from guildmark.domain.equivalence.capability import capability
from guildmark.domain.equivalence.columns import Summary
from guildmark.domain.equivalence.distribution import anderson_darling
from guildmark.domain.equivalence.engine import run
from guildmark.domain.equivalence.family import holm
from guildmark.domain.equivalence.gauge import GaugeVariation, variation
from guildmark.domain.equivalence.location import Interval, compare, two_one_sided
from guildmark.domain.equivalence.monitoring import Drift
from guildmark.domain.equivalence.numbers import Side, mean, side, variance
from guildmark.domain.equivalence.plan import (
    Chart,
    Kind,
    Method,
    Monitoring,
    RunRule,
    Transformation,
)
from guildmark.domain.equivalence.planning import (
    PowerUnreachableError,
    operating_curve,
    power,
    required_replicates,
)
from guildmark.domain.equivalence.stability import RANGES, control_charts, individuals
from guildmark.domain.equivalence.verdict import Outcome, Verdict
from guildmark.domain.equivalence.words import summary as sentence


def summed(rows: Any) -> Summary:
    """Return the summary of replicates, a row of parts each."""
    means = [mean(row) for row in rows]
    center = mean(means)
    squares = [(x - m) ** 2 for row, m in zip(rows, means, strict=True) for x in row]
    return Summary(
        means=means,
        mean=center,
        variance=variance(means, center),
        sizes=np.array([len(row) for row in rows]),
        squares=np.array(squares),
        within=math.fsum(squares),
        numbers=np.array([value for row in rows for value in row]),
    )


def normal(seed: int, count: int, size: int = 1) -> list[list[float]]:
    """Return rows of standard normal values."""
    source = random.Random(seed)
    return [[source.gauss(0, 1) for _ in range(size)] for _ in range(count)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, Side.AT),
        (1 + 9e-10, Side.AT),
        (1 - 9e-10, Side.AT),
        (1 + 2e-9, Side.ABOVE),
        (1 - 2e-9, Side.BELOW),
    ],
)
def test_what_is_upon_a_bound_is_on_neither_side(value: float, expected: Side) -> None:
    assert side(value, 1) is expected


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (-0.5, 0.5, Outcome.PASSED),
        (-1.0, 0.5, Outcome.INCONCLUSIVE),
        (-0.5, 1.0, Outcome.INCONCLUSIVE),
        (-0.5, 1 - 5e-10, Outcome.INCONCLUSIVE),
        (-0.5, 1 - 2e-9, Outcome.PASSED),
        (1.0, 2.0, Outcome.INCONCLUSIVE),
        (1 + 2e-9, 2.0, Outcome.FAILED),
        (-2.0, -1 - 2e-9, Outcome.FAILED),
        (-2.0, 2.0, Outcome.INCONCLUSIVE),
    ],
)
def test_an_interval_is_inside_outside_or_across(low: float, high: float, outcome: Outcome) -> None:
    found = Interval(estimate=0, low=low, high=high, least=-1, most=1, p=0.01)

    assert found.outcome() is outcome


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.randoms())
def test_sums_do_not_depend_on_the_order(values: list[float], source: random.Random) -> None:
    mixed = source.sample(values, len(values))

    assert mean(mixed) == mean(values)
    assert variance(mixed, mean(values)) == variance(values, mean(values))


@given(
    st.lists(st.floats(-100, 100), min_size=3, max_size=12),
    st.lists(st.floats(-100, 100), min_size=3, max_size=12),
)
def test_equivalence_is_symmetric(first: list[float], second: list[float]) -> None:
    one, other = summed([[x] for x in first]), summed([[x] for x in second])
    if one.variance + other.variance < 1e-6:
        return

    there = two_one_sided(one, other, 0.05, 30)
    back = two_one_sided(other, one, 0.05, 30)

    assert there.outcome() is back.outcome()
    assert there.low == pytest.approx(-back.high)
    assert there.p == pytest.approx(back.p)


def test_a_sample_is_equivalent_to_itself_where_its_variation_allows() -> None:
    own = summed(normal(1, 20))

    assert two_one_sided(own, own, 0.05, 2).outcome() is Outcome.PASSED
    assert two_one_sided(own, own, 0.05, 0.1).outcome() is Outcome.INCONCLUSIVE


def test_the_p_value_is_the_level_at_which_the_interval_touches_the_margin() -> None:
    one, other = summed(normal(1, 12)), summed(normal(2, 9))
    p = two_one_sided(one, other, 0.05, 1).p or 0

    touching = two_one_sided(one, other, p, 1)

    assert max(touching.high, -touching.low) == pytest.approx(1)


def test_means_of_large_whole_numbers_are_summed_one_by_one() -> None:
    readings = [
        comparing.reading(comparing.SITE, build, part, f"{900_000_000_000_000 + build * part}")
        for build in (1, 2)
        for part in range(1, 13)
    ]
    plan = comparing.plan(units=24)
    series = columns.table(plan, comparing.dataset(readings)).series

    found = columns.summary(series[comparing.SITE, comparing.WIDTH], Transformation.NONE)

    assert found.means == [900_000_000_000_006.5, 900_000_000_000_013.0]


def test_names_are_counted_as_people_count() -> None:
    names = ["build 10", "build 9", "10", "9", "build"]

    assert sorted(names, key=columns.natural) == ["9", "10", "build", "build 9", "build 10"]


# Ranks


def counted(statistic: int, m: int, n: int) -> float:
    """Return the distribution of the rank sum by counting all orders."""
    found = [
        sum(place - at for at, place in enumerate(places))
        for places in itertools.combinations(range(m + n), m)
    ]
    return sum(one <= statistic for one in found) / len(found)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (3, 3), (4, 6), (5, 2)])
def test_the_distribution_of_ranks_is_counted_exactly(m: int, n: int) -> None:
    for statistic in range(m * n + 1):
        assert ranks.probability(statistic, (m, n)) == pytest.approx(counted(statistic, m, n))


def test_large_samples_take_the_normal_distribution() -> None:
    exact = ranks.probability(1100, (50, 50))
    near = ranks.probability(1144, (51, 51))

    assert exact == pytest.approx(0.1515, abs=0.002)
    assert near == pytest.approx(0.1485, abs=0.002)


def test_the_shift_of_ranks_is_found_and_bounded() -> None:
    first = [float(value) for value in range(10)]
    second = [value + 3 for value in first]

    found = ranks.shift(first, second, 0.05, 10)

    assert found is not None
    estimate, low, high, p = found
    assert estimate == 3
    assert low < 3 < high
    assert p < 0.05
    assert ranks.shift(first[:2], second[:2], 0.05, 10) is None


def test_large_samples_have_an_interval_by_ranks() -> None:
    first, second = ([row[0] for row in normal(seed, 60)] for seed in (1, 2))

    found = ranks.shift(first, second, 0.05, 1)

    assert found is not None
    assert found[1] < found[0] < found[2]
    assert found[3] < 0.01


@given(st.integers(0, 1000))
def test_ranks_and_means_agree_on_normal_data(seed: int) -> None:
    plan = comparing.plan()
    one, other = summed(normal(seed, 15)), summed(normal(seed + 5000, 15))
    wanted = comparing.characteristic(margin="3")
    by_ranks = comparing.characteristic(margin="3", method=Method.RANKS)

    first, second = (compare(plan, each, one, other) for each in (wanted, by_ranks))

    assert first is not None
    assert second is not None
    assert second.estimate == pytest.approx(first.estimate, abs=0.8)


# Gauges


def test_what_a_study_was_made_of_is_found_again() -> None:
    source = random.Random(3)
    parts = [source.gauss(0, 10) for _ in range(60)]
    appraisers = [source.gauss(0, 2) for _ in range(60)]
    cells = [
        [[part + by + source.gauss(0, 1) for _ in range(2)] for by in appraisers] for part in parts
    ]

    found = variation(cells)

    assert found.repeatability == pytest.approx(1, rel=0.05)
    assert found.reproducibility == pytest.approx(2, rel=0.25)
    assert found.parts == pytest.approx(10, rel=0.25)


def test_an_interaction_that_matters_is_kept() -> None:
    cells = [[[0.0, 0.1], [5.0, 5.1]], [[5.0, 5.1], [0.0, 0.1]], [[2.0, 2.1], [2.0, 2.1]]]

    found = variation(cells)

    assert found.repeatability == pytest.approx(math.sqrt(0.005))
    assert found.reproducibility > 3
    assert found.parts == 0


def test_a_gauge_without_noise_has_no_share() -> None:
    found = variation([[[1.0, 1.0], [1.0, 1.0]], [[2.0, 2.0], [2.0, 2.0]]])

    assert found.gauge == 0
    assert found.share == 0
    assert GaugeVariation(repeatability=3, reproducibility=4, parts=0).share == 1


# Charts


@pytest.mark.parametrize("size", RANGES)
def test_constants_of_ranges_are_those_of_normal_values(size: int) -> None:
    nodes = np.linspace(-8, 8, 801)
    step = nodes[1] - nodes[0]
    below = special.ndtr(nodes)
    expected = (1 - (1 - below) ** size - below**size).sum() * step
    # The second moment, from the probability of all values between two places.
    between = np.clip(below[None, :] - below[:, None], 0, 1)
    joint = 1 - below[None, :] ** size - (1 - below[:, None]) ** size + between**size
    second = 2 * (np.triu(joint, 1).sum() + np.trace(joint) / 2) * step**2

    assert RANGES[size][0] == pytest.approx(expected, abs=2e-5)
    assert RANGES[size][1] == pytest.approx(math.sqrt(second - expected**2), abs=1e-4)


QUIET = [0.1, -0.1, 0.2, -0.2, 0.1, -0.15, 0.12, -0.1, 0.2, -0.2, 0.1, -0.1]
PATTERNS = {
    RunRule.BEYOND_LIMITS: ([0.0, 9.0], 1),
    RunRule.NINE_ON_ONE_SIDE: ([1.0] * 9, 8),
    RunRule.SIX_IN_ONE_DIRECTION: ([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0], 5),
    RunRule.FOURTEEN_ALTERNATING: ([1.0, -1.0] * 7, 13),
    RunRule.TWO_OF_THREE_BEYOND_TWO: ([2.5, 0.0, 2.5], 2),
    RunRule.FOUR_OF_FIVE_BEYOND_ONE: ([-1.5, -1.5, 0.0, -1.5, -1.5], 4),
}


@pytest.mark.parametrize("rule", RunRule)
def test_each_run_rule_sees_its_pattern_and_not_one_point_less(rule: RunRule) -> None:
    pattern, at = PATTERNS[rule]
    whole = list(stability._broken(rule, np.array(pattern), 3.0))
    shorter = list(stability._broken(rule, np.array(pattern[:-1]), 3.0))

    assert whole == [at]
    assert shorter == []


@pytest.mark.parametrize("rule", RunRule)
def test_run_rules_see_both_sides(rule: RunRule) -> None:
    pattern, at = PATTERNS[rule]

    assert list(stability._broken(rule, -np.array(pattern), 3.0)) == [at]


def test_a_point_upon_a_limit_is_not_within() -> None:
    on_limit = stability._broken(RunRule.BEYOND_LIMITS, np.array([3.0, -3.0, 2.99]), 3.0)

    assert list(on_limit) == [0, 1]


def test_a_chart_of_equal_points_has_no_signal() -> None:
    chart = individuals([1.0, 1.0, 1.0], 3, tuple(RunRule))

    assert (chart.lower, chart.upper, dict(chart.signals)) == (1.0, 1.0, {})


def test_xbar_charts_need_builds_of_one_small_size() -> None:
    plan = comparing.plan(chart=Chart.XBAR)
    uneven = summed([[1.0, 2.0], [1.0, 2.0, 3.0]])

    assert control_charts(plan, uneven) == ()
    assert control_charts(plan, summed(normal(1, 5))) == ()
    assert len(control_charts(plan, summed(normal(1, 5, 2)))) == 2
    gate = stability.judge(plan, comparing.characteristic(), comparing.SITE, uneven)
    assert gate.outcome is Outcome.INCONCLUSIVE
    assert "2 to 10 parts" in gate.reason


# Distribution


def test_normal_values_pass_and_others_do_not() -> None:
    values = [row[0] for row in normal(1, 100)]
    skewed = [math.exp(value) for value in values]

    def p(listed: list[float]) -> float:
        return anderson_darling(listed, mean(listed), variance(listed, mean(listed)))[1]

    assert p(values) > 0.05
    assert p(skewed) < 1e-6
    assert p([*values, 1e6]) < 1e-6


def test_the_p_value_of_normality_falls_without_a_jump() -> None:
    statistics = [at / 1000 for at in range(50, 3000)]
    found = [distribution._probability(statistic) for statistic in statistics]

    assert all(before >= after - 2e-3 for before, after in itertools.pairwise(found))
    assert all(abs(before - after) < 2e-2 for before, after in itertools.pairwise(found))
    assert distribution._probability(1e9) < 1e-100


# Spread and capability


def test_the_total_variance_is_that_of_single_parts() -> None:
    source = random.Random(2)
    levels = [source.gauss(0, 3) for _ in range(4000)]
    rows = [[level + source.gauss(0, 1) for _ in range(3)] for level in levels]

    found = spread.total(summed(rows))

    assert found.variance == pytest.approx(10, rel=0.05)
    assert found.freedom == (3999, 8000)
    assert found.within == pytest.approx(2 / 3, rel=0.05)


def test_single_parts_have_all_degrees_of_freedom() -> None:
    found = spread.total(summed(normal(1, 30)))

    assert found.freedom == (29, 0)
    assert found.within == 0


def test_the_ratio_touches_its_margin_at_its_p_value() -> None:
    one, other = (spread.total(summed(normal(seed, 30))) for seed in (1, 2))
    p = spread.level(one, other, 1.6)

    touching = spread.ratio(one, other, p, 1.6)

    assert max(touching.high / 1.6, 1 / 1.6 / touching.low) == pytest.approx(1)


@pytest.mark.parametrize("size", [1, 3])
def test_the_jackknife_leaves_out_one_replicate_at_a_time(size: int) -> None:
    rows = normal(4, 8, size)
    found = spread._without_each(summed(rows))

    by_hand = [spread.total(summed(rows[:at] + rows[at + 1 :])).variance for at in range(8)]

    assert found.tolist() == pytest.approx(by_hand)


def test_capability_of_many_parts_is_bissells() -> None:
    rows = normal(1, 2000)
    wanted = comparing.characteristic(lower="-4", upper="5", min_cpk="1")
    found = capability(wanted, summed(rows), 0.05)
    z = 1.6448536

    error = math.sqrt(1 / (9 * 2000) + found.index**2 / (2 * 1999))

    assert found.index == pytest.approx(4 / 3, rel=0.05)
    assert found.low == pytest.approx(found.index - z * error, abs=2e-3)
    assert found.high == pytest.approx(found.index + z * error, abs=2e-3)


@pytest.mark.parametrize(("count", "size"), [(8, 1), (10, 5)])
def test_lower_bounds_of_capability_hold_as_often_as_they_say(count: int, size: int) -> None:
    generator = np.random.default_rng(5)
    wanted = comparing.characteristic(lower="-4", min_cpk="1")
    runs, between = 400, 0.0 if size == 1 else 1.0
    truth = 4 / (3 * math.sqrt(1 + between**2))

    held = 0
    for _ in range(runs):
        levels = generator.normal(0, between, (count, 1))
        rows = (levels + generator.normal(0, 1, (count, size))).tolist()
        held += capability(wanted, summed(rows), 0.05).low <= truth

    assert held / runs >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / runs)


# Several characteristics


@pytest.mark.parametrize(
    ("probabilities", "stands"),
    [
        ([], []),
        ([0.04], [True]),
        ([0.05], [False]),
        ([0.03, 0.03], [False, False]),
        ([0.04, 0.02], [True, True]),
        ([0.04, 0.001, 0.03], [False, True, False]),
    ],
)
def test_holms_rule(probabilities: list[float], stands: list[bool]) -> None:
    assert holm(probabilities, 0.05) == stands


# Planning


def test_power_grows_with_replicates_and_falls_with_the_difference() -> None:
    settings: dict[str, Any] = {"margin": 1.0, "deviations": (1.0, 1.5), "alpha": 0.05}

    by_size = [power(count, **settings) for count in (5, 10, 20, 40, 80)]
    curve = [chance for _, chance in operating_curve(20, points=31, **settings)]

    assert by_size == sorted(by_size)
    assert curve == sorted(curve, reverse=True)
    assert power(20, difference=1.0, **settings) <= 0.05


def test_the_required_number_is_the_least_that_reaches_the_power() -> None:
    settings: dict[str, Any] = {"margin": 1.0, "deviations": (1.0, 1.0), "alpha": 0.05}

    found = required_replicates(wanted=0.8, **settings)

    assert power(found, **settings) >= 0.8 > power(found - 1, **settings)
    # By large samples: 2 (z(.95) + z(.9))^2 = 17.1, and one for the estimated deviation.
    assert found == 18


def test_three_replicates_are_the_least() -> None:
    assert required_replicates(margin=100, deviations=(1, 1), alpha=0.05, wanted=0.8) == 3


def test_a_margin_that_nothing_can_resolve_is_refused() -> None:
    with pytest.raises(PowerUnreachableError, match="100000"):
        required_replicates(margin=1e-6, deviations=(1, 1), alpha=0.05, wanted=0.8)


def test_planning_has_no_more_than_it_promises() -> None:
    assert planning.REPLICATES_MAX == 100_000


# Monitoring

CERTIFIED = summed([[value] for value in (-1.0, 1.0, -1.0, 1.0, 0.0)])


def test_a_site_that_stays_is_left_alone() -> None:
    later = [value / 2 for value in QUIET * 4]

    assert monitoring.drift(Monitoring(), CERTIFIED, later) is None
    assert monitoring.drift(Monitoring(), CERTIFIED, []) is None


@pytest.mark.parametrize(
    ("later", "chart"),
    [([1.0] * 40, "CUSUM upwards"), ([-1.0] * 40, "CUSUM downwards"), ([9.0], "CUSUM upwards")],
)
def test_a_drift_is_seen_and_named(later: list[float], chart: str) -> None:
    found = monitoring.drift(Monitoring(), CERTIFIED, later)

    assert found is not None
    assert found.build < len(later)
    assert str(found.build + 1) in found.reason
    names = {one.name for one in monitoring.paths(Monitoring(), CERTIFIED, later)}
    assert {found.chart, chart} <= names


def test_the_first_chart_to_say_so_is_named() -> None:
    quick = Monitoring(decision="100")

    assert monitoring.drift(quick, CERTIFIED, [9.0]) == Drift(
        build=0,
        chart="EWMA",
        reason="The certificate is to be suspended: EWMA shows a drift at build 1.",
    )


def test_false_alarms_are_as_rare_as_the_settings_say() -> None:
    source = random.Random(7)
    lengths = []
    for _ in range(50):
        later = [source.gauss(0, 1) for _ in range(2500)]
        settings = Monitoring()
        scale = summed([[value] for value in (-1.0, 1.0, 0.0)])
        found = monitoring.drift(settings, scale, later)
        lengths.append(2500 if found is None else found.build + 1)

    # Both charts together: about half of the 500 builds of each.
    assert 150 < sum(lengths) / len(lengths) < 480


def test_a_drift_of_one_deviation_is_seen_after_about_ten_builds() -> None:
    source = random.Random(8)
    certified = summed([[value] for value in (-1.0, 1.0, 0.0)])
    lengths = []
    for _ in range(100):
        found = monitoring.drift(Monitoring(), certified, [source.gauss(1, 1) for _ in range(200)])
        assert found is not None
        lengths.append(found.build + 1)

    assert 7 < sum(lengths) / len(lengths) < 12


# Error rates beyond those of `make equivalence-check`


def at_most(rate: float, alpha: float, runs: int) -> bool:
    """Return whether a rate is within three standard errors of its level, or below."""
    return rate <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)


def test_ranks_keep_their_level_at_the_margin(volume: Callable[[int, int, int], int]) -> None:
    runs, generator, wrong = volume(400, 10_000, 100_000), np.random.default_rng(11), 0
    for _ in range(runs):
        first = generator.exponential(1, 14)
        second = generator.exponential(1, 14) + 1.0
        found = ranks.shift(first.tolist(), second.tolist(), 0.05, 1.0)
        wrong += found is not None and found[1] > -1 and found[2] < 1

    assert at_most(wrong / runs, 0.05, runs)


@pytest.mark.parametrize("size", [1, 4])
def test_spread_keeps_its_level_at_the_margin(
    size: int, volume: Callable[[int, int, int], int]
) -> None:
    runs, generator, wrong = volume(400, 10_000, 100_000), np.random.default_rng(12), 0
    for _ in range(runs):
        totals = []
        for scale in (1.0, 2.0):
            levels = generator.normal(0, scale, (12, 1))
            rows = levels + generator.normal(0, scale, (12, size)) * (size > 1)
            totals.append(spread.total(summed(rows.tolist())))
        first, second = totals
        wrong += spread.ratio(first, second, 0.05, 2.0).outcome() is Outcome.PASSED

    assert at_most(wrong / runs, 0.05, runs)


def test_the_whole_engine_keeps_its_level_for_nested_data(
    volume: Callable[[int, int, int], int],
) -> None:
    runs, plan, wrong = volume(60, 2_000, 10_000), comparing.plan(), 0
    for seed in range(runs):
        first = comparing.drawn(comparing.REFERENCE, 2 * seed, spread=(0.08, 0.02))
        second = comparing.drawn(comparing.SITE, 2 * seed + 1, mean=20.1, spread=(0.08, 0.02))
        verdict = run(plan, comparing.dataset(first, second)).verdicts[0].verdict
        wrong += verdict is Verdict.EQUIVALENT

    assert at_most(wrong / runs, 0.05, runs)


def test_words_without_a_decisive_gate_are_the_verdict_alone() -> None:
    assert sentence(Kind.PROCESS, Verdict.INCONCLUSIVE, 1, []) == (
        "Whether the two processes behave alike is not shown."
    )
