"""What an engine computes from: readings, studies of gauges, and what sites claim of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import read_document
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.equivalence.leaves import SaltedList
from guildmark.domain.identifiers import Bytes32, Digest
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath

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


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeStudy:
    """A crossed study: every appraiser measures every part equally often (ASTM E2782)."""

    instrument: str
    characteristic: ClausePath
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All that the sites of a plan opened.

    Args:
        readings: In any order.
        instruments: The instruments that are registered and were in calibration.
        studies: One an instrument and characteristic.
        roots: What each site had committed to.
        failed: Why a site's data does not count: late, doubled, changed or never opened.
    """

    readings: tuple[Reading, ...]
    instruments: frozenset[str]
    studies: tuple[GaugeStudy, ...] = ()
    claims: tuple[Claim, ...] = ()
    roots: Mapping[str, Digest] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


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
