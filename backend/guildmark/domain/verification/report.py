"""What a verification says: numbered checks with states, one verdict, one exit code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from guildmark.domain.identifiers import Address, ChainId


class State(StrEnum):
    """What a check found, worst first."""

    FAIL = "fail"
    """Contradicted."""
    UNKNOWN = "unknown"
    """Missing, or not final."""
    WITHHELD = "withheld"
    """The commitment is checked, the value is not shown."""
    NOT_CLAIMED = "not claimed"
    """The record never claimed it."""
    OK = "ok"


class Lack(StrEnum):
    """What an ``unknown`` lacks."""

    EVIDENCE = "evidence"
    SOURCE = "source"
    FINALITY = "finality"
    TRUST = "trust"
    ISSUER = "issuer"
    """Everything holds, but who says so is not on the reader's list."""


class Verdict(StrEnum):
    """The five headlines."""

    VERIFIED = "verified"
    UNTRUSTED = "untrusted"
    PROBLEM = "problem"
    NOT_FOUND = "notFound"
    UNCHECKABLE = "uncheckable"


WORST_FIRST: Sequence[State] = tuple(State)

EXIT_OK = 0
EXIT_SOURCE = 3
EXIT_NOT_CLAIMED = 10
EXIT_ARCHIVE = 14
EXIT_UNTRUSTED = 16
EXIT_FINALITY = 17
EXIT_UNCHECKABLE = 23

EXIT_OF_CHECK: Sequence[int] = (16, 16, 12, 19, 19, 18, 18, 15, 15, 15, 13, 21, 20, 22)
"""The exit code of a failed check, by its number."""

NOT_CHECKED = (11,)
"""Checks whose code does not exist yet: never ``ok``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One way in which a check is not ``ok``: its code, the state it gives, and what it means.

    Args:
        lack: What is missing, where the state is ``unknown``.
        is_exempt: Whether a required check may stay at this state, since nothing asks for more.
        covered_by: The number of the check that, where it is ``ok``, stands for what is not shown.
    """

    code: str
    state: State
    meaning: str
    lack: Lack = Lack.EVIDENCE
    is_exempt: bool = False
    covered_by: int | None = None

    def found(self, reason: str, evidence: str) -> "Finding":
        """Return the finding of this cause in a bundle."""
        return Finding(cause=self, reason=reason, evidence=evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A cause in one bundle: the sentence with the values, and where in the bundle to look.

    Args:
        is_covered: Whether another check of the report, which is ``ok``, stands for it.
    """

    cause: Cause
    reason: str
    evidence: str
    is_covered: bool = False

    @property
    def rank(self) -> int:
        """Return 0 for the worst state."""
        return WORST_FIRST.index(self.cause.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A numbered check with its findings, the worst first; none is ``ok``."""

    number: int
    name: str
    asks: str
    looked_at: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def state(self) -> State:
        """Return the state of the worst finding."""
        return self.findings[0].cause.state if self.findings else State.OK

    @property
    def falls_short(self) -> bool:
        """Return whether the check is not ``ok`` although it could be."""
        return any(not (one.cause.is_exempt or one.is_covered) for one in self.findings)

    @property
    def closed(self) -> Sequence[Finding]:
        """Return what is not shown of it that another check may stand for."""
        return [one for one in self.findings if one.cause.covered_by is not None]

    @property
    def covered_by(self) -> int | None:
        """Return the number of the check that stands for what is not shown, None where none does.

        It is none, too, where something else is not ``ok``.
        """
        closed = self.closed
        return closed[0].cause.covered_by if closed and not self.falls_short else None

    @property
    def code(self) -> str | None:
        """Return the code of the worst finding."""
        return self.findings[0].cause.code if self.findings else None

    @property
    def evidence(self) -> str:
        """Return where in the bundle to look."""
        return self.findings[0].evidence if self.findings else self.looked_at

    @property
    def reason(self) -> str:
        """Return the sentence of the worst finding, or what was found to hold."""
        return self.findings[0].reason if self.findings else self.asks


def covered(checks: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Return results in which what is withheld is covered where another check stands for it."""
    sound = {check.number for check in checks if check.state is State.OK}
    return tuple(
        replace(
            check,
            findings=tuple(
                replace(one, is_covered=one.cause.covered_by in sound) for one in check.findings
            ),
        )
        for check in checks
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why the bundle was not even looked into."""

    code: str
    reason: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """The block that the verdict is about."""

    block: int
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedClaim:
    """An identifier that an issuer states of maker or design owner."""

    scheme: str
    value: str
    issuer: str
    is_listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An identity that the verdict names.

    Args:
        role: operator, maker or designOwner.
        id: The identity's id, empty where it is not known.
        name: The name that it gives itself; display only.
        claims: What issuers state of it, as proven.
        is_listed: Whether the reader's list accepts it, or an issuer of one of its claims.
    """

    role: str
    id: str
    name: str
    claims: tuple[NamedClaim, ...]
    is_listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSummary:
    """What the headline is about: the part's place, label, unit and signer.

    Args:
        key_algorithm: The algorithm of the machine's key, as it is shown; (2) checks the key.
        key_holder: What holds that key, by the signer's own word alone.
    """

    chain_id: ChainId
    build_log: Address
    log: int
    index: int
    label: str | None = None
    unit: int | None = None
    units: int | None = None
    signer_role: str | None = None
    key_algorithm: str | None = None
    key_holder: str | None = None
    is_simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of a verification.

    Args:
        verdict: The headline's kind.
        exit: The exit code.
        headline: The sentence for people.
        checks: All checks that were made, by number.
        not_checked: Numbers of the checks that this version does not make.
        as_of: The block that the verdict is about, where one was read.
        newest: The newest block up to which bad news were looked for, where a node was asked.
        part: The part, where the bundle was read.
        parties: Operator, maker and design owner.
        notes: Sentences that change no state.
        fault: Why there are no checks.
    """

    verdict: Verdict
    exit: int
    headline: str
    checks: tuple[CheckResult, ...] = ()
    not_checked: tuple[int, ...] = NOT_CHECKED
    as_of: AsOf | None = None
    newest: AsOf | None = None
    part: PartSummary | None = None
    parties: tuple[Party, ...] = ()
    notes: tuple[str, ...] = ()
    fault: Fault | None = None

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Return the checks that are contradicted, the lowest number first."""
        return tuple(check for check in self.checks if check.state is State.FAIL)
