"""A numbered check: a few rules over one case, and every cause that they can find."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.report import Cause, CheckResult, Finding

Rule: TypeAlias = Callable[[Case], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One numbered check.

    Args:
        number: Its number, the same in code, reports and docs.
        name: What it is about, in two or three words.
        asks: The sentence that holds where it is ``ok``.
        looked_at: Where in a bundle its evidence is.
        causes: Its own causes; the shared ones of a case come on top.
        rules: What it looks at, in the order in which people should read it.
    """

    number: int
    name: str
    asks: str
    looked_at: str
    causes: tuple[Cause, ...]
    rules: tuple[Rule, ...]

    def run(self, case: Case) -> CheckResult:
        """Return the check's result: all findings, the worst first."""
        # A finding that several rules make is said once.
        findings = dict.fromkeys(each for rule in self.rules for each in _findings(rule, case))
        worst_first = sorted(findings, key=lambda finding: finding.rank)
        return CheckResult(
            number=self.number,
            name=self.name,
            asks=self.asks,
            looked_at=self.looked_at,
            findings=tuple(worst_first),
        )


def _findings(rule: Rule, case: Case) -> Iterator[Finding]:
    try:
        yield from rule(case)
    except UndecidedError as undecided:
        yield undecided.finding
