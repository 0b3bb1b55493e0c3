"""Cases for check (8): tolerances."""

from dataclasses import replace
from typing import Any

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, relicense, word
from fakes.simulator import BEGUN, GAUGE, LOGGED, REGISTERED
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import ZERO32, to_hex
from guildmark.domain.identity.identity import IdentityKind, controller_target
from guildmark.domain.recipes import clauses


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
