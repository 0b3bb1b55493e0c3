"""OctoPrint's runs, from its history: named alike before and after, told once."""

import hashlib
from collections.abc import Sequence

import httpx
import pytest

from fakes.octoprint import GCODE, KEY, SPOILINGS, OctoPrintDouble
from floor import MachineSuite, Watcher
from guildmark.adapters.machines.octoprint import OctoPrint
from guildmark.adapters.machines.web import Site
from guildmark.domain.recipes.gcode import observe
from guildmark.domain.shopfloor.jobs import JobPhase, MalformedReportError
from guildmark.ports.shopfloor import Machine, MachineAnswerError


class OctoPrintStage:
    tells_beginnings = True
    spoilings: Sequence[str] = tuple(SPOILINGS)

    def __init__(self) -> None:
        self.peer = OctoPrintDouble()

    def open(self) -> Machine:
        transport = httpx.MockTransport(self.peer.handle)
        site = Site(
            url="http://printer.example/octo/",
            headers={"X-Api-Key": KEY},
            transport=_Below(transport),
        )
        return OctoPrint(
            site=site, wall=lambda: self.peer.now, monotonic=lambda: self.peer.monotonic
        )

    def begin(self) -> None:
        self.peer.begin()

    def end(self) -> None:
        self.peer.end()

    def wait(self) -> None:
        self.peer.monotonic += 5
        self.peer.now += 5
        if self.peer.spent is not None:
            self.peer.spent += 5

    def jump(self, seconds: int) -> None:
        self.peer.now += seconds

    def unplug(self) -> None:
        self.peer.is_away = True

    def plug(self) -> None:
        self.peer.is_away, self.peer.answer = False, None

    def spoil(self, how: str) -> None:
        self.peer.answer = SPOILINGS[how]


class _Below(httpx.BaseTransport):
    """Takes the prefix of the address away, as a proxy before the printer would."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host == "printer.example"
        path = request.url.raw_path.removeprefix(b"/octo")
        request.url = request.url.copy_with(raw_path=path)
        answer = self._inner.handle_request(request)
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content)
        )


@pytest.fixture
def stage() -> OctoPrintStage:
    return OctoPrintStage()


@pytest.fixture
def watcher(stage: OctoPrintStage) -> Watcher:
    watcher = Watcher(stage)
    watcher.keep()
    return watcher


class TestOctoPrintKeepsThePort(MachineSuite):
    @pytest.fixture
    def stage(self) -> OctoPrintStage:
        return OctoPrintStage()


def test_the_job_file_is_hashed_and_temperatures_are_told(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()

    begun = watcher.events[0]
    assert begun.file == hashlib.sha256(GCODE).digest()
    assert begun.observed == observe(GCODE.decode().splitlines())
    assert (begun.file_name, begun.at) == ("parts/bracket.gcode", 1_800_000_000)
    told = [(sample.channel, sample.value, sample.unit) for sample in watcher.samples]
    assert told == [("tool0.actual", "209.87", "Cel"), ("tool0.target", "210", "Cel")]


def test_the_key_stands_in_a_header_and_in_no_address(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    assert all(KEY not in str(request.url) for request in stage.peer.asked)
    assert KEY not in repr(stage.open())


def test_runs_before_the_first_look_are_not_told(stage: OctoPrintStage) -> None:
    stage.end()
    stage.end()
    watcher = Watcher(stage)

    watcher.settle()

    assert watcher.events == []


def test_of_runs_that_nobody_watched_the_last_has_its_time_and_the_others_a_note(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.peer.end(is_good=False)
    stage.peer.end()
    stage.peer.end()
    watcher.settle()

    assert [event.phase.value for event in watcher.events] == ["stopped", "finished", "finished"]
    assert [event.note is None for event in watcher.events] == [False, False, True]
    assert len({event.job for event in watcher.events}) == 3


def test_where_the_last_run_was_broken_off_the_good_ones_were_before(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.peer.end()
    stage.peer.end(is_good=False)
    watcher.settle()

    assert [event.phase.value for event in watcher.events] == ["finished", "stopped"]


def test_a_cancelled_run_is_told_as_stopped_and_the_next_has_another_name(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    stage.peer.end(is_good=False)
    stage.begin()
    watcher.settle()

    phases = [(event.phase, event.job) for event in watcher.events]
    first, second = phases[0][1], phases[2][1]
    assert phases == [
        (JobPhase.STARTED, first),
        (JobPhase.STOPPED, first),
        (JobPhase.STARTED, second),
    ]
    assert first != second


def test_a_run_that_no_history_counts_is_stopped_after_a_while_and_not_before(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    stage.peer.state, stage.peer.spent = "Offline", None
    watcher.keep()
    stage.peer.monotonic += 29
    watcher.keep()
    before = list(watcher.events)
    stage.peer.monotonic += 2
    watcher.keep()
    stage.begin()
    watcher.keep()
    stage.end()
    watcher.settle()

    assert [event.phase for event in before] == [JobPhase.STARTED]
    assert [event.phase.value for event in watcher.events] == [
        "started",
        "stopped",
        "started",
        "finished",
    ]
    assert watcher.events[0].job != watcher.events[3].job


def test_a_run_that_began_again_from_the_start_is_another_one(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.begin()
    stage.wait()
    watcher.keep()
    stage.peer.spent = 0
    watcher.keep()
    for _ in range(10):
        stage.peer.monotonic += 5
        watcher.keep()
    stage.end()
    watcher.settle()

    phases = [event.phase.value for event in watcher.events]
    assert phases == ["started", "stopped", "started", "finished"]
    assert watcher.events[2].job == watcher.events[3].job != watcher.events[0].job


def test_a_run_whose_print_time_is_not_said_goes_on(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    stage.peer.spent = None
    watcher.settle()

    assert [event.phase for event in watcher.events] == [JobPhase.STARTED]


def test_a_file_that_was_deleted_and_came_again_has_a_history_of_its_own(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.end()
    watcher.settle()
    stage.peer.now += 10
    stage.peer.upload(stage.peer.path)
    stage.end()
    watcher.settle()
    stage.peer.upload(stage.peer.path)
    watcher.settle()
    stage.end()
    watcher.settle()

    assert len({event.job for event in watcher.events}) == len(watcher.events) == 3


def test_a_file_that_vanishes_during_the_run_has_no_digest(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.peer.begin()
    stage.peer.files[stage.peer.path]["path"] = "gone.gcode"
    stage.peer.path = "gone.gcode"
    watcher.keep()

    assert watcher.events[0].file is None


def test_a_lost_run_of_a_file_that_is_gone_is_told_as_stopped(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    stage.peer.files.clear()
    watcher.keep()
    stage.peer.monotonic += 31
    watcher.keep()

    assert [event.phase.value for event in watcher.events] == ["started", "stopped"]


def test_a_history_of_too_many_new_runs_is_refused(stage: OctoPrintStage, watcher: Watcher) -> None:
    stage.end()
    stage.peer.files[stage.peer.path]["prints"]["success"] = 1_000
    assert len(watcher.poll().events) == 1_000

    stage.peer.files[stage.peer.path]["prints"]["success"] = 1_001
    with pytest.raises(MachineAnswerError, match="1000 new runs"):
        watcher.poll()


def test_more_files_than_a_cursor_remembers_are_refused(
    stage: OctoPrintStage, watcher: Watcher
) -> None:
    for number in range(1_500):
        stage.peer.upload(f"{number}.gcode")
        stage.peer.path = f"{number}.gcode"
        stage.peer.end()

    with pytest.raises(MalformedReportError, match="can remember"):
        watcher.poll()


def test_the_cursor_of_another_kind_is_refused(stage: OctoPrintStage) -> None:
    with pytest.raises(MalformedReportError, match="not one of a source of the kind 'octoprint'"):
        stage.open().poll(b'{"kind":"folder","told":[]}')
