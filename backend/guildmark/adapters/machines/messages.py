"""Job reports as plain MQTT messages: the report in the message, or partly in its topic.

A message is the report that a folder would get (``guildmark/job/v1``). Where the topic names the
job or its phase, the message may leave them out.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from guildmark.adapters.machines.cursors import read_cursor, write_cursor
from guildmark.adapters.machines.mqtt import AT_ONCE, MESSAGE_MAX, Inbox, Message
from guildmark.adapters.machines.reports import read_json
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import MalformedError
from guildmark.domain.shopfloor.jobs import (
    JobEvent,
    MalformedReportError,
    Observation,
    Trace,
)
from guildmark.domain.shopfloor.schema import FORMAT

KIND = "mqtt"
_LIMITS = Limits(size=MESSAGE_MAX, values=200_000)
PLACES = ("job", "phase")
"""What a topic may tell in place of the message, as ``{job}`` and ``{phase}``."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Where reports are published: levels, ``+`` for any, ``{job}`` and ``{phase}`` for members."""

    template: str

    @property
    def filter(self) -> str:
        """Return what is subscribed to."""
        return "/".join("+" if one in self._marks else one for one in self.template.split("/"))

    @property
    def _marks(self) -> Mapping[str, str]:
        return {f"{{{name}}}": name for name in PLACES}

    @property
    def is_sound(self) -> bool:
        """Return whether each level is a name, a mark or ``+``, and no mark stands twice."""
        levels = self.template.split("/")
        marks = [one for one in levels if one in self._marks]
        names = [one for one in levels if one not in {*self._marks, "+"}]
        is_plain = all(one and not set(one) & set("+#{}") for one in names)
        return is_plain and len(set(marks)) == len(marks)

    def members(self, topic: str) -> Mapping[str, str]:
        """Return what a message's topic tells of its report."""
        levels = zip(self.template.split("/"), topic.split("/"), strict=True)
        return {self._marks[mark]: level for mark, level in levels if mark in self._marks}


@dataclass(slots=True, kw_only=True)
class Messages:
    """What a broker's topic tells of jobs.

    Args:
        inbox: The session with the broker.
        topic: Where the reports are published.
    """

    inbox: Inbox
    topic: Topic
    _given: tuple[bytes, int] | None = field(default=None, init=False)

    def poll(self, cursor: bytes) -> Observation:
        """Return what was reported since a cursor; what is in the cursor is acknowledged.

        Raises:
            MalformedReportError: The oldest message is no report; it is told of once, and left.
        """
        if self._given is not None and self._given[0] == cursor:
            self.inbox.take_out(self._given[1])
        self._given = None
        self.inbox.fetch()
        seen = [] if cursor == b"" else read_cursor(KIND, cursor, _seen)
        told, count = Observation.nothing(cursor), 0
        for message in self.inbox.messages[:AT_ONCE]:
            try:
                told = self._with(told, message, seen)
            except MalformedReportError:
                if not count:
                    self.inbox.take_out(1)
                    raise
                break
            count += 1
        if count:
            told = replace(told, cursor=write_cursor(KIND, {"seen": [*seen[-2 * AT_ONCE :]]}))
        self._given = (told.cursor, count)
        return told

    def close(self) -> None:
        """End the connection; the broker keeps what comes."""
        self.inbox.close()

    def _with(self, told: Observation, message: Message, seen: list[str]) -> Observation:
        """Return what was told with a message that was not seen before."""
        digest = hashlib.sha256(message.topic.encode() + b"\0" + message.payload).hexdigest()[:16]
        # An empty message takes a retained one back.
        if digest in seen or not message.payload:
            return told
        found = self._report(message)
        seen.append(digest)
        events: tuple[JobEvent, ...] = (*told.events, *found.events)
        traces: tuple[Trace, ...] = (*told.traces, *found.traces)
        return replace(told, events=events, traces=traces)

    def _report(self, message: Message) -> Observation:
        named = self.topic.members(message.topic)
        try:
            said = parse_object(message.payload, _LIMITS)
            report = read_json(json.dumps({"format": FORMAT, **named, **said}).encode())
        except MalformedError as error:
            raise MalformedReportError(_refusal(message, error.message)) from error
        if any(said.get(name, value) != value for name, value in named.items()):
            raise MalformedReportError(_refusal(message, "its topic names another job or phase"))
        return report


def _refusal(message: Message, reason: str) -> str:
    return f"A message on {message.topic[:120]!r} is no job report: {reason}."


def _seen(fields: Fields) -> list[str]:
    return list(fields.texts("seen", str))
