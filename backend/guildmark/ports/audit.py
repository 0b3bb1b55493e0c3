"""What an audit asks, and what it writes down."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from guildmark.domain.audit.findings import Finding, Place
from guildmark.domain.audit.units import UnitRow
from guildmark.domain.identifiers import (
    Cid,
    Index,
    LogNumber,
)


class EvidenceSource(Protocol):
    """A node that an auditor asks; nothing that it sends is believed."""

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        """Return the bundle of a part, None where the node shows none.

        Raises:
            GuildmarkError: It does not answer, or refuses to.
        """
        ...

    def log_checkpoint(self, log: LogNumber) -> bytes | None:
        """Return the newest checkpoint of a log, a signed note; None where the node has none.

        Raises:
            GuildmarkError: It does not answer, or refuses to.
        """
        ...

    def holds(self, cid: Cid) -> bool:
        """Return whether the node sends the bytes of an address; what comes is hashed here.

        An address that is none is held by nobody.

        Raises:
            GuildmarkError: It does not answer, or refuses to.
        """
        ...


class AuditBook(Protocol):
    """What an audit writes down from unit to unit, so that it need not be held in memory."""

    def add_unit(self, row: UnitRow) -> None:
        """Write down a unit."""
        ...

    def add_finding(self, found: Finding) -> None:
        """Write down a finding."""
        ...

    def add_use(self, what: str, of: bytes, place: Place) -> None:
        """Write down that something is used at a place; the same place counts once."""
        ...

    def units(self) -> Iterator[UnitRow]:
        """Yield the units in the order in which they were written down."""
        ...

    def findings(self) -> Iterator[Finding]:
        """Yield the findings, the worst first, each kind by its places."""
        ...

    def doubles(self, what: str) -> Iterator[Sequence[Place]]:
        """Yield the places of whatever of a kind is used at several, each time in order."""
        ...

    def uses(self, what: str) -> Iterator[bytes]:
        """Yield what of a kind is used, each once, in the order of its bytes."""
        ...
