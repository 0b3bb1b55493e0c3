"""Cases for check (8): tolerances."""

from dataclasses import replace
from typing import Any

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, relicense, word
from fakes.simulator import BEGUN, GAUGE, LOGGED, REGISTERED
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import ZERO32, to_hex
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import IdentityKind, controller_target
from guildmark.domain.recipes import clauses
from guildmark.domain.recipes.clause import Clause, ClauseClass
from guildmark.domain.verification.evidence import AccreditationDisclosure


def measure(draft: Draft, bore: str, **changes: Any) -> None:
    measured = (sim.measured("bore", bore, **changes), sim.measured("height", "20.0"))
    draft.simulator.statement["measurements"] = measured


@breaks(8, "toleranceExceeded", 15)
def value_one_digit_above_its_tolerance(draft: Draft) -> None:
    measure(draft, "10.05000000000000001")


@breaks(8, "toleranceExceeded", 15)
def value_one_digit_below_its_tolerance(draft: Draft) -> None:
    measure(draft, "9.94999999999999999")


@breaks(8, "toleranceExceeded", 15)
def value_in_another_unit(draft: Draft) -> None:
    measure(draft, "10.00", unit="cm")


@breaks(8, "toleranceExceeded", 15)
def value_outside_the_sites_own_tolerance(draft: Draft) -> None:
    draft.simulator.own = tuple(
        replace(leaf, minimum="20.1") if leaf.path == "/tolerance/height" else leaf
        for leaf in draft.simulator.own
    )


@breaks(8, "instrumentUnregistered", 15)
def instrument_that_nobody_registered(draft: Draft) -> None:
    measure(draft, "10.00", instrument=to_hex(sim.identity("ghost gauge")))


@breaks(8, "instrumentUnregistered", 15)
def instrument_that_is_no_identity(draft: Draft) -> None:
    measure(draft, "10.00", instrument="a calliper")


@breaks(8, "instrumentRegisteredLater", 15)
def instrument_registered_after_the_record(draft: Draft) -> None:
    word(storage.IDENTITIES.at(GAUGE), sim.identity_word(IdentityKind.MACHINE, LOGGED + 1))(draft)


@breaks(8, "instrumentRegisteredMeanwhile", 23)
def instrument_registered_in_the_second_of_the_record(draft: Draft) -> None:
    word(storage.IDENTITIES.at(GAUGE), sim.identity_word(IdentityKind.MACHINE, LOGGED))(draft)


@breaks(8, "instrumentRegisteredMeanwhile", 23)
def instrument_registered_a_second_after_the_beacon(draft: Draft) -> None:
    word(storage.IDENTITIES.at(GAUGE), sim.identity_word(IdentityKind.MACHINE, BEGUN + 1))(draft)


@breaks(8, "controllerInDoubt", 23)
def instrument_registered_by_a_doubted_controller(draft: Draft) -> None:
    notice = storage.NOTICES.at(controller_target(GAUGE, 1), ZERO32)
    word(notice, sim.notice_word(LOGGED, REGISTERED))(draft)


@breaks(8, "tolerancesWithheld", 23, decides=False)
def tolerances_withheld(draft: Draft) -> None:
    leaves = draft.simulator.master
    opened = [leaf.path for leaf in leaves if not leaf.path.startswith("/tolerance/bore")]
    recipe = draft.simulator.make_disclosures().recipe
    assert recipe is not None
    shown = replace(recipe, clauses=clauses.disclose(leaves, opened))
    draft.simulator.disclosed["recipe"] = shown


@breaks(8, "measurementMissing", 10)
def tolerance_without_a_measurement(draft: Draft) -> None:
    draft.simulator.statement["measurements"] = (sim.measured("bore", "10.00"),)


@breaks(8, "tolerancesAbsent", 0)
def recipe_without_tolerances(draft: Draft) -> None:
    kept = [leaf for leaf in sim.MASTER if not leaf.path.startswith("/tolerance/")]
    own = [leaf for leaf in sim.OWN if not leaf.path.startswith("/tolerance/")]
    draft.simulator.master, draft.simulator.own = tuple(kept), tuple(own)
    relicense(draft, RECIPE=to_hex(draft.simulator.make_recipe().id()))


def asked(draft: Draft, *clauses: Clause) -> None:
    sim.ask(draft.simulator, *clauses)


def rule(said: str) -> Clause:
    return sim.text("/qa/decision_rule", ClauseClass.CORE, said)


@breaks(8, "conformityUnproven", 23)
def value_without_the_uncertainty_that_the_rule_needs(draft: Draft) -> None:
    asked(draft, rule("guard band U"))


@breaks(8, "conformityUnproven", 23)
def value_a_digit_inside_the_guard_band(draft: Draft) -> None:
    asked(draft, rule("guard band U"))
    measure(draft, "10.0400000000001", uncertainty="0.01", coverage_factor="2")


@breaks(8, "conformityUnproven", 23)
def value_outside_by_less_than_its_uncertainty(draft: Draft) -> None:
    asked(draft, rule("ISO 14253-1"))
    measure(draft, "10.051", uncertainty="0.01", coverage_factor="2")


@breaks(8, "toleranceExceeded", 15)
def value_outside_by_more_than_its_uncertainty(draft: Draft) -> None:
    asked(draft, rule("ISO 14253-1"))
    measure(draft, "10.0583", uncertainty="0.01", coverage_factor="2")


@breaks(8, "conformityUnproven", 23)
def tolerance_too_narrow_for_the_instrument(draft: Draft) -> None:
    asked(draft, sim.quantity("/qa/uncertainty_ratio", ClauseClass.CORE, "1", bounds=("4", None)))
    measure(draft, "10.00", uncertainty="0.0126", coverage_factor="2")


@breaks(8, "conformityUnproven", 23)
def uncertainty_below_the_instruments_steps(draft: Draft) -> None:
    measure(draft, "10.00", uncertainty="0.005", coverage_factor="2", resolution="0.01")


@breaks(8, "qualityPlanUnread", 23)
def decision_rule_that_nobody_knows(draft: Draft) -> None:
    asked(draft, rule("by the look of it"))


@breaks(8, "qualityPlanWithheld", 23)
def decision_rule_withheld(draft: Draft) -> None:
    asked(
        draft,
        rule("guard band U"),
        sim.text("/qa/counting", ClauseClass.CORE, "none"),
        sim.text("/safety/use", ClauseClass.CORE, "at rest"),
        sim.text("/qa/accreditations", ClauseClass.CORE, "none"),
    )
    leaves = draft.simulator.master
    opened = [leaf.path for leaf in leaves if leaf.path != "/qa/decision_rule"]
    recipe = draft.simulator.make_disclosures().recipe
    assert recipe is not None
    shown = replace(recipe, clauses=clauses.disclose(leaves, opened))
    draft.simulator.disclosed["recipe"] = shown


@breaks(8, "rawDataMissing", 10)
def measurement_without_the_instruments_file(draft: Draft) -> None:
    asked(draft, sim.text("/qa/raw_data", ClauseClass.CORE, "required"))


@breaks(8, "notSampled", 0)
def part_that_is_not_of_the_sample(draft: Draft) -> None:
    every = sim.quantity("/qa/sample_every", ClauseClass.CORE, "1", value="7")
    asked(draft, every)
    draft.simulator.external["unit"] = sim.UNIT
    draft.simulator.statement["measurements"] = ()


CALIBRATION = sim.text("/qa/calibration", ClauseClass.CORE, "ISO/IEC 17025")
LABORATORY = sim.identity("laboratory")
OF_GAUGE = sim.accreditation(
    LABORATORY, GAUGE, ScopeDocument(standard="ISO/IEC 17025", certificate="K-7")
)
OF_LABORATORY = sim.accreditation(
    sim.ISSUER, LABORATORY, ScopeDocument(standard="ISO/IEC 17025", delegations=1)
)


def calibrate(draft: Draft, *shown: AccreditationDisclosure) -> None:
    """Let the recipe ask for calibrated instruments, and the bundle show certificates."""
    asked(draft, CALIBRATION)
    draft.simulator.accreditations = shown


def lasts(draft: Draft, of: AccreditationDisclosure, *times: int) -> None:
    word(storage.ACCREDITATIONS.at(of.id()), sim.accreditation_word(*times))(draft)


@breaks(8, "calibrationUnproven", 23)
def instrument_without_a_calibration(draft: Draft) -> None:
    calibrate(draft)


@breaks(8, "calibrationUnproven", 23)
def instrument_that_its_own_maker_calibrated(draft: Draft) -> None:
    calibrate(draft, sim.accreditation(sim.MAKER, GAUGE, OF_GAUGE.scope))


@breaks(8, "calibrationUnproven", 23)
def calibration_that_ended_at_the_record(draft: Draft) -> None:
    calibrate(draft, OF_GAUGE, OF_LABORATORY)
    lasts(draft, OF_GAUGE, REGISTERED, LOGGED)


@breaks(8, "calibrationUnproven", 23)
def calibration_that_began_after_the_beacon(draft: Draft) -> None:
    calibrate(draft, OF_GAUGE, OF_LABORATORY)
    lasts(draft, OF_GAUGE, BEGUN + 1)


@breaks(8, "calibrationUnproven", 23)
def calibration_that_its_laboratory_took_back(draft: Draft) -> None:
    calibrate(draft, OF_GAUGE, OF_LABORATORY)
    lasts(draft, OF_GAUGE, REGISTERED, 0, LOGGED)


@breaks(8, "calibrationUnproven", 23)
def calibration_by_a_laboratory_that_lost_its_accreditation(draft: Draft) -> None:
    calibrate(draft, OF_GAUGE, OF_LABORATORY)
    lasts(draft, OF_LABORATORY, REGISTERED, 0, BEGUN)


@breaks(8, "calibrationUnproven", 23)
def calibration_by_a_doubted_laboratory(draft: Draft) -> None:
    calibrate(draft, OF_GAUGE, OF_LABORATORY)
    notice = storage.NOTICES.at(controller_target(LABORATORY, 1), ZERO32)
    word(storage.IDENTITIES.at(LABORATORY), sim.identity_word(IdentityKind.ORGANIZATION))(draft)
    word(notice, sim.notice_word(LOGGED, REGISTERED))(draft)
