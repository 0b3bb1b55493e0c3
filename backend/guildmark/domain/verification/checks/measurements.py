"""(8) The measurements meet the tolerances, and registered instruments took them."""

from collections.abc import Iterator, Sequence

from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IdentityWord, IntervalWord
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes.clause import Clause, ClauseType
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.verification.case import ENVELOPE, Case, Right
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.members import Shown
from guildmark.domain.verification.checks.recipe import master_clauses, site_clauses
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.report import Cause, Finding, State
from guildmark.domain.verification.slots import instrument_id

TOLERANCE = "/tolerance/"

_RECIPE = "disclosed/recipe.json"
_IDENTITIES = "chain/identities.json"

TOLERANCE_EXCEEDED = Cause(
    code="verify.toleranceExceeded",
    state=State.FAIL,
    meaning="A measured value lies outside its tolerance.",
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
    measured = {one.characteristic for one in case.statement.measurements}
    for tolerance in tolerances:
        if tolerance.path not in measured:
            reason = f"The statement has no measurement of {tolerance.path}."
            yield MEASUREMENT_MISSING.found(reason, ENVELOPE)


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
    for one in case.statement.measurements:
        bound = bounds.get(one.characteristic)
        if bound is not None and not bound.admits(one.value, one.unit):
            reason = f"{bound.path} was measured as {one.value} {one.unit}, outside its bounds."
            yield TOLERANCE_EXCEEDED.found(reason, ENVELOPE)


def _instruments(case: Case) -> Iterator[Finding]:
    for instrument in dict.fromkeys(one.instrument for one in case.statement.measurements):
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


MEASUREMENTS = Check(
    number=8,
    name="tolerances",
    asks="The measurements meet the recipe's tolerances, and the instruments are registered.",
    looked_at="statements/build.dsse.json",
    causes=(
        TOLERANCE_EXCEEDED,
        INSTRUMENT_UNREGISTERED,
        INSTRUMENT_REGISTERED_LATER,
        INSTRUMENT_REGISTERED_MEANWHILE,
        TOLERANCES_WITHHELD,
        MEASUREMENT_MISSING,
        TOLERANCES_ABSENT,
    ),
    rules=(_claimed, _within, _within_own, _instruments),
)
