"""What an engine computes from: readings, studies of gauges, and what sites claim of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Self

from guildmark.domain.builds.predicate import NAME_MAX, all_json
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.strictjson import JsonObject, Limits
from guildmark.domain.equivalence.leaves import SaltedList
from guildmark.domain.equivalence.process.traces import BuildTrace
from guildmark.domain.identifiers import Bytes32, Digest
from guildmark.domain.measurement.readings import Reading, plain_decimal
from guildmark.domain.recipes.clause import ClausePath, parse_path
from guildmark.domain.recipes.quantity import parse_decimal

_READING_LIMITS = Limits(size=1 << 14, depth=3, values=40)


class Statistic(StrEnum):
    """What a file may claim of its values."""

    COUNT = "n"
    MEAN = "mean"
    DEVIATION = "sd"
    LEAST = "min"
    GREATEST = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statistic that a site states; it is recomputed, never used."""

    site: str
    characteristic: ClausePath
    statistic: Statistic
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measurement of a gauge study: who measured which part, and what came out."""

    part: str
    appraiser: str
    value: Decimal

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the trial that a document shows."""
        return cls(
            part=fields.text("part", most=NAME_MAX),
            appraiser=fields.text("appraiser", most=NAME_MAX),
            value=parse_decimal(fields.text("value")),
        )

    def to_json(self) -> JsonObject:
        """Return the trial as a document shows it."""
        value = plain_decimal(self.value)
        return {"part": self.part, "appraiser": self.appraiser, "value": value}


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeStudy:
    """A crossed study: every appraiser measures every part equally often (ASTM E2782)."""

    instrument: str
    characteristic: ClausePath
    trials: tuple[Trial, ...]

    def __post_init__(self) -> None:
        parse_path(self.characteristic)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the study that a document shows."""
        return cls(
            instrument=fields.text("instrument", most=NAME_MAX),
            characteristic=ClausePath(fields.text("characteristic")),
            trials=fields.objects("trials", Trial.read),
        )

    def to_json(self) -> JsonObject:
        """Return the study as a document shows it."""
        return {
            "instrument": self.instrument,
            "characteristic": self.characteristic,
            "trials": all_json(self.trials),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All that the sites of a plan opened.

    Args:
        readings: In any order.
        instruments: The instruments that are registered as machines.
        studies: One an instrument and characteristic.
        roots: What each site had committed to.
        failed: Why a site's data does not count: late, doubled, changed or never opened.
        traces: What each site opened of its builds' telemetry, by site.
    """

    readings: tuple[Reading, ...]
    instruments: frozenset[str]
    studies: tuple[GaugeStudy, ...] = ()
    claims: tuple[Claim, ...] = ()
    roots: Mapping[str, Digest] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    traces: Mapping[str, tuple[BuildTrace, ...]] = field(default_factory=dict)


def reading_list(readings: Iterable[Reading], secret: Bytes32) -> SaltedList:
    """Return what a site commits to: a salted leaf a reading, in canonical order."""
    texts = [canonical(reading.to_json()) for reading in ordered(readings)]
    return SaltedList(secret=secret, items=tuple(texts))


def opened_readings(items: Iterable[bytes]) -> tuple[Reading, ...]:
    """Return the readings that opened leaves hold.

    Raises:
        MalformedError: A leaf holds no reading.
    """
    return tuple(read_document(item, Reading.read, _READING_LIMITS) for item in items)


def ordered(readings: Iterable[Reading]) -> Sequence[Reading]:
    """Return readings in the one order that data has, whatever order they came in."""
    return sorted(readings, key=_order)


def _order(reading: Reading) -> tuple[str, ...]:
    raw = b"" if reading.raw is None else reading.raw
    named = (reading.site, reading.characteristic, reading.lot or "", reading.build, reading.part)
    return (*named, str(reading.value), reading.unit, reading.instrument, raw.hex())
