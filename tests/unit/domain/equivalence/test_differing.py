"""What differs between two results is told by name; equal ones differ in nothing."""

from dataclasses import replace

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.plan import Kind
from guildmark.domain.equivalence.reporting.differing import differences
from guildmark.domain.equivalence.verdict import (
    EquivalenceResult,
    Gate,
    GateOutcome,
    Outcome,
    PairVerdict,
    Verdict,
)
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.clause import ClausePath

PAIR = ("0xa", "0xb")
GATES = (
    GateOutcome(gate=Gate.INTEGRITY, outcome=Outcome.PASSED, reason="All is there."),
    GateOutcome(
        gate=Gate.LOCATION,
        outcome=Outcome.PASSED,
        reason="Inside",
        sites=PAIR,
        characteristic=ClausePath("/tolerance/bore"),
        figures={"low": "-0.01", "high": "0.01"},
    ),
)
RESULT = EquivalenceResult(
    plan=sha256(b"plan"),
    engine=sha256(b"engine"),
    data={"0xa": sha256(b"a"), "0xb": sha256(b"b")},
    verdicts=(
        PairVerdict(sites=PAIR, kind=Kind.PART, verdict=Verdict.EQUIVALENT, summary="Alike."),
    ),
    gates=GATES,
)


def test_equal_results_differ_in_nothing() -> None:
    assert list(differences(RESULT, replace(RESULT, data=dict(RESULT.data)))) == []


def test_each_difference_is_named_with_both_sides() -> None:
    found = replace(
        RESULT,
        plan=sha256(b"other"),
        data={"0xa": sha256(b"a")},
        verdicts=(replace(RESULT.verdicts[0], verdict=Verdict.INCONCLUSIVE, summary="Open."),),
        gates=(GATES[0], replace(GATES[1], figures={"low": "-0.02"}), GATES[1]),
    )

    assert list(differences(RESULT, found)) == [
        f"Plan: the result says {to_hex(RESULT.plan)}; run again it is {to_hex(found.plan)}.",
        f"Data of 0xb: the result says {to_hex(RESULT.data['0xb'])}; run again it is nothing.",
        "Verdict on 0xa and 0xb (part): the result says EQUIVALENT (Alike.); "
        "run again it is INCONCLUSIVE (Open.).",
        "Gate 5 location (/tolerance/bore, 0xa, 0xb): the result says "
        "passed, Inside [high 0.01, low -0.01]; run again it is "
        "passed, Inside [low -0.02]; passed, Inside [high 0.01, low -0.01].",
    ]


def test_a_gate_about_all_is_named_so() -> None:
    found = replace(RESULT, gates=(GATES[1],))

    assert list(differences(RESULT, found)) == [
        "Gate 2 integrity (all): the result says passed, All is there; run again it is nothing."
    ]
