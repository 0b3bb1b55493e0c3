"""What a comparison of sites ended in, with the outcome, reason and figures of every gate."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from guildmark.domain.encoding import codec
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue, Limits, parse_object
from guildmark.domain.equivalence.plan import Kind
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Digest
from guildmark.domain.recipes.clause import ClausePath

RESULT_LIMITS = Limits(size=1 << 28, depth=8, values=20_000_000)

_DIGITS = ".10g"


class FigureError(MalformedError):
    """A figure that is no finite number."""

    code = "equivalence.figureNotFinite"
    hint = "Report the plan and the data with which it appeared."


class Verdict(StrEnum):
    """How a comparison ended, from good to bad."""

    EQUIVALENT = "EQUIVALENT"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_EQUIVALENT = "NOT_EQUIVALENT"
    INVALID = "INVALID"


_FROM_GOOD_TO_BAD = tuple(Verdict)


class Outcome(StrEnum):
    """How a gate ended."""

    PASSED = "passed"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    INVALID = "invalid"


_VERDICTS: Mapping[Outcome, Verdict] = {
    Outcome.PASSED: Verdict.EQUIVALENT,
    Outcome.INCONCLUSIVE: Verdict.INCONCLUSIVE,
    Outcome.FAILED: Verdict.NOT_EQUIVALENT,
    Outcome.INVALID: Verdict.INVALID,
}


class Gate(StrEnum):
    """The gates, in their order."""

    GAUGE = "gauge"
    INTEGRITY = "integrity"
    STABILITY = "stability"
    DISTRIBUTION = "distribution"
    LOCATION = "location"
    SPREAD = "spread"
    CAPABILITY = "capability"
    FAMILY = "family"
    PROCESS = "process"

    @property
    def number(self) -> int:
        """Return the gate's number, from 1."""
        return _NUMBERS[self]

    @property
    def is_premise(self) -> bool:
        """Return whether what comes later means nothing where this one does not pass."""
        return self.number <= Gate.DISTRIBUTION.number


_NUMBERS: Mapping[Gate, int] = {gate: number for number, gate in enumerate(Gate, start=1)}


class Basis(StrEnum):
    """What a comparison of processes rests on."""

    TELEMETRY = "telemetry"
    """What machines told while they worked, committed to in signed statements and drawn."""
    STATED = "stated"
    """Settings and values that the sites state."""
    BOTH = "both"
    """Each for some of the windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOutcome:
    """How one gate ended.

    Args:
        sites: The site, or the two, that it is about; none where it is about all.
        characteristic: What it is about, None where it is about all.
        reason: Why, as one sentence.
        figures: What was computed, each rounded half-even to ten significant digits.
    """

    gate: Gate
    outcome: Outcome
    reason: str
    sites: tuple[str, ...] = ()
    characteristic: ClausePath | None = None
    figures: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Return whether the gate is open."""
        return self.outcome is Outcome.PASSED

    def to_json(self) -> JsonObject:
        """Return the outcome as a result holds it; what says nothing is left out."""
        # The general form takes seconds for the gates of a hundred sites.
        found: dict[str, JsonValue] = {
            "gate": self.gate.value,
            "outcome": self.outcome.value,
            "reason": self.reason,
        }
        if self.sites:
            found["sites"] = self.sites
        if self.characteristic is not None:
            found["characteristic"] = self.characteristic
        if self.figures:
            found["figures"] = dict(self.figures)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PairVerdict:
    """How one comparison ended.

    Args:
        sites: The reference, or the earlier site, and the other.
        kind: Whether it speaks of parts or of the process.
        summary: The verdict in one sentence.
    """

    sites: tuple[str, ...]
    kind: Kind
    verdict: Verdict
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EquivalenceResult:
    """What an engine made of a plan and its data: equal bytes whenever it is run again.

    Args:
        plan: The plan's digest.
        engine: What computed.
        data: The roots that the sites had committed to, by site.
        verdicts: One a pair and kind.
        gates: Every outcome, in the order of gates, sites and characteristics.
    """

    plan: Digest
    engine: Digest
    data: Mapping[str, Digest]
    verdicts: tuple[PairVerdict, ...]
    gates: tuple[GateOutcome, ...]

    def encode(self) -> bytes:
        """Return the result's canonical bytes (RFC 8785)."""
        # All members are texts and all keys are ASCII, so that this is the canonical text; the
        # general writer takes seconds for the gates of a hundred sites.
        text = json.dumps(
            codec.dump(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return text.encode()

    def digest(self) -> Digest:
        """Return SHA-256 of the result's bytes: what a certificate and a challenge name."""
        return sha256(self.encode())

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the result that a document holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
        """
        return codec.load(cls, parse_object(data, RESULT_LIMITS))

    def basis(self, site: str) -> Basis:
        """Return what is behind what is said of a site's process."""
        own = [one for one in self.gates if one.gate is Gate.PROCESS and site in one.sites]
        traced = {one.characteristic for one in own if len(one.sites) == 1}
        stated = {one.characteristic for one in own} - traced
        if not traced:
            return Basis.STATED
        return Basis.BOTH if stated else Basis.TELEMETRY

    def of_site(self, site: str, kind: Kind = Kind.PART) -> Verdict | None:
        """Return how a site ended: the worst of its comparisons, None where it has none."""
        found = [one.verdict for one in self.verdicts if one.kind is kind and site in one.sites]
        return worst(found) if found else None


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of verdicts, EQUIVALENT where there is none to say otherwise."""
    return max(verdicts, key=_FROM_GOOD_TO_BAD.index, default=Verdict.EQUIVALENT)


def verdict_of(gates: Iterable[GateOutcome]) -> Verdict:
    """Return what gates add up to.

    Data that may not be used is INVALID; else the first premise that does not pass decides, and
    of the claims behind them the worst.
    """
    outcomes = list(gates)
    if any(one.outcome is Outcome.INVALID for one in outcomes):
        return Verdict.INVALID
    for gate in Gate:
        found = worst(_VERDICTS[one.outcome] for one in outcomes if one.gate is gate)
        if gate.is_premise and found is not Verdict.EQUIVALENT:
            return found
    return worst(_VERDICTS[one.outcome] for one in outcomes)


def figure(value: float) -> str:
    """Return a number as results hold it: ten significant digits, rounded half-even.

    Raises:
        FigureError: It is infinite, or none.
    """
    text = format(value, _DIGITS)
    if "n" in text:
        message = f"A figure came out as {text}."
        raise FigureError(message, found=text)
    return "0" if text == "-0" else text
