"""Gate 9: what machines told, inside its window, covered, shown, and alike at two sites."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import comparing
from fakes.telemetry import CHANNEL, NOZZLE, chunks, opened, window
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.engine import run
from guildmark.domain.equivalence.plan import (
    DRAWN_CHUNKS_MAX,
    CharacteristicPlan,
    EquivalencePlan,
    Kind,
    MalformedPlanError,
    Trace,
    TraceStatistic,
)
from guildmark.domain.equivalence.process.traces import BuildTrace, signatures
from guildmark.domain.equivalence.verdict import (
    Basis,
    EquivalenceResult,
    Gate,
    GateOutcome,
    Verdict,
)
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.jobs import Gap

BUILDS, DRAWN, LAYERS = 12, 3, 5
SITES = (comparing.REFERENCE, comparing.SITE)


def plan(wanted: CharacteristicPlan | None = None, **changes: Any) -> EquivalencePlan:
    members: dict[str, Any] = {
        "characteristics": (wanted or window(),),
        "drawn_from": 36,
        "chunks": DRAWN,
    }
    return comparing.plan(**{**members, **changes})


def traced(
    site: str, values: Mapping[int, Sequence[str]] | None = None, **changes: Any
) -> tuple[BuildTrace, ...]:
    """Return a site's builds, some of them telling what a test says."""
    source = random.Random(site)
    found = []
    for build in range(1, BUILDS + 1):
        level = source.gauss(210, 0.3)
        told = [f"{source.gauss(level, 0.5):.2f}" for _ in range(LAYERS)]
        name = f"{site[2:6]}/{build}"
        own = chunks(name, (values or {}).get(build, told))
        found.append(opened(f"{site[2:6]}.{build}-1", name, own, DRAWN, **changes))
    return tuple(found)


def readings(
    made: EquivalencePlan, traces: Mapping[str, tuple[BuildTrace, ...]]
) -> tuple[Reading, ...]:
    """Return what telemetry gives, as data hold it."""
    told = signatures(made, traces)
    parts = {one.build: one.part for each in traces.values() for one in each}
    return tuple(
        Reading(
            part=parts[one.build],
            build=one.build,
            site=site,
            characteristic=path,
            value=one.value or Decimal(0),
            unit="Cel",
            instrument=comparing.GAUGE,
            raw=one.root,
        )
        for (site, path), builds in told.items()
        for one in builds
    )


def data(made: EquivalencePlan, *own: tuple[BuildTrace, ...]) -> Dataset:
    traces = dict(zip(SITES, own, strict=True))
    return replace(comparing.dataset(readings(made, traces)), traces=traces)


ALIKE = (traced(comparing.REFERENCE), traced(comparing.SITE))


def process(result: EquivalenceResult, site: str) -> GateOutcome:
    """Return what a site's own telemetry shows."""
    return next(one for one in result.gates if one.gate is Gate.PROCESS and one.sites == (site,))


def ended(result: EquivalenceResult) -> Verdict | None:
    return result.of_site(comparing.SITE, Kind.PROCESS)


def test_processes_that_keep_their_window_alike_are_equivalent_by_telemetry() -> None:
    result = run(plan(), data(plan(), *ALIKE))

    found = process(result, comparing.SITE)
    assert ended(result) is Verdict.EQUIVALENT
    assert result.basis(comparing.SITE) is Basis.TELEMETRY
    assert found.reason == (
        "In each build a share of at least 1 of the values lies in [205, 215] Cel, by telemetry."
    )
    assert {**found.figures, "deviation": "-"} == {
        "builds": "12",
        "chunks": "36",
        "drawn": "36",
        "coverage": "1",
        "inside": "1",
        "deviation": "-",
    }
    assert result.encode() == run(plan(), data(plan(), *ALIKE)).encode()
    assert EquivalenceResult.parse(result.encode()) == result


def test_what_sites_state_needs_no_telemetry_and_is_called_so() -> None:
    stated = replace(window(), trace=None)
    made = plan(stated, chunks=None)

    result = run(made, comparing.dataset(data(plan(), *ALIKE).readings))

    assert ended(result) is Verdict.EQUIVALENT
    assert result.basis(comparing.SITE) is Basis.STATED


def test_a_plan_may_compare_both_kinds() -> None:
    own = replace(window(), path=ClausePath("/process/stated"), trace=None)
    made = plan(characteristics=(window(), own))
    told = data(plan(), *ALIKE)
    also = tuple(
        replace(one, characteristic=own.path, raw=sha256(one.part.encode()))
        for one in told.readings
    )

    result = run(made, replace(told, readings=(*told.readings, *also)))

    assert result.basis(comparing.SITE) is Basis.BOTH


def test_another_mean_is_not_equivalent_though_each_site_keeps_its_window() -> None:
    source = random.Random(1)
    cool = {
        build: [f"{source.gauss(206, 0.2):.2f}" for _ in range(LAYERS)]
        for build in range(1, BUILDS + 1)
    }

    result = run(plan(), data(plan(), ALIKE[0], traced(comparing.SITE, cool)))

    assert process(result, comparing.SITE).passed
    assert ended(result) is Verdict.NOT_EQUIVALENT


@pytest.mark.parametrize(
    ("value", "verdict"), [("215.00", Verdict.EQUIVALENT), ("215.01", Verdict.NOT_EQUIVALENT)]
)
def test_the_window_admits_its_own_bounds(value: str, verdict: Verdict) -> None:
    wide = window(Trace(channel=CHANNEL, min_inside="1"), margin="4")
    hot = traced(comparing.SITE, {3: ["209.00", "210.10", "211.30", "210.20", value]})
    made = plan(wide, chunks=LAYERS)
    every = tuple(
        opened(one.part, one.build, whole, LAYERS)
        for one, whole in zip(hot, wholes({3: value}), strict=True)
    )

    result = run(made, data(made, reference(LAYERS), every))

    assert ended(result) is verdict


def wholes(last: Mapping[int, str]) -> list[list[bytes]]:
    """Return all chunks of the other site's builds, with the last value of some set."""
    source = random.Random(5)
    found = []
    for build in range(1, BUILDS + 1):
        told = [f"{source.gauss(210, 0.4):.2f}" for _ in range(LAYERS)]
        told[-1] = last.get(build, told[-1])
        found.append(chunks(f"{comparing.SITE[2:6]}/{build}", told))
    return found


def reference(most: int) -> tuple[BuildTrace, ...]:
    source = random.Random(6)
    found = []
    for build in range(1, BUILDS + 1):
        told = [f"{source.gauss(210, 0.4):.2f}" for _ in range(LAYERS)]
        name = f"{comparing.REFERENCE[2:6]}/{build}"
        part = f"{comparing.REFERENCE[2:6]}.{build}-1"
        found.append(opened(part, name, chunks(name, told), most))
    return tuple(found)


def test_a_share_outside_may_be_allowed() -> None:
    lax = window(Trace(channel=CHANNEL, min_inside="0.8"), margin="4")
    made = plan(lax, chunks=LAYERS)
    every = tuple(
        opened(one.part, one.build, whole, LAYERS)
        for one, whole in zip(traced(comparing.SITE), wholes({3: "215.01"}), strict=True)
    )

    result = run(made, data(made, reference(LAYERS), every))

    assert process(result, comparing.SITE).figures["inside"] == "0.8"
    assert ended(result) is Verdict.EQUIVALENT


@pytest.mark.parametrize(("allowed", "verdict"), [(0, Verdict.INVALID), (1, Verdict.EQUIVALENT)])
def test_drawn_chunks_that_stay_closed_are_counted(allowed: int, verdict: Verdict) -> None:
    made = plan(window(Trace(channel=CHANNEL, max_missing=allowed)))

    result = run(made, data(made, ALIKE[0], traced(comparing.SITE, closed=1)))

    assert ended(result) is verdict
    assert process(result, comparing.SITE).figures["chunks"] == "24"
    assert process(result, comparing.REFERENCE).figures["chunks"] == "36"


@pytest.mark.parametrize(
    ("gap", "least", "verdict"),
    [
        (Gap(instance="", first=5, last=6), "0.5", Verdict.EQUIVALENT),
        (Gap(instance="", first=5, last=6), "0.51", Verdict.INCONCLUSIVE),
        (Gap(instance="", first=5, last=None), "0.01", Verdict.INCONCLUSIVE),
        (Gap(instance="", first=5, last=4), "1", Verdict.EQUIVALENT),
    ],
)
def test_what_a_source_lost_is_not_covered(gap: Gap, least: str, verdict: Verdict) -> None:
    made = plan(window(Trace(channel=CHANNEL, min_coverage=least)))
    one = ALIKE[1][0]
    told = [f"{209.5 + number / 4:.2f}" for number in range(LAYERS)]
    lossy = opened(one.part, one.build, chunks(one.build, told, [gap]), DRAWN)

    result = run(made, data(made, ALIKE[0], (lossy, *ALIKE[1][1:])))

    assert ended(result) is verdict


@pytest.mark.parametrize(("text", "unit"), [("UNAVAILABLE", "Cel"), ("210.00", "mm")])
def test_what_is_no_number_in_the_plans_unit_is_not_covered(text: str, unit: str) -> None:
    told = chunks("job", ["210.10", text], unit=unit)
    shown = opened("a.1", "a/1", told, 2)

    (found,) = signatures(plan(), {comparing.SITE: (shown,)})[comparing.SITE, NOZZLE]

    assert found.coverage == (Fraction(1, 2) if unit == "mm" else Fraction(3, 4))
    assert found.value == (None if unit == "mm" else Decimal("210.1"))


def test_a_channel_that_told_nothing_has_no_figure() -> None:
    made = plan(window(Trace(channel="fan")))
    shown = opened("a.1", "a/1", chunks("j", ["210"]), 1)

    (found,) = signatures(made, {comparing.SITE: (shown,)})[comparing.SITE, NOZZLE]

    assert found.value is None
    assert (found.inside, found.deviation) == (Fraction(0), Fraction(0))
    assert found.coverage == 1


def test_the_greatest_deviation_is_from_the_middle_of_the_window() -> None:
    made = plan(window(Trace(channel=CHANNEL, statistic=TraceStatistic.DEVIATION)))
    shown = opened("a.1", "a/1", chunks("j", ["210.5", "206.25", "212"]), 3)

    (found,) = signatures(made, {comparing.SITE: (shown,)})[comparing.SITE, NOZZLE]

    assert found.value == Decimal("3.75")


def test_a_mean_is_rounded_half_to_even_in_its_sixth_place() -> None:
    shown = opened("a.1", "a/1", chunks("j", ["210", "210.000001"]), 2)
    other = opened("a.2", "a/2", chunks("j", ["210.000001", "210.000002"]), 2)

    found = signatures(plan(), {comparing.SITE: (shown, other)})[comparing.SITE, NOZZLE]

    assert [str(one.value) for one in found] == ["210.000000", "210.000002"]


def test_a_figure_that_telemetry_does_not_give_is_invalid() -> None:
    told = data(plan(), *ALIKE)
    first, *others = told.readings
    better = replace(first, value=first.value + Decimal("0.000001"))

    result = run(plan(), replace(told, readings=(better, *others)))

    assert ended(result) is Verdict.INVALID
    reason = next(one.reason for one in result.gates if not one.passed)
    assert reason == (
        f"The build {first.build} is given the value {better.value}; its telemetry gives "
        f"{first.value}."
    )


@pytest.mark.parametrize("lacks", ["reading", "telemetry", "everything"])
def test_readings_and_telemetry_come_together(lacks: str) -> None:
    told = data(plan(), *ALIKE)
    first, *others = told.readings
    less = {
        "reading": replace(told, readings=tuple(others)),
        "telemetry": replace(told, traces={**told.traces, SITES[0]: ALIKE[0][1:]}),
        "everything": replace(told, traces={}),
    }[lacks]

    result = run(plan(), less)

    assert ended(result) is Verdict.INVALID
    reasons = [one.reason for one in result.gates if one.gate is Gate.INTEGRITY]
    assert any(f"The build {first.build} is given the value" in reason for reason in reasons)


def test_a_site_whose_data_do_not_count_is_told_once() -> None:
    told = data(plan(), *ALIKE)
    own = tuple(one for one in told.readings if one.site == SITES[0])
    less = replace(
        told, readings=own, traces={SITES[0]: ALIKE[0]}, failed={SITES[1]: "it was late"}
    )

    result = run(plan(), less)

    reasons = [one.reason for one in result.gates if one.sites == (SITES[1],)]
    assert reasons == ["it was late"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": Kind.PART}, "trace of /process/nozzle is of a process"),
        ({"lower": None}, "trace of /process/nozzle needs a window"),
        ({"upper": None}, "trace of /process/nozzle needs a window"),
    ],
)
def test_a_promise_is_of_a_process_and_has_a_window(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedPlanError, match=message):
        window(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel": ""}, "1 to 256 characters"),
        ({"channel": "x" * 257}, "1 to 256 characters"),
        ({"min_coverage": "0"}, "min_coverage of nozzle is above 0"),
        ({"min_coverage": "1.01"}, "min_coverage of nozzle is above 0"),
        ({"min_inside": "0"}, "min_inside of nozzle is above 0"),
        ({"max_missing": -1}, "max_missing of nozzle is at least 0"),
    ],
)
def test_a_promise_says_what_can_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedPlanError, match=message):
        Trace(**{"channel": CHANNEL, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chunks": None}, "chunks are named where"),
        ({"characteristics": (comparing.characteristic(),)}, "chunks are named where"),
        ({"drawn_from": None}, "chunks need drawn_from"),
        ({"chunks": 0}, "chunks are 1 to 100"),
        ({"chunks": DRAWN_CHUNKS_MAX + 1}, "chunks are 1 to 100"),
        (
            {"characteristics": (window(Trace(channel=CHANNEL, max_missing=3)),)},
            "chunks are 4 to 100",
        ),
    ],
)
def test_a_plan_draws_what_it_promises_of(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedPlanError, match=message):
        plan(**changes)


def test_a_plan_of_telemetry_is_read_from_its_bytes() -> None:
    made = plan(window(Trace(channel=CHANNEL, max_missing=1, min_inside="0.9")))

    assert EquivalencePlan.parse(made.encode()) == made
    assert plan(chunks=DRAWN_CHUNKS_MAX).chunks == DRAWN_CHUNKS_MAX
