"""Cases for check (6): license and unit."""

from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import DAY, Draft, breaks, hide_members, other, relicense, under, word
from fakes.simulator import (
    BEGUN,
    DESIGN,
    GAUGE,
    ISSUER,
    LANE,
    LOG,
    LOGGED,
    LOOKED,
    NUMBER,
    OWNER,
    SITE,
)
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import Location
from guildmark.domain.identifiers import (
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    LogNumber,
    UnitNumber,
    to_hex,
)
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.record import Grant
from guildmark.domain.recipes.clause import Clause, ClauseClass
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


@breaks(6, "entryScrap", 18)
def unit_that_became_scrap(draft: Draft) -> None:
    draft.simulator.statement["scrap"] = "the first layer came off"
    draft.simulator.entry["kind"] = EntryKind.SCRAP


@breaks(6, "scrapAsPart", 18)
def scrap_that_was_logged_as_a_part(draft: Draft) -> None:
    draft.simulator.statement["scrap"] = "the first layer came off"


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


def bind(draft: Draft, *others: Clause) -> None:
    """Put clauses under the terms root that no release makes."""
    leaves = (*sim.members(SITE=to_hex(SITE)), *others)
    draft.simulator.terms_members = tuple(sorted(leaves, key=lambda leaf: leaf.path))


@breaks(6, "termsUnknown", 23)
def license_that_names_a_customer(draft: Draft) -> None:
    bind(draft, sim.text("/terms/customer/0000", ClauseClass.CORE, "ACME"))


@breaks(6, "termsUnknown", 23)
def license_that_names_a_site_without_a_number(draft: Draft) -> None:
    bind(draft, sim.text("/terms/site", ClauseClass.CORE, to_hex(GAUGE)))


@breaks(6, "termsUnknown", 23)
def license_that_names_a_site_below_a_number(draft: Draft) -> None:
    bind(draft, sim.text("/terms/site/0001/a", ClauseClass.CORE, to_hex(GAUGE)))


@breaks(6, "termsUnknown", 23)
def license_whose_text_is_a_quantity(draft: Draft) -> None:
    one = sim.quantity("/terms/text/0001", ClauseClass.CORE, "1", bounds=("1", "2"))
    bind(draft, one)


@breaks(6, "termsUnknown", 23)
def license_whose_text_has_no_value(draft: Draft) -> None:
    bind(draft, replace(sim.text("/terms/text/0001", ClauseClass.SITE, "x"), value=None))


@breaks(6, "termsUnknown", 23)
def license_above_that_names_a_customer(draft: Draft) -> None:
    above = under(draft, SITE=to_hex(SITE))
    customer = sim.text("/terms/customer/0000", ClauseClass.CORE, "ACME")
    above.members = (customer, *above.members)


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


@breaks(6, "labelNotLicensed", 18)
def license_for_a_host_whose_name_goes_on(draft: Draft) -> None:
    relicense(draft, LABEL_NAMESPACE=f"https://{sim.HOST.rpartition('.')[0]}")


@breaks(6, "labelNotLicensed", 18)
def license_for_no_whole_host(draft: Draft) -> None:
    relicense(draft, LABEL_NAMESPACE="https:/")


@breaks(6, "evidenceStale", 23)
def evidence_older_than_allowed(draft: Draft) -> None:
    draft.question = Question(now=LOOKED + 30 * DAY + 1)


@breaks(6, "countryNotLicensed", 18)
def license_for_other_countries(draft: Draft) -> None:
    relicense(draft, COUNTRY="FR")


@breaks(6, "countryNotLicensed", 18)
def license_that_denies_the_country(draft: Draft) -> None:
    relicense(draft, COUNTRY="DE", COUNTRY_DENIED="DE")


@breaks(6, "countryUnknown", 23)
def country_of_the_site_not_shown(draft: Draft) -> None:
    relicense(draft, COUNTRY="DE")
    draft.simulator.disclosed["profiles"] = ()


@breaks(6, "countryUnknown", 23)
def country_in_a_profile_that_the_chain_does_not_hold(draft: Draft) -> None:
    relicense(draft, COUNTRY_DENIED="FR")
    word(storage.PROFILES.at(SITE), 0)(draft)


@breaks(6, "termsWithheld", 23)
def denied_countries_of_the_license_withheld(draft: Draft) -> None:
    labels = "https://id.example.org/id/"
    relicense(draft, COUNTRY="DE", COUNTRY_DENIED="FR", LABEL_NAMESPACE=labels)
    hide_members(draft, "countryDenied")


@breaks(6, "termsWithheld", 23)
def control_class_of_the_license_withheld(draft: Draft) -> None:
    cleared(draft)
    relicense(draft, CONTROL_CLASS=CLASS, COUNTRY="DE")
    hide_members(draft, "controlClass")


CLASS = "ECCN 9E003"


def cleared(draft: Draft, subject: IdentityId = SITE, issuer: IdentityId = ISSUER) -> Location:
    """Let the license name a class and an issuer clear somebody; return the claim's slot."""
    relicense(draft, CONTROL_CLASS=CLASS)
    clearance = sim.claim(subject, "CONTROL", CLASS, issuer)
    draft.simulator.claims = (*draft.simulator.claims, clearance)
    return storage.CLAIMS.at(clearance.id())


@breaks(6, "clearanceMissing", 23)
def nobody_is_cleared(draft: Draft) -> None:
    relicense(draft, CONTROL_CLASS=CLASS)


@breaks(6, "clearanceMissing", 23)
def clearance_for_another_class(draft: Draft) -> None:
    cleared(draft)
    relicense(draft, CONTROL_CLASS="ECCN 9E001")


@breaks(6, "clearanceMissing", 23)
def clearance_of_another_site(draft: Draft) -> None:
    cleared(draft, subject=sim.identity("other site"))


@breaks(6, "clearanceMissing", 23)
def clearance_by_an_issuer_who_is_not_listed(draft: Draft) -> None:
    cleared(draft, issuer=sim.identity("other issuer"))


@breaks(6, "clearanceMissing", 23)
def clearance_revoked_at_the_record(draft: Draft) -> None:
    slot = cleared(draft)
    draft.simulator.words[slot] = sim.interval_word(1_000, LOGGED)


@breaks(6, "clearanceMissing", 23)
def clearance_made_after_the_beacon(draft: Draft) -> None:
    slot = cleared(draft)
    draft.simulator.words[slot] = sim.interval_word(BEGUN + 1)


@breaks(6, "clearanceMissing", 23)
def clearance_that_the_chain_does_not_hold(draft: Draft) -> None:
    slot = cleared(draft)
    draft.simulator.words[slot] = 0


@breaks(6, "licenseNotInForce", 18)
def license_above_stopped_at_the_beacon(draft: Draft) -> None:
    under(draft).window["stop_at"] = BEGUN


@breaks(6, "licenseNotInForce", 18)
def license_above_ended_at_the_beacon(draft: Draft) -> None:
    under(draft).window["not_after"] = BEGUN


@breaks(6, "licenseInForcePartly", 23)
def license_above_begun_after_the_beacon(draft: Draft) -> None:
    under(draft).window["not_before"] = BEGUN + 1


@breaks(6, "licenseInForcePartly", 23)
def license_above_stopped_at_the_record(draft: Draft) -> None:
    under(draft).window["stop_at"] = LOGGED


@breaks(6, "siteNotLicensed", 18)
def license_above_for_another_site(draft: Draft) -> None:
    under(draft, SITE=to_hex(sim.identity("other site")))


@breaks(6, "machineNotLicensed", 18)
def license_above_for_another_machine(draft: Draft) -> None:
    under(draft, MACHINE=to_hex(GAUGE))


@breaks(6, "recipeNotLicensed", 18)
def license_above_for_another_recipe(draft: Draft) -> None:
    under(draft, RECIPE=to_hex(other("recipe")))


@breaks(6, "labelNotLicensed", 18)
def license_above_for_another_namespace(draft: Draft) -> None:
    under(draft, LABEL_NAMESPACE="https://other.example.org/")


@breaks(6, "countryNotLicensed", 18)
def license_above_for_other_countries(draft: Draft) -> None:
    under(draft, COUNTRY="FR")


@breaks(6, "clearanceMissing", 23)
def license_above_with_a_control_class(draft: Draft) -> None:
    under(draft, CONTROL_CLASS=CLASS)


@breaks(6, "termsInvalid", 18)
def terms_above_of_another_license(draft: Draft) -> None:
    under(draft).shown = sim.show_all(sim.members(SITE=to_hex(SITE)))


@breaks(6, "termsWithheld", 23)
def sites_of_the_license_above_withheld(draft: Draft) -> None:
    above = under(draft)
    paths = [one.path for one in above.members if not one.path.startswith("/terms/site/")]
    above.shown = sim.show(above.members, *paths)


@breaks(6, "licenseUnknown", 18)
def license_above_with_other_terms(draft: Draft) -> None:
    under(draft)
    word(storage.LICENSE_IDS.at(8), sim.as_int(other("license")))(draft)


@breaks(6, "licenseParentMismatch", 18)
def license_above_that_is_not_the_parent(draft: Draft) -> None:
    under(draft)
    draft.simulator.terms["parent"] = LicenseId(other("license"))


@breaks(6, "licenseNumberMismatch", 18)
def another_license_above_than_the_chain_has(draft: Draft) -> None:
    under(draft)
    word(storage.LICENSES.at(NUMBER), sim.license_word(parent=9, depth=1))(draft)


@breaks(6, "licenseNumberMismatch", 18)
def license_above_a_root(draft: Draft) -> None:
    under(draft)
    word(storage.LICENSES.at(NUMBER), sim.license_word())(draft)


@breaks(6, "licenseMissing", 23)
def root_of_four_not_shown(draft: Draft) -> None:
    draft.simulator.license_under(8, 9, 10)
    shown = draft.simulator.make_disclosures().licenses
    draft.simulator.disclosed["licenses"] = shown[:-1]


@breaks(6, "licenseNotInForce", 18)
def root_of_five_stopped(draft: Draft) -> None:
    draft.simulator.license_under(8, 9, 10, 11)
    draft.simulator.above[-1].window["stop_at"] = BEGUN


@breaks(6, "licensorUnknown", 18)
def license_of_an_epoch_without_an_owner(draft: Draft) -> None:
    word(storage.DESIGN_OWNERS.at(DESIGN, 0), 0)(draft)


@breaks(6, "proofMissing", 23)
def owner_who_licensed_is_not_proven(draft: Draft) -> None:
    draft.simulator.unproven.add(storage.DESIGN_OWNERS.at(DESIGN, 0))


@breaks(6, "proofMissing", 23)
def owner_who_licensed_the_root_is_not_proven(draft: Draft) -> None:
    above = under(draft)
    above.terms["design_epoch"] = 3
    draft.simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 3)] = sim.as_int(OWNER)
    draft.simulator.unproven.add(storage.DESIGN_OWNERS.at(DESIGN, 3))
