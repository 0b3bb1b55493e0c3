"""(8) holds for parts that are measured as their recipe asks."""

from dataclasses import replace

import pytest

from fakes import simulator as sim
from fakes.cases.draft import Draft, Sealed
from fakes.cases.measured import (
    OF_GAUGE,
    OF_LABORATORY,
    asked,
    calibrate,
    lasts,
    measure,
    rule,
)
from fakes.simulator import BEGUN, LOGGED
from guildmark.domain import bundle
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.verification.case import Case
from guildmark.domain.verification.checks.measurements import quality_plan
from guildmark.domain.verification.report import Report, State, Verdict
from guildmark.verify import verify_bundle


def judged(draft: Draft) -> Report:
    sealed: Sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


@pytest.mark.parametrize("said", ["guard band U", "ISO 14253-1", "simple acceptance"])
def test_values_away_from_the_limits_prove_the_tolerances(said: str) -> None:
    draft = Draft()
    asked(draft, rule(said))
    draft.simulator.statement["measurements"] = tuple(
        sim.measured(name, value, uncertainty="0.01", coverage_factor="2", resolution="0.001")
        for name, value in (("bore", "10.04"), ("height", "20.0"))
    )

    report = judged(draft)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert report.checks[8].state is State.OK


def test_values_of_an_instrument_calibrated_in_time_are_taken() -> None:
    draft = Draft()
    calibrate(draft, OF_GAUGE, OF_LABORATORY)
    lasts(draft, OF_GAUGE, BEGUN, LOGGED + 1)

    report = judged(draft)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


def test_each_of_mixed_instruments_must_be_calibrated() -> None:
    draft = Draft()
    calibrate(draft, OF_GAUGE, OF_LABORATORY)
    other = sim.measured("height", "20.0", instrument="a calliper")
    draft.simulator.statement["measurements"] = (sim.measured("bore", "10.00"), other)

    report = judged(draft)

    reasons = [one.reason for one in report.checks[8].findings]
    assert report.exit == 15
    assert any(reason.startswith("The instrument a calliper is not proven") for reason in reasons)


def test_sample_takes_the_units_that_it_names() -> None:
    draft = Draft()
    every = sim.quantity("/qa/sample_every", ClauseClass.CORE, "1", value="6")
    asked(draft, every)
    draft.simulator.external["unit"] = sim.UNIT
    draft.simulator.statement["measurements"] = ()

    report = judged(draft)

    assert report.checks[8].code == "verify.measurementMissing"
    assert report.exit == 10


def test_part_outside_the_sample_that_is_measured_all_the_same_is_judged() -> None:
    draft = Draft()
    asked(draft, sim.quantity("/qa/sample_every", ClauseClass.CORE, "1", value="7"))
    draft.simulator.external["unit"] = sim.UNIT
    draft.simulator.statement["measurements"] = (sim.measured("bore", "10.06"),)

    assert judged(draft).checks[8].code == "verify.toleranceExceeded"

    draft.simulator.statement["measurements"] = (sim.measured("bore", "10.05"),)
    assert judged(draft).checks[8].state is State.OK


def test_raw_data_that_the_recipe_asks_for_is_taken_where_it_is_named() -> None:
    draft = Draft()
    asked(draft, sim.text("/qa/raw_data", ClauseClass.CORE, "required"))
    measured = draft.simulator.make_statement().measurements
    draft.simulator.statement["measurements"] = tuple(
        replace(one, raw_data=sha256(b"scan")) for one in measured
    )

    assert judged(draft).exit == 0


def test_plan_is_that_of_the_master() -> None:
    draft = Draft()
    measure(draft, "10.00")
    asked(draft, rule("guard band U"))
    sealed = draft.seal()

    plan = quality_plan(Case(sealed.evidence, sealed.trust, sealed.question))

    assert plan.rule.value == "guard band U"


def test_a_note_says_the_rule_and_that_instruments_are_mixed() -> None:
    draft = Draft()
    asked(draft, rule("guard band U"))
    said = {"uncertainty": "0.01", "coverage_factor": "2"}
    other = sim.measured("height", "20.0", instrument="a calliper", **said)
    draft.simulator.statement["measurements"] = (sim.measured("bore", "10.00", **said), other)

    notes = judged(draft).notes

    assert "The measured values are judged by guard band U." in notes
    assert "2 instruments took the measured values." in notes


def test_nothing_is_noted_of_one_instrument_without_a_rule() -> None:
    draft = Draft()
    assert not any("measured values" in note for note in judged(draft).notes)

    asked(draft, rule("guard band U"))
    draft.simulator.statement["measurements"] = ()
    assert not any("measured values" in note for note in judged(draft).notes)


def test_nothing_is_noted_where_no_recipe_is_shown() -> None:
    draft = Draft()
    asked(draft, rule("guard band U"))
    draft.simulator.disclosed["recipe"] = None

    assert not any("measured values" in note for note in judged(draft).notes)
