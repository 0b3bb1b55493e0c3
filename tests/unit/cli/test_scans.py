"""Scans of a label by command: shown, and forgotten."""

from guildmark.bootstrap import Home
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.labels.scans import HOUR, Scan
from unit.cli.speaking import Speak

PLACE = LogNumber(1), Index(7)


def test_scans_are_shown_and_forgotten(speak: Speak, home: Home) -> None:
    hour = home.clock.now() // HOUR * HOUR
    scans = [Scan(hour=hour, country=each, network=each) for each in ("PT", "BR")]
    home.scans.add({PLACE: scans}, since=0)

    shown = speak("part", "scans", "1.7", "--json").json
    erased = speak("part", "scans", "1.7", "--erase", "--json").json
    again = speak("part", "scans", "1.7", "--json").json

    assert (shown["count"], shown["first"]) == (2, hour)
    assert shown["suspicions"] == [{"reason": "apart", "count": 2}]
    assert erased == {"part": "1.7", "erased": True}
    assert again == {"part": "1.7", "count": 0}
