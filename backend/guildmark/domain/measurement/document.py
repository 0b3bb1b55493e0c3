"""Files of measured values: their one form, ``guildmark/measurements/v1``, and what is in it.

Other formats are read into this one. A file is refused whole: one wrong figure makes the others
doubtful.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

from guildmark.domain.builds.predicate import NAME_MAX, Measurement, all_json, present
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.strictjson import JsonObject, Limits
from guildmark.domain.errors import MalformedError, NonconformingError, NotFoundError
from guildmark.domain.identifiers import Digest, to_hex
from guildmark.domain.measurement.conformity import Limits as ToleranceLimits
from guildmark.domain.measurement.conformity import limits_of
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.measurement.statistics import ClaimedStatistics
from guildmark.domain.recipes.clause import Clause, ClausePath, ClauseType
from guildmark.domain.recipes.quantity import converted, measures_alike, parse_decimal

FORMAT = "guildmark/measurements/v1"
SIZE_MAX = 16 << 20
DOCUMENT_LIMITS = Limits(size=SIZE_MAX, depth=8, values=1_000_000)


class MeasurementFileError(MalformedError):
    """A file of measured values that contradicts itself; the message says where."""

    code = "measurement.malformedFile"
    hint = "Correct the place that is named, then import the file again."


class MeasuredPartUnknownError(NotFoundError):
    """A file of measured values says nothing of a part, or not where it was built."""

    code = "measurement.partUnknown"
    hint = "Name the part as the file does."


class RawDataReusedError(NonconformingError):
    """One file of an instrument is given for two parts or sites."""

    code = "measurement.rawDataReused"
    hint = "Give each part the instrument's own file about it."


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPart:
    """What was measured on one part.

    Args:
        part: The part: its label or serial.
        measurements: The values, each of another characteristic.
        build: The job in which it was built.
        site: The site that built it.
        lot: The lot of material.
    """

    part: str
    measurements: tuple[Measurement, ...]
    build: str | None = None
    site: str | None = None
    lot: str | None = None

    def __post_init__(self) -> None:
        seen: set[ClausePath] = set()
        for named in (one.characteristic for one in self.measurements):
            if named in seen:
                message = f"{named} is measured twice on the part {self.part!r}."
                raise MeasurementFileError(message, part=self.part, characteristic=named)
            seen.add(named)

    @property
    def place(self) -> str:
        """Return the part and its site, for people."""
        return self.part if self.site is None else f"{self.part} of {self.site}"

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the part that a document shows."""

        def named(name: str) -> str:
            return fields.text(name, most=NAME_MAX)

        return cls(
            part=named("part"),
            measurements=fields.objects("measurements", Measurement.read),
            build=fields.maybe("build", named),
            site=fields.maybe("site", named),
            lot=fields.maybe("lot", named),
        )

    def to_json(self) -> JsonObject:
        """Return the part as a document shows it."""
        return present(
            {
                "part": self.part,
                "build": self.build,
                "site": self.site,
                "lot": self.lot,
                "measurements": all_json(self.measurements),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementFile:
    """Measured values of some parts, and what a program claims of them.

    Args:
        parts: The parts.
        statistics: What is claimed; `check` recomputes it.
    """

    parts: tuple[MeasuredPart, ...]
    statistics: tuple[ClaimedStatistics, ...] = ()

    def __post_init__(self) -> None:
        places = [(one.site, one.part) for one in self.parts]
        if len(set(places)) != len(places):
            message = "A part stands in the file twice."
            raise MeasurementFileError(message, parts=len(places))
        refuse_reused(self.parts)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return what a document holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A value is malformed, or the file contradicts itself.
            RawDataReusedError: Two parts have one file of an instrument.
        """
        return read_document(data, cls._read, DOCUMENT_LIMITS)

    def encode(self) -> bytes:
        """Return the document's canonical bytes."""
        return canonical(
            {
                "format": FORMAT,
                "parts": all_json(self.parts),
                "statistics": all_json(self.statistics),
            }
        )

    def check(self, tolerances: Mapping[ClausePath, Clause]) -> None:
        """Recompute every claimed figure.

        Args:
            tolerances: The recipe's clauses by their paths, where they are known.

        Raises:
            StatisticsMismatchError: A figure is not that of the values; both are told.
            StatisticsUncheckableError: The values, or the limits, do not give a figure.
            MeasurementFileError: A value is in a unit of another kind than the claim's.
        """
        for claim in self.statistics:
            limits = _limits(tolerances.get(claim.characteristic), claim.unit)
            claim.check(self._values(claim), limits)

    def of(self, part: str) -> MeasuredPart:
        """Return what was measured on a part.

        Raises:
            MeasuredPartUnknownError: Nothing, or on parts of that name at several sites.
        """
        found = [one for one in self.parts if one.part == part]
        if len(found) != 1:
            message = f"The file has {len(found)} parts {part[:80]!r}."
            raise MeasuredPartUnknownError(message, part=part[:80], found=len(found))
        return found[0]

    def with_raw_data(self, raw: Digest) -> Self:
        """Return the file, its values without raw data given that of one instrument's file.

        Raises:
            RawDataReusedError: Values of two parts would have it.
        """
        return replace(self, parts=tuple(_with_raw_data(one, raw) for one in self.parts))

    def readings(self, *, site: str | None = None) -> tuple[Reading, ...]:
        """Return all values with where they come from, in the order of the file.

        Args:
            site: The site of parts whose site the file does not name.

        Raises:
            MeasuredPartUnknownError: A part has no site or no build.
        """
        return tuple(
            _reading(part, measured, part.site or site)
            for part in self.parts
            for measured in part.measurements
        )

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.constant("format", FORMAT)
        claimed = fields.maybe(
            "statistics", lambda name: fields.objects(name, ClaimedStatistics.read)
        )
        return cls(parts=fields.objects("parts", MeasuredPart.read), statistics=claimed or ())

    def _values(self, claim: ClaimedStatistics) -> Sequence[Fraction]:
        found = []
        for part in self.parts:
            for one in part.measurements:
                if one.characteristic != claim.characteristic:
                    continue
                if not measures_alike(one.unit, claim.unit):
                    message = f"{one.characteristic} of {part.place} is in {one.unit}."
                    raise MeasurementFileError(message, part=part.part, expected=claim.unit)
                found.append(converted(one.value, one.unit, claim.unit))
        return found


def refuse_reused(parts: Iterable[MeasuredPart]) -> None:
    """Refuse one file of an instrument that is given for two parts, or two sites.

    Raises:
        RawDataReusedError: It is; both places are named.
    """
    seen: dict[Digest, MeasuredPart] = {}
    for part in parts:
        for raw in {one.raw_data for one in part.measurements if one.raw_data is not None}:
            first = seen.setdefault(raw, part)
            if first is not part:
                message = f"{first.place} and {part.place} have the same raw data {to_hex(raw)}."
                raise RawDataReusedError(
                    message, rawData=to_hex(raw), first=first.place, second=part.place
                )


def _with_raw_data(part: MeasuredPart, raw: Digest) -> MeasuredPart:
    given = (
        replace(one, raw_data=raw) if one.raw_data is None else one for one in part.measurements
    )
    return replace(part, measurements=tuple(given))


def _reading(part: MeasuredPart, measured: Measurement, site: str | None) -> Reading:
    if site is None or part.build is None:
        message = f"The part {part.part!r} has no site or no build."
        raise MeasuredPartUnknownError(message, part=part.part)
    return Reading(
        part=part.part,
        build=part.build,
        site=site,
        lot=part.lot,
        characteristic=measured.characteristic,
        value=parse_decimal(measured.value),
        unit=measured.unit,
        instrument=measured.instrument,
        raw=measured.raw_data,
    )


def _limits(tolerance: Clause | None, unit: str) -> ToleranceLimits | None:
    """Return a tolerance's limits in a unit, None where they are not known in it."""
    if tolerance is None or tolerance.type is not ClauseType.QUANTITY or tolerance.unit is None:
        return None
    own = tolerance.unit
    if not measures_alike(own, unit):
        return None
    zero = converted("0", own, unit)
    step = converted("1", own, unit) - zero
    limits = limits_of(tolerance)
    return ToleranceLimits(
        lower=None if limits.lower is None else limits.lower * step + zero,
        upper=None if limits.upper is None else limits.upper * step + zero,
    )
