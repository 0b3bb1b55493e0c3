"""Cases for check (6): license and unit."""

from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import DAY, Draft, breaks, hide_members, other, relicense, word
from fakes.simulator import (
    BEGUN,
    GAUGE,
    LANE,
    LOG,
    LOOKED,
    NUMBER,
    SITE,
)
from guildmark.domain import storage
from guildmark.domain.entry import EntryKind
from guildmark.domain.identifiers import (
    Index,
    LaneNumber,
    LicenseId,
    LogNumber,
    UnitNumber,
    to_hex,
)
from guildmark.domain.record import Grant
from guildmark.domain.verification.case import Question


@breaks(6, "unitNotGranted", 18)
def unit_61(draft: Draft) -> None:
    refused = Grant(lane=LANE, n=7, first_unit=UnitNumber(0))
    draft.simulator.record["grants"] = (refused,)


@breaks(6, "unitNotDrawn", 18)
def position_behind_the_grants(draft: Draft) -> None:
    granted = Grant(lane=LANE, n=3, first_unit=UnitNumber(24))
    draft.simulator.record["grants"] = (granted,)


@breaks(6, "unitNotDrawn", 18)
def record_without_grants(draft: Draft) -> None:
    draft.simulator.record["grants"] = ()


@breaks(6, "entryNotBuild", 18)
def entry_is_scrap(draft: Draft) -> None:
    draft.simulator.entry["kind"] = EntryKind.SCRAP


@breaks(6, "unitVoided", 19, decides=False)
def unit_is_void(draft: Draft) -> None:
    word(storage.FATES.at(LOG, Index(103)), storage.VOIDED)(draft)


@breaks(6, "unitMismatch", 18)
def statement_of_another_unit(draft: Draft) -> None:
    draft.simulator.external["unit"] = UnitNumber(26)


@breaks(6, "logMismatch", 18)
def statement_for_another_log(draft: Draft) -> None:
    draft.simulator.external["log"] = LogNumber(2)


@breaks(6, "laneMismatch", 18)
def statement_for_another_lane(draft: Draft) -> None:
    draft.simulator.external["lane"] = LaneNumber(9)


@breaks(6, "laneUnknown", 18)
def lane_that_nobody_cut(draft: Draft) -> None:
    word(storage.LANES.at(LANE), 0)(draft)


@breaks(6, "laneLogMismatch", 18)
def lane_of_another_log(draft: Draft) -> None:
    word(storage.LANES.at(LANE), sim.lane_word(log=2))(draft)


@breaks(6, "unitOutsideLane", 18)
def unit_that_the_lane_did_not_draw(draft: Draft) -> None:
    word(storage.LANES.at(LANE), sim.lane_word(following=25))(draft)


@breaks(6, "unitOutsideLane", 18)
def unit_in_front_of_the_lane(draft: Draft) -> None:
    word(storage.LANES.at(LANE), sim.lane_word(first=26))(draft)


@breaks(6, "laneHolderMismatch", 18)
def lane_of_another_site(draft: Draft) -> None:
    word(storage.LANE_HOLDERS.at(LANE), sim.as_int(sim.identity("other site")))(draft)


@breaks(6, "licenseNumberMismatch", 18)
def lane_of_another_license(draft: Draft) -> None:
    word(storage.LANES.at(LANE), sim.lane_word(number=4))(draft)


@breaks(6, "licenseUnknown", 18)
def license_with_other_terms(draft: Draft) -> None:
    word(storage.LICENSE_IDS.at(NUMBER), sim.as_int(other("license")))(draft)


@breaks(6, "licenseMismatch", 18)
def statement_under_another_license(draft: Draft) -> None:
    draft.simulator.external["license"] = LicenseId(other("license"))


@breaks(6, "licenseParentMismatch", 18)
def license_that_claims_a_parent(draft: Draft) -> None:
    draft.simulator.terms["parent"] = LicenseId(other("license"))


@breaks(6, "licenseMissing", 23)
def license_above_not_shown(draft: Draft) -> None:
    word(storage.LICENSES.at(NUMBER), sim.license_word(parent=2, depth=1))(draft)


@breaks(6, "licenseNotInForce", 18)
def license_ended_at_the_beacon(draft: Draft) -> None:
    word(storage.LICENSES.at(NUMBER), sim.license_word(not_after=BEGUN))(draft)


@breaks(6, "licenseNotInForce", 18)
def license_stopped_at_the_beacon(draft: Draft) -> None:
    stopped = sim.license_word(not_after=9_000, stop_at=BEGUN)
    word(storage.LICENSES.at(NUMBER), stopped)(draft)


@breaks(6, "licenseInForcePartly", 23)
def license_begun_after_the_beacon(draft: Draft) -> None:
    word(storage.LICENSES.at(NUMBER), sim.license_word(not_before=BEGUN + 1))(draft)


@breaks(6, "termsInvalid", 18)
def terms_of_another_license(draft: Draft) -> None:
    (license_,) = draft.simulator.make_disclosures().licenses
    shown = sim.show_all(sim.members(SITE=to_hex(SITE)))
    draft.simulator.disclosed["licenses"] = (replace(license_, members=shown),)


@breaks(6, "termsWithheld", 23)
def sites_of_the_license_withheld(draft: Draft) -> None:
    hide_members(draft, "site")


@breaks(6, "siteNotLicensed", 18)
def license_for_another_site(draft: Draft) -> None:
    relicense(draft, SITE=to_hex(sim.identity("other site")))


@breaks(6, "machineNotLicensed", 18)
def license_for_another_machine(draft: Draft) -> None:
    relicense(draft, MACHINE=to_hex(GAUGE))


@breaks(6, "recipeNotLicensed", 18)
def license_for_another_recipe(draft: Draft) -> None:
    relicense(draft, RECIPE=to_hex(other("recipe")))


@breaks(6, "labelNotLicensed", 18)
def license_for_another_namespace(draft: Draft) -> None:
    relicense(draft, LABEL_NAMESPACE="https://other.example.org/")


@breaks(6, "evidenceStale", 23)
def evidence_older_than_allowed(draft: Draft) -> None:
    draft.question = Question(now=LOOKED + 30 * DAY + 1)
