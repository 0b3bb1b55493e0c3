"""Counts scans of labels, and keeps nothing of who scanned.

A scanner's address is looked at once, in memory: what remains is a token under a key that is
drawn anew each day and never written. Scans wait in memory for the next write, so that no page
waits for a disk; what waits is lost where the process ends without a word.
"""

import hmac
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.labels.scans import DAY, HOUR, Scan, ScanHistory
from guildmark.ports.clock import Clock, Entropy
from guildmark.ports.store import Scans

WAITING_MAX = 10_000
"""Kinds of scans that wait for the next write; further ones are not counted before it."""

_Place: TypeAlias = tuple[LogNumber, Index]
_Kind: TypeAlias = tuple[LogNumber, Index, int, str, str]

# Of two letters; XX is said of those whom a proxy cannot place.
_COUNTRY = re.compile(r"(?!XX)[A-Z]{2}", re.ASCII)
_PREFIXES = {4: 24, 6: 48}
_KEY_SIZE = 32
_TOKEN_SIZE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Where a scan came from, as the request says; nothing of it is kept.

    Args:
        address: The address of the connection.
        country: What a proxy in front of the node states, empty where none does.
    """

    address: str = field(repr=False)
    country: str = ""


@dataclass(slots=True)
class _Waiting:
    """What waits for the next write, and the key of today's tokens; it stays in memory."""

    counts: Counter[_Kind] = field(default_factory=Counter)
    day: int = -1
    key: bytes = field(default=b"", repr=False)
    forgot: int = -1
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """Use cases around scans of labels.

    Args:
        days: For how many days a scan is kept; 0: none is counted at all.
    """

    store: Scans
    clock: Clock
    entropy: Entropy
    days: int
    _waiting: _Waiting = field(default_factory=_Waiting)

    def note(self, log: LogNumber, index: Index, visitor: Visitor) -> None:
        """Count one scan of a part; it is written with the next ones."""
        if self.days == 0:
            return
        now, waiting = self.clock.now(), self._waiting
        with waiting.lock:
            if waiting.day != now // DAY:
                waiting.day, waiting.key = now // DAY, self.entropy.token(_KEY_SIZE)
            network = _token(waiting.key, (log, index), visitor.address)
            country = visitor.country if _COUNTRY.fullmatch(visitor.country) else ""
            kind = (log, index, now // HOUR * HOUR, country, network)
            if kind in waiting.counts or len(waiting.counts) < WAITING_MAX:
                waiting.counts[kind] += 1

    def write(self) -> None:
        """Write what waits, and forget what is too old, once an hour at least.

        Raises:
            StoreUnavailableError: The database does not answer; what waited goes on waiting.
        """
        now = self.clock.now()
        with self._waiting.lock:
            waiting = dict(self._waiting.counts)
            if not waiting and self._waiting.forgot == now // HOUR:
                return
        found: dict[_Place, list[Scan]] = {}
        for (log, index, hour, country, network), count in waiting.items():
            scan = Scan(hour=hour, country=country, network=network, count=count)
            found.setdefault((log, index), []).append(scan)
        self.store.add(found, since=now - self.days * DAY)
        with self._waiting.lock:
            self._waiting.forgot = now // HOUR
            # Others may have come meanwhile; what is at zero makes room.
            self._waiting.counts = self._waiting.counts - Counter(waiting)

    def history(self, log: LogNumber, index: Index) -> ScanHistory | None:
        """Return what was counted of a part, with what waits; None where nothing was.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        known, new = self.store.history(log, index), tuple(self._of(log, index))
        if not new:
            return known
        count = sum(scan.count for scan in new)
        if known is None:
            return ScanHistory(first=min(scan.hour for scan in new), count=count, scans=new)
        return ScanHistory(first=known.first, count=known.count + count, scans=(*known.scans, *new))

    def erase(self, log: LogNumber, index: Index) -> bool:
        """Forget all scans of a part; return whether any were written.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        with self._waiting.lock:
            for kind in [each for each in self._waiting.counts if each[:2] == (log, index)]:
                del self._waiting.counts[kind]
        return self.store.erase(log, index)

    def _of(self, log: LogNumber, index: Index) -> Iterator[Scan]:
        with self._waiting.lock:
            waiting: Sequence[tuple[_Kind, int]] = list(self._waiting.counts.items())
        for (of_log, of_index, hour, country, network), count in waiting:
            if (of_log, of_index) == (log, index):
                yield Scan(hour=hour, country=country, network=network, count=count)


def _token(key: bytes, place: _Place, address: str) -> str:
    """Return what stands for a visitor's network at one part, as long as the key is there."""
    named = b"%d.%d/" % place + network_of(address).encode()
    return hmac.digest(key, named, "sha256")[:_TOKEN_SIZE].hex()


def network_of(address: str) -> str:
    """Return the network of an address: /24 of IPv4, /48 of IPv6, all others are one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None) or found
    return str(ipaddress.ip_network((mapped, _PREFIXES[mapped.version]), strict=False))
