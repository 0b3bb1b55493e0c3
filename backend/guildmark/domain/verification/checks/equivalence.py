"""(9) Where the recipe asks for it, the maker's site was certified equivalent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import (
    CertificateWord,
    IntervalWord,
    PlanEntryWord,
    ScheduleWord,
)
from guildmark.domain.equivalence.registration import (
    ASKED,
    Lapse,
    Outcome,
    Registration,
    covered_by,
    is_asked,
)
from guildmark.domain.identifiers import IdentityId, RecipeId, to_hex
from guildmark.domain.verification.case import (
    AUTHORITY_MISSING,
    Case,
    Right,
    UndecidedError,
)
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.clauses import (
    master_clauses,
    shown_recipe,
    shown_site_recipe,
)
from guildmark.domain.verification.checks.lapsing import (
    EQUIVALENCE_FIRMWARE_CHANGED,
    EQUIVALENCE_FIRMWARE_UNPROVEN,
    EQUIVALENCE_MACHINE_MOVED,
    lapsed,
)
from guildmark.domain.verification.checks.members import Shown
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.naming import display_name
from guildmark.domain.verification.report import Cause, Finding, Lack, State
from guildmark.domain.verification.state import Unproven

_RECIPE = "disclosed/recipe.json"
_SHOWN = "disclosed/equivalence.json"

EQUIVALENCE_REFUTED = Cause(
    code="verify.equivalenceRefuted",
    state=State.FAIL,
    meaning="An evaluator on your list found the site not equivalent, and none on it said "
    "otherwise since.",
)
EQUIVALENCE_NOT_IN_FORCE = Cause(
    code="verify.equivalenceNotInForce",
    state=State.FAIL,
    meaning="The certificate had not begun, had ended, lapsed or was suspended while the part was "
    "built.",
)
EQUIVALENCE_IN_FORCE_PARTLY = Cause(
    code="verify.equivalenceInForcePartly",
    state=State.UNKNOWN,
    meaning="The certificate held only a part of the time between beacon and record.",
)
EQUIVALENCE_CHALLENGED = Cause(
    code="verify.equivalenceChallenged",
    state=State.UNKNOWN,
    meaning="An authority on your list computed another result from the same data.",
)
EQUIVALENCE_UNLISTED = Cause(
    code="verify.equivalenceUnlisted",
    state=State.UNKNOWN,
    meaning="The evaluator who certified the site is not on your list of authorities.",
    lack=Lack.ISSUER,
)
EQUIVALENCE_PLAN_MISSING = Cause(
    code="verify.equivalencePlanMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show a plan that the site joined, or shows another one.",
)
EQUIVALENCE_UNREAD = Cause(
    code="verify.equivalenceUnread",
    state=State.UNKNOWN,
    meaning="A clause asks for equivalence in a form that this version does not know.",
)
EQUIVALENCE_WITHHELD = Cause(
    code="verify.equivalenceWithheld",
    state=State.WITHHELD,
    meaning="The recipe may ask for equivalence by a clause that is not shown.",
)
EQUIVALENCE_NOT_CERTIFIED = Cause(
    code="verify.equivalenceNotCertified",
    state=State.NOT_CLAIMED,
    meaning="The recipe asks for equivalence, and nobody certified it of this site and machine "
    "model.",
)
EQUIVALENCE_NOT_ASKED = Cause(
    code="verify.equivalenceNotAsked",
    state=State.NOT_CLAIMED,
    meaning="The recipe does not ask for equivalence.",
    is_exempt=True,
)

_LAPSES: Mapping[int, str] = MappingProxyType(
    {
        Lapse.MACHINE_MOVED: "a machine moved",
        Lapse.FIRMWARE_CHANGED: "firmware changed by a major version",
        Lapse.RECIPE_CHANGED: "the recipe changed",
        Lapse.KEY_UNDER_NOTICE: "a key is under notice",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A plan that the site joined, as proven.

    Args:
        number: Its number among the site's plans of the recipe.
        scope: The salted digest of the machine model that it is about.
        certificate: What was certified; its verdict is 0 where nothing was.
    """

    number: int
    plan: Registration
    schedule: ScheduleWord
    entry: PlanEntryWord
    scope: int
    certificate: CertificateWord

    def outcome(self, now: int) -> str:
        """Return what became of it by block time ``now``, in words."""
        if self.certificate.verdict:
            return Outcome(self.certificate.verdict).name
        if self.entry.revealed_at:
            return "revealed, not certified"
        if not self.entry.committed_at and now >= self.schedule.commit_by:
            return "FAIL, no data"
        return "FAIL, not revealed" if now >= self.schedule.reveal_by else "running"

    def validity(self) -> IntervalWord:
        """Return when the certificate holds: until it ends, is suspended or lapses."""
        given = self.certificate
        ends = [end for end in (given.until, given.suspended_at, given.lapsed_at) if end]
        return IntervalWord(since=given.since, until=min(ends, default=0))

    def limits(self) -> str:
        """Return why the certificate holds no more, empty where nothing was said."""
        given = self.certificate
        words = [f"; suspended at {given.suspended_at}"] if given.suspended_at else []
        if given.lapsed_at:
            cause = _LAPSES.get(given.cause, "an unknown cause")
            words.append(f"; lapsed at {given.lapsed_at}: {cause}")
        return "".join(words)


def equivalence_notes(case: Case) -> Iterator[str]:
    """Yield who certified the maker's site by which plan, and what became of the other plans."""
    try:
        attempts = _attempts(case) if _is_asked(case) else ()
    except UndecidedError:
        # The check says why.
        return
    by_words: dict[str, list[int]] = {}
    for one in attempts:
        by_words.setdefault(_words(case, one), []).append(one.number)
    texts = [f"{_plans(numbers)}: {words}" for words, numbers in by_words.items()]
    if texts:
        yield f"Equivalence of the maker's site: {'; '.join(texts)}."


def _words(case: Case, one: Attempt) -> str:
    now = 0 if case.header is None else case.header.time
    if not one.certificate.verdict:
        return one.outcome(now)
    return f"{one.outcome(now)} by {display_name(case, one.plan.evaluator)}"


def _plans(numbers: Sequence[int]) -> str:
    named = ", ".join(map(str, numbers))
    return f"plan {named}" if len(numbers) == 1 else f"plans {named}"


def certified_by(case: Case) -> Sequence[Registration]:
    """Return the plans by which the maker's site was certified, where the recipe asks for it.

    Raises:
        UndecidedError: One of its plans is not shown, or something is not proven.
    """
    attempts = (
        [one for one in _attempts(case) if one.scope == _model(case)] if _is_asked(case) else ()
    )
    return [one.plan for one in attempts if one.certificate.verdict == Outcome.EQUIVALENT]


def _certified(case: Case) -> Iterator[Finding]:
    asked = _is_asked(case)
    if asked is None:
        reason = f"The clause {ASKED} asks in an unknown form."
        yield EQUIVALENCE_UNREAD.found(reason, _RECIPE)
    elif not asked and Shown.of(master_clauses(case)).may_hide(ASKED):
        reason = "The recipe may ask for equivalence by a clause that is not shown."
        yield EQUIVALENCE_WITHHELD.found(reason, _RECIPE)
    elif not asked:
        reason = "The recipe does not ask for equivalence."
        yield EQUIVALENCE_NOT_ASKED.found(reason, _RECIPE)
    else:
        yield from _of_attempts(case)


def _of_attempts(case: Case) -> Iterator[Finding]:
    """Yield nothing where one certificate holds; else what the newest one lacks."""
    attempts = [one for one in _attempts(case) if one.scope == _model(case)]
    given = [one for one in attempts if one.certificate.verdict == Outcome.EQUIVALENT]
    newest_first = sorted(given, key=lambda one: one.certificate.since, reverse=True)
    doubts = [tuple(_of_evaluator(case, one)) for one in newest_first]
    lacks = [
        (*doubted, *_in_force(case, one), *lapsed(case, one.certificate.since))
        for one, doubted in zip(newest_first, doubts, strict=True)
    ]
    credible = [one for one, doubted in zip(newest_first, doubts, strict=True) if not doubted]
    yield from _refuted(case, attempts, credible)
    if not lacks:
        reason = "Nobody certified the site equivalent for this recipe and machine model."
        yield EQUIVALENCE_NOT_CERTIFIED.found(reason, _SHOWN)
    elif all(lacks):
        yield from lacks[0]


def _of_evaluator(case: Case, one: Attempt) -> Iterator[Finding]:
    """Yield why the evaluator's word does not count for this reader."""
    evaluator = one.plan.evaluator
    since = one.certificate.since
    if case.trust is not None and not case.trust.lists_authority(evaluator, since):
        reason = f"The evaluator {to_hex(evaluator)} of plan {one.number} is not on your list."
        yield EQUIVALENCE_UNLISTED.found(reason, _SHOWN)
    yield from act_findings(case, evaluator, since, "The certificate was given", _SHOWN)
    yield from _challenged(case, one)


def _in_force(case: Case, one: Attempt) -> Iterator[Finding]:
    right = Right(
        what=f"The certificate of plan {one.number}{one.limits()}",
        evidence=_SHOWN,
        none=EQUIVALENCE_NOT_IN_FORCE,
        part=EQUIVALENCE_IN_FORCE_PARTLY,
    )
    return right.findings([one.validity()], case.window)


def _challenged(case: Case, one: Attempt) -> Iterator[Finding]:
    for listed in () if case.trust is None else case.trust.authorities:
        place = storage.COUNTERS.at(one.plan.id(), case.statement.run.site, listed.id)
        named = listed.name or to_hex(listed.id)
        if case.state.word(place) is Unproven.MISSING:
            reason = f"Whether the authority {named} found another result is not proven."
            yield AUTHORITY_MISSING.found(reason, _SHOWN)
        elif case.word(place):
            reason = f"The authority {named} found another result than plan {one.number} says."
            yield EQUIVALENCE_CHALLENGED.found(reason, _SHOWN)


def _refuted(
    case: Case, attempts: Sequence[Attempt], credible: Sequence[Attempt]
) -> Iterator[Finding]:
    """Yield a finding where the last word of a listed evaluator is NOT_EQUIVALENT.

    A good word of whom the reader does not list, or doubts, takes none back: a site could get one
    from an evaluator of its own.
    """
    last_good = max((one.certificate.since for one in credible), default=0)
    for one in attempts:
        given = one.certificate
        is_bad = given.verdict == Outcome.NOT_EQUIVALENT and given.since >= last_good
        is_listed = case.trust is not None and case.trust.lists_authority(
            one.plan.evaluator, given.since
        )
        if is_bad and is_listed:
            reason = f"Plan {one.number} ended with NOT_EQUIVALENT for the maker's site."
            yield EQUIVALENCE_REFUTED.found(reason, _SHOWN)


def _is_asked(case: Case) -> bool | None:
    return is_asked(master_clauses(case).opened.values())


def _model(case: Case) -> int:
    return int.from_bytes(shown_site_recipe(case).recipe.model, "big")


def _attempts(case: Case) -> Sequence[Attempt]:
    """Return every plan that the site joined for the recipe, by number.

    Raises:
        UndecidedError: One of them is not shown, or something is not proven.
    """
    recipe, site = shown_recipe(case), case.statement.run.site
    shown = {(one.plan.recipe, one.number): one.plan for one in case.disclosed.equivalence}
    return [
        _attempt(case, site, number, shown.get((one, number)), one)
        for one in covered_by(recipe.recipe)
        for number in range(1, case.word(storage.PLAN_COUNTS.at(one, site)) + 1)
    ]


def _attempt(
    case: Case, site: IdentityId, number: int, plan: Registration | None, recipe: RecipeId
) -> Attempt:
    if plan is None:
        reason = f"Plan {number} of the maker's site is not shown."
        raise UndecidedError(EQUIVALENCE_PLAN_MISSING.found(reason, _SHOWN))
    plan_id = plan.id()
    if case.word(storage.PLANS.at(recipe, site, number)) != int.from_bytes(plan_id, "big"):
        reason = f"The site joined another plan {number} than the one that is shown."
        raise UndecidedError(EQUIVALENCE_PLAN_MISSING.found(reason, _SHOWN))
    return Attempt(
        number=number,
        plan=plan,
        schedule=ScheduleWord.decode(case.word(storage.SCHEDULES.at(plan_id))),
        entry=PlanEntryWord.decode(case.word(storage.PLAN_ENTRIES.at(plan_id, site))),
        scope=case.word(storage.SCOPES.at(plan_id, site)),
        certificate=CertificateWord.decode(case.word(storage.CERTIFICATES.at(plan_id, site))),
    )


EQUIVALENCE = Check(
    number=9,
    name="equivalence",
    asks="Where the recipe asks for it, the maker's site was certified equivalent.",
    looked_at=_SHOWN,
    causes=(
        EQUIVALENCE_REFUTED,
        EQUIVALENCE_NOT_IN_FORCE,
        EQUIVALENCE_IN_FORCE_PARTLY,
        EQUIVALENCE_MACHINE_MOVED,
        EQUIVALENCE_FIRMWARE_CHANGED,
        EQUIVALENCE_FIRMWARE_UNPROVEN,
        EQUIVALENCE_CHALLENGED,
        EQUIVALENCE_UNLISTED,
        EQUIVALENCE_PLAN_MISSING,
        EQUIVALENCE_UNREAD,
        EQUIVALENCE_WITHHELD,
        EQUIVALENCE_NOT_CERTIFIED,
        EQUIVALENCE_NOT_ASKED,
    ),
    rules=(_certified,),
)
