"""How often a part's label was scanned, in words: a note for who holds the part, never a check."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from guildmark.domain.labels.scans import Reason, ScanHistory, Suspicion, suspicions
from guildmark.domain.verification.times import as_time

_WHY: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.APART: "It was scanned in {count} countries within one hour.",
        Reason.SPREAD: "It was scanned in {count} countries.",
        Reason.BURST: "On one day it was scanned from {count} networks.",
        Reason.MANY: "It was scanned {count} times from different networks or on different days.",
    }
)

COPIED = (
    "This label may be on more than one part: a copied label looks like the original, and leads "
    "here, too. Compare the serial and the part with what this page says, and ask who sold it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What this node counted of a part's label.

    Args:
        count: How many scans.
        said: That, and since when, as a sentence.
        notes: Why the label may have been copied, and what to do; empty where nothing says so.
    """

    count: int
    said: str
    notes: tuple[str, ...] = ()

    @property
    def is_suspect(self) -> bool:
        """Return whether the label may have been copied."""
        return bool(self.notes)


def scanned(history: ScanHistory | None, now: int) -> Scanned:
    """Return what is said of a label's scans up to now."""
    if history is None:
        return Scanned(count=0, said="No scan before this one.")
    why = tuple(_why(each) for each in suspicions(history, now))
    return Scanned(
        count=history.count,
        said=_said(history),
        notes=(*why, COPIED) if why else (),
    )


def _said(history: ScanHistory) -> str:
    first = as_time(history.first)[:13].replace("T", " ")
    if history.count == 1:
        return f"Scanned once before, in the hour of {first}:00 UTC."
    return f"Scanned {history.count} times before, first in the hour of {first}:00 UTC."


def _why(found: Suspicion) -> str:
    return _WHY[found.reason].format(count=found.count)
