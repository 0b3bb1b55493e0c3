"""Sparkplug B (3.0) over MQTT: births, data and deaths of one device of an edge node.

An edge node numbers its messages from 0 to 255 and over again, from its birth on. A number that
lacks is a gap, and so is the time between two births.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Self

from guildmark.adapters.machines.answers import plain
from guildmark.adapters.machines.cursors import read_cursor, write_cursor
from guildmark.adapters.machines.mqtt import AT_ONCE, Inbox, Message
from guildmark.adapters.machines.protobuf import Raw, fields_of, floating, inner, text, whole
from guildmark.adapters.machines.signals import (
    WORDS,
    Counting,
    Doing,
    Program,
    Signal,
    Tracker,
    Work,
)
from guildmark.domain.builds.predicate import NAME_MAX
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.identifiers import UINT40_MAX
from guildmark.domain.shopfloor.jobs import Gap, Observation, Sample
from guildmark.ports.shopfloor import MachineAnswerError

KIND = "sparkplug"
NAMESPACE = "spBv1.0"

_NUMBERS = 256
_ALIASES_MAX = 300
_ALIAS_MAX = 120
_METRICS_MAX = 2_000
_NODE_BIRTH = "NBIRTH"
_BIRTH, _DATA = "DBIRTH", "DDATA"
_COUNTED = frozenset({_NODE_BIRTH, "NDATA", _BIRTH, _DATA, "DDEATH"})
# The numbers of fields, of the payload and of a metric in it.
_PAYLOAD_TIME, _PAYLOAD_METRIC, _PAYLOAD_NUMBER = 1, 2, 3
_NAME, _ALIAS, _TIME, _TYPE, _IS_NULL = 1, 2, 3, 4, 7
_INT, _LONG, _FLOAT, _DOUBLE, _BOOLEAN, _TEXT = _VALUES = (10, 11, 12, 13, 14, 15)
_MOST = 10**18
# How many bits the types have that may be negative.
_SIGNED = MappingProxyType({1: 8, 2: 16, 3: 32, 4: 64})


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The names of the metrics that tell of jobs."""

    execution: str = "Execution"
    count: str = "PartCount"
    program: str = "Program"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """One value; numbers are decimals."""

    name: str
    alias: int | None
    milliseconds: int
    value: str | Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payload:
    milliseconds: int
    number: int | None
    metrics: tuple[_Metric, ...]


@dataclass(slots=True, kw_only=True)
class _State:
    """What a cursor holds.

    Args:
        birth: The number of the node's last birth.
        last: The number of its last message.
        aliases: Metrics' names, by the numbers that stand for them.
        seen: The digests of the last messages: after a broken connection they come again.
    """

    birth: int | None = None
    last: int | None = None
    aliases: dict[int, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    tracker: Tracker = field(default_factory=Tracker)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the state that a cursor holds."""
        pairs = fields.objects("aliases", lambda one: (one.integer("a"), one.text("n")))
        return cls(
            birth=fields.maybe("birth", fields.integer),
            last=fields.maybe("last", fields.integer),
            aliases=dict(pairs),
            seen=list(fields.texts("seen", str)),
            tracker=fields.object("tracker", Tracker.read),
        )

    def to_cursor(self) -> bytes:
        """Return the cursor that holds the state."""
        members: JsonObject = {
            "aliases": [{"a": alias, "n": name} for alias, name in self.aliases.items()],
            "seen": self.seen[-2 * AT_ONCE :],
            "tracker": self.tracker.to_json(),
        }
        if self.birth is not None:
            members = {**members, "birth": self.birth}
        if self.last is not None:
            members = {**members, "last": self.last}
        return write_cursor(KIND, members)


@dataclass(slots=True, kw_only=True)
class Sparkplug:
    """One device of an edge node.

    Args:
        inbox: The session with the broker, subscribed to all that the node says.
        node: The edge node.
        device: The device.
        names: Which metrics tell of jobs.
    """

    inbox: Inbox
    node: str
    device: str
    names: Metrics = field(default_factory=Metrics)
    _given: tuple[bytes, int] | None = field(default=None, init=False)

    def poll(self, cursor: bytes) -> Observation:
        """Return what the device told since a cursor; what is in the cursor is acknowledged."""
        if self._given is not None and self._given[0] == cursor:
            self.inbox.take_out(self._given[1])
        self._given = None
        self.inbox.fetch()
        state = _State() if cursor == b"" else read_cursor(KIND, cursor, _State.read)
        gaps, samples = [*self._away(state, cursor)], list[Sample]()
        messages = self.inbox.messages[:AT_ONCE]
        for message in messages:
            self._take(message, state, gaps, samples)
        observed = Observation(
            cursor=state.to_cursor(),
            events=tuple(state.tracker.events),
            samples=tuple(samples),
            gaps=tuple(gaps),
        )
        self._given = (observed.cursor, len(messages))
        return observed

    @property
    def _wanted(self) -> frozenset[str]:
        return frozenset({self.names.execution, self.names.count, self.names.program})

    def close(self) -> None:
        """End the connection; the broker keeps what comes."""
        self.inbox.close()

    def _away(self, state: _State, cursor: bytes) -> Iterator[Gap]:
        """Yield the gap that a session leaves which the broker does not know any more."""
        if self.inbox.is_new and cursor and state.last is not None:
            yield Gap(instance=_name(state.birth), first=(state.last + 1) % _NUMBERS, last=None)
            state.last = None
        self.inbox.is_new = False

    def _take(
        self, message: Message, state: _State, gaps: list[Gap], samples: list[Sample]
    ) -> None:
        """Take one message in; one that cannot be read lacks, and its number shows it."""
        digest = hashlib.sha256(message.topic.encode() + b"\0" + message.payload).hexdigest()[:16]
        kind, node, device = _parted(message.topic)
        if digest in state.seen or node != self.node:
            return
        state.seen.append(digest)
        if kind not in _COUNTED:
            return
        try:
            payload = _payload(message.payload)
        except MachineAnswerError:
            return
        gaps += self._born(payload, state) if kind == _NODE_BIRTH else _counted(payload, state)
        if device == self.device and kind in {_BIRTH, _DATA}:
            self._told(kind, payload, state, samples)

    def _born(self, payload: _Payload, state: _State) -> list[Gap]:
        before = state.birth
        first = None if state.last is None else (state.last + 1) % _NUMBERS
        births = (one.value for one in payload.metrics if one.name == "bdSeq")
        found = next(births, None)
        state.birth = int(found) if isinstance(found, Decimal) and 0 <= found < _NUMBERS else 0
        state.last = 0
        state.aliases = {}
        return [] if first is None else [Gap(instance=_name(before), first=first, last=None)]

    def _told(self, kind: str, payload: _Payload, state: _State, samples: list[Sample]) -> None:
        if kind == _BIRTH:
            named = [one for one in payload.metrics if one.alias is not None]
            wanted = sorted(named, key=lambda one: one.name not in self._wanted)[:_ALIASES_MAX]
            state.aliases = {one.alias or 0: one.name[:_ALIAS_MAX] for one in wanted}
        values = {one.name or state.aliases.get(one.alias or 0, ""): one for one in payload.metrics}
        was_running = state.tracker.job is not None
        state.tracker.follow(self._signals(values, payload))
        if was_running or state.tracker.job is not None:
            samples += _samples(values, _name(state.birth), payload.number)

    def _signals(self, values: Mapping[str, _Metric], payload: _Payload) -> Iterator[Signal]:
        """Yield the program, then the counter, then what the device does: so they belong."""
        program, count = values.get(self.names.program), values.get(self.names.count)
        execution = values.get(self.names.execution)
        if program is not None and isinstance(program.value, str):
            yield Program(name=program.value)
        if count is not None and isinstance(count.value, Decimal) and count.value >= 0:
            yield Counting(count=int(count.value), at=count.milliseconds // 1_000)
        if execution is not None and execution.value is not None:
            name = f"{execution.milliseconds}-{payload.number}"
            work = WORDS.get(str(execution.value), Work.WAITS)
            yield Doing(work=work, at=execution.milliseconds // 1_000, name=name)


def _parted(topic: str) -> tuple[str, str, str]:
    """Return kind, node and device of a topic; empty where it has none."""
    parts = [*topic.split("/"), "", "", "", ""]
    return (parts[2], parts[3], parts[4]) if parts[0] == NAMESPACE else ("", "", "")


def _name(birth: int | None) -> str:
    return "" if birth is None else str(birth)


def _counted(payload: _Payload, state: _State) -> list[Gap]:
    """Take a message's number in; return the gap before it where numbers lack."""
    if payload.number is None:
        return []
    expected = None if state.last is None else (state.last + 1) % _NUMBERS
    state.last = payload.number
    if expected in {None, payload.number}:
        return []
    last = (payload.number - 1) % _NUMBERS
    return [Gap(instance=_name(state.birth), first=expected or 0, last=last)]


def _samples(values: Mapping[str, _Metric], instance: str, number: int | None) -> Iterator[Sample]:
    for name, one in values.items():
        if isinstance(one.value, Decimal) and name:
            yield Sample(
                channel=name[:NAME_MAX],
                at=one.milliseconds,
                value=plain(one.value),
                instance=instance,
                sequence=number,
            )


def _payload(data: bytes) -> _Payload:
    milliseconds, number, found = 0, None, list[bytes]()
    for key, raw in fields_of(data):
        if key == _PAYLOAD_TIME:
            milliseconds = whole(raw)
        elif key == _PAYLOAD_METRIC:
            found.append(inner(raw))
        elif key == _PAYLOAD_NUMBER:
            number = whole(raw) % _NUMBERS
    if milliseconds > UINT40_MAX * 1_000 or len(found) > _METRICS_MAX:
        message = "A message of the edge node has an impossible time, or too many metrics."
        raise MachineAnswerError(message, metrics=len(found))
    metrics = tuple(_metric(one, milliseconds) for one in found)
    return _Payload(milliseconds=milliseconds, number=number, metrics=metrics)


def _metric(data: bytes, milliseconds: int) -> _Metric:
    fields = dict(fields_of(data))
    at = whole(fields.get(_TIME, milliseconds))
    return _Metric(
        name=text(fields.get(_NAME, b"")),
        alias=whole(fields[_ALIAS]) if _ALIAS in fields else None,
        milliseconds=at if at <= UINT40_MAX * 1_000 else milliseconds,
        value=_value(fields),
    )


def _value(fields: Mapping[int, Raw]) -> str | Decimal | None:
    """Return a metric's value; None of a null, and of kinds that tell nothing of jobs."""
    key = next((one for one in _VALUES if one in fields), None)
    if key is None or fields.get(_IS_NULL):
        return None
    raw = fields[key]
    if key == _TEXT:
        return text(raw)
    if key == _BOOLEAN:
        return "true" if whole(raw) else "false"
    if key in {_FLOAT, _DOUBLE}:
        number = floating(raw)
        return Decimal(repr(number)) if math.isfinite(number) and abs(number) < _MOST else None
    return Decimal(_signed(whole(raw), _SIGNED.get(whole(fields.get(_TYPE, 0)))))


def _signed(number: int, bits: int | None) -> int:
    """Return a number of a signed type, which payloads write as an unsigned one."""
    if bits is None:
        return number
    number %= 1 << bits
    return number - (1 << bits) if number >> (bits - 1) else number
