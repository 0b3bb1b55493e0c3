"""Scans are counted, and nothing of who scanned is kept."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.scans import MemoryScans
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.scans import SqlScans
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.labels.scans import DAY, HOUR, ScanHistory
from guildmark.services.labels import scanning as scanning_module
from guildmark.services.labels.scanning import Scanning, Visitor

NOW = 20_000 * DAY + 10 * HOUR + 59
PART = LogNumber(1), Index(7)
OTHER = LogNumber(1), Index(8)
HOME, NEIGHBOUR, OFFICE = "192.0.2.7", "192.0.2.200", "198.51.100.7"


@dataclass
class HandClock:
    time: int = NOW

    def now(self) -> int:
        return self.time


@dataclass
class Counting:
    """Random bytes that can be foretold; each call gives others."""

    calls: int = 0

    def token(self, size: int) -> bytes:
        self.calls += 1
        return bytes([self.calls]) * size


def counting(days: int = 365, store: MemoryScans | SqlScans | None = None) -> Scanning:
    return Scanning(
        store=MemoryScans() if store is None else store,
        clock=HandClock(),
        entropy=Counting(),
        days=days,
    )


def later(scanning: Scanning, seconds: int) -> None:
    assert isinstance(scanning.clock, HandClock)
    scanning.clock.time += seconds


def networks(history: ScanHistory | None) -> set[str]:
    assert history is not None
    return {scan.network for scan in history.scans}


def test_a_scan_counts_before_it_is_written_and_behind() -> None:
    scanning = counting()
    assert scanning.history(*PART) is None

    scanning.note(*PART, Visitor(address=HOME))
    waiting = scanning.history(*PART)
    scanning.write()
    written = scanning.history(*PART)
    scanning.note(*PART, Visitor(address=HOME))
    both = scanning.history(*PART)

    assert waiting == written
    assert waiting is not None
    assert (waiting.first, waiting.count) == (NOW // HOUR * HOUR, 1)
    assert both is not None
    assert both.count == 2
    assert scanning.history(*OTHER) is None


def test_addresses_of_one_network_are_one_and_never_kept() -> None:
    scanning = counting()

    for address in (HOME, NEIGHBOUR, f"::ffff:{HOME}", OFFICE):
        scanning.note(*PART, Visitor(address=address))

    assert len(networks(scanning.history(*PART))) == 2
    assert HOME not in repr(scanning)
    assert HOME not in repr(Visitor(address=HOME))


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("2001:db8:1:1::1", "2001:db8:1:2::1", 1),
        ("2001:db8:1::1", "2001:db8:2::1", 2),
        ("", "no address", 1),
    ],
)
def test_networks_of_other_kinds(one: str, other: str, count: int) -> None:
    scanning = counting()

    scanning.note(*PART, Visitor(address=one))
    scanning.note(*PART, Visitor(address=other))

    assert len(networks(scanning.history(*PART))) == count


def test_tokens_cannot_be_compared_across_parts_or_days() -> None:
    scanning = counting()
    scanning.note(*PART, Visitor(address=HOME))
    scanning.note(*OTHER, Visitor(address=HOME))
    first = networks(scanning.history(*PART)) | networks(scanning.history(*OTHER))
    later(scanning, DAY)
    scanning.note(*PART, Visitor(address=HOME))

    assert len(first) == 2
    assert len(networks(scanning.history(*PART)) | first) == 3


@pytest.mark.parametrize(
    ("stated", "kept"),
    [("PT", "PT"), ("", ""), ("XX", ""), ("T1", ""), ("pt", ""), ("PRT", ""), ("PT\n", "")],
)
def test_a_country_is_two_letters_or_none(stated: str, kept: str) -> None:
    scanning = counting()

    scanning.note(*PART, Visitor(address=HOME, country=stated))

    history = scanning.history(*PART)
    assert history is not None
    assert [scan.country for scan in history.scans] == [kept]


def test_a_node_that_keeps_no_scans_counts_none() -> None:
    scanning = counting(days=0)

    scanning.note(*PART, Visitor(address=HOME))

    assert scanning.history(*PART) is None


def test_what_waits_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning_module, "WAITING_MAX", 2)
    scanning = counting()

    for address in (HOME, OFFICE, "203.0.113.1", HOME):
        scanning.note(*PART, Visitor(address=address))

    history = scanning.history(*PART)
    assert history is not None
    assert (len(history.scans), history.count) == (2, 3)


def test_nothing_is_written_where_nothing_waits() -> None:
    store = MemoryScans()
    scanning = counting(store=store)
    scanning.write()
    store.add = None  # type: ignore[assignment, method-assign]  # nobody may call it

    scanning.write()


def test_a_part_can_be_forgotten_before_it_is_written_and_behind() -> None:
    scanning = counting()
    scanning.note(*PART, Visitor(address=HOME))
    scanning.note(*OTHER, Visitor(address=HOME))

    assert not scanning.erase(*PART)
    assert scanning.history(*PART) is None
    scanning.write()
    assert scanning.erase(*OTHER)
    assert scanning.history(*OTHER) is None


def test_the_table_adds_up_forgets_and_erases(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")
    scanning = counting(days=2, store=SqlScans(engine=engine))
    for address in (HOME, HOME, OFFICE):
        scanning.note(*PART, Visitor(address=address, country="PT"))
    scanning.write()
    scanning.note(*PART, Visitor(address=HOME, country="PT"))
    scanning.write()
    found = scanning.history(*PART)
    assert found is not None
    assert (found.count, sorted(scan.count for scan in found.scans)) == (4, [1, 3])

    later(scanning, 2 * DAY)
    scanning.write()
    kept = scanning.history(*PART)
    later(scanning, HOUR)
    scanning.note(*OTHER, Visitor(address=HOME))
    scanning.write()
    gone = scanning.history(*PART)

    assert kept == found
    # What is old is forgotten; that, and how often, is not.
    assert gone is not None
    assert (gone.first, gone.count, gone.scans) == (found.first, 4, ())
    assert scanning.erase(*PART)
    assert not scanning.erase(*PART)
    assert scanning.history(*PART) is None
    assert scanning.history(*OTHER) is not None
    engine.dispose()
