"""MTConnect: runs and parts out of numbered values; what lacks is a gap."""

from collections.abc import Sequence

import httpx
import pytest

from fakes.mtconnect import SPOILINGS, MTConnectDouble, broken_rules
from floor import MachineSuite, Watcher
from guildmark.adapters.machines.mtconnect import Items, MTConnect
from guildmark.adapters.machines.web import Site
from guildmark.domain.shopfloor.jobs import Gap, JobPhase
from guildmark.ports.shopfloor import Machine, MachineAnswerError


class MTConnectStage:
    tells_beginnings = True
    spoilings: Sequence[str] = tuple(SPOILINGS)

    def __init__(self) -> None:
        self.peer = MTConnectDouble(size=512)
        self.items = Items()
        self._parts = 0

    def open(self) -> Machine:
        transport = httpx.MockTransport(self.peer.handle)
        return MTConnect(
            site=Site(url="http://agent.example/lathe", transport=transport), items=self.items
        )

    def begin(self) -> None:
        self.peer.tell("exec", "ACTIVE")
        self.peer.tell("speed", "1200.50")

    def end(self) -> None:
        self._parts += 1
        self.peer.tell("parts", str(self._parts))
        self.peer.tell("exec", "PROGRAM_COMPLETED")

    def wait(self) -> None:
        self.peer.now += 5

    def jump(self, seconds: int) -> None:
        self.peer.now += seconds

    def unplug(self) -> None:
        self.peer.is_away = True

    def plug(self) -> None:
        self.peer.is_away, self.peer.spoiling = False, None

    def spoil(self, how: str) -> None:
        self.peer.spoiling = SPOILINGS[how]


@pytest.fixture
def stage() -> MTConnectStage:
    return MTConnectStage()


@pytest.fixture
def watcher(stage: MTConnectStage) -> Watcher:
    watcher = Watcher(stage)
    watcher.keep()
    return watcher


def told(watcher: Watcher) -> list[tuple[str, int]]:
    return [(event.phase.value, len(event.pieces)) for event in watcher.events]


class TestMTConnectKeepsThePort(MachineSuite):
    @pytest.fixture
    def stage(self) -> MTConnectStage:
        return MTConnectStage()


def test_the_double_keeps_the_rules_of_the_standard(stage: MTConnectStage) -> None:
    stage.begin()
    stage.end()
    pages = ("current", "sample?from=1&count=3", "sample?from=8&count=100")
    texts = [stage.peer.page(httpx.Request("GET", f"http://x/{page}")) for page in pages]

    assert [broken_rules(text) for text in texts] == [[], [], []]
    assert broken_rules(texts[1].replace('sequence="2"', 'sequence="3"')) == [
        "no number stands twice"
    ]


def test_a_run_has_its_program_its_time_and_numbered_samples(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.settle()

    begun, sample = watcher.events[0], watcher.samples[0]
    assert (begun.file_name, begun.at, begun.job) == ("O1000", 1_800_000_000, "1799000000-6")
    assert (sample.channel, sample.value, sample.unit) == ("speed", "1200.5", "{rev}/min")
    assert (sample.instance, sample.sequence, sample.at) == ("1799000000", 7, 1_800_000_000_500)


def test_a_run_that_began_before_the_first_look_is_told(stage: MTConnectStage) -> None:
    stage.begin()
    watcher = Watcher(stage)
    watcher.settle()
    stage.end()
    watcher.settle()

    assert told(watcher) == [("started", 0), ("finished", 1)]


def test_one_run_gives_as_many_pieces_as_were_counted(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    for count in ("1", "2", "4"):
        stage.peer.tell("parts", count)
    stage.peer.tell("exec", "READY")
    watcher.settle()

    assert told(watcher) == [("started", 0), ("finished", 4)]


def test_a_part_may_be_counted_after_the_end_of_its_run(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    stage.peer.tell("exec", "READY")
    watcher.settle()
    before = told(watcher)
    stage.peer.now += 60
    stage.peer.tell("parts", "1")
    watcher.settle()

    assert (before, told(watcher)) == ([("started", 0)], [("started", 0), ("finished", 1)])
    assert watcher.events[-1].at == 1_800_000_000


def test_a_run_without_a_counted_part_has_stopped_once_the_next_begins(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    stage.peer.tell("exec", "READY")
    stage.begin()
    watcher.settle()

    assert told(watcher) == [("started", 0), ("stopped", 0), ("started", 0)]
    assert watcher.events[1].note is not None


@pytest.mark.parametrize("pause", ["INTERRUPTED", "FEED_HOLD", "WAIT", "OPTIONAL_STOP"])
def test_a_pause_ends_no_run(stage: MTConnectStage, watcher: Watcher, pause: str) -> None:
    stage.begin()
    stage.peer.tell("exec", pause)
    stage.peer.tell("exec", "UNAVAILABLE")
    stage.peer.tell("exec", "ACTIVE")
    stage.end()
    watcher.settle()

    assert told(watcher) == [("started", 0), ("finished", 1)]


def test_a_broken_run_gives_what_was_counted_before(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    stage.peer.tell("exec", "STOPPED")
    stage.begin()
    stage.peer.tell("parts", "2")
    stage.peer.tell("exec", "STOPPED")
    stage.peer.tell("exec", "READY")
    watcher.settle()

    assert told(watcher) == [("started", 0), ("stopped", 0), ("started", 0), ("finished", 2)]


@pytest.mark.parametrize(
    ("end", "phase"), [("PROGRAM_COMPLETED", "finished"), ("READY", "stopped")]
)
def test_without_a_counter_only_a_programs_own_end_gives_a_part(end: str, phase: str) -> None:
    stage = MTConnectStage()
    stage.peer.tell("parts", "UNAVAILABLE")
    watcher = Watcher(stage)
    watcher.keep()
    stage.begin()
    stage.peer.tell("exec", end)
    watcher.settle()

    assert told(watcher) == [("started", 0), (phase, int(phase == "finished"))]


def test_a_counter_that_is_set_back_or_leaps_counts_nothing(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.peer.tell("parts", "500")
    stage.begin()
    for count in ("0", "1", "9000", "9001"):
        stage.peer.tell("parts", count)
    stage.peer.tell("exec", "READY")
    watcher.settle()

    assert told(watcher) == [("started", 0), ("finished", 2)]


def test_a_run_of_more_parts_than_a_job_has_is_told_in_portions(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    for count in ("900", "1000", "1500"):
        stage.peer.tell("parts", count)
        watcher.settle()
    stage.peer.tell("exec", "READY")
    watcher.settle()

    assert told(watcher) == [("started", 0), ("finished", 1_000), ("started", 0), ("finished", 500)]
    first, second = watcher.names(JobPhase.FINISHED)
    assert (second, first) == (f"{first}+1", "1799000000-6")


def test_an_agent_that_was_started_anew_leaves_a_gap_and_no_doubt_about_parts(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    stage.peer.last_of |= {"exec": "READY", "parts": "3"}
    stage.peer.instance += 1_000
    stage.peer.boot()

    seen = watcher.poll()
    watcher.settle()

    assert seen.gaps == (Gap(instance="1799000000", first=8, last=None),)
    assert told(watcher) == [("started", 0), ("finished", 3)]
    stage.begin()
    watcher.settle()
    assert watcher.events[-1].job == "1799001000-6"


def test_what_ran_out_of_the_buffer_is_a_gap_with_its_numbers(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    for number in range(600):
        stage.peer.tell("speed", str(number))
    stage.end()

    seen = watcher.poll()
    watcher.settle()

    assert seen.gaps == (Gap(instance="1799000000", first=8, last=97),)
    assert len(seen.samples) == 510
    assert told(watcher) == [("started", 0), ("finished", 1)]


def test_a_gap_is_told_even_where_nothing_follows_it(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    for number in range(600):
        stage.peer.tell("speed", str(number))
    stage.peer.size = 0
    stage.peer.buffer = stage.peer.buffer[-1:]
    first = watcher.poll().gaps

    assert first == (Gap(instance="1799000000", first=6, last=604),)


def test_a_long_silence_is_read_in_portions(stage: MTConnectStage, watcher: Watcher) -> None:
    stage.peer.size = 5_000
    for _ in range(800):
        stage.begin()
        stage.end()
    watcher.settle()

    assert len(watcher.names(JobPhase.FINISHED)) == 800


@pytest.mark.parametrize("value", ["NaN", "1e40", "fast", "UNAVAILABLE"])
def test_samples_without_a_number_are_left_out(
    stage: MTConnectStage, watcher: Watcher, value: str
) -> None:
    stage.begin()
    stage.peer.tell("speed", value)
    watcher.settle()

    assert len(watcher.samples) == 1


def test_several_items_of_a_kind_have_to_be_named() -> None:
    stage = MTConnectStage()
    stage.peer.more = '<DataItem category="EVENT" id="exec2" type="EXECUTION"/>'
    with pytest.raises(MachineAnswerError, match="exec, exec2") as caught:
        stage.open().poll(b"")
    assert "?execution=" in caught.value.next_step

    stage.items = Items(execution="exec")
    watcher = Watcher(stage)
    watcher.keep()
    stage.begin()
    watcher.settle()
    assert told(watcher) == [("started", 0)]

    stage.items = Items(execution="gone")
    with pytest.raises(MachineAnswerError, match="no data item 'gone'"):
        stage.open().poll(b"")


def test_a_device_that_tells_of_no_execution_is_refused(stage: MTConnectStage) -> None:
    stage.peer.spoiling = lambda text: text.replace("EXECUTION", "EMERGENCY_STOP").encode()

    with pytest.raises(MachineAnswerError, match="tells of its execution"):
        stage.open().poll(b"")


@pytest.mark.parametrize(
    ("found", "instead", "reason"),
    [
        ('nextSequence="8"', 'nextSequence="5"', "went back"),
        ('nextSequence="8"', 'nextSequence="6"', "not those that were asked for"),
        ('sequence="7"', 'sequence="70"', "not those that were asked for"),
        ('timestamp="2027', 'timestamp="1927', "before 1970"),
        ('"2027-01-15T08:00:00.500000Z" sequence="7"', '"soon" sequence="7"', "timestamp"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    stage: MTConnectStage, watcher: Watcher, found: str, instead: str, reason: str
) -> None:
    stage.begin()

    def spoiling(text: str) -> bytes:
        is_header = reason == "not those that were asked for" and "Availability" in text
        return (text if is_header else text.replace(found, instead)).encode()

    stage.peer.spoiling = spoiling
    with pytest.raises(MachineAnswerError, match=reason):
        watcher.poll()


def test_an_agent_that_starts_anew_between_two_answers_is_asked_again(
    stage: MTConnectStage, watcher: Watcher
) -> None:
    stage.begin()
    stage.peer.spoiling = lambda text: (
        text if "Availability" in text else text.replace("1799000000", "1799000001")
    ).encode()

    with pytest.raises(MachineAnswerError, match="between two answers"):
        watcher.poll()
    stage.plug()
    watcher.settle()

    assert told(watcher) == [("started", 0)]
