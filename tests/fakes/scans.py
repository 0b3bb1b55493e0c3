"""Scans of labels in memory, in the shape of the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.labels.scans import Scan, ScanHistory


@dataclass
class MemoryScans:
    """Fulfils ``Scans``; every scan is a row of its own."""

    rows: dict[tuple[LogNumber, Index], list[Scan]] = field(default_factory=dict)
    totals: dict[tuple[LogNumber, Index], tuple[int, int]] = field(default_factory=dict)

    def add(self, found: Mapping[tuple[LogNumber, Index], Sequence[Scan]], *, since: int) -> None:
        for place, scans in found.items():
            self.rows.setdefault(place, []).extend(scans)
            first, count = self.totals.get(place, (scans[0].hour, 0))
            self.totals[place] = first, count + sum(scan.count for scan in scans)
        for place, scans in self.rows.items():
            self.rows[place] = [scan for scan in scans if scan.hour >= since]

    def history(self, log: LogNumber, index: Index) -> ScanHistory | None:
        if (log, index) not in self.totals:
            return None
        first, count = self.totals[log, index]
        return ScanHistory(first=first, count=count, scans=tuple(self.rows[log, index]))

    def erase(self, log: LogNumber, index: Index) -> bool:
        self.rows.pop((log, index), None)
        return self.totals.pop((log, index), None) is not None
