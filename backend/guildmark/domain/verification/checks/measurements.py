"""(8) The measurements prove the tolerances, and registered, calibrated instruments took them."""

from collections.abc import Iterable, Iterator, Sequence

from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IdentityWord, IntervalWord
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.identity.accreditation import Requirement, accredited_over
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.measurement.conformity import DecisionRule, Outcome, decide
from guildmark.domain.measurement.quality_plan import ASKING, QualityPlan
from guildmark.domain.recipes.clause import Clause, ClauseType
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.verification.case import ENVELOPE, Case, Right, UndecidedError
from guildmark.domain.verification.checks.accreditation import (
    doubts_of,
    issuer_times,
    proven_accreditations,
)
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.clauses import master_clauses, site_clauses
from guildmark.domain.verification.checks.members import Shown
from guildmark.domain.verification.checks.values import (
    MEASUREMENT_CLOSED,
    SHOWN_MEASUREMENTS,
    closed_words,
    measurements_of,
)
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.inspections import Inspected, failed, last_words
from guildmark.domain.verification.naming import display_name
from guildmark.domain.verification.report import Cause, Finding, State
from guildmark.domain.verification.slots import instrument_id

TOLERANCE = "/tolerance/"

_RECIPE = "disclosed/recipe.json"
_IDENTITIES = "chain/identities.json"
_ACCREDITATIONS = "disclosed/accreditations.json"
_INSPECTIONS = "disclosed/inspections.json"

TOLERANCE_EXCEEDED = Cause(
    code="verify.toleranceExceeded",
    state=State.FAIL,
    meaning="A measured value lies outside its tolerance, the maker's or that of an inspector on "
    "your list.",
)
INSTRUMENT_UNREGISTERED = Cause(
    code="verify.instrumentUnregistered",
    state=State.FAIL,
    meaning="A measurement names an instrument that nobody registered as a machine.",
)
INSTRUMENT_REGISTERED_LATER = Cause(
    code="verify.instrumentRegisteredLater",
    state=State.FAIL,
    meaning="An instrument was registered after the part's record.",
)
INSTRUMENT_REGISTERED_MEANWHILE = Cause(
    code="verify.instrumentRegisteredMeanwhile",
    state=State.UNKNOWN,
    meaning="An instrument was registered between beacon and record.",
)
INSPECTION_FAILED = Cause(
    code="verify.inspectionFailed",
    state=State.FAIL,
    meaning="An inspector on your list found that the part failed, and did not pass it since.",
)
TOLERANCES_WITHHELD = Cause(
    code="verify.tolerancesWithheld",
    state=State.WITHHELD,
    meaning="The recipe may have tolerances that are not shown.",
)
MEASUREMENT_MISSING = Cause(
    code="verify.measurementMissing",
    state=State.NOT_CLAIMED,
    meaning="The recipe has a tolerance that the statement does not answer with a measurement.",
)
CONFORMITY_UNPROVEN = Cause(
    code="verify.conformityUnproven",
    state=State.UNKNOWN,
    meaning="A value lies so near a limit, or was measured in such a way, that it proves nothing.",
)
RAW_DATA_MISSING = Cause(
    code="verify.rawDataMissing",
    state=State.NOT_CLAIMED,
    meaning="The recipe asks for the instruments' own files, and a measurement names none.",
)
CALIBRATION_UNPROVEN = Cause(
    code="verify.calibrationUnproven",
    state=State.UNKNOWN,
    meaning="It is not proven that an instrument was calibrated as the recipe asks while the part "
    "was built.",
)
QUALITY_PLAN_UNREAD = Cause(
    code="verify.qualityPlanUnread",
    state=State.UNKNOWN,
    meaning="A clause says in a form that this version does not know how values are judged.",
)
QUALITY_PLAN_WITHHELD = Cause(
    code="verify.qualityPlanWithheld",
    state=State.WITHHELD,
    meaning="A clause that says how measured values are judged may be among those not shown.",
)
NOT_SAMPLED = Cause(
    code="verify.notSampled",
    state=State.NOT_CLAIMED,
    meaning="The recipe asks to measure one unit of several, and this is none of them.",
    is_exempt=True,
)
TOLERANCES_ABSENT = Cause(
    code="verify.tolerancesAbsent",
    state=State.NOT_CLAIMED,
    meaning="The recipe has no tolerances, so that none had to be met.",
    is_exempt=True,
)


def _claimed(case: Case) -> Iterator[Finding]:
    clauses = master_clauses(case)
    tolerances = _tolerances(clauses)
    if Shown.of(clauses).may_hide(TOLERANCE):
        reason = "The recipe may have tolerances that are not shown."
        yield TOLERANCES_WITHHELD.found(reason, _RECIPE)
    elif not tolerances:
        yield TOLERANCES_ABSENT.found("The recipe has no tolerances.", _RECIPE)
    is_sampled = quality_plan(case).samples(case.statement.external.unit)
    recorded = measurements_of(case)
    measured = {one.characteristic for one in recorded.values}
    for tolerance in tolerances:
        is_hidden = recorded.may_hide(tolerance.path)
        if tolerance.path not in measured and is_sampled and not is_hidden:
            reason = f"The statement has no measurement of {tolerance.path}."
            yield MEASUREMENT_MISSING.found(reason, ENVELOPE)
    if recorded.is_none and not is_sampled:
        reason = "The part is not of the sample that the recipe asks to measure."
        yield NOT_SAMPLED.found(reason, ENVELOPE)


def _closed(case: Case) -> Iterator[Finding]:
    recorded = measurements_of(case)
    if not recorded.is_complete:
        reason = closed_words("measured values", recorded)
        yield MEASUREMENT_CLOSED.found(reason, SHOWN_MEASUREMENTS)


def measurement_notes(case: Case) -> Iterator[str]:
    """Yield how the values were judged, and that several instruments took them."""
    try:
        plan, measurements = quality_plan(case), measurements_of(case).values
    except UndecidedError:
        # The check says why.
        return
    if not measurements:
        return
    if plan.rule is not DecisionRule.SIMPLE:
        yield f"The measured values are judged by {plan.rule.value}."
    instruments = {one.instrument for one in measurements}
    if len(instruments) > 1:
        yield f"{len(instruments)} instruments took the measured values."


def quality_plan(case: Case) -> QualityPlan:
    """Return what the recipe's shown clauses ask of measurements.

    Raises:
        UndecidedError: No recipe is shown, or other clauses than it commits to.
    """
    return QualityPlan.of(master_clauses(case).opened.values())


def _planned(case: Case) -> Iterator[Finding]:
    shown = Shown.of(master_clauses(case))
    hidden = [path for path in ASKING if path not in shown.by_path and shown.may_hide(path)]
    if hidden:
        reason = f"The clause {hidden[0]} may be among those that are not shown."
        yield QUALITY_PLAN_WITHHELD.found(reason, _RECIPE)
    for path in quality_plan(case).unread:
        reason = f"The clause {path} is in a form that this version does not know."
        yield QUALITY_PLAN_UNREAD.found(reason, _RECIPE)


def _within(case: Case) -> Iterator[Finding]:
    yield from _met(case, _tolerances(master_clauses(case)))


def _within_own(case: Case) -> Iterator[Finding]:
    # A site may bind itself to narrower tolerances.
    yield from _met(case, _tolerances(site_clauses(case)))


def _tolerances(clauses: DisclosedClauses) -> list[Clause]:
    # A text below /tolerance is for people; only quantities can be measured.
    shown = clauses.below(TOLERANCE)
    return [clause for clause in shown if clause.type is ClauseType.QUANTITY]


def _met(case: Case, tolerances: Sequence[Clause]) -> Iterator[Finding]:
    bounds = {tolerance.path: tolerance for tolerance in tolerances}
    plan = quality_plan(case)
    for one in measurements_of(case).values:
        bound = bounds.get(one.characteristic)
        if bound is None:
            continue
        decision = decide(one, bound, plan.rule, plan.least_ratio)
        measured = f"{bound.path} was measured as {one.value} {one.unit}"
        if decision.outcome is Outcome.EXCEEDED:
            reason = f"{measured}, outside its bounds."
            yield TOLERANCE_EXCEEDED.found(reason, ENVELOPE)
        elif decision.outcome is Outcome.UNPROVEN:
            yield CONFORMITY_UNPROVEN.found(f"{measured}. {decision.reason}", ENVELOPE)


def _raw_data(case: Case) -> Iterator[Finding]:
    if not quality_plan(case).is_raw_asked:
        return
    for one in measurements_of(case).values:
        if one.raw_data is None:
            reason = f"The measurement of {one.characteristic} names no file of its instrument."
            yield RAW_DATA_MISSING.found(reason, ENVELOPE)


def _calibrated(case: Case) -> Iterator[Finding]:
    """Yield a finding for each instrument whose calibration is not proven for the whole window."""
    standard = quality_plan(case).calibration
    if not standard:
        return
    proven, _ = proven_accreditations(case)
    sound = [one for one in proven if not any(doubts_of(case, one))]
    for instrument in dict.fromkeys(one.instrument for one in measurements_of(case).values):
        identity = instrument_id(instrument)
        answer = accredited_over(
            [] if identity is None else [identity],
            Requirement(standard=standard),
            case.window,
            shown=sound,
            roots=lambda issuer: issuer_times(case, issuer),
        )
        if not answer.is_held:
            reason = f"The instrument {instrument} is not proven to be calibrated. {answer.reason}"
            yield CALIBRATION_UNPROVEN.found(reason, _ACCREDITATIONS)


def _instruments(case: Case) -> Iterator[Finding]:
    for instrument in dict.fromkeys(one.instrument for one in measurements_of(case).values):
        identity = instrument_id(instrument)
        word = 0 if identity is None else case.word(storage.IDENTITIES.at(identity))
        found = IdentityWord.decode(word)
        if identity is None or found.kind != IdentityKind.MACHINE:
            reason = f"The instrument {instrument!r} is no registered machine."
            yield INSTRUMENT_UNREGISTERED.found(reason, ENVELOPE)
        else:
            yield from _registered(case, identity, found.since)


def _registered(case: Case, instrument: IdentityId, since: int) -> Iterator[Finding]:
    named = f"instrument {to_hex(instrument)}"
    right = Right(
        what=f"The registration of {named}",
        evidence=_IDENTITIES,
        none=INSTRUMENT_REGISTERED_LATER,
        part=INSTRUMENT_REGISTERED_MEANWHILE,
    )
    yield from right.findings([IntervalWord(since=since, until=0)], case.window)
    yield from act_findings(case, instrument, since, f"The {named} was registered")


def _inspected(case: Case) -> Iterator[Finding]:
    for one in failed(case):
        reason = f"{_who(case, one)} inspected the part, and it failed; on record since {one.time}."
        yield INSPECTION_FAILED.found(reason, _INSPECTIONS)


def _remeasured(case: Case) -> Iterator[Finding]:
    """Yield what an inspector measured outside the bounds, whatever he made of it."""
    plan = quality_plan(case)
    bounds = (*_tolerances(master_clauses(case)), *_tolerances(site_clauses(case)))
    for one in last_words(case):
        for measurement, bound in _answered(one, bounds):
            if decide(measurement, bound, plan.rule, plan.least_ratio).outcome is Outcome.EXCEEDED:
                measured = f"{bound.path} as {measurement.value} {measurement.unit}"
                reason = f"{_who(case, one)} measured {measured}, outside its bounds."
                yield TOLERANCE_EXCEEDED.found(reason, _INSPECTIONS)


def _answered(one: Inspected, tolerances: Iterable[Clause]) -> Iterator[tuple[Measurement, Clause]]:
    taken = {measurement.characteristic: measurement for measurement in one.measurements}
    for bound in tolerances:
        if bound.path in taken:
            yield taken[bound.path], bound


def _who(case: Case, one: Inspected) -> str:
    return "An inspector" if one.inspector is None else display_name(case, one.inspector)


MEASUREMENTS = Check(
    number=8,
    name="tolerances",
    asks="The measurements prove the recipe's tolerances, the instruments are registered, and no "
    "inspector on your list found otherwise.",
    looked_at="statements/build.dsse.json",
    causes=(
        TOLERANCE_EXCEEDED,
        INSPECTION_FAILED,
        INSTRUMENT_UNREGISTERED,
        INSTRUMENT_REGISTERED_LATER,
        INSTRUMENT_REGISTERED_MEANWHILE,
        CONFORMITY_UNPROVEN,
        CALIBRATION_UNPROVEN,
        QUALITY_PLAN_UNREAD,
        TOLERANCES_WITHHELD,
        QUALITY_PLAN_WITHHELD,
        MEASUREMENT_CLOSED,
        MEASUREMENT_MISSING,
        RAW_DATA_MISSING,
        NOT_SAMPLED,
        TOLERANCES_ABSENT,
    ),
    rules=(
        _claimed,
        _closed,
        _planned,
        _within,
        _within_own,
        _raw_data,
        _instruments,
        _calibrated,
        _inspected,
        _remeasured,
    ),
)
