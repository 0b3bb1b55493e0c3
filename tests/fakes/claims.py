"""First claims in memory, in the shape of the table."""

from dataclasses import dataclass, field

from guildmark.domain.identifiers import Index, LogNumber
from guildmark.ports.store import KeptClaim


@dataclass
class MemoryClaims:
    """Fulfils ``Claims``."""

    rows: dict[tuple[LogNumber, Index], KeptClaim] = field(default_factory=dict)

    def kept(self, log: LogNumber, index: Index) -> KeptClaim | None:
        return self.rows.get((log, index))

    def first(self, log: LogNumber, index: Index, claim: KeptClaim) -> KeptClaim:
        return self.rows.setdefault((log, index), claim)
