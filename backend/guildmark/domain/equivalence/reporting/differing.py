"""What differs between two results of one plan, in words."""

from collections.abc import Iterator, Mapping

from guildmark.domain.equivalence.verdict import EquivalenceResult, GateOutcome
from guildmark.domain.identifiers import Digest, to_hex

_NOTHING = "nothing"


def differences(said: EquivalenceResult, found: EquivalenceResult) -> Iterator[str]:
    """Yield what a result says and what was found instead; nothing where they are equal.

    Args:
        said: The result that somebody published.
        found: What came out when it was run again.
    """
    yield from _told("Plan", {"": to_hex(said.plan)}, {"": to_hex(found.plan)})
    yield from _told("Engine", {"": to_hex(said.engine)}, {"": to_hex(found.engine)})
    yield from _told("Data of", _roots(said.data), _roots(found.data))
    yield from _told("Verdict on", _verdicts(said), _verdicts(found))
    yield from _told("Gate", _gates(said), _gates(found))


def _told(what: str, said: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(said.keys() | found.keys()):
        first, second = (each.get(name, _NOTHING) for each in (said, found))
        if first != second:
            about = f"{what} {name}".strip()
            yield f"{about}: the result says {first}; run again it is {second}."


def _roots(data: Mapping[str, Digest]) -> dict[str, str]:
    return {site: to_hex(root) for site, root in data.items()}


def _verdicts(result: EquivalenceResult) -> dict[str, str]:
    return {
        f"{' and '.join(one.sites)} ({one.kind})": f"{one.verdict} ({one.summary})"
        for one in result.verdicts
    }


def _gates(result: EquivalenceResult) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for one in result.gates:
        found.setdefault(_name(one), []).append(_outcome(one))
    return {name: "; ".join(outcomes) for name, outcomes in found.items()}


def _name(one: GateOutcome) -> str:
    about = [*one.sites] if one.characteristic is None else [one.characteristic, *one.sites]
    return f"{one.gate.number} {one.gate} ({', '.join(about) or 'all'})"


def _outcome(one: GateOutcome) -> str:
    figures = ", ".join(f"{name} {value}" for name, value in sorted(one.figures.items()))
    reason = one.reason.removesuffix(".")
    return f"{one.outcome}, {reason}{f' [{figures}]' if figures else ''}"
