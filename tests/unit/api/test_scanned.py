"""What the page says of a label's scans."""

from guildmark.api.pages.scanned import COPIED, scanned
from guildmark.domain.labels.scans import DAY, HOUR, Scan, ScanHistory

NOW = 20_000 * DAY


def test_a_label_that_nobody_scanned_says_so() -> None:
    assert scanned(None, NOW).said == "No scan before this one."


def test_the_first_scan_is_said_to_be_so() -> None:
    found = scanned(ScanHistory(first=NOW, count=1), NOW)

    assert found.said == "Scanned once before, in the hour of 2024-10-04 00:00 UTC."
    assert not found.is_suspect


def test_a_label_in_two_countries_is_suspect_in_words() -> None:
    scans = tuple(Scan(hour=NOW, country=each, network=each) for each in ("PT", "BR"))

    found = scanned(ScanHistory(first=NOW - HOUR, count=2, scans=scans), NOW)

    assert found.said == "Scanned 2 times before, first in the hour of 2024-10-03 23:00 UTC."
    assert found.notes == ("It was scanned in 2 countries within one hour.", COPIED)
