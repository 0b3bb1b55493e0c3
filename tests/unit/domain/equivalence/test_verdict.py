import json
from typing import Any

import pytest

import comparing
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.equivalence.plan import Kind, engine_digest
from guildmark.domain.equivalence.verdict import (
    EquivalenceResult,
    FigureError,
    Gate,
    GateOutcome,
    Outcome,
    PairVerdict,
    Verdict,
    figure,
    verdict_of,
    worst,
)
from guildmark.domain.identifiers import Digest


def outcome(gate: Gate, outcome: Outcome = Outcome.PASSED, **changes: Any) -> GateOutcome:
    return GateOutcome(gate=gate, outcome=outcome, reason="It is so.", **changes)


RESULT = EquivalenceResult(
    plan=comparing.plan().digest(),
    engine=engine_digest(),
    data={comparing.SITE: Digest(bytes(32))},
    verdicts=(
        PairVerdict(
            sites=(comparing.REFERENCE, comparing.SITE),
            kind=Kind.PART,
            verdict=Verdict.INCONCLUSIVE,
            summary="Too few builds.",
        ),
    ),
    gates=(
        outcome(Gate.GAUGE, characteristic=comparing.WIDTH, figures={"share": "0.25", "b": "1"}),
        outcome(Gate.LOCATION, Outcome.INCONCLUSIVE, sites=(comparing.SITE,)),
    ),
)


def test_a_result_reads_what_it_wrote() -> None:
    assert EquivalenceResult.parse(RESULT.encode()) == RESULT


def test_a_results_text_is_the_canonical_one() -> None:
    assert RESULT.encode() == canonical(json.loads(RESULT.encode()))
    assert len(RESULT.digest()) == 32


def test_a_site_is_as_good_as_its_worst_comparison() -> None:
    assert RESULT.of_site(comparing.SITE) is Verdict.INCONCLUSIVE
    assert RESULT.of_site(comparing.OTHER) is None
    assert RESULT.of_site(comparing.SITE, Kind.PROCESS) is None


def test_nothing_bad_is_equivalent() -> None:
    assert worst([]) is Verdict.EQUIVALENT
    assert worst(Verdict) is Verdict.INVALID


def test_gates_are_numbered_and_the_first_four_are_premises() -> None:
    assert [gate.number for gate in Gate] == list(range(1, 10))
    assert [gate for gate in Gate if gate.is_premise] == list(Gate)[:4]


@pytest.mark.parametrize(
    ("gates", "verdict"),
    [
        ([outcome(gate) for gate in Gate], Verdict.EQUIVALENT),
        (
            # An unstable process says nothing of where it is.
            [outcome(Gate.LOCATION, Outcome.FAILED), outcome(Gate.STABILITY, Outcome.INCONCLUSIVE)],
            Verdict.INCONCLUSIVE,
        ),
        (
            [outcome(Gate.LOCATION, Outcome.INCONCLUSIVE), outcome(Gate.SPREAD, Outcome.FAILED)],
            Verdict.NOT_EQUIVALENT,
        ),
        (
            [outcome(Gate.GAUGE, Outcome.INCONCLUSIVE), outcome(Gate.INTEGRITY, Outcome.INVALID)],
            Verdict.INVALID,
        ),
        (
            [outcome(Gate.INTEGRITY), outcome(Gate.INTEGRITY, Outcome.INVALID)],
            Verdict.INVALID,
        ),
    ],
)
def test_the_first_premise_decides_and_then_the_worst_claim(
    gates: list[GateOutcome], verdict: Verdict
) -> None:
    assert verdict_of(gates) is verdict


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (12345678.0125, "12345678.01"),
        # Exactly between two: to the even one.
        (12345678.125, "12345678.12"),
        (12345678.375, "12345678.38"),
        (1e-12, "1e-12"),
    ],
)
def test_figures_have_ten_digits_rounded_half_even(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_figures_are_finite(value: float) -> None:
    with pytest.raises(FigureError):
        figure(value)


def test_a_passed_gate_says_so() -> None:
    assert outcome(Gate.GAUGE).passed
    assert not outcome(Gate.GAUGE, Outcome.INVALID).passed
