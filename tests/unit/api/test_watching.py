"""The watcher remembers what rounds showed; an alarm is logged once, and once when it is over."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from guildmark.api.metrics import Metrics, Reading
from guildmark.api.watching import EMPTY, Watcher
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import LogNumber
from guildmark.services.index.checking import FactDiffersError
from guildmark.services.neighbours.cosigning import WitnessState
from guildmark.services.neighbours.mirroring import MirrorState
from guildmark.services.watch.alarms import Beside, Figures, MirrorFailingError, Watch, _beside


@dataclass
class Alarms:
    """Raises what rounds beside the log showed, and nothing of its own."""

    seen: list[Beside] = field(default_factory=list)

    def watch(self, beside: Beside) -> Watch:
        self.seen.append(beside)
        return Watch(figures=Figures(records=7), alarms=tuple(_beside(beside)))


@dataclass
class Around:
    mirrors: Sequence[MirrorState] = ()
    witnesses: Sequence[WitnessState] = ()
    difference: GuildmarkError | None = None
    alarms: Alarms = field(default_factory=Alarms)

    def watcher(self) -> Watcher:
        return Watcher(
            alarms=self.alarms,  # type: ignore[arg-type] # only watched
            mirroring=lambda: self.mirrors,
            cosigning=lambda: self.witnesses,
            replay=lambda: self.difference,
        )


def state(log: int, code: str | None = "peer.unavailable") -> MirrorState:
    return MirrorState(log=LogNumber(log), entries=1, kept=0, code=code)


def test_nothing_is_known_before_the_first_look() -> None:
    assert Around().watcher().latest == EMPTY


def test_what_rounds_showed_last_is_looked_at() -> None:
    message = "Another fact."
    around = Around(
        mirrors=[state(2)],
        witnesses=[WitnessState(name="w")],
        difference=FactDiffersError(message),
    )
    watcher = around.watcher()

    for done in (watcher.mirror, watcher.cosign, watcher.compare, watcher.look):
        done()

    (seen,) = around.alarms.seen
    assert (seen.mirrors, seen.witnesses, seen.replay) == (
        *(around.mirrors, around.witnesses),
        around.difference,
    )
    assert [one.code for one in watcher.latest.alarms] == ["mirror.failing", "fsck.factDiffers"]


def test_alarm_is_logged_when_it_is_raised_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    around = Around(mirrors=[state(2), state(3)])
    watcher = around.watcher()

    with caplog.at_level(logging.WARNING):
        watcher.mirror()
        watcher.look()
        watcher.look()
        around.mirrors = [state(2), state(3, None)]
        watcher.mirror()
        watcher.look()

    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("ERROR", "alarm: mirror.failing: Log 2 is not mirrored: peer.unavailable."),
        ("ERROR", "alarm: mirror.failing: Log 3 is not mirrored: peer.unavailable."),
        ("WARNING", "alarm is over: mirror.failing"),
    ]


def text(metrics: Metrics, watched: Watch) -> list[str]:
    reading = Reading(waiting=0, indexed=1, head=1, challenged=None, watched=watched)
    return metrics.text(reading).decode().splitlines()


def test_metrics_show_alarms_and_figures() -> None:
    message = "away"
    metrics = Metrics()
    error = MirrorFailingError(message)

    before = text(metrics, EMPTY)
    raised = text(metrics, Watch(figures=Figures(records=7, behind=3), alarms=(error, error)))
    over = text(metrics, Watch(figures=Figures(), alarms=()))

    assert 'guildmark_alarms{code="mirror.failing"} 0.0' in before
    assert "guildmark_writer_records NaN" in before
    assert 'guildmark_alarms{code="mirror.failing"} 2.0' in raised
    assert "guildmark_writer_records 7.0" in raised
    assert "guildmark_finality_behind_seconds 3.0" in raised
    assert 'guildmark_alarms{code="mirror.failing"} 0.0' in over


def test_alarm_of_another_kind_is_shown_by_its_code() -> None:
    message = "another fact"
    metrics = Metrics()
    watched = Watch(figures=Figures(), alarms=(FactDiffersError(message),))

    assert 'guildmark_alarms{code="fsck.factDiffers"} 1.0' in text(metrics, watched)
    assert 'guildmark_alarms{code="fsck.factDiffers"} 0.0' in text(metrics, EMPTY)
