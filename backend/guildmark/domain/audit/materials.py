"""Lots against the parts that name them: how many a lot can have, and until when it may be used.

Statements name lots, and say neither how much of one went in nor how long it keeps. An auditor who
knows both from delivery notes writes them down, and the audit counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from guildmark.domain.audit.findings import Finding, Flaw
from guildmark.domain.audit.units import REPLACED, AuditedUnit, moment_text
from guildmark.domain.encoding.codec import SHOWN, load
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import MalformedError
from guildmark.domain.recall import RecallCause, Thing

LOTS_LIMITS = Limits(size=8 << 20, depth=4, values=300_000)


class LotsMalformedError(MalformedError):
    """A list of lots that names one twice, or bounds it by nothing that can be."""

    code = "audit.lotsMalformed"
    hint = "Write each lot once, with `parts`, `until`, or both; neither below 0."


@dataclass(frozen=True, slots=True, kw_only=True)
class LotBound:
    """What is known of a lot.

    Args:
        lot: The lot as MAKER:DIGEST.
        parts: How many parts it is enough for, 0 where that is not known.
        until: Block seconds from which on it may not be used any more, 0 for none.

    Raises:
        LotsMalformedError: It is bounded by less than nothing.
        ThingMalformedError: The text names no lot.
    """

    lot: str
    parts: int = field(default=0, metadata=SHOWN)
    until: int = field(default=0, metadata=SHOWN)

    def __post_init__(self) -> None:
        Thing.parse(RecallCause.LOT, self.lot)
        if min(self.parts, self.until) < 0:
            message = f"The lot {self.lot} is bounded by less than nothing."
            raise LotsMalformedError(message, lot=self.lot)

    @property
    def key(self) -> bytes:
        """Return the key by which parts name the lot."""
        return Thing.parse(RecallCause.LOT, self.lot).key()


@dataclass(frozen=True, slots=True, kw_only=True)
class LotBounds:
    """What an auditor knows of lots."""

    lots: tuple[LotBound, ...] = ()

    def __post_init__(self) -> None:
        if len({one.key for one in self.lots}) < len(self.lots):
            message = "A lot stands twice in the list."
            raise LotsMalformedError(message)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the list that a file holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A lot is none, stands twice, or is bounded by less than nothing.
        """
        return load(cls, parse_object(data, LOTS_LIMITS))


@dataclass(slots=True, kw_only=True)
class Materials:
    """What the parts of an audit took from lots; it grows with the lots, never with the parts."""

    bounds: dict[bytes, LotBound]
    used: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def within(cls, bounds: LotBounds) -> Self:
        """Return a count that begins."""
        return cls(bounds={one.key: one for one in bounds.lots})

    def concerns(self, one: AuditedUnit) -> bool:
        """Return whether a unit's maker is one of whose lots something is known."""
        said = one.statement
        makers = {bytes(Thing.parse(RecallCause.LOT, each.lot).id) for each in self.bounds.values()}
        return said is not None and bytes(said.run.maker) in makers

    def take(self, one: AuditedUnit) -> Iterator[Finding]:
        """Count a unit; yield each lot of its that was over when the unit was recorded.

        Scrap and void parts took material, too; what replaced an entry is the same part.
        """
        if one.state == REPLACED:
            return
        unit, time = one.unit, one.unit.record.time
        for key in sorted((one.lots or frozenset()) & self.bounds.keys()):
            bound = self.bounds[key]
            self.used[key] = self.used.get(key, 0) + 1
            if bound.until and time >= bound.until:
                reason = (
                    f"Unit {unit.unit} was recorded at {moment_text(time)}; its lot {bound.lot} "
                    f"was good until {moment_text(bound.until)}."
                )
                yield Finding(flaw=Flaw.LOT_EXPIRED, places=(unit.place,), reason=reason)

    def overdrawn(self) -> Iterator[Finding]:
        """Yield each lot that more parts name than it is enough for."""
        for key, bound in self.bounds.items():
            used = self.used.get(key, 0)
            if bound.parts and used > bound.parts:
                reason = f"{used} units name the lot {bound.lot}, enough for {bound.parts}."
                yield Finding(flaw=Flaw.LOT_OVERDRAWN, places=(), reason=reason)
