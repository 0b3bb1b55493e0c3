import random
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import comparing
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence import copies
from guildmark.domain.equivalence.columns import ForeignSiteError
from guildmark.domain.equivalence.dataset import Claim, Dataset, GaugeStudy, Statistic, Trial
from guildmark.domain.equivalence.engine import OtherEngineError, run
from guildmark.domain.equivalence.plan import (
    Comparison,
    EquivalencePlan,
    FamilyRule,
    Kind,
    Method,
    Replication,
    Transformation,
    engine_digest,
)
from guildmark.domain.equivalence.verdict import EquivalenceResult, Gate, GateOutcome, Verdict
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath

FULL = comparing.characteristic(
    spread_margin="2.5", lower="19.8", upper="20.2", min_cpk="1", max_gauge="0.3"
)
PLAN = comparing.plan(characteristics=(FULL,))
REFERENCE = comparing.drawn(comparing.REFERENCE, 1)
SITE = comparing.drawn(comparing.SITE, 2)
DATA = comparing.dataset(REFERENCE, SITE, studies=(comparing.study(),))


def verdict(plan: EquivalencePlan, data: Dataset) -> Verdict:
    """Return how the first comparison ended."""
    return run(plan, data).verdicts[0].verdict


def reasons(result: EquivalenceResult) -> list[str]:
    """Return why gates did not pass."""
    return [one.reason for one in result.gates if not one.passed]


def gate(result: EquivalenceResult, wanted: Gate) -> GateOutcome:
    """Return the first outcome of a gate."""
    return next(one for one in result.gates if one.gate is wanted)


def altered(readings: tuple[Reading, ...], at: int, **changes: Any) -> tuple[Reading, ...]:
    """Return readings with one of them changed."""
    return (*readings[:at], replace(readings[at], **changes), *readings[at + 1 :])


def test_two_sites_that_behave_alike_are_equivalent_with_reasons_for_every_gate() -> None:
    result = run(PLAN, DATA)

    assert result.verdicts[0].verdict is Verdict.EQUIVALENT
    assert result.verdicts[0].summary == (
        "Parts of the two sites are interchangeable in the one declared feature."
    )
    assert {one.gate for one in result.gates} == set(Gate) - {Gate.PROCESS}
    assert all(one.passed and one.reason for one in result.gates)


def test_figures_of_an_engine_version_never_change() -> None:
    # Other figures for the same plan and data need another ENGINE_VERSION.
    assert run(PLAN, DATA).digest().hex() == (
        "818efc194d7421ff533edfd383870ae5a52e96e6bc50281fc45b760d38e8c603"
    )


def test_the_order_of_the_data_cannot_be_seen_in_the_bytes() -> None:
    first = run(PLAN, DATA).encode()

    for seed in range(3):
        mixed = random.Random(seed).sample(DATA.readings, len(DATA.readings))
        assert run(PLAN, replace(DATA, readings=tuple(mixed))).encode() == first


def test_a_result_is_read_from_its_bytes() -> None:
    result = run(PLAN, DATA)

    assert EquivalenceResult.parse(result.encode()) == result


def test_a_plan_for_another_engine_is_refused() -> None:
    with pytest.raises(OtherEngineError, match="names the engine"):
        run(replace(PLAN, engine=engine_digest(1)), DATA)


def test_a_site_that_the_plan_does_not_name_is_refused() -> None:
    with pytest.raises(ForeignSiteError, match=comparing.OTHER):
        run(PLAN, comparing.dataset(REFERENCE, SITE, comparing.drawn(comparing.OTHER, 3)))


def test_sites_far_apart_are_not_equivalent() -> None:
    plan = comparing.plan()
    far = comparing.drawn(comparing.SITE, 2, mean=20.3)

    result = run(plan, comparing.dataset(REFERENCE, far))

    assert result.verdicts[0].verdict is Verdict.NOT_EQUIVALENT
    assert "outside the margin" in result.verdicts[0].summary
    assert "Gate 5, location (/tolerance/width)" in result.verdicts[0].summary


def test_sites_in_between_are_inconclusive() -> None:
    near = comparing.drawn(comparing.SITE, 2, mean=20.1)

    assert verdict(comparing.plan(), comparing.dataset(REFERENCE, near)) is Verdict.INCONCLUSIVE


def test_too_few_builds_are_inconclusive_and_more_are_equivalent() -> None:
    few = [comparing.drawn(site, 5, size=(4, 3)) for site in (comparing.REFERENCE, comparing.SITE)]
    few[1] = comparing.drawn(comparing.SITE, 6, size=(4, 3))
    plan = comparing.plan(units=12, replicates=12)

    result = run(plan, comparing.dataset(*few))

    assert result.verdicts[0].verdict is Verdict.INCONCLUSIVE
    assert reasons(result) == ["4 independent builds where the plan asks for at least 12."]
    assert verdict(comparing.plan(), comparing.dataset(REFERENCE, SITE)) is Verdict.EQUIVALENT


def test_few_builds_that_are_far_off_are_not_equivalent_all_the_same() -> None:
    first = comparing.drawn(comparing.REFERENCE, 5, size=(4, 3))
    far = comparing.drawn(comparing.SITE, 6, size=(4, 3), mean=25)
    plan = comparing.plan(units=12, replicates=12)

    assert verdict(plan, comparing.dataset(first, far)) is Verdict.NOT_EQUIVALENT


def test_one_build_is_too_few_for_anything() -> None:
    sites = [
        comparing.drawn(site, seed, size=(1, 12))
        for seed, site in enumerate((comparing.REFERENCE, comparing.SITE))
    ]

    result = run(comparing.plan(units=12), comparing.dataset(*sites))

    assert result.verdicts[0].verdict is Verdict.INCONCLUSIVE
    assert set(reasons(result)) == {"There are not two builds that differ: too few for any chart."}


def test_parts_of_one_build_are_not_independent() -> None:
    # Between builds there is ten times the variation of within: 12 builds tell little.
    sites = [
        comparing.drawn(site, seed, spread=(0.15, 0.01), size=(12, 20))
        for seed, site in ((3, comparing.REFERENCE), (4, comparing.SITE))
    ]
    data = comparing.dataset(*sites)
    nested = comparing.plan(units=240)
    naive = replace(nested, replication=Replication.PART, sigmas="7.9", normality="0.0000001")

    assert verdict(nested, data) is Verdict.INCONCLUSIVE
    location = gate(run(naive, data), Gate.LOCATION)
    assert location.passed


def test_lots_are_replicates_where_the_plan_says_so() -> None:
    lots = [
        tuple(
            replace(one, lot=f"{one.site[2:4]}-{one.build.split('/')[1]}")
            for one in comparing.drawn(site, seed)
        )
        for seed, site in ((1, comparing.REFERENCE), (2, comparing.SITE))
    ]
    plan = comparing.plan(replication=Replication.LOT)
    unnamed = comparing.dataset(REFERENCE, SITE)

    assert verdict(plan, comparing.dataset(*lots)) is Verdict.EQUIVALENT
    assert verdict(plan, unnamed) is Verdict.INCONCLUSIVE


def test_several_sites_are_compared_with_the_reference_or_in_all_pairs() -> None:
    far = comparing.drawn(comparing.OTHER, 3, mean=20.3)
    plan = comparing.plan(sites=(comparing.SITE, comparing.OTHER))
    data = comparing.dataset(REFERENCE, SITE, far)

    against = run(plan, data)
    each = run(replace(plan, comparison=Comparison.PAIRS), data)

    assert against.of_site(comparing.SITE) is Verdict.EQUIVALENT
    assert against.of_site(comparing.OTHER) is Verdict.NOT_EQUIVALENT
    assert [one.verdict for one in each.verdicts] == [
        Verdict.EQUIVALENT,
        Verdict.NOT_EQUIVALENT,
        Verdict.NOT_EQUIVALENT,
    ]
    assert each.of_site(comparing.SITE) is Verdict.NOT_EQUIVALENT


def test_a_site_that_failed_the_protocol_spoils_no_other() -> None:
    plan = comparing.plan(sites=(comparing.SITE, comparing.OTHER))
    late = "Its data came after the deadline."
    data = comparing.dataset(REFERENCE, SITE, failed={comparing.OTHER: late})

    result = run(plan, data)

    assert result.of_site(comparing.SITE) is Verdict.EQUIVALENT
    assert result.of_site(comparing.OTHER) is Verdict.INVALID
    assert reasons(result) == [late]


SPOILT: Mapping[str, tuple[tuple[Reading, ...], str]] = {
    "wrong unit": (altered(SITE, 3, unit="cm"), "in cm where the plan says mm"),
    "mixed instruments": (altered(SITE, 3, instrument="0x" + "88" * 32), "are mixed"),
    "unknown instrument": (altered(SITE, 3, instrument="0x" + "77" * 32), "no registered machine"),
    "a part too few": (SITE[:-1], "35 parts are measured where the plan draws 36"),
    "a part twice": ((*SITE, replace(SITE[0], value=Decimal(20))), "measured more than once"),
    "no raw data": (altered(SITE, 3, raw=None), "without the digest of its raw data"),
    "one raw file for two parts": (altered(SITE, 3, raw=SITE[4].raw), "one and the same raw data"),
    "raw data of another site": (altered(SITE, 3, raw=REFERENCE[4].raw), "the same raw data"),
    "absurdly small": (altered(SITE, 3, value=Decimal(9)), "absurd: nothing is below 10"),
    "absurdly large": (altered(SITE, 3, value=Decimal(31)), "absurd: nothing is above 30"),
    "absurdly long": (altered(SITE, 3, value=Decimal("20." + "1" * 17)), "too many digits"),
    "absurdly huge": (altered(SITE, 3, value=Decimal("1e400")), "too many digits"),
    "all equal": (
        tuple(replace(one, value=Decimal(20)) for one in SITE),
        "All 36 values are equal",
    ),
    "equal builds": (
        tuple(
            replace(one, value=Decimal(["19.9", "20", "20.1"][at % 3]))
            for at, one in enumerate(SITE)
        ),
        "The means of all 12 builds are equal",
    ),
    "copied from the other site": (
        tuple(replace(one, value=other.value) for one, other in zip(SITE, REFERENCE, strict=True)),
        "are another's",
    ),
    "copied, shifted and shuffled": (
        tuple(
            replace(one, value=other.value + Decimal("0.013"))
            for one, other in zip(SITE, reversed(REFERENCE), strict=True)
        ),
        "are another's",
    ),
    "copied within the site": (
        tuple(replace(one, value=SITE[at % 6].value) for at, one in enumerate(SITE)),
        "The values of part",
    ),
    "a part of two builds": (altered(SITE, 3, part=SITE[9].part), "from two places"),
    "an unplanned characteristic": (
        (*SITE, replace(SITE[0], characteristic=comparing.HEIGHT)),
        "does not know the characteristic /tolerance/height",
    ),
    "nothing": ((), "There is no value at all"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_data_that_may_not_be_used_is_invalid(name: str) -> None:
    readings, said = SPOILT[name]
    plan = comparing.plan(characteristics=(comparing.characteristic(least="10", most="30"),))
    known = frozenset({comparing.GAUGE, "0x" + "88" * 32})

    result = run(plan, comparing.dataset(REFERENCE, readings, instruments=known))

    assert result.verdicts[0].verdict is Verdict.INVALID
    assert any(said in reason for reason in reasons(result)), reasons(result)


def test_an_invalid_summary_names_its_site() -> None:
    plan = comparing.plan(characteristics=(comparing.characteristic(),))
    alone = run(plan, comparing.dataset(REFERENCE, altered(SITE, 3, unit="cm"))).verdicts[0]

    assert f"Gate 2, integrity ({comparing.WIDTH} at {comparing.SITE}): " in alone.summary
    assert comparing.REFERENCE not in alone.summary


def test_values_at_the_bounds_of_what_can_be_true_are_used() -> None:
    values = [one.value for one in (*REFERENCE, *SITE)]
    wanted = comparing.characteristic(least=str(min(values)), most=str(max(values)))

    data = comparing.dataset(REFERENCE, SITE)

    assert verdict(comparing.plan(characteristics=(wanted,)), data) is Verdict.EQUIVALENT


def test_a_plan_may_let_instruments_be_mixed() -> None:
    second = "0x" + "88" * 32
    mixed = altered(SITE, 3, instrument=second)
    plan = comparing.plan(mixes_instruments=True)
    data = comparing.dataset(REFERENCE, mixed, instruments=frozenset({comparing.GAUGE, second}))

    assert verdict(plan, data) is Verdict.EQUIVALENT


@pytest.mark.parametrize(
    ("statistic", "true", "false"),
    [
        (Statistic.COUNT, "36", "35"),
        (Statistic.MEAN, "19.990", "19.991"),
        (Statistic.DEVIATION, "0.036", "0.035"),
        (Statistic.LEAST, str(min(one.value for one in SITE)), "19"),
        (Statistic.GREATEST, str(max(one.value for one in SITE)), "21"),
    ],
)
def test_what_is_claimed_is_recomputed(statistic: Statistic, true: str, false: str) -> None:
    def claimed(value: str) -> EquivalenceResult:
        claim = Claim(
            site=comparing.SITE,
            characteristic=comparing.WIDTH,
            statistic=statistic,
            value=Decimal(value),
        )
        elsewhere = replace(claim, site=comparing.OTHER)
        data = comparing.dataset(REFERENCE, SITE, claims=(claim, elsewhere))
        return run(comparing.plan(), data)

    assert claimed(true).verdicts[0].verdict is Verdict.EQUIVALENT
    refused = claimed(false)
    assert refused.verdicts[0].verdict is Verdict.INVALID
    assert f"The claimed {statistic} is {false}; from the values it is" in reasons(refused)[0]
    assert claimed("NaN").verdicts[0].verdict is Verdict.INVALID


def test_a_claim_about_one_value_is_recomputed() -> None:
    claim = Claim(
        site=comparing.SITE,
        characteristic=comparing.WIDTH,
        statistic=Statistic.DEVIATION,
        value=Decimal("0.5"),
    )
    data = comparing.dataset(REFERENCE, SITE[:1], claims=(claim,))

    assert any("from the values it is 0." in one for one in reasons(run(comparing.plan(), data)))


@pytest.mark.parametrize(
    ("study", "said"),
    [
        (None, "has no study"),
        (comparing.study(noise=0.2), "of the study variation"),
        (replace(comparing.study(), trials=comparing.study().trials[1:]), "is not crossed"),
        (replace(comparing.study(), trials=()), "is not crossed"),
        (replace(comparing.study(), trials=comparing.study().trials[::2]), "is not crossed"),
        (
            GaugeStudy(
                instrument=comparing.GAUGE,
                characteristic=comparing.WIDTH,
                trials=(Trial(part="1", appraiser="A", value=Decimal("NaN")),),
            ),
            "is not crossed",
        ),
        (
            replace(
                comparing.study(),
                trials=tuple(replace(one, value=Decimal(20)) for one in comparing.study().trials),
            ),
            "shows one value only",
        ),
    ],
)
def test_a_bad_gauge_makes_data_invalid(study: GaugeStudy | None, said: str) -> None:
    data = replace(DATA, studies=() if study is None else (study,))

    result = run(PLAN, data)

    assert result.verdicts[0].verdict is Verdict.INVALID
    assert said in reasons(result)[0]


def test_an_unstable_process_is_inconclusive() -> None:
    jumped = tuple(
        replace(one, value=one.value + Decimal("0.2")) if at // 3 == 5 else one
        for at, one in enumerate(SITE)
    )

    result = run(comparing.plan(), comparing.dataset(REFERENCE, jumped))

    assert result.verdicts[0].verdict is Verdict.INCONCLUSIVE
    assert "was not stable: on the chart of means point 6 of 12" in reasons(result)[0]


def skewed(site: str, seed: int, shift: float = 0.0) -> tuple[Reading, ...]:
    """Return builds whose levels are far from normal."""
    source = random.Random(seed)
    found = []
    for build in range(1, 41):
        level = 20 + shift + source.expovariate(40)
        for part in (1, 2):
            value = f"{source.gauss(level, 0.001):.5f}"
            found.append(comparing.reading(site, build, part, value))
    return tuple(found)


def test_what_is_not_normal_goes_by_ranks_where_the_plan_said_so() -> None:
    data = comparing.dataset(skewed(comparing.REFERENCE, 1), skewed(comparing.SITE, 2))
    plan = comparing.plan(units=80, sigmas="6", rules=comparing.plan().rules[:1])
    ranks = comparing.characteristic(method=Method.RANKS, spread_margin="5")

    assert "are hardly normal" in reasons(run(plan, data))[0]
    by_ranks = run(replace(plan, characteristics=(ranks,)), data)
    assert by_ranks.verdicts[0].verdict is Verdict.EQUIVALENT
    assert "asks for no distribution" in gate(by_ranks, Gate.DISTRIBUTION).reason


def test_too_few_ranks_are_inconclusive() -> None:
    sites = [
        comparing.drawn(site, seed, size=(3, 1))
        for seed, site in ((1, comparing.REFERENCE), (2, comparing.SITE))
    ]
    ranks = comparing.characteristic(method=Method.RANKS, spread_margin="3")
    plan = comparing.plan(characteristics=(ranks,), units=3, replicates=3, alpha="0.01")

    result = run(plan, comparing.dataset(*sites))

    assert reasons(result) == [
        "3 builds of a site are too few for any interval.",
        "There are too few replicates for an interval of the ratio of deviations.",
    ]


def test_margins_of_logarithms_are_ratios() -> None:
    wanted = comparing.characteristic(
        margin="1.01",
        transformation=Transformation.LOG,
        lower="19.8",
        upper="20.2",
        min_cpk="1",
        spread_margin="2.5",
    )
    plan = comparing.plan(characteristics=(wanted,))
    negative = altered(SITE, 3, value=Decimal("-0.001"))

    result = run(plan, comparing.dataset(REFERENCE, SITE))

    assert result.verdicts[0].verdict is Verdict.EQUIVALENT
    assert "of logarithms" in gate(result, Gate.LOCATION).reason
    refused = run(plan, comparing.dataset(REFERENCE, negative))
    assert "has no logarithm" in reasons(refused)[0]


def test_spread_has_its_own_margin() -> None:
    wide = comparing.drawn(comparing.SITE, 2, spread=(0.08, 0.08))
    wanted = comparing.characteristic(margin="1", spread_margin="1.5")
    plan = comparing.plan(characteristics=(wanted,))

    wider = run(plan, comparing.dataset(REFERENCE, wide))
    across = run(plan, comparing.dataset(REFERENCE, SITE))

    assert wider.verdicts[0].verdict is Verdict.NOT_EQUIVALENT
    assert "outside the margin" in gate(wider, Gate.SPREAD).reason
    assert across.verdicts[0].verdict is Verdict.INCONCLUSIVE
    assert "across the margin" in gate(across, Gate.SPREAD).reason


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [
        ("1", Verdict.EQUIVALENT),
        ("1.8", Verdict.INCONCLUSIVE),
        ("4", Verdict.NOT_EQUIVALENT),
    ],
)
def test_capability_counts_by_its_bounds(minimum: str, expected: Verdict) -> None:
    wanted = comparing.characteristic(lower="19.8", upper="20.2", min_cpk=minimum)
    plan = comparing.plan(characteristics=(wanted,))

    assert verdict(plan, comparing.dataset(REFERENCE, SITE)) is expected


def test_holm_claims_each_characteristic_by_itself() -> None:
    two = (comparing.characteristic(path=comparing.HEIGHT), comparing.characteristic())
    plan = comparing.plan(characteristics=two, family=FamilyRule.HOLM)
    taller = tuple(
        replace(one, characteristic=comparing.HEIGHT, value=one.value + 5)
        for one in (*REFERENCE, *SITE)
    )
    data = comparing.dataset(REFERENCE, SITE, taller)

    kept = run(plan, data)
    p = Decimal(gate(kept, Gate.LOCATION).figures["p"])
    lost = run(replace(plan, alpha=f"{p * Decimal('1.5'):.12f}"), data)

    assert gate(kept, Gate.FAMILY).reason == "Under Holm's rule all 2 claims stand."
    assert kept.verdicts[0].verdict is Verdict.EQUIVALENT
    assert kept.verdicts[0].summary == (
        "Parts of the two sites are interchangeable in all 2 declared features."
    )
    assert gate(kept, Gate.INTEGRITY).reason == "2 characteristics, 36 parts, each measured once."
    assert gate(lost, Gate.LOCATION).passed
    assert gate(lost, Gate.FAMILY).reason == (
        "Under Holm's rule 2 of 2 claims fall, first /tolerance/height."
    )
    assert lost.verdicts[0].verdict is Verdict.INCONCLUSIVE


WINDOW = ClausePath("/process/nozzle/layers-10-20")


def warm(site: str, seed: int, mean: float = 210.0) -> tuple[Reading, ...]:
    """Return a nozzle's temperature in a window of each build."""
    source = random.Random(seed)
    return tuple(
        replace(
            comparing.reading(site, build, 0, f"{source.gauss(mean, 1):.3f}"),
            part=f"{site[2:6]}-telemetry-{build}",
            characteristic=WINDOW,
            unit="Cel",
        )
        for build in range(1, 13)
    )


def test_processes_are_judged_by_their_windows_and_apart_from_parts() -> None:
    window = comparing.characteristic(path=WINDOW, unit="Cel", margin="3", kind=Kind.PROCESS)
    plan = comparing.plan(characteristics=(window, comparing.characteristic()))
    parts = comparing.dataset(REFERENCE, SITE)

    def with_site(mean: float) -> EquivalenceResult:
        windows = (*warm(comparing.REFERENCE, 1), *warm(comparing.SITE, 21, mean))
        return run(plan, replace(parts, readings=(*parts.readings, *windows)))

    same, other = with_site(210), with_site(220)

    assert [(one.kind, one.verdict) for one in same.verdicts] == [
        (Kind.PART, Verdict.EQUIVALENT),
        (Kind.PROCESS, Verdict.EQUIVALENT),
    ]
    assert same.verdicts[1].summary == "The two processes behave alike in the one declared window."
    assert other.of_site(comparing.SITE) is Verdict.EQUIVALENT
    assert other.of_site(comparing.SITE, Kind.PROCESS) is Verdict.NOT_EQUIVALENT
    assert gate(other, Gate.PROCESS).outcome.value == "failed"


def test_logarithms_that_do_not_vary_are_inconclusive() -> None:
    pairs = (("1", "4"), ("2", "2"), ("4", "1"))
    readings = [
        comparing.reading(comparing.REFERENCE, build, part, value)
        for build, pair in enumerate(pairs)
        for part, value in enumerate(pair)
    ]
    wanted = comparing.characteristic(margin="1.5", transformation=Transformation.LOG)
    plan = comparing.plan(characteristics=(wanted,), units=6, replicates=3)
    other = comparing.drawn(comparing.SITE, 1, mean=2, size=(3, 2))

    result = run(plan, comparing.dataset(readings, other))

    assert result.verdicts[0].verdict is Verdict.INCONCLUSIVE


def test_coincidences_of_a_coarse_instrument_are_no_copies() -> None:
    coarse = [
        tuple(replace(one, value=round(one.value, 2)) for one in site) for site in (REFERENCE, SITE)
    ]

    result = run(comparing.plan(), comparing.dataset(*coarse))

    assert gate(result, Gate.INTEGRITY).passed
    assert result.verdicts[0].verdict is Verdict.EQUIVALENT


def test_builds_of_several_sizes_are_looked_at_for_copies() -> None:
    sizes = [(build, part) for build in range(1, 13) for part in range(2 + 4 * (build % 2))]
    source = random.Random(1)
    sites = [
        tuple(
            comparing.reading(site, build, part, f"{source.gauss(20, 0.02):.5f}")
            for build, part in sizes
        )
        for site in (comparing.REFERENCE, comparing.SITE)
    ]
    copied = tuple(
        replace(one, value=other.value) if one.build.endswith(("/3", "/5")) else one
        for one, other in zip(sites[1], sites[0], strict=True)
    )
    plan = comparing.plan(units=len(sizes))

    assert verdict(plan, comparing.dataset(*sites)) is Verdict.EQUIVALENT
    result = run(plan, comparing.dataset(sites[0], copied))
    assert any("of one build" in one for one in reasons(result))


def test_rows_of_equal_keys_are_compared_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_mixed", lambda rows: np.zeros(len(rows), dtype="uint64"))

    assert verdict(comparing.plan(), comparing.dataset(REFERENCE, SITE)) is Verdict.EQUIVALENT


def test_nothing_at_all_is_invalid() -> None:
    assert verdict(comparing.plan(), comparing.dataset()) is Verdict.INVALID


def test_characteristics_of_other_parts_are_no_copies() -> None:
    two = (comparing.characteristic(path=comparing.HEIGHT), comparing.characteristic())
    others = tuple(
        replace(one, part=f"{one.part}b", characteristic=comparing.HEIGHT)
        for one in (*REFERENCE, *SITE)
    )
    plan = comparing.plan(characteristics=two)

    result = run(plan, comparing.dataset(REFERENCE, SITE, others))

    # The same raw file cannot be of two parts.
    assert all("raw data" in reason for reason in reasons(result))


def test_a_characteristic_that_is_the_same_everywhere_says_nothing_of_copies() -> None:
    two = (comparing.characteristic(path=comparing.HEIGHT), comparing.characteristic())
    flat = tuple(
        replace(one, value=Decimal(5), characteristic=comparing.HEIGHT)
        for one in (*REFERENCE, *SITE)
    )
    doubled = altered((*REFERENCE, *SITE), 40, value=REFERENCE[3].value)
    plan = comparing.plan(characteristics=two)

    result = run(plan, comparing.dataset(doubled, flat))

    assert set(reasons(result)) == {"All 36 values are equal."}


def test_holm_counts_spread_as_a_claim() -> None:
    plan = replace(PLAN, family=FamilyRule.HOLM)

    result = run(plan, DATA)

    spread = gate(result, Gate.SPREAD)
    assert result.verdicts[0].verdict is Verdict.EQUIVALENT
    assert gate(result, Gate.FAMILY).figures == {comparing.WIDTH: spread.figures["p"]}


def test_raw_files_of_one_digest_are_named_by_both_parts() -> None:
    data = comparing.dataset(REFERENCE, altered(SITE, 3, raw=sha256(b"one")), SITE[:0])
    shared = replace(data, readings=altered(data.readings, 0, raw=sha256(b"one")))

    result = run(comparing.plan(), shared)

    assert {one.sites for one in result.gates if "raw data" in one.reason} == {
        (comparing.REFERENCE,),
        (comparing.SITE,),
    }
