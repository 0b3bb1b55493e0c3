"""(6) The entry has a granted unit, and the license and all above it allow this build."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IntervalWord, LaneWord, LicenseWord
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.record import Grant, GrantedUnit
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.rights.lawful import CLEARANCE_SCHEME, Use, uncleared, use_in
from guildmark.domain.rights.terms import (
    NO_LICENSE,
    Allowance,
    TermsKind,
    allows,
    may_hide,
    unknown_in,
)
from guildmark.domain.trust import Policy
from guildmark.domain.verification.case import (
    ENVELOPE,
    LICENSE_MISSING,
    Case,
    Right,
    UndecidedError,
)
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.members import members_of
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.evidence import LicenseDisclosure
from guildmark.domain.verification.licensing import (
    EXTENSION_MISMATCH,
    EXTENSION_MISSING,
    LANES_MISSING,
    given,
    license_id,
)
from guildmark.domain.verification.naming import is_issuer_listed, profile_times
from guildmark.domain.verification.publishing import signed_findings
from guildmark.domain.verification.report import Cause, Finding, State
from guildmark.domain.verification.rights import Cover, cover

_RECORD = "log/record.json"
_LANES = "chain/licenses.json"
_LICENSES = "disclosed/licenses.json"
_PROFILES = "disclosed/profiles.json"

UNIT_NOT_GRANTED = Cause(
    code="verify.unitNotGranted",
    state=State.FAIL,
    meaning="The draw over this position was refused: the part has no unit of any license.",
)
UNIT_NOT_DRAWN = Cause(
    code="verify.unitNotDrawn",
    state=State.FAIL,
    meaning="The position lies behind all draws of its record: the part has no unit.",
)
ENTRY_NOT_BUILD = Cause(
    code="verify.entryNotBuild",
    state=State.FAIL,
    meaning="The entry says something else than that a part was built.",
)
ENTRY_SCRAP = Cause(
    code="verify.entryScrap",
    state=State.FAIL,
    meaning="The machine signed that the unit became scrap: it failed, or its number was lost.",
)
SCRAP_AS_PART = Cause(
    code="verify.scrapAsPart",
    state=State.FAIL,
    meaning="The machine signed that the unit became scrap, and the log entered it as a part.",
)
UNIT_VOIDED = Cause(
    code="verify.unitVoided",
    state=State.FAIL,
    meaning="The unit was declared void.",
)
UNIT_MISMATCH = Cause(
    code="verify.unitMismatch",
    state=State.FAIL,
    meaning="The statement names another unit than the one that this position was granted.",
)
LOG_MISMATCH = Cause(
    code="verify.logMismatch",
    state=State.FAIL,
    meaning="The statement counts in another log than this one.",
)
LANE_MISMATCH = Cause(
    code="verify.laneMismatch",
    state=State.FAIL,
    meaning="The unit was drawn from another lane than the statement names.",
)
LANE_UNKNOWN = Cause(
    code="verify.laneUnknown", state=State.FAIL, meaning="The chain does not know the lane."
)
LANE_LOG_MISMATCH = Cause(
    code="verify.laneLogMismatch",
    state=State.FAIL,
    meaning="The lane belongs to another log.",
)
UNIT_OUTSIDE_LANE = Cause(
    code="verify.unitOutsideLane",
    state=State.FAIL,
    meaning="The unit is none that was drawn from the lane.",
)
LANE_HOLDER_MISMATCH = Cause(
    code="verify.laneHolderMismatch",
    state=State.FAIL,
    meaning="The lane is held by another site than the machine's.",
)
LICENSE_NUMBER_MISMATCH = Cause(
    code="verify.licenseNumberMismatch",
    state=State.FAIL,
    meaning="The lane is of another license than the one that is shown.",
)
LICENSE_UNKNOWN = Cause(
    code="verify.licenseUnknown",
    state=State.FAIL,
    meaning="The chain has no license of that number with these terms.",
)
LICENSE_MISMATCH = Cause(
    code="verify.licenseMismatch",
    state=State.FAIL,
    meaning="The statement names another license than the lane's.",
)
LICENSE_PARENT_MISMATCH = Cause(
    code="verify.licenseParentMismatch",
    state=State.FAIL,
    meaning="A license was not given under the license that is shown above it.",
)
LICENSE_NOT_IN_FORCE = Cause(
    code="verify.licenseNotInForce",
    state=State.FAIL,
    meaning="A license was not in force while the part was built.",
)
LICENSE_IN_FORCE_PARTLY = Cause(
    code="verify.licenseInForcePartly",
    state=State.UNKNOWN,
    meaning="A license was in force only a part of the time between beacon and record.",
)
LICENSOR_UNKNOWN = Cause(
    code="verify.licensorUnknown",
    state=State.FAIL,
    meaning="Nobody owned the design in the epoch that the license names as its licensor's.",
)
TERMS_INVALID = Cause(
    code="verify.termsInvalid",
    state=State.FAIL,
    meaning="The shown terms are not the ones that the license commits to.",
)
TERMS_WITHHELD = Cause(
    code="verify.termsWithheld",
    state=State.WITHHELD,
    meaning="A license does not show which sites, machines, recipes or labels it allows.",
)
TERMS_UNKNOWN = Cause(
    code="verify.termsUnknown",
    state=State.UNKNOWN,
    meaning="A license's terms have a member of a kind that this verifier does not know, or one in "
    "another form.",
)
SITE_NOT_LICENSED = Cause(
    code="verify.siteNotLicensed",
    state=State.FAIL,
    meaning="A license names sites, and the machine's is none of them.",
)
MACHINE_NOT_LICENSED = Cause(
    code="verify.machineNotLicensed",
    state=State.FAIL,
    meaning="A license names machines, and this one is none of them.",
)
RECIPE_NOT_LICENSED = Cause(
    code="verify.recipeNotLicensed",
    state=State.FAIL,
    meaning="A license names recipes, and the statement's is none of them.",
)
LABEL_NOT_LICENSED = Cause(
    code="verify.labelNotLicensed",
    state=State.FAIL,
    meaning="A license names label prefixes, and the part's label has none of them.",
)
COUNTRY_NOT_LICENSED = Cause(
    code="verify.countryNotLicensed",
    state=State.FAIL,
    meaning="A license denies the site's country, or names others.",
)
COUNTRY_UNKNOWN = Cause(
    code="verify.countryUnknown",
    state=State.UNKNOWN,
    meaning="A license names countries, and the site's own profiles prove none for all the time "
    "between beacon and record.",
)
CLEARANCE_MISSING = Cause(
    code="verify.clearanceMissing",
    state=State.UNKNOWN,
    meaning="A license names a control class, and nobody on your list clears the site for it.",
)
EVIDENCE_STALE = Cause(
    code="verify.evidenceStale",
    state=State.UNKNOWN,
    meaning="Block b is older than you allow: a later stop would not show.",
)

_NOT_LICENSED = {
    TermsKind.SITE: SITE_NOT_LICENSED,
    TermsKind.MACHINE: MACHINE_NOT_LICENSED,
    TermsKind.RECIPE: RECIPE_NOT_LICENSED,
    TermsKind.LABEL_NAMESPACE: LABEL_NOT_LICENSED,
}


def _granted(case: Case) -> Iterator[Finding]:
    core = case.core
    grant = core.record.grant_at(core.position)
    yield from _as_signed(case)
    if grant is None:
        reason = f"Position {core.position} lies behind all grants of the record."
        yield UNIT_NOT_DRAWN.found(reason, _RECORD)
    elif grant.is_refused:
        reason = f"The draw of {grant.n} units from lane {grant.lane} was granted nothing."
        yield UNIT_NOT_GRANTED.found(reason, _RECORD)


def _as_signed(case: Case) -> Iterator[Finding]:
    """Yield that an entry is no part, and what it is."""
    kind, scrap = case.core.entry.kind, case.statement.scrap
    if kind is EntryKind.SCRAP and scrap is not None:
        yield ENTRY_SCRAP.found(f"This unit is scrap, not a part: {scrap}", ENVELOPE)
    elif kind is not EntryKind.BUILD:
        reason = f"The entry is a {kind.name.lower()}, not a build."
        yield ENTRY_NOT_BUILD.found(reason, "log/entry.json")
    elif scrap is not None:
        reason = f"The machine signed that this unit is scrap: {scrap}"
        yield SCRAP_AS_PART.found(reason, ENVELOPE)


def _not_void(case: Case) -> Iterator[Finding]:
    fate = case.word(storage.FATES.at(case.core.record.log, case.core.index))
    if fate == storage.VOIDED:
        yield UNIT_VOIDED.found("The holder of the lane declared the unit void.", _RECORD)


def _stated_place(case: Case) -> Iterator[Finding]:
    stated, record = case.statement.external, case.core.record
    grant, unit = _grant(case), _unit(case)
    if stated.log != record.log:
        reason = f"The statement counts in log {stated.log}, the record is of log {record.log}."
        yield LOG_MISMATCH.found(reason, ENVELOPE)
    if grant is not None and stated.lane != grant.lane:
        reason = f"The statement names lane {stated.lane}, the grant is of lane {grant.lane}."
        yield LANE_MISMATCH.found(reason, ENVELOPE)
    if unit is not None and stated.unit not in {None, unit.unit}:
        reason = f"The statement names unit {stated.unit}, the position has unit {unit.unit}."
        yield UNIT_MISMATCH.found(reason, ENVELOPE)


def _lane(case: Case) -> Iterator[Finding]:
    unit = _unit(case)
    if unit is None:
        return
    lane = LaneWord.decode(case.word(storage.LANES.at(unit.lane)))
    if lane.license == 0:
        yield LANE_UNKNOWN.found(f"The chain knows no lane {unit.lane}.", _LANES)
        return
    if lane.log != case.core.record.log:
        reason = f"Lane {unit.lane} belongs to log {lane.log}."
        yield LANE_LOG_MISMATCH.found(reason, _LANES)
    if not lane.first <= unit.unit < lane.next:
        reason = f"Lane {unit.lane} has drawn {lane.first} to {lane.next - 1}, not {unit.unit}."
        yield UNIT_OUTSIDE_LANE.found(reason, _LANES)


def _lane_holder(case: Case) -> Iterator[Finding]:
    grant = _grant(case)
    if grant is None:
        return
    holder = storage.identity_of(case.word(storage.LANE_HOLDERS.at(grant.lane)))
    if holder != case.statement.run.site:
        reason = f"Lane {grant.lane} is held by {to_hex(holder)}, not by the machine's site."
        yield LANE_HOLDER_MISMATCH.found(reason, _LANES)


def _chain_of_licenses(case: Case) -> Iterator[Finding]:
    grant, shown = _grant(case), case.disclosed.licenses
    if grant is None:
        return
    number = LaneWord.decode(case.word(storage.LANES.at(grant.lane))).license
    for license_, above in zip_longest(shown, shown[1:]):
        if number != license_.number:
            reason = f"License {license_.number} is shown where number {number} is needed."
            yield LICENSE_NUMBER_MISMATCH.found(reason, _LICENSES)
            return
        number = LicenseWord.decode(case.word(storage.LICENSES.at(number))).parent
        yield from _on_chain(case, license_, above, is_root=number == 0)
    if number or not shown:
        raise UndecidedError(LICENSE_MISSING.found(f"License {number} is not shown.", "disclosed"))


def _on_chain(
    case: Case, license_: LicenseDisclosure, above: LicenseDisclosure | None, *, is_root: bool
) -> Iterator[Finding]:
    found = case.word(storage.LICENSE_IDS.at(license_.number))
    is_kept = case.word(storage.LICENSES.at(license_.number)) != 0
    if not is_kept or found != int.from_bytes(license_id(case, license_), "big"):
        reason = f"The chain has no license {license_.number} with these terms."
        yield LICENSE_UNKNOWN.found(reason, _LICENSES)
    # The license above that is missing is said once, behind the last one that is shown.
    if above is None and not is_root:
        return
    parent = NO_LICENSE if above is None else license_id(case, above)
    if license_.terms.parent != parent:
        reason = f"License {license_.number} was not given under the one that is shown above it."
        yield LICENSE_PARENT_MISMATCH.found(reason, _LICENSES)


def _licensor(case: Case) -> Iterator[Finding]:
    root = case.disclosed.root_license
    # A root that is not shown is a finding of the chain of licenses.
    if root is None:
        return
    epoch = root.terms.design_epoch
    if case.word(storage.DESIGN_OWNERS.at(root.terms.design, epoch)) == 0:
        reason = f"License {root.number} is of epoch {epoch} of the design, which nobody owned."
        yield LICENSOR_UNKNOWN.found(reason, _LICENSES)


def _signed_soundly(case: Case) -> Iterator[Finding]:
    """Yield a finding for each notice that bears on who granted the license, or added the unit."""
    yield from signed_findings(case, _LICENSES)


def _given_soundly(case: Case) -> Iterator[Finding]:
    """Yield a finding for each notice that bears on who gave the unit on."""
    for gift in given(case):
        yield from act_findings(case, gift.giver, gift.at, gift.act, _LANES)


def _stated_license(case: Case) -> Iterator[Finding]:
    for license_ in case.disclosed.licenses[:1]:
        if case.statement.external.license != license_id(case, license_):
            reason = f"The statement names another license than number {license_.number}."
            yield LICENSE_MISMATCH.found(reason, ENVELOPE)


def _in_force(case: Case) -> Iterator[Finding]:
    for license_ in case.disclosed.licenses:
        word = LicenseWord.decode(case.word(storage.LICENSES.at(license_.number)))
        ends = [end for end in (word.not_after, word.stop_at) if end]
        right = Right(
            what=f"License {license_.number}",
            evidence=_LICENSES,
            none=LICENSE_NOT_IN_FORCE,
            part=LICENSE_IN_FORCE_PARTLY,
        )
        interval = IntervalWord(since=word.not_before, until=min(ends, default=0))
        yield from right.findings([interval], case.window)


def _terms(case: Case) -> Iterator[Finding]:
    for license_ in case.disclosed.licenses:
        members = members_of(license_)
        if members is None:
            reason = f"License {license_.number} commits to other terms than are shown."
            yield TERMS_INVALID.found(reason, _LICENSES)
            continue
        for path in unknown_in(members):
            reason = f"License {license_.number} has terms at {path}, which are of no known kind."
            yield TERMS_UNKNOWN.found(reason, _LICENSES)
        for kind, value in _asked(case):
            allowed = allows(members, kind, value)
            if allowed is Allowance.NO:
                reason = f"License {license_.number} does not allow {kind.value} {value!r}."
                yield _NOT_LICENSED[kind].found(reason, _LICENSES)
            if allowed is Allowance.UNKNOWN:
                reason = f"License {license_.number} does not show what it says of {kind.value}."
                yield TERMS_WITHHELD.found(reason, _LICENSES)


def _lawful(case: Case) -> Iterator[Finding]:
    cleared = tuple(_cleared(case))
    for license_ in case.disclosed.licenses:
        # Members that do not fit their root are a finding of the terms.
        members = members_of(license_)
        if members is None:
            continue
        if use_in(members, None) is not Use.ALLOWED:
            yield from _lawful_place(case, license_, members)
        for named in uncleared(members, cleared):
            reason = f"Nobody on your list clears the site for control class {named!r}."
            yield CLEARANCE_MISSING.found(reason, "disclosed/claims.json")
        if may_hide(members, TermsKind.CONTROL_CLASS):
            reason = f"License {license_.number} does not show which control class it names."
            yield TERMS_WITHHELD.found(reason, _LICENSES)


def _lawful_use(license_: LicenseDisclosure, use: Use, country: str | None) -> Iterator[Finding]:
    if use is Use.DENIED:
        reason = f"License {license_.number} does not allow building in {country}."
        yield COUNTRY_NOT_LICENSED.found(reason, _LICENSES)
    if use is Use.PLACE_UNKNOWN:
        reason = f"License {license_.number} names countries; the site's is not proven."
        yield COUNTRY_UNKNOWN.found(reason, _PROFILES)
    if use is Use.WITHHELD:
        reason = f"License {license_.number} does not show what it says of countries."
        yield TERMS_WITHHELD.found(reason, _LICENSES)


def _lawful_place(
    case: Case, license_: LicenseDisclosure, members: DisclosedClauses
) -> Iterator[Finding]:
    """Yield what the terms do not allow of each place where the site said to be meanwhile."""
    site, window = case.statement.run.site, case.window
    shown = list(profile_times(case, site))
    meanwhile = [one for one in shown if cover([one[0]], window) is not Cover.NONE]
    for country in dict.fromkeys(_country(profile) for _, profile in meanwhile):
        yield from _lawful_use(license_, use_in(members, country), country)
    for times, _ in meanwhile:
        yield from act_findings(case, site, times.since, "The site said where it is", _PROFILES)
    if cover([times for times, _ in shown], window) is not Cover.FULL:
        yield from _lawful_use(license_, Use.PLACE_UNKNOWN, None)


def _country(profile: Mapping[str, JsonValue]) -> str | None:
    value = profile.get("country")
    return value if isinstance(value, str) else None


def _cleared(case: Case) -> Iterator[str]:
    """Yield the control classes for which site or maker was cleared while the part was built."""
    run = case.statement.run
    for shown in case.disclosed.claims:
        is_clearance = shown.claim.scheme == CLEARANCE_SCHEME
        if not is_clearance or shown.subject not in {run.site, run.maker}:
            continue
        interval = IntervalWord.decode(case.word(storage.CLAIMS.at(shown.id())))
        is_held = interval.since > 0 and cover([interval], case.window) is Cover.FULL
        if is_held and _counts(case, shown.issuer, interval.since):
            yield shown.claim.value


def _counts(case: Case, issuer: IdentityId, at: int) -> bool:
    # Without a trust file nobody is listed, which is said once for the whole verdict.
    return case.trust is None or is_issuer_listed(case, issuer, at)


def _asked(case: Case) -> Iterator[tuple[TermsKind, str]]:
    statement = case.statement
    yield TermsKind.SITE, to_hex(statement.run.site)
    yield TermsKind.MACHINE, to_hex(statement.run.machine)
    yield TermsKind.RECIPE, to_hex(statement.external.recipe)
    yield TermsKind.LABEL_NAMESPACE, statement.label


def _fresh(case: Case) -> Iterator[Finding]:
    policy = Policy() if case.trust is None else case.trust.policy
    now, header = case.question.now, case.header
    if now is not None and header is not None and header.time + policy.max_age < now:
        days = (now - header.time) // 86_400
        reason = f"Block {header.number} is {days} days old; a later stop would not show."
        yield EVIDENCE_STALE.found(reason, "chain/header.rlp")


def _grant(case: Case) -> Grant | None:
    return case.core.record.grant_at(case.core.position)


def _unit(case: Case) -> GrantedUnit | None:
    return case.core.record.unit_at(case.core.position)


LICENSE = Check(
    number=6,
    name="license and unit",
    asks="The part has a granted unit, whoever gave it was himself; all licenses allow site, "
    "machine, recipe, place and time.",
    looked_at="disclosed/licenses.json",
    causes=(
        UNIT_NOT_GRANTED,
        UNIT_NOT_DRAWN,
        ENTRY_NOT_BUILD,
        ENTRY_SCRAP,
        SCRAP_AS_PART,
        UNIT_VOIDED,
        UNIT_MISMATCH,
        LOG_MISMATCH,
        LANE_MISMATCH,
        LANE_UNKNOWN,
        LANE_LOG_MISMATCH,
        UNIT_OUTSIDE_LANE,
        LANE_HOLDER_MISMATCH,
        LICENSE_NUMBER_MISMATCH,
        LICENSE_UNKNOWN,
        LICENSE_MISMATCH,
        LICENSE_PARENT_MISMATCH,
        LICENSE_NOT_IN_FORCE,
        LICENSE_IN_FORCE_PARTLY,
        LICENSOR_UNKNOWN,
        EXTENSION_MISSING,
        EXTENSION_MISMATCH,
        LANES_MISSING,
        TERMS_INVALID,
        TERMS_WITHHELD,
        TERMS_UNKNOWN,
        SITE_NOT_LICENSED,
        MACHINE_NOT_LICENSED,
        RECIPE_NOT_LICENSED,
        LABEL_NOT_LICENSED,
        COUNTRY_NOT_LICENSED,
        COUNTRY_UNKNOWN,
        CLEARANCE_MISSING,
        EVIDENCE_STALE,
    ),
    rules=(
        _granted,
        _not_void,
        _stated_place,
        _lane,
        _lane_holder,
        _chain_of_licenses,
        _licensor,
        _signed_soundly,
        _given_soundly,
        _stated_license,
        _in_force,
        _terms,
        _lawful,
        _fresh,
    ),
)
