"""Sparkplug B payloads by Google's own library, and a double of a broker's session."""

from dataclasses import dataclass, field
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from guildmark.adapters.machines.mqtt import Message
from guildmark.ports.shopfloor import MachineUnavailableError

_LABEL = descriptor_pb2.FieldDescriptorProto
_METRIC = {
    "name": (1, _LABEL.TYPE_STRING),
    "alias": (2, _LABEL.TYPE_UINT64),
    "timestamp": (3, _LABEL.TYPE_UINT64),
    "datatype": (4, _LABEL.TYPE_UINT32),
    "is_null": (7, _LABEL.TYPE_BOOL),
    "int_value": (10, _LABEL.TYPE_UINT32),
    "long_value": (11, _LABEL.TYPE_UINT64),
    "float_value": (12, _LABEL.TYPE_FLOAT),
    "double_value": (13, _LABEL.TYPE_DOUBLE),
    "boolean_value": (14, _LABEL.TYPE_BOOL),
    "string_value": (15, _LABEL.TYPE_STRING),
    "bytes_value": (16, _LABEL.TYPE_BYTES),
}


def _payload_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug.proto", package="s", syntax="proto2")
    metric = file.message_type.add(name="Metric")
    for name, (number, kind) in _METRIC.items():
        metric.field.add(name=name, number=number, type=kind, label=_LABEL.LABEL_OPTIONAL)
    payload = file.message_type.add(name="Payload")
    for name, number in (("timestamp", 1), ("seq", 3)):
        payload.field.add(
            name=name, number=number, type=_LABEL.TYPE_UINT64, label=_LABEL.LABEL_OPTIONAL
        )
    payload.field.add(
        name="metrics",
        number=2,
        type=_LABEL.TYPE_MESSAGE,
        type_name=".s.Metric",
        label=_LABEL.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("s.Payload"))


_PAYLOAD = _payload_class()


def payload(timestamp: int, seq: int | None, *metrics: dict[str, Any]) -> bytes:
    """Return a payload with its metrics, as another library writes it."""
    made = _PAYLOAD(timestamp=timestamp)
    if seq is not None:
        made.seq = seq
    for metric in metrics:
        made.metrics.add(**metric)
    return bytes(made.SerializeToString())


@dataclass(slots=True)
class EdgeNode:
    """An edge node with a lathe: what it publishes, as topics and payloads."""

    milliseconds: int = 1_800_000_000_000
    seq: int = 0
    births: int = 0
    parts: int = 0

    def birth(self, execution: str = "READY") -> list[tuple[str, bytes]]:
        self.seq = 0
        born = {"name": "bdSeq", "datatype": 4, "long_value": self.births}
        node = ("spBv1.0/hall/NBIRTH/edge", payload(self.milliseconds, 0, born))
        self.births += 1
        device = self.say(
            {"name": "Execution", "alias": 0, "datatype": 12, "string_value": execution},
            {"name": "PartCount", "alias": 1, "datatype": 3, "int_value": self.parts},
            {"name": "Program", "alias": 2, "datatype": 12, "string_value": "O7"},
            {"name": "Spindle", "alias": 3, "datatype": 10, "double_value": 0.0},
            kind="DBIRTH",
        )
        return [node, device]

    def say(self, *metrics: dict[str, Any], kind: str = "DDATA") -> tuple[str, bytes]:
        self.seq = (self.seq + 1) % 256
        self.milliseconds += 1_000
        data = payload(self.milliseconds, self.seq, *metrics)
        return f"spBv1.0/hall/{kind}/edge/lathe", data

    def begin(self) -> list[tuple[str, bytes]]:
        return [
            self.say({"alias": 0, "datatype": 12, "string_value": "ACTIVE"}),
            self.say({"alias": 3, "datatype": 10, "double_value": 1200.5}),
        ]

    def end(self) -> list[tuple[str, bytes]]:
        self.parts += 1
        return [
            self.say({"alias": 1, "datatype": 3, "int_value": self.parts}),
            self.say({"alias": 0, "datatype": 12, "string_value": "READY"}),
        ]


@dataclass(slots=True)
class Session:
    """What a broker keeps for a session: all that was not acknowledged."""

    kept: list[tuple[str, bytes]] = field(default_factory=list)
    is_away: bool = False
    is_forgotten: bool = False


@dataclass(slots=True)
class InboxDouble:
    """One connection to the session."""

    session: Session
    messages: list[Message] = field(default_factory=list)
    is_new: bool = False
    _taken: int = 0

    def fetch(self) -> None:
        if self.session.is_away:
            message = "The broker does not answer."
            raise MachineUnavailableError(message)
        self.is_new, self.session.is_forgotten = self.session.is_forgotten, False
        self.messages = [
            Message(topic=topic, payload=data, mid=number, quality=1)
            for number, (topic, data) in enumerate(self.session.kept, start=1)
        ]

    def take_out(self, count: int) -> None:
        del self.session.kept[:count]

    def close(self) -> None:
        self.messages = []
