"""A verdict in one sentence for people who never saw a plan."""

from collections.abc import Sequence

from guildmark.domain.equivalence.plan import Kind
from guildmark.domain.equivalence.verdict import GateOutcome, Outcome, Verdict

_PARTS = {
    Verdict.EQUIVALENT: "Parts of the two sites are interchangeable in {count}.",
    Verdict.NOT_EQUIVALENT: "Parts of the two sites differ more than the plan allows.",
    Verdict.INCONCLUSIVE: "Whether parts of the two sites are interchangeable is not shown.",
    Verdict.INVALID: "The data may not be used: nothing is said of the parts.",
}
_PROCESS = {
    Verdict.EQUIVALENT: "The two processes behave alike in {count}.",
    Verdict.NOT_EQUIVALENT: "The two processes differ more than the plan allows.",
    Verdict.INCONCLUSIVE: "Whether the two processes behave alike is not shown.",
    Verdict.INVALID: "The data may not be used: nothing is said of the processes.",
}


def summary(kind: Kind, verdict: Verdict, count: int, gates: Sequence[GateOutcome]) -> str:
    """Return a verdict with its first reason.

    Args:
        kind: What it speaks of.
        verdict: The verdict.
        count: How many characteristics of that kind there are.
        gates: What it was made from, in their order.
    """
    words, noun = (_PARTS, "feature") if kind is Kind.PART else (_PROCESS, "window")
    said = f"all {count} declared {noun}s" if count > 1 else f"the one declared {noun}"
    told = words[verdict].format(count=said)
    decisive = {
        Verdict.INVALID: Outcome.INVALID,
        Verdict.NOT_EQUIVALENT: Outcome.FAILED,
        Verdict.INCONCLUSIVE: Outcome.INCONCLUSIVE,
    }.get(verdict)
    first = next((one for one in gates if one.outcome is decisive), None)
    if first is None:
        return told
    about = _about(first)
    behind = f" ({about})" if about else ""
    return f"{told} Gate {first.gate.number}, {first.gate}{behind}: {first.reason}"


def _about(gate: GateOutcome) -> str:
    """Return the characteristic of a gate, and its site where it looks at one by itself."""
    named = [] if gate.characteristic is None else [str(gate.characteristic)]
    alone = [f"at {site}" for site in gate.sites] if len(gate.sites) == 1 else []
    return " ".join([*named, *alone])
