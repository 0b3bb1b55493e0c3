"""The one pure function: evidence, trust and question in, report out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.chain.storage import LicenseWord
from guildmark.domain.identifiers import ZERO_ADDRESS
from guildmark.domain.trust import Policy, Trust
from guildmark.domain.verification.case import (
    NO_QUESTION,
    Brought,
    Case,
    Question,
    Rival,
    Sighting,
    Unsearched,
)
from guildmark.domain.verification.checks.accreditation import ACCREDITATIONS
from guildmark.domain.verification.checks.chain import CHAIN
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.design import DESIGN
from guildmark.domain.verification.checks.entry import ENTRY
from guildmark.domain.verification.checks.equivalence import EQUIVALENCE
from guildmark.domain.verification.checks.first_use import label_right
from guildmark.domain.verification.checks.key import KEY
from guildmark.domain.verification.checks.license import LICENSE
from guildmark.domain.verification.checks.measurements import MEASUREMENTS
from guildmark.domain.verification.checks.parties import PARTIES
from guildmark.domain.verification.checks.recalled import RECALLED, RECALLS
from guildmark.domain.verification.checks.recipe import RECIPE
from guildmark.domain.verification.checks.record import RECORD
from guildmark.domain.verification.checks.second_factor import SECOND_FACTOR
from guildmark.domain.verification.evidence import Evidence
from guildmark.domain.verification.headline import headline, notes
from guildmark.domain.verification.naming import is_listed, parties
from guildmark.domain.verification.policy import judge
from guildmark.domain.verification.report import (
    AsOf,
    CheckResult,
    Finding,
    PartSummary,
    Report,
    State,
    covered,
)

CHECKS: Sequence[Check] = (
    CHAIN,
    PARTIES,
    KEY,
    ENTRY,
    RECORD,
    DESIGN,
    LICENSE,
    RECIPE,
    MEASUREMENTS,
    EQUIVALENCE,
    ACCREDITATIONS,
    RECALLS,
    SECOND_FACTOR,
)
"""All checks that exist, by number."""


def verify_evidence(
    evidence: Evidence,
    trust: Trust | None = None,
    question: Question = NO_QUESTION,
    brought: Sequence[Brought] = (),
) -> Report:
    """Return the verdict about one part.

    Args:
        evidence: What is looked at.
        trust: Whom the reader trusts; without it the best answer is the second verdict.
        question: What the reader holds in hand.
        brought: Other entries that the reader holds beside it; no bundle can hide or crowd them.
    """
    return verdict_on(case_of(evidence, trust, question, brought))


def verdict_on(case: Case) -> Report:
    """Return the verdict on a case, for whoever says more of the part than that."""
    return _report(case, _run(case))


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer:
    """Evidence as newer blocks of the reader's own node prove it.

    Args:
        final: At the newest final block, None where the node proves none that is newer.
        latest: At the newest block of all.
    """

    final: Evidence | None
    latest: Evidence


def verify_anew(
    evidence: Evidence,
    newer: Newer,
    trust: Trust,
    question: Question = NO_QUESTION,
    brought: Sequence[Brought] = (),
) -> Report:
    """Return the verdict about one part as of the newest final block that proves it.

    Bad news count at once, before they are final; good ones only when they are. What was
    contradicted at the bundle's own block stays so, but a recall that was closed since.

    Args:
        evidence: The evidence at the bundle's own block, which (0) found trusted.
        newer: The same at newer blocks.
        trust: Whom the reader trusts.
        question: What the reader holds in hand.
        brought: Other entries that the reader holds beside it.
    """
    shown = evidence if newer.final is None else newer.final
    case = case_of(shown, trust, _as_seen(question, shown), brought)
    latest = case_of(newer.latest, trust, _as_seen(question, newer.latest), brought)
    before = case_of(evidence, trust, question, brought)
    checks = tuple(
        _with_bad_news(result, [*_lasting(check.run(before), result), *check.run(latest).findings])
        for check, result in ((check, check.run(case)) for check in CHECKS)
    )
    return replace(_report(case, covered(checks)), newest=_as_of(latest))


def _run(case: Case) -> tuple[CheckResult, ...]:
    return covered([check.run(case) for check in CHECKS])


def _as_seen(question: Question, evidence: Evidence) -> Question:
    """Return the question where the reader's own node showed the block."""
    header = decode_header(evidence.chain.header)
    # Whether the latest block is final says nothing about what it holds against the part.
    return replace(question, sighting=Sighting(is_reached=True, hash=header.hash, is_final=True))


def _lasting(before: CheckResult, now: CheckResult) -> Iterator[Finding]:
    """Yield what stays contradicted; a recall does not where all are known now."""
    is_known = now.state is not State.UNKNOWN
    for one in before.findings:
        is_over = one.cause is RECALLED and is_known
        if one.cause.state is State.FAIL and not is_over:
            yield one


def _with_bad_news(result: CheckResult, news: Sequence[Finding]) -> CheckResult:
    """Return a check's result with what else speaks against the part, the worst first."""
    known = {one.cause.code for one in result.findings}
    added = {one.cause.code: one for one in news if one.cause.code not in known}
    findings = sorted((*result.findings, *added.values()), key=lambda one: one.rank)
    return replace(result, findings=tuple(findings))


def case_of(
    evidence: Evidence, trust: Trust | None, question: Question, brought: Sequence[Brought]
) -> Case:
    """Return the case of one part; arguments are those of `verify_evidence`."""
    same, others = _parted(evidence, brought)
    judged = [(one, _alone(one, trust, question)) for one in same]
    silent = tuple(
        Unsearched(reason=f"Could not compare with {one.name}: {chain.reason}")
        for one, case in judged
        if (chain := CHAIN.run(case)).falls_short
    )
    return Case(
        evidence,
        trust,
        replace(question, unsearched=(*question.unsearched, *silent)),
        replacement=_of_replacement(evidence, trust, question),
        rivals=tuple(_rivals(evidence, trust, question, others)),
        same=tuple(case for _, case in judged if not CHAIN.run(case).falls_short),
    )


def _parted(
    evidence: Evidence, brought: Sequence[Brought]
) -> tuple[Sequence[Brought], Sequence[Brought]]:
    """Return what was brought about this very entry, and what about others."""
    ours = evidence.place, evidence.core.envelope
    same = [one for one in brought if (one.evidence.place, one.evidence.core.envelope) == ours]
    return same, [one for one in brought if one not in same]


def _alone(one: Brought, trust: Trust | None, question: Question) -> Case:
    """Return the case of something brought, at its own block and without what stands inside it."""
    alone = replace(one.evidence, replacement=None, rivals=())
    # How old its block is says nothing about who was first, or what an inspector found.
    asked = replace(_asked_of_others(question), now=None, sighting=one.sighting)
    return Case(alone, trust, asked)


def _report(case: Case, checks: tuple[CheckResult, ...]) -> Report:
    trust, named = case.trust, parties(case)
    judgement = judge(
        checks,
        Policy() if trust is None else trust.policy,
        has_trust=trust is not None,
        parties_listed=is_listed(case, named),
    )
    return Report(
        verdict=judgement.verdict,
        exit=judgement.exit,
        headline=headline(case, judgement, named),
        checks=checks,
        as_of=_as_of(case),
        part=_part(case),
        parties=named,
        notes=tuple(notes(case, checks, named)),
    )


def _of_replacement(
    evidence: Evidence, trust: Trust | None, question: Question
) -> tuple[CheckResult, ...]:
    """Return the checks over the entry that replaces this one, where it is shown."""
    if evidence.replacement is None:
        return ()
    return verify_evidence(evidence.replacement, trust, _asked_of_others(question)).checks


def _rivals(
    evidence: Evidence, trust: Trust | None, question: Question, brought: Sequence[Brought]
) -> Iterator[Rival]:
    """Yield the other entries, those that the bundle carries and those brought, each judged alone.

    Each is judged at its own block.
    """
    carried = [Brought(name="", evidence=shown) for shown in evidence.rivals]
    for one in (*brought, *carried):
        case = _alone(one, trust, question)
        checks = _run(case)
        yield Rival(
            evidence=case.evidence,
            checks=checks,
            is_listed=is_listed(case),
            right=label_right(case),
            name=one.name,
        )


def _asked_of_others(question: Question) -> Question:
    """Return what is asked of an entry that is not the scanned one."""
    return replace(question, label=None, link=None, hint=None, unsearched=(), second=None)


def _as_of(case: Case) -> AsOf | None:
    return None if case.header is None else AsOf(block=case.header.number, time=case.header.time)


def _part(case: Case) -> PartSummary:
    core, statement = case.core, case.parsed_statement
    log, key = case.pin.contracts.get(ContractName.LOG), case.disclosed.key
    unit = core.record.unit_at(core.position)
    place = PartSummary(
        chain_id=case.pin.chain_id,
        build_log=ZERO_ADDRESS if log is None else log.address,
        log=core.record.log,
        index=core.index,
        unit=None if unit is None else unit.unit,
        key_algorithm=None if key is None else key.algorithm.name.lower(),
        units=_units(case),
    )
    if not isinstance(statement, BuildStatement):
        return place
    return replace(
        place,
        label=statement.label,
        signer_role=statement.signer_role.value,
        key_holder=None if statement.key_holder is None else statement.key_holder.value,
        is_simulated=statement.simulated,
    )


def _units(case: Case) -> int | None:
    """Return how many units the root license has, as proven."""
    for root in case.disclosed.licenses[-1:]:
        word = case.state.word(storage.LICENSES.at(root.number))
        if isinstance(word, int) and word:
            return LicenseWord.decode(word).units
    return None
