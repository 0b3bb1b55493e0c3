"""A double of an MTConnect agent: one device, a buffer of numbered values, as version 1.4 answers.

What it serves is held to rules of the standard (ANSI/MTC1.4 Part 1) that are written out in
``broken_rules``: no package brings the standard's schema.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from xml.etree import ElementTree

import httpx

_PROBE = """<MTConnectDevices xmlns="urn:mtconnect.org:MTConnectDevices:1.4">
<Header creationTime="2027-01-15T08:00:00Z" sender="double" instanceId="{instance}"
 version="1.4.0.12" assetBufferSize="1" assetCount="0" bufferSize="{size}"/>
<Devices><Device id="d" name="lathe" uuid="u-1"><DataItems>
<DataItem category="EVENT" id="avail" type="AVAILABILITY"/></DataItems>
<Components><Controller id="c"><Components><Path id="p"><DataItems>
<DataItem category="EVENT" id="exec" type="EXECUTION"/>
<DataItem category="EVENT" id="parts" type="PART_COUNT" subType="ALL"/>
<DataItem category="EVENT" id="bad" type="PART_COUNT" subType="BAD"/>
<DataItem category="EVENT" id="prog" type="PROGRAM"/>
<DataItem category="SAMPLE" id="speed" type="ROTARY_VELOCITY" units="REVOLUTION/MINUTE"/>
{more}</DataItems></Path></Components></Controller></Components></Device></Devices>
</MTConnectDevices>"""
_STREAMS = """<MTConnectStreams xmlns="urn:mtconnect.org:MTConnectStreams:1.4">
<Header creationTime="2027-01-15T08:00:00Z" sender="double" instanceId="{instance}"
 version="1.4.0.12" bufferSize="{size}" firstSequence="{first}" lastSequence="{last}"
 nextSequence="{next}"/>
<Streams><DeviceStream name="lathe" uuid="u-1"><ComponentStream component="Path" componentId="p">
<Samples>{samples}</Samples><Events>{events}</Events><Condition><Normal dataItemId="cond"
 timestamp="2027-01-15T08:00:00Z" sequence="1" type="SYSTEM"/></Condition>
</ComponentStream></DeviceStream></Streams></MTConnectStreams>"""
_ELEMENTS = MappingProxyType(
    {
        "avail": "Availability",
        "exec": "Execution",
        "parts": "PartCount",
        "prog": "Program",
        "speed": "RotaryVelocity",
    }
)
_BOMB = b"""<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>"""


def _reply(data: bytes) -> Callable[[str], bytes]:
    return lambda _: data


SPOILINGS: Mapping[str, Callable[[str], bytes]] = MappingProxyType(
    {
        "half": lambda text: text[: len(text) // 2].encode(),
        "bomb": _reply(_BOMB),
        "other": _reply(b"<html></html>"),
        "headless": lambda text: text.replace("<Header", "<Footer").encode(),
        "large": _reply(b" " * ((8 << 20) + 1)),
        "deep": _reply(b"<a>" * 100_000),
        "wordy": lambda text: text.replace('instanceId="', 'instanceId="x').encode(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    item: str
    sequence: int
    at: float
    text: str

    def write(self) -> str:
        name = _ELEMENTS[self.item]
        time = datetime.fromtimestamp(self.at, UTC).isoformat().replace("+00:00", "Z")
        return (
            f'<{name} dataItemId="{self.item}" timestamp="{time}" '
            f'sequence="{self.sequence}">{self.text}</{name}>'
        )


@dataclass(slots=True)
class MTConnectDouble:
    now: float = 1_800_000_000.5
    instance: int = 1_799_000_000
    size: int = 64
    more: str = ""
    next: int = 1
    last_of: dict[str, str] = field(default_factory=dict)
    buffer: list[Value] = field(default_factory=list)
    spoiling: Callable[[str], bytes] | None = None
    asked: list[httpx.Request] = field(default_factory=list)
    is_away: bool = False

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        """Start with what the device's adapter tells at first."""
        self.buffer.clear()
        self.next = 1
        for item in _ELEMENTS:
            self.tell(item, self.last_of.get(item, _FIRST[item]))

    def tell(self, item: str, text: str) -> None:
        self.last_of[item] = text
        self.buffer.append(Value(item=item, sequence=self.next, at=self.now, text=text))
        self.buffer = self.buffer[-self.size :]
        self.next += 1

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_away:
            message = "connection refused"
            raise httpx.ConnectError(message)
        text = self.page(request)
        data = text.encode() if self.spoiling is None else self.spoiling(text)
        return httpx.Response(200, stream=httpx.ByteStream(data))

    def page(self, request: httpx.Request) -> str:
        kind = request.url.path.rpartition("/")[2]
        if kind == "probe":
            return _PROBE.format(instance=self.instance, size=self.size, more=self.more)
        if kind == "current":
            latest = {value.item: value for value in self.buffer}
            return self._streams(list(latest.values()), self.next)
        start, count = int(request.url.params["from"]), int(request.url.params["count"])
        values = [one for one in self.buffer if start <= one.sequence < start + count]
        return self._streams(values, min(start + count, self.next))

    def _streams(self, values: list[Value], following: int) -> str:
        samples = "".join(one.write() for one in values if one.item == "speed")
        events = "".join(one.write() for one in values if one.item != "speed")
        return _STREAMS.format(
            instance=self.instance,
            size=self.size,
            first=self.buffer[0].sequence,
            last=self.next - 1,
            next=following,
            samples=samples,
            events=events,
        )


_FIRST = {
    "avail": "AVAILABLE",
    "exec": "READY",
    "parts": "0",
    "prog": "O1000",
    "speed": "UNAVAILABLE",
}


def broken_rules(text: str) -> list[str]:
    """Return which rules of the standard a streams document breaks."""
    document = ElementTree.fromstring(text)
    space = "{urn:mtconnect.org:MTConnectStreams:1.4}"
    header = document.find(f"{space}Header")
    values = [one for one in document.iter() if "dataItemId" in one.attrib]
    numbers = [int(one.attrib["sequence"]) for one in values if one.attrib["dataItemId"] != "cond"]
    said = {} if header is None else header.attrib
    limits = [int(said.get(f"{name}Sequence", 0)) for name in ("first", "last", "next")]
    needed = {"creationTime", "sender", "instanceId", "version", "bufferSize"}
    rules = {
        "the root names the version's streams": document.tag == f"{space}MTConnectStreams",
        "the header has what it needs": needed <= said.keys(),
        "sequences begin at 1 and go up": 1 <= limits[0] <= limits[1] + 1,
        "next follows what is shown": 1 <= limits[2] <= limits[1] + 1,
        "the buffer holds no more than its size": limits[1] - limits[0] < int(said["bufferSize"]),
        "no number stands twice": len(set(numbers)) == len(numbers),
        "numbers are from the buffer": all(limits[0] <= one <= limits[1] for one in numbers),
        "every value has a time with an offset": all(
            datetime.fromisoformat(one.attrib["timestamp"]).tzinfo for one in values
        ),
        "groups are those of the standard": {
            group.tag for one in document.iter(f"{space}ComponentStream") for group in one
        }
        <= {f"{space}{name}" for name in ("Samples", "Events", "Condition")},
    }
    return [rule for rule, is_kept in rules.items() if not is_kept]
