"""MTConnect agents (ANSI/MTC1.4): probe, current and sample, with the numbers that they give.

An agent numbers what it tells, from its start on, and keeps the last of it. What it no longer has
when it is asked is a gap, and so is all that it told before it was started anew.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import NoReturn, Self

from guildmark.adapters.machines.answers import plain
from guildmark.adapters.machines.cursors import read_cursor, write_cursor
from guildmark.adapters.machines.markup import Element, parse_markup
from guildmark.adapters.machines.signals import (
    WORDS,
    Counting,
    Doing,
    Program,
    Signal,
    Tracker,
    Work,
)
from guildmark.adapters.machines.web import Site
from guildmark.adapters.times import instant
from guildmark.domain.builds.predicate import NAME_MAX
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import INTEGER_MAX, JsonObject
from guildmark.domain.identifiers import UINT40_MAX
from guildmark.domain.shopfloor.jobs import Gap, MalformedReportError, Observation, Sample
from guildmark.ports.shopfloor import MachineAnswerError

KIND = "mtconnect"

_AT_ONCE = 1_000
_NO_QUERY: Mapping[str, str] = MappingProxyType({})
_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "AMPERE": "A",
        "CELSIUS": "Cel",
        "DEGREE": "deg",
        "HERTZ": "Hz",
        "MILLIMETER": "mm",
        "MILLIMETER/SECOND": "mm/s",
        "NEWTON": "N",
        "NEWTON_METER": "N.m",
        "PASCAL": "Pa",
        "PERCENT": "%",
        "REVOLUTION/MINUTE": "{rev}/min",
        "SECOND": "s",
        "VOLT": "V",
        "WATT": "W",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """Which numbers an answer has."""

    instance: int
    first: int
    next: int

    @classmethod
    def of(cls, document: Element) -> Self:
        """Return a document's header."""
        found = document.first("Header")
        if document.name != "MTConnectStreams" or found is None:
            _refuse("it is no MTConnectStreams document")
        numbers = [
            _number(found.attributes.get(name))
            for name in ("instanceId", "firstSequence", "nextSequence")
        ]
        return cls(instance=numbers[0], first=numbers[1], next=numbers[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observed:
    """One value of a data item."""

    item: str
    name: str
    sequence: int
    milliseconds: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """The data items that tell of jobs, where a device has several of a kind.

    Args:
        execution: Its id, None where there is one alone.
        count: Likewise.
        program: Likewise.
    """

    execution: str | None = None
    count: str | None = None
    program: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    instance: int
    next: int
    tracker: Tracker = field(default_factory=Tracker)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the state that a cursor holds."""
        return cls(
            instance=fields.integer("instance"),
            next=fields.integer("next"),
            tracker=fields.object("tracker", Tracker.read),
        )

    def to_cursor(self) -> bytes:
        """Return the cursor that holds the state."""
        members: JsonObject = {
            "instance": self.instance,
            "next": self.next,
            "tracker": self.tracker.to_json(),
        }
        return write_cursor(KIND, members)


@dataclass(slots=True, kw_only=True)
class MTConnect:
    """One device of an agent.

    Args:
        site: The agent's address, down to the device where it has several.
        items: Which data items tell of jobs.
    """

    site: Site
    items: Items = field(default_factory=Items)
    _known: tuple[int, Items, Mapping[str, str | None]] | None = field(default=None, init=False)

    def poll(self, cursor: bytes) -> Observation:
        """Return what the agent told since a cursor."""
        current = self._ask("current")
        header = _Header.of(current)
        items, units = self._probed(header.instance)
        if cursor == b"":
            state = _State(instance=header.instance, next=header.next)
            state.tracker.follow(_signals(_observed(current), items, header.instance))
            return Observation(cursor=state.to_cursor(), events=tuple(state.tracker.events))
        state = read_cursor(KIND, cursor, _State.read)
        if state.instance != header.instance:
            return self._anew(state, header, current, items)
        return self._on(state, header, items, units)

    def close(self) -> None:
        """Let go of the connection."""
        self.site.close()

    def _anew(self, state: _State, header: _Header, current: Element, items: Items) -> Observation:
        """Go on with an agent that was started anew: what it says now is all that there is."""
        gap = Gap(instance=str(state.instance), first=state.next, last=None)
        state.tracker.follow(_signals(_observed(current), items, header.instance))
        fresh = replace(state, instance=header.instance, next=header.next)
        events = tuple(state.tracker.events)
        return Observation(cursor=fresh.to_cursor(), events=events, gaps=(gap,))

    def _on(
        self, state: _State, header: _Header, items: Items, units: Mapping[str, str | None]
    ) -> Observation:
        if state.next > header.next:
            _refuse("its numbers went back within one instance")
        gaps: tuple[Gap, ...] = ()
        if state.next < header.first:
            missed = Gap(instance=str(state.instance), first=state.next, last=header.first - 1)
            state, gaps = replace(state, next=header.first), (missed,)
        if state.next == header.next:
            return Observation(cursor=state.to_cursor(), gaps=gaps)
        sampled = self._ask("sample", {"from": str(state.next), "count": str(_AT_ONCE)})
        told = _Header.of(sampled)
        values = list(_observed(sampled))
        if told.instance != state.instance:
            _refuse("it was started anew between two answers")
        if not state.next < told.next <= state.next + _AT_ONCE + 1 or not all(
            state.next <= value.sequence < told.next for value in values
        ):
            _refuse("its numbers are not those that were asked for")
        was_running = state.tracker.job is not None
        state.tracker.follow(_signals(values, items, state.instance))
        events = tuple(state.tracker.events)
        samples = _samples(values, units, state.instance) if was_running or events else ()
        return Observation(
            cursor=replace(state, next=told.next).to_cursor(),
            events=events,
            samples=tuple(samples),
            gaps=gaps,
        )

    def _probed(self, instance: int) -> tuple[Items, Mapping[str, str | None]]:
        """Return the data items that tell of jobs, and the units of those that are samples."""
        if self._known is None or self._known[0] != instance:
            found = list(self._ask("probe").all("DataItem"))
            items = Items(
                execution=_only(found, "EXECUTION", self.items.execution),
                count=_only(found, "PART_COUNT", self.items.count),
                program=_only(found, "PROGRAM", self.items.program),
            )
            if items.execution is None:
                _refuse("no data item of the device tells of its execution")
            units = {
                item.attributes.get("id", ""): _UNITS.get(item.attributes.get("units", ""))
                for item in found
                if item.attributes.get("category") == "SAMPLE"
            }
            self._known = (instance, items, units)
        return self._known[1], self._known[2]

    def _ask(self, request: str, query: Mapping[str, str] = _NO_QUERY) -> Element:
        data = self.site.get(request, query=query)
        try:
            return parse_markup(data)
        except MalformedReportError as error:
            raise MachineAnswerError(error.message) from error


def _only(found: list[Element], kind: str, named: str | None) -> str | None:
    """Return the id of the data item of a kind: the one that is named, or the only one."""
    ids = [
        item.attributes.get("id", "")
        for item in found
        if item.attributes.get("type") == kind and item.attributes.get("subType") in {None, "ALL"}
    ]
    every = [item.attributes.get("id", "") for item in found]
    if named is not None:
        if named not in every:
            _refuse(f"the device has no data item {named[:80]!r}")
        return named
    if len(ids) > 1:
        message = f"The device has several data items of the type {kind}: {', '.join(ids[:8])}."
        next_step = "Name one by its id: ?execution=, ?count= or ?program=."
        raise MachineAnswerError(message, next_step=next_step, kind=kind)
    return ids[0] if ids else None


def _observed(document: Element) -> Iterator[_Observed]:
    """Yield what a document tells, in the order of its numbers."""
    found = [
        one
        for component in document.all("ComponentStream")
        for group in component.children
        if group.name in {"Events", "Samples"}
        for one in group.children
    ]
    yield from sorted(map(_one, found), key=lambda one: one.sequence)


def _one(element: Element) -> _Observed:
    said = element.attributes
    return _Observed(
        item=said.get("dataItemId", ""),
        name=element.name,
        sequence=_number(said.get("sequence")),
        milliseconds=_milliseconds(said.get("timestamp", "")),
        value=element.text.strip(),
    )


def _signals(values: Iterable[_Observed], items: Items, instance: int) -> Iterator[Signal]:
    for one in values:
        at = one.milliseconds // 1_000
        if one.value == "UNAVAILABLE":
            continue
        if one.item == items.execution:
            work = WORDS.get(one.value, Work.WAITS)
            yield Doing(work=work, at=at, name=f"{instance}-{one.sequence}")
        elif one.item == items.count:
            yield Counting(count=_number(one.value), at=at)
        elif one.item == items.program:
            yield Program(name=one.value)


def _samples(
    values: list[_Observed], units: Mapping[str, str | None], instance: int
) -> Iterator[Sample]:
    for one in values:
        number = _decimal(one.value)
        if one.item in units and number is not None:
            yield Sample(
                channel=one.item[:NAME_MAX],
                at=one.milliseconds,
                value=plain(number),
                unit=units[one.item],
                instance=str(instance),
                sequence=one.sequence,
            )


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < INTEGER_MAX else None


def _number(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or int(text[:20]) > INTEGER_MAX:
        _refuse("a number is missing")
    return int(text)


def _milliseconds(text: str) -> int:
    time = instant(text)
    if time is None:
        _refuse("a timestamp is missing")
    milliseconds = int(time.timestamp() * 1_000)
    if not 0 <= milliseconds <= UINT40_MAX * 1_000:
        _refuse("a timestamp is before 1970")
    return milliseconds


def _refuse(reason: str) -> NoReturn:
    message = f"The agent's answer is not what MTConnect says: {reason}."
    raise MachineAnswerError(message, reason=reason)
