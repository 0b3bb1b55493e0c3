"""Plain MQTT messages: each report once, wrong ones told of and left, topics that tell a part."""

import json
from collections.abc import Sequence
from typing import Any, cast

import jsonschema_rs
import pytest

from fakes.sparkplug import InboxDouble, Session
from floor import MachineSuite, Watcher
from guildmark.adapters.machines.messages import Messages, Topic
from guildmark.adapters.machines.mqtt import Inbox
from guildmark.domain.shopfloor.jobs import JobPhase, MalformedReportError
from guildmark.domain.shopfloor.schema import report_schema
from guildmark.ports.shopfloor import Machine

AT = 1_800_000_000


class MessageStage:
    tells_beginnings = True
    spoilings: Sequence[str] = ()

    def __init__(self, template: str = "hall/lathe/{job}/{phase}") -> None:
        self.session = Session()
        self.template = template
        self.number, self.at = 0, AT

    def publish(self, topic: str, **members: Any) -> None:
        self.session.kept.append((topic, json.dumps(members).encode()))

    def open(self) -> Machine:
        inbox = cast("Inbox", InboxDouble(self.session))
        return Messages(inbox=inbox, topic=Topic(self.template))

    def begin(self) -> None:
        self.number += 1
        self.publish(f"hall/lathe/run-{self.number}/started", at=self.at)

    def end(self) -> None:
        self.publish(f"hall/lathe/run-{self.number}/finished", at=self.at)

    def wait(self) -> None:
        self.at += 5

    def jump(self, seconds: int) -> None:
        self.at += seconds

    def unplug(self) -> None:
        self.session.is_away = True

    def plug(self) -> None:
        self.session.is_away = False

    def spoil(self, how: str) -> None:
        raise NotImplementedError


@pytest.fixture
def stage() -> MessageStage:
    return MessageStage()


@pytest.fixture
def watcher(stage: MessageStage) -> Watcher:
    watcher = Watcher(stage)
    watcher.keep()
    return watcher


class TestMessagesKeepThePort(MachineSuite):
    @pytest.fixture
    def stage(self) -> MessageStage:
        return MessageStage()


def test_a_report_has_what_topic_and_message_tell(stage: MessageStage, watcher: Watcher) -> None:
    samples = [{"channel": "spindle", "at": AT * 1_000, "value": "1200", "unit": "/min"}]
    setting = {"path": "/process/feed", "value": "0.2", "unit": "mm"}
    stage.publish(
        "hall/lathe/run-1/finished", at=AT, job="run-1", settings=[setting], samples=samples
    )
    watcher.keep()

    (event,) = watcher.events
    assert (event.job, event.phase, event.at) == ("run-1", JobPhase.FINISHED, AT)
    assert (event.settings[0].path, len(event.pieces)) == ("/process/feed", 1)
    assert [sample.channel for sample in watcher.samples] == ["spindle"]


FULL: dict[str, Any] = {
    "format": "guildmark/job/v1",
    "job": "run-1",
    "at": AT,
    "phase": "finished",
    "fileName": "bracket.gcode",
    "file": "0x" + "ab" * 32,
    "firmware": "Marlin 2.1",
    "technician": "T-4",
    "note": "first of the day",
    "settings": [{"path": "/process/feed", "value": "0.2", "unit": "mm"}],
    "pieces": [
        {
            "serial": "S-1",
            "conforming": True,
            "measurements": [
                {
                    "characteristic": "/tolerance/bore",
                    "value": "8.02",
                    "unit": "mm",
                    "instrument": "caliper",
                    "uncertainty": "0.01",
                    "coverageFactor": "2",
                }
            ],
        }
    ],
    "samples": [{"channel": "spindle", "at": AT * 1_000, "value": "1200", "unit": "/min"}],
}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in FULL.items() if name not in names}


@pytest.mark.parametrize(
    ("report", "is_one"),
    [
        (FULL, True),
        ({name: FULL[name] for name in ("format", "job", "at")}, True),
        ({**without("pieces"), "phase": "stopped"}, True),
        (without("format"), False),
        (without("job"), False),
        (without("at"), False),
        ({**FULL, "format": "guildmark/job/v2"}, False),
        ({**FULL, "job": ""}, False),
        ({**FULL, "job": "x" * 200}, True),
        ({**FULL, "job": "x" * 201}, False),
        ({**FULL, "at": 2**40 - 1}, True),
        ({**FULL, "at": 2**40}, False),
        ({**FULL, "phase": "ready"}, False),
        ({**FULL, "file": "ab" * 32}, False),
        ({**FULL, "note": "x" * 2_001}, False),
        ({**FULL, "settings": [{"path": "feed", "value": "1"}]}, False),
        ({**FULL, "settings": [{"path": "/process/feed", "value": "1", "unit": "inch"}]}, False),
        ({**FULL, "pieces": [{"conforming": "yes"}]}, False),
        ({**FULL, "pieces": [{}] * 1_000}, True),
        ({**FULL, "pieces": [{}] * 1_001}, False),
        ({**FULL, "samples": [{"channel": "spindle", "value": "1"}]}, False),
        ({**FULL, "colour": "red"}, False),
    ],
)
def test_the_published_schema_and_the_adapter_take_and_refuse_the_same(
    report: dict[str, Any], *, is_one: bool
) -> None:
    schema: Any = json.loads(json.dumps(report_schema()))
    session = Session()
    session.kept.append(("reports/a", json.dumps(report).encode()))
    machine = Messages(inbox=cast("Inbox", InboxDouble(session)), topic=Topic("reports/a"))

    jsonschema_rs.meta.validate(schema)
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(report) is is_one
    # The topic's format stands for a message's own.
    if not is_one and "format" in report:
        with pytest.raises(MalformedReportError):
            machine.poll(b"")
    elif is_one:
        assert len(machine.poll(b"").events) == 1


def test_a_topic_without_marks_leaves_all_to_the_message() -> None:
    stage = MessageStage("reports/+")
    stage.publish("reports/a", format="guildmark/job/v1", job="one", at=AT, phase="stopped")
    watcher = Watcher(stage)
    watcher.keep()

    assert [(event.job, event.phase) for event in watcher.events] == [("one", JobPhase.STOPPED)]


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        ("hall/lathe/one/finished", b"{"),
        ("hall/lathe/one/finished", b"[]"),
        ("hall/lathe/one/finished", b"{}"),
        ("hall/lathe/one/ready", b'{"at": 1}'),
        ("hall/lathe/one/finished", b'{"at": 1, "job": "two"}'),
        ("hall/lathe/one/finished", b'{"at": 1, "colour": "red"}'),
    ],
)
def test_a_message_that_is_no_report_is_told_of_once_and_holds_up_no_other(
    stage: MessageStage, watcher: Watcher, topic: str, data: bytes
) -> None:
    stage.begin()
    stage.session.kept.append((topic, data))
    stage.end()
    watcher.keep()
    assert [event.phase for event in watcher.events] == [JobPhase.STARTED]

    with pytest.raises(MalformedReportError, match="no job report"):
        watcher.poll()
    watcher.settle()

    assert [event.phase for event in watcher.events] == [JobPhase.STARTED, JobPhase.FINISHED]


def test_messages_that_come_again_and_empty_ones_tell_nothing(
    stage: MessageStage, watcher: Watcher
) -> None:
    stage.begin()
    stage.session.kept.append(("hall/lathe/run-1/started", b""))
    stage.session.kept.append(stage.session.kept[0])
    watcher.settle()

    assert watcher.names(JobPhase.STARTED) == ["run-1"]
    assert stage.session.kept == []
