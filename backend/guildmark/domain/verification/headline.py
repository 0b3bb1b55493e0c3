"""The sentences above the checks: one headline, and notes that change no state."""

from collections.abc import Iterator, Sequence

from guildmark.domain.builds.predicate import CLOCK_TOLERANCE, RunDetails, SignerRole
from guildmark.domain.builds.statement import SETTINGS_DEPENDENCY, BuildStatement
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.checks.accreditation import accreditation_notes
from guildmark.domain.verification.checks.approved import approved_notes
from guildmark.domain.verification.checks.countersigned import countersigned_notes
from guildmark.domain.verification.checks.equivalence import EQUIVALENCE, equivalence_notes
from guildmark.domain.verification.checks.first_use import first_use_notes
from guildmark.domain.verification.checks.key import confirmation_notes
from guildmark.domain.verification.checks.license import ENTRY_SCRAP, SCRAP_AS_PART
from guildmark.domain.verification.checks.measurements import measurement_notes
from guildmark.domain.verification.checks.overridden import overridden_notes
from guildmark.domain.verification.checks.recalled import RECALLED, recall_notes, recalled_by
from guildmark.domain.verification.checks.record import PART_REPLACED
from guildmark.domain.verification.inspections import inspected
from guildmark.domain.verification.naming import (
    DESIGN_OWNER,
    MAKER,
    OPERATOR,
    display_name,
    doubted_claims,
)
from guildmark.domain.verification.policy import Judgement
from guildmark.domain.verification.report import EXIT_OF_CHECK, CheckResult, Party, State, Verdict
from guildmark.domain.verification.times import as_time

_SIGNERS = {
    SignerRole.MACHINE: "the machine",
    SignerRole.GATEWAY: "a gateway",
    SignerRole.TECHNICIAN: "a technician",
}
_UNLISTED = {
    OPERATOR: "the operator of the log",
    MAKER: "the maker's issuer",
    DESIGN_OWNER: "the design owner's issuer",
}
_VOUCHED_FOR = {MAKER: "the maker", DESIGN_OWNER: "the design owner"}
ACCREDITOR = "the last issuer of an accreditation"
EVALUATOR = "the evaluator of the site's equivalence"
_SCRAP = frozenset({ENTRY_SCRAP.code, SCRAP_AS_PART.code})


def headline(case: Case, judgement: Judgement, named: Sequence[Party]) -> str:
    """Return the sentence that people read first."""
    decisive = judgement.decisive
    if decisive is not None and judgement.verdict is not Verdict.UNTRUSTED:
        lead = "Problem found" if judgement.verdict is Verdict.PROBLEM else "Could not check"
        return f"{lead}: {_what(decisive)}."
    if judgement.verdict is Verdict.VERIFIED:
        return f"{_verified(case)}."
    return _untrusted(case, named, decisive)


def notes(case: Case, checks: Sequence[CheckResult], named: Sequence[Party] = ()) -> Iterator[str]:
    """Yield what a reader should know, although it changes no state."""
    statement = case.parsed_statement
    if isinstance(statement, BuildStatement):
        yield from _of_statement(statement)
        yield from _of_clock(case, statement.run)
    yield from first_use_notes(case)
    yield from measurement_notes(case)
    yield from accreditation_notes(case)
    yield from approved_notes(case)
    yield from overridden_notes(case)
    yield from equivalence_notes(case)
    yield from recall_notes(case)
    yield from confirmation_notes(case)
    yield from countersigned_notes(case)
    yield from _inspections(case)
    yield from _not_looked_for(case)
    yield from _not_asked(case, checks)
    yield from _not_shown(named)
    yield from doubted_claims(case)
    if case.evidence.attached:
        names = ", ".join(case.evidence.attached)
        yield f"The bundle also holds {names}: no evidence, and not looked at."
    withheld = [check for check in checks if check.state is State.WITHHELD]
    if withheld:
        yield f"Withheld by whom it concerns: a part of {_numbers(withheld)}."
    for check in checks:
        yield from kept_words(check)


def kept_words(check: CheckResult) -> Iterator[str]:
    """Yield what the maker keeps of a check to himself, and what stands for it."""
    for one in check.closed:
        by = f"({one.cause.covered_by})"
        cover = (
            f"the certificate of equivalence of the maker's site, {by}, covers them"
            if one.is_covered
            else f"no certificate of equivalence, {by}, covers them"
        )
        yield f"{one.reason.removesuffix('.')}; {cover}."


def _numbers(checks: Sequence[CheckResult]) -> str:
    return ", ".join(f"({check.number})" for check in checks)


def _inspections(case: Case) -> Iterator[str]:
    """Yield what inspectors on the reader's list found, and by which the part stands."""
    for one in inspected(case):
        if one.lack or one.inspector is None or one.result is None:
            continue
        name = display_name(case, one.inspector)
        yield f"{name} inspected the part: {one.result.value}, on record at {as_time(one.time)}."


def _not_looked_for(case: Case) -> Iterator[str]:
    """Yield that inspections may have been left out, where the reader has inspectors."""
    is_asked = bool(case.question.inspections_from or case.same)
    if case.trust is not None and case.trust.inspectors and not is_asked:
        shown = len(case.disclosed.inspections)
        yield (
            f"Only the {shown} inspections in the bundle were looked at: one that failed may have "
            "been left out of it. Ask the part's node, too: --node."
        )


def _not_asked(case: Case, checks: Sequence[CheckResult]) -> Iterator[str]:
    """Yield which checks fall short without that the reader's policy asks for them."""
    required = range(len(EXIT_OF_CHECK)) if case.trust is None else case.trust.policy.required
    for check in checks:
        if check.number not in required and check.falls_short and check.state is not State.FAIL:
            yield f"Your policy does not ask for ({check.number}), which is {check.state.value}."


def is_unclaimed(party: Party) -> bool:
    """Return whether the evidence holds no valid claim about somebody who needs one."""
    return party.role in _VOUCHED_FOR and bool(party.id) and not party.claims


def _not_shown(named: Sequence[Party]) -> Iterator[str]:
    """Yield what must happen so that somebody counts whom no claim names."""
    for party in filter(is_unclaimed, named):
        yield (
            f"No valid claim about {_VOUCHED_FOR[party.role]} is in the bundle. Who made one shows "
            "it to the log's node, `guildmark disclose claim`; then ask for the bundle again."
        )


def _what(decisive: CheckResult) -> str:
    """Return what stands in the way: the check's name, who recalls, what replaces the part."""
    if decisive.code == PART_REPLACED.code:
        return decisive.reason.removesuffix(".").removeprefix("Part ")
    if decisive.code == RECALLED.code:
        return f"r{recalled_by(decisive.reason)[1:]}"
    if decisive.code in _SCRAP:
        return "this unit is scrap, not a part"
    return decisive.name


def _verified(case: Case) -> str:
    local = case.pin.chain_class is ChainClass.LOCAL
    lead = "Verified on this node's own chain" if local else "Verified"
    time = "" if case.header is None else f" as of {as_time(case.header.time)}"
    judge = case.question.list_name
    by_list = f", by the list of {judge}" if judge else ""
    return f"{lead}{time}{_signer(case)}{by_list}"


def _signer(case: Case) -> str:
    """Return who signed, where that was checked: the essential checks hold in these headlines."""
    statement = case.parsed_statement
    role = statement.signer_role if isinstance(statement, BuildStatement) else None
    return f", signed by {_SIGNERS[role]}" if role else ""


def _untrusted(case: Case, named: Sequence[Party], decisive: CheckResult | None) -> str:
    if case.trust is None:
        return "Consistent, but you have not said whom you trust."
    unlisted = next((party for party in named if not party.is_listed), None)
    if unlisted is not None and is_unclaimed(unlisted):
        return f"{_verified(case)}, but no claim about {_VOUCHED_FOR[unlisted.role]} was shown."
    who = _last_unlisted(decisive) if unlisted is None else _UNLISTED[unlisted.role]
    return f"{_verified(case)}, but {who} is not on your trust list."


def _last_unlisted(decisive: CheckResult | None) -> str:
    if decisive is None:
        return "the issuer of the label's GS1 prefix"
    return EVALUATOR if decisive.number == EQUIVALENCE.number else ACCREDITOR


def _of_statement(statement: BuildStatement) -> Iterator[str]:
    if statement.simulated:
        yield "The measurements are simulated."
    if statement.replaces is not None:
        yield "The statement replaces an earlier envelope of the same machine and counter."
    if statement.settings and statement.resource(SETTINGS_DEPENDENCY) is None:
        yield "The statement does not commit to the settings of its job file."


def _of_clock(case: Case, run: RunDetails) -> Iterator[str]:
    """Yield a sentence for each time that the machine states and the chain contradicts.

    A machine's clock is its own claim; when a part was built, beacon and record say.
    """
    try:
        window = case.window
    except UndecidedError:
        return
    for verb, time in (("began", run.started_on), ("ended", run.finished_on)):
        if time > window.end + CLOCK_TOLERANCE:
            yield (
                f"The machine says that the job {verb} at {as_time(time)}, after its record "
                f"({as_time(window.end)})."
            )
    if run.is_late_report:
        yield "Late report: nobody saw the job begin; it may be older than its beacon."
    elif run.finished_on < window.begin - CLOCK_TOLERANCE:
        yield (
            f"The machine says that the job ended at {as_time(run.finished_on)}, before its beacon "
            f"({as_time(window.begin)})."
        )
