"""Sparkplug B: births, data by alias, numbers that lack; nothing lost or doubled over restarts."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from fakes.sparkplug import EdgeNode, InboxDouble, Session, payload
from floor import MachineSuite, Watcher
from guildmark.adapters.machines.mqtt import Inbox
from guildmark.adapters.machines.protobuf import fields_of, floating, inner, text, whole
from guildmark.adapters.machines.sparkplug import Metrics, Sparkplug
from guildmark.domain.shopfloor.jobs import Gap, MalformedReportError
from guildmark.ports.shopfloor import Machine, MachineAnswerError

TOPIC = "spBv1.0/hall/DDATA/edge/lathe"


class SparkplugStage:
    tells_beginnings = True
    spoilings: Sequence[str] = ()

    def __init__(self) -> None:
        self.session = Session()
        self.node = EdgeNode()
        self.names = Metrics()
        self.publish(*self.node.birth())

    def publish(self, *messages: tuple[str, bytes]) -> None:
        self.session.kept += messages

    def open(self) -> Machine:
        inbox = cast("Inbox", InboxDouble(self.session))
        return Sparkplug(inbox=inbox, node="edge", device="lathe", names=self.names)

    def begin(self) -> None:
        self.publish(*self.node.begin())

    def end(self) -> None:
        self.publish(*self.node.end())

    def wait(self) -> None:
        self.node.milliseconds += 5_000

    def jump(self, seconds: int) -> None:
        self.node.milliseconds += seconds * 1_000 + 1

    def unplug(self) -> None:
        self.session.is_away = True

    def plug(self) -> None:
        self.session.is_away = False

    def spoil(self, how: str) -> None:
        raise NotImplementedError


@pytest.fixture
def stage() -> SparkplugStage:
    return SparkplugStage()


@pytest.fixture
def watcher(stage: SparkplugStage) -> Watcher:
    watcher = Watcher(stage)
    watcher.keep()
    return watcher


def told(watcher: Watcher) -> list[tuple[str, int]]:
    return [(event.phase.value, len(event.pieces)) for event in watcher.events]


class TestSparkplugKeepsThePort(MachineSuite):
    @pytest.fixture
    def stage(self) -> SparkplugStage:
        return SparkplugStage()


def test_a_run_has_its_program_and_its_samples(stage: SparkplugStage, watcher: Watcher) -> None:
    stage.begin()
    watcher.settle()

    begun, sample = watcher.events[0], watcher.samples[0]
    assert (begun.file_name, begun.at, begun.job) == ("O7", 1_800_000_002, "1800000002000-2")
    assert (sample.channel, sample.value, sample.sequence) == ("Spindle", "1200.5", 3)
    assert (sample.instance, sample.at) == ("0", 1_800_000_003_000)


def test_what_is_not_acknowledged_comes_again_and_counts_once(
    stage: SparkplugStage, watcher: Watcher
) -> None:
    stage.begin()
    stage.end()
    watcher.poll()
    again = list(stage.session.kept)
    watcher.keep()
    watcher.keep()
    stage.session.kept = again
    watcher.restart()
    watcher.settle()

    assert told(watcher) == [("started", 0), ("finished", 1)]


def test_a_number_that_lacks_is_a_gap(stage: SparkplugStage, watcher: Watcher) -> None:
    stage.begin()
    del stage.session.kept[-1]
    stage.end()

    assert watcher.poll().gaps == (Gap(instance="0", first=3, last=3),)


def test_numbers_begin_again_after_255(stage: SparkplugStage, watcher: Watcher) -> None:
    for number in range(300):
        stage.publish(stage.node.say({"alias": 3, "datatype": 10, "double_value": number}))
    gaps: list[Gap] = []
    for _ in range(6):
        gaps += watcher.poll().gaps
        watcher.keep()

    assert (gaps, stage.session.kept) == ([], [])


def test_a_new_birth_leaves_a_gap_and_the_run_goes_on(
    stage: SparkplugStage, watcher: Watcher
) -> None:
    stage.begin()
    watcher.keep()
    stage.publish(*stage.node.birth("ACTIVE"))
    stage.end()
    gaps = watcher.poll().gaps
    watcher.settle()

    assert gaps == (Gap(instance="0", first=4, last=None),)
    assert told(watcher) == [("started", 0), ("finished", 1)]


def test_a_session_that_the_broker_forgot_is_a_gap(stage: SparkplugStage, watcher: Watcher) -> None:
    stage.session.is_forgotten = True
    gaps = watcher.poll().gaps

    assert gaps == (Gap(instance="0", first=2, last=None),)


@pytest.mark.parametrize("data", [b"\xff" * 40, b"\x0a\xff\x01", b"\x12\x02\x0a", b"\x0c"])
def test_a_message_that_cannot_be_read_lacks_and_holds_up_no_other(
    stage: SparkplugStage, watcher: Watcher, data: bytes
) -> None:
    stage.publish((TOPIC, data))
    stage.begin()
    stage.end()
    watcher.settle()

    assert told(watcher) == [("started", 0), ("finished", 1)]


def test_other_nodes_devices_and_topics_say_nothing_of_this_one(
    stage: SparkplugStage, watcher: Watcher
) -> None:
    active = {"name": "Execution", "datatype": 12, "string_value": "ACTIVE"}
    for topic in (
        "spBv1.0/hall/DDATA/edge/mill",
        "spBv1.0/hall/DDATA/other/lathe",
        "spBv1.0/hall/NDATA/edge",
        "spBv1.0/hall/DCMD/edge/lathe",
        "other/hall/DDATA/edge/lathe",
        "spBv1.0",
    ):
        stage.publish((topic, payload(1_800_000_000_000, 9, active)))
    watcher.settle()

    assert watcher.events == []


def test_a_device_may_say_only_whether_it_runs(stage: SparkplugStage) -> None:
    stage.names = Metrics(execution="Running", count="Good", program="Recipe")
    watcher = Watcher(stage)
    watcher.keep()
    for metrics in (
        [{"name": "Good", "datatype": 8, "long_value": 4}, {"name": "Recipe", "string_value": "R"}],
        [{"name": "Running", "datatype": 11, "boolean_value": True}],
        [{"name": "Good", "datatype": 8, "long_value": 6}],
        [{"name": "Running", "datatype": 11, "boolean_value": False}],
    ):
        stage.publish(stage.node.say(*metrics))
    watcher.settle()

    assert told(watcher) == [("started", 0), ("finished", 2)]
    assert watcher.events[0].file_name == "R"


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ({"datatype": 3, "int_value": 2**32 - 5}, "-5"),
        ({"datatype": 2, "int_value": 2**32 - 5}, "-5"),
        ({"datatype": 7, "int_value": 2**32 - 5}, "4294967291"),
        ({"datatype": 4, "long_value": 2**64 - 1}, "-1"),
        ({"datatype": 9, "float_value": 0.5}, "0.5"),
        ({"datatype": 10, "double_value": 1e-5}, "0.00001"),
        ({"datatype": 10, "double_value": float("nan")}, None),
        ({"datatype": 10, "double_value": 1e300}, None),
        ({"datatype": 10, "is_null": True, "double_value": 1.0}, None),
        ({"datatype": 17, "bytes_value": b"x"}, None),
        ({"datatype": 12, "string_value": "on"}, None),
    ],
)
def test_values_are_read_as_their_type_says(
    stage: SparkplugStage, watcher: Watcher, metric: dict[str, Any], value: str | None
) -> None:
    stage.begin()
    watcher.settle()
    before = len(watcher.samples)
    stage.publish(stage.node.say({"name": "x", **metric}))
    watcher.settle()

    assert [one.value for one in watcher.samples[before:]] == ([] if value is None else [value])


def test_a_metric_may_have_a_time_of_its_own_if_it_can_be_one(
    stage: SparkplugStage, watcher: Watcher
) -> None:
    stage.begin()
    value = {"name": "x", "datatype": 10, "double_value": 1.0}
    stage.publish(stage.node.say({**value, "timestamp": 5}))
    stage.publish(stage.node.say({**value, "timestamp": 2**63}))
    watcher.settle()

    assert [one.at for one in watcher.samples[-2:]] == [5, 1_800_000_005_000]


@pytest.mark.parametrize("timestamp", [2**63])
def test_a_message_of_an_impossible_time_or_without_a_number_says_nothing(
    stage: SparkplugStage, watcher: Watcher, timestamp: int
) -> None:
    metric = {"name": "x", "datatype": 12, "string_value": "y"}
    stage.publish((TOPIC, payload(timestamp, 2, metric)))
    stage.publish((TOPIC, payload(1, None, metric)))
    stage.publish((TOPIC, payload(1, 2, *[metric] * 2_001)))
    watcher.settle()

    assert (watcher.events, watcher.samples) == ([], [])


def test_a_device_of_many_metrics_keeps_the_aliases_that_count(stage: SparkplugStage) -> None:
    many = [{"name": f"m{n}", "alias": n + 10, "double_value": 0.0} for n in range(400)]
    counts = {"name": "Execution", "alias": 9, "string_value": "READY"}
    stage.publish(stage.node.say(*many, counts, kind="DBIRTH"))
    stage.publish(stage.node.say({"alias": 9, "datatype": 12, "string_value": "ACTIVE"}))
    watcher = Watcher(stage)
    watcher.settle()

    assert told(watcher) == [("started", 0)]


def test_the_cursor_of_another_kind_is_refused(stage: SparkplugStage) -> None:
    with pytest.raises(MalformedReportError):
        stage.open().poll(b'{"kind":"folder","told":[]}')


def test_what_is_of_another_kind_is_refused() -> None:
    for read, raw in ((text, 1), (inner, 1), (whole, b""), (floating, 1), (floating, b"abc")):
        with pytest.raises(MachineAnswerError):
            read(raw)
    with pytest.raises(MachineAnswerError, match="UTF-8"):
        text(b"\xff")
    with pytest.raises(MachineAnswerError, match="without an end"):
        list(fields_of(b"\x80" * 11))
    assert list(fields_of(b"\x08" + b"\xff" * 9 + b"\x01")) == [(1, 2**64 - 1)]
