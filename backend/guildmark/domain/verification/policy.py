"""From checks to one verdict and one exit code, by the reader's policy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from guildmark.domain.trust import Policy
from guildmark.domain.verification.report import (
    EXIT_FINALITY,
    EXIT_NOT_CLAIMED,
    EXIT_OF_CHECK,
    EXIT_OK,
    EXIT_SOURCE,
    EXIT_UNCHECKABLE,
    EXIT_UNTRUSTED,
    CheckResult,
    Lack,
    State,
    Verdict,
)

_COULD_NOT_CHECK = {State.UNKNOWN, State.WITHHELD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict, its exit code, and the check that decides it, if one does."""

    verdict: Verdict
    exit: int
    decisive: CheckResult | None = None


def judge(
    checks: Sequence[CheckResult], policy: Policy, *, has_trust: bool, parties_listed: bool
) -> Judgement:
    """Return the verdict over all checks.

    Args:
        checks: All checks, by ascending number.
        policy: Which of them must be ``ok``.
        has_trust: Whether the reader has said whom he trusts.
        parties_listed: Whether operator and both issuers are on his list.
    """
    failed = next((check for check in checks if check.state is State.FAIL), None)
    if failed is not None:
        return Judgement(
            verdict=Verdict.PROBLEM, exit=EXIT_OF_CHECK[failed.number], decisive=failed
        )
    if not has_trust:
        return Judgement(verdict=Verdict.UNTRUSTED, exit=EXIT_UNTRUSTED)
    short = [check for check in checks if check.number in policy.required and check.falls_short]
    if short:
        return _fall_short(short)
    if not parties_listed:
        return Judgement(verdict=Verdict.UNTRUSTED, exit=EXIT_UNTRUSTED)
    return Judgement(verdict=Verdict.VERIFIED, exit=EXIT_OK)


def _fall_short(short: Sequence[CheckResult]) -> Judgement:
    open_checks = [check for check in short if check.state in _COULD_NOT_CHECK]
    if not open_checks:
        return Judgement(verdict=Verdict.PROBLEM, exit=EXIT_NOT_CLAIMED, decisive=short[0])
    if open_checks == short and _lacks(short) == {Lack.ISSUER}:
        return Judgement(verdict=Verdict.UNTRUSTED, exit=EXIT_UNTRUSTED, decisive=open_checks[0])
    return Judgement(
        verdict=Verdict.UNCHECKABLE, exit=_exit_of(open_checks), decisive=open_checks[0]
    )


def _exit_of(checks: Iterable[CheckResult]) -> int:
    """Return 17 where only finality lacks, 3 where a source was unreachable, else 23."""
    lacks = _lacks(checks)
    if lacks == {Lack.FINALITY}:
        return EXIT_FINALITY
    return EXIT_SOURCE if Lack.SOURCE in lacks else EXIT_UNCHECKABLE


def _lacks(checks: Iterable[CheckResult]) -> set[Lack]:
    causes = [finding.cause for check in checks for finding in check.findings]
    return {cause.lack for cause in causes if cause.state in _COULD_NOT_CHECK}
