"""Moonraker's history: every job once, by its number and its beginning."""

import hashlib
from collections.abc import Sequence

import httpx
import pytest

from fakes.moonraker import GCODE, SPOILINGS, MoonrakerDouble
from floor import MachineSuite, Watcher
from guildmark.adapters.machines.moonraker import Moonraker
from guildmark.adapters.machines.web import Site
from guildmark.domain.recipes.gcode import observe
from guildmark.ports.shopfloor import Machine, MachineAnswerError


class MoonrakerStage:
    tells_beginnings = True
    spoilings: Sequence[str] = tuple(SPOILINGS)

    def __init__(self) -> None:
        self.peer = MoonrakerDouble()

    def open(self) -> Machine:
        transport = httpx.MockTransport(self.peer.handle)
        site = Site(url="http://printer.example:7125", transport=transport)
        return Moonraker(site=site, wall=lambda: self.peer.now)

    def begin(self) -> None:
        self.peer.begin()

    def end(self) -> None:
        self.peer.end()

    def wait(self) -> None:
        self.peer.now += 5

    def jump(self, seconds: int) -> None:
        self.peer.now += seconds

    def unplug(self) -> None:
        self.peer.is_away = True

    def plug(self) -> None:
        self.peer.is_away, self.peer.answer = False, None

    def spoil(self, how: str) -> None:
        self.peer.answer = SPOILINGS[how]


@pytest.fixture
def stage() -> MoonrakerStage:
    return MoonrakerStage()


@pytest.fixture
def watcher(stage: MoonrakerStage) -> Watcher:
    watcher = Watcher(stage)
    watcher.keep()
    return watcher


def told(watcher: Watcher) -> list[str]:
    return [f"{event.phase.value} {event.job}" for event in watcher.events]


class TestMoonrakerKeepsThePort(MachineSuite):
    @pytest.fixture
    def stage(self) -> MoonrakerStage:
        return MoonrakerStage()


def test_a_job_has_its_times_the_digest_of_its_g_code_and_temperatures(
    stage: MoonrakerStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    stage.peer.now += 600
    stage.end()
    watcher.settle()

    begun, ended = watcher.events
    assert (begun.job, begun.at, ended.at) == ("000001-1800000000250", 1_800_000_000, 1_800_000_600)
    assert begun.file == ended.file == hashlib.sha256(GCODE).digest()
    assert begun.file_name == "parts/bracket.gcode"
    assert begun.observed == observe(GCODE.decode().splitlines())
    samples = [(one.channel, one.value, one.unit) for one in watcher.samples]
    assert samples == [("extruder.temperature", "209.5", "Cel"), ("extruder.target", "210", "Cel")]


def test_the_past_is_not_told_and_what_runs_is(stage: MoonrakerStage) -> None:
    for _ in range(3):
        stage.begin()
        stage.end()
    stage.begin()
    watcher = Watcher(stage)
    watcher.settle()
    stage.end()
    watcher.settle()

    job = "000004-1800000000250"
    assert told(watcher) == [f"started {job}", f"finished {job}"]


def test_the_first_job_of_all_may_run_at_the_first_look(stage: MoonrakerStage) -> None:
    stage.begin()
    watcher = Watcher(stage)
    watcher.settle()

    assert told(watcher) == ["started 000001-1800000000250"]


@pytest.mark.parametrize("status", ["cancelled", "error", "klippy_shutdown", "interrupted"])
def test_whatever_is_not_completed_has_stopped(
    stage: MoonrakerStage, watcher: Watcher, status: str
) -> None:
    stage.begin()
    stage.peer.end(status)
    watcher.settle()

    assert [event.phase.value for event in watcher.events] == ["stopped"]


def test_many_jobs_of_a_long_silence_are_all_told(stage: MoonrakerStage, watcher: Watcher) -> None:
    for _ in range(120):
        stage.begin()
        stage.end()
    watcher.settle()

    assert len({event.job for event in watcher.events}) == 120
    with pytest.raises(MachineAnswerError, match="1000 new jobs"):
        _flood(stage, watcher)


def _flood(stage: MoonrakerStage, watcher: Watcher) -> None:
    for _ in range(1_001):
        stage.begin()
        stage.end()
    watcher.poll()


def test_a_number_that_was_deleted_and_given_anew_is_another_job(
    stage: MoonrakerStage, watcher: Watcher
) -> None:
    for _ in range(3):
        stage.begin()
        stage.end()
        watcher.settle()
        stage.peer.jobs.pop()
        stage.wait()

    assert len({event.job for event in watcher.events}) == len(watcher.events) == 3


def test_a_job_that_took_the_place_of_several_is_told_once(
    stage: MoonrakerStage, watcher: Watcher
) -> None:
    for _ in range(3):
        stage.begin()
        stage.end()
    watcher.settle()
    stage.wait()
    del stage.peer.jobs[1:]
    watcher.settle()
    stage.begin()
    stage.end()
    watcher.settle()

    assert [event.job[:6] for event in watcher.events] == ["000001", "000002", "000003", "000002"]


def test_a_running_job_that_the_history_forgot_has_stopped(
    stage: MoonrakerStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    stage.peer.jobs.clear()
    watcher.settle()

    assert [event.phase.value for event in watcher.events] == ["started", "stopped"]


def test_a_file_that_is_gone_has_no_digest(stage: MoonrakerStage, watcher: Watcher) -> None:
    stage.peer.files.clear()
    stage.begin()
    watcher.keep()

    assert watcher.events[0].file is None
