"""PrusaLink: one job at a time, told from its beginning to its end; what nobody saw is a stop."""

import hashlib
from collections.abc import Sequence

import httpx
import pytest

from fakes.prusalink import GCODE, KEY, SPOILINGS, PrusaLinkDouble
from floor import MachineSuite, Watcher
from guildmark.adapters.machines.prusalink import PrusaLink
from guildmark.adapters.machines.web import Site
from guildmark.domain.recipes.gcode import observe
from guildmark.domain.shopfloor.jobs import MalformedReportError
from guildmark.ports.shopfloor import Machine, MachineAnswerError


class PrusaLinkStage:
    tells_beginnings = True
    spoilings: Sequence[str] = tuple(SPOILINGS)

    def __init__(self) -> None:
        self.peer = PrusaLinkDouble()

    def open(self) -> Machine:
        transport = httpx.MockTransport(self.peer.handle)
        site = Site(url="http://printer.example", headers={"X-Api-Key": KEY}, transport=transport)
        return PrusaLink(site=site, wall=lambda: self.peer.now)

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
def stage() -> PrusaLinkStage:
    return PrusaLinkStage()


@pytest.fixture
def watcher(stage: PrusaLinkStage) -> Watcher:
    watcher = Watcher(stage)
    watcher.keep()
    return watcher


def told(watcher: Watcher) -> list[str]:
    return [event.phase.value for event in watcher.events]


class TestPrusaLinkKeepsThePort(MachineSuite):
    @pytest.fixture
    def stage(self) -> PrusaLinkStage:
        return PrusaLinkStage()

    # A printer has no history: a job that came and went between two looks is lost (see below).
    test_restarts_and_lost_answers_double_nothing_and_lose_nothing = None  # type: ignore[assignment]


def test_a_job_has_its_file_its_times_and_temperatures(
    stage: PrusaLinkStage, watcher: Watcher
) -> None:
    stage.begin()
    assert stage.peer.job is not None
    stage.peer.job["time_printing"] = 30
    watcher.keep()
    stage.peer.is_there = False
    stage.end()
    watcher.settle()

    begun, ended = watcher.events
    assert (begun.at, begun.file_name, begun.job) == (1_799_999_970, "bracket.gcode", ended.job)
    assert begun.file == ended.file == hashlib.sha256(GCODE).digest()
    assert begun.observed == observe(GCODE.decode().splitlines())
    samples = [(one.channel, one.value, one.unit) for one in watcher.samples]
    assert samples == [("temp_nozzle", "209.5", "Cel"), ("target_nozzle", "210", "Cel")]
    assert all(KEY not in str(request.url) for request in stage.peer.asked)


def test_each_job_is_told_once_over_restarts(stage: PrusaLinkStage, watcher: Watcher) -> None:
    for _ in range(3):
        stage.begin()
        watcher.settle()
        watcher.restart()
        watcher.poll()
        stage.end()
        watcher.settle()
        watcher.restart()
        stage.peer.clear()
        watcher.settle()

    assert told(watcher) == ["started", "finished"] * 3
    assert len({event.job for event in watcher.events}) == 3


def test_what_ended_before_the_first_look_is_not_told(stage: PrusaLinkStage) -> None:
    stage.begin()
    stage.end()
    watcher = Watcher(stage)
    watcher.settle()
    stage.begin()
    watcher.settle()

    assert told(watcher) == ["started"]


@pytest.mark.parametrize("state", ["STOPPED", "ERROR"])
def test_a_print_that_failed_gives_nothing(
    stage: PrusaLinkStage, watcher: Watcher, state: str
) -> None:
    stage.begin()
    watcher.keep()
    stage.peer.end(state)
    watcher.settle()

    assert told(watcher) == ["started", "stopped"]
    assert watcher.events[1].pieces == ()


@pytest.mark.parametrize("is_next", [True, False])
def test_an_end_that_nobody_saw_is_a_stop(
    stage: PrusaLinkStage, watcher: Watcher, is_next: bool
) -> None:
    stage.begin()
    watcher.keep()
    stage.end()
    stage.peer.clear()
    if is_next:
        stage.begin()
    watcher.settle()

    assert told(watcher) == ["started", "stopped", "started"][: 2 + is_next]
    assert "nobody saw" in (watcher.events[1].note or "")


def test_a_file_that_is_not_handed_out_has_no_digest(
    stage: PrusaLinkStage, watcher: Watcher
) -> None:
    stage.begin()
    assert stage.peer.job is not None
    stage.peer.job["state"] = "LOADING"
    watcher.keep()
    assert watcher.events == []
    stage.peer.job["state"] = "PAUSED"
    del stage.peer.job["file"]["refs"]
    del stage.peer.job["file"]["display_name"]
    watcher.settle()
    stage.end()
    watcher.settle()

    assert [(event.file, event.file_name) for event in watcher.events] == [
        (None, "BRACKE~1.GCO")
    ] * 2


def test_a_cursor_of_another_kind_is_refused(stage: PrusaLinkStage) -> None:
    with pytest.raises(MalformedReportError, match="prusalink"):
        stage.open().poll(b'{"kind":"moonraker"}')


# What the description of the API (PrusaLink Web 1.0.0-draft) requires and allows of a job.
_NEEDED = {"id", "state", "progress", "time_printing"}
_ALLOWED = {*_NEEDED, "file", "time_remaining", "inaccurate_estimates", "serial_print"}
_FILE_NEEDED = {"name", "path", "m_timestamp"}
_FILE_ALLOWED = {*_FILE_NEEDED, "display_name", "display_path", "size", "meta", "refs"}


def test_the_double_answers_as_the_description_says(stage: PrusaLinkStage) -> None:
    stage.begin()

    job = stage.peer.job
    assert job is not None
    assert _NEEDED <= job.keys() <= _ALLOWED
    assert _FILE_NEEDED <= job["file"].keys() <= _FILE_ALLOWED


def test_a_print_over_the_serial_line_is_not_told(stage: PrusaLinkStage, watcher: Watcher) -> None:
    stage.begin()
    assert stage.peer.job is not None
    del stage.peer.job["file"]
    watcher.settle()

    assert watcher.events == []


def test_a_user_answers_the_printer_s_challenge() -> None:
    peer, asked = PrusaLinkDouble(), list[str]()
    peer.begin()

    def handle(request: httpx.Request) -> httpx.Response:
        said = request.headers.get("Authorization", "")
        asked.append(said)
        if f'response="{_answer(request.url.path)}"' not in said:
            challenge = 'Digest realm="Printer API", nonce="n1"'
            return httpx.Response(401, headers={"WWW-Authenticate": challenge})
        request.headers["X-Api-Key"] = KEY
        return peer.handle(request)

    def poll(password: str) -> int:
        auth = httpx.DigestAuth("maker", password)
        transport = httpx.MockTransport(handle)
        site = Site(url="http://printer.example", auth=auth, transport=transport)
        return len(PrusaLink(site=site).poll(b"").events)

    assert poll("secret word") == 1
    with pytest.raises(MachineAnswerError, match="does not accept the key"):
        poll("another")
    assert not [said for said in asked if "secret word" in said]


def _answer(path: str) -> str:
    """Return the digest that RFC 2617 wants of the user, without quality of protection."""
    of_user, of_page = (_md5(text) for text in ("maker:Printer API:secret word", f"GET:{path}"))
    return _md5(f"{of_user}:n1:{of_page}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
