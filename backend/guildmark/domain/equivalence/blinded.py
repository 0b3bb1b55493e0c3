"""A site's data, as it commits to them and hands them to the evaluator."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Self, TypeVar

from guildmark.domain.builds.predicate import all_json
from guildmark.domain.encoding import codec, strictjson
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.equivalence.dataset import GaugeStudy, ordered, reading_list
from guildmark.domain.equivalence.leaves import SaltedList
from guildmark.domain.equivalence.logged import LoggedUnit, SampleError
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan
from guildmark.domain.equivalence.process.traces import BuildTrace
from guildmark.domain.equivalence.registration import blind
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    EquivalencePlanId,
    IdentityId,
    to_hex,
)
from guildmark.domain.measurement.conformity import Limits
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.measurement.statistics import ClaimedStatistics
from guildmark.domain.recipes.quantity import parse_decimal
from guildmark.domain.verification.evidence import ACCREDITATIONS_MAX, AccreditationDisclosure

T = TypeVar("T")

DATA_TYPE = "https://guildmark.org/equivalence-data/v1"
DATA_LIMITS = strictjson.Limits(size=1 << 26, depth=8, values=4_000_000)


class ForeignReadingError(MalformedError):
    """A site commits to its own readings alone, and to at least one."""

    code = "equivalence.readingForeign"
    hint = "Give the readings of parts that this site built after it joined the plan."


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteData:
    """What a site has to show: readings, and what tells whether they may be believed.

    Args:
        logged: The units that were drawn, as their log holds them.
        studies: Of the gauges that took the readings.
        statistics: What is claimed of the readings; recomputed, never used.
        calibrations: Of the instruments, with those of the laboratories above them.
        traces: What the plan drew of the telemetry of drawn builds.
    """

    readings: tuple[Reading, ...] = field(repr=False)
    logged: tuple[LoggedUnit, ...] = field(default=(), repr=False)
    studies: tuple[GaugeStudy, ...] = ()
    statistics: tuple[ClaimedStatistics, ...] = ()
    calibrations: tuple[AccreditationDisclosure, ...] = ()
    traces: tuple[BuildTrace, ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the data that a file holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
        """
        return read_document(data, cls.read, DATA_LIMITS)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the data that a document shows; what it does not have is empty."""

        def every(name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
            return fields.maybe(name, lambda found: fields.objects(found, read)) or ()

        return cls(
            readings=fields.objects("readings", Reading.read),
            logged=every("logged", LoggedUnit.read),
            studies=every("studies", GaugeStudy.read),
            statistics=every("statistics", ClaimedStatistics.read),
            calibrations=fields.maybe("calibrations", lambda name: _calibrations(fields, name))
            or (),
            traces=fields.maybe("traces", lambda name: _traces(fields, name)) or (),
        )

    def to_json(self) -> JsonObject:
        """Return the data as a document shows them; what is empty is left out."""
        lists: JsonObject = {
            "logged": all_json(self.logged),
            "studies": all_json(self.studies),
            "statistics": all_json(self.statistics),
            "calibrations": list(map(codec.dump, self.calibrations)),
            "traces": list(map(codec.dump, self.traces)),
        }
        shown = {name: each for name, each in lists.items() if each}
        return {"readings": all_json(ordered(self.readings)), **shown}

    def leaves(self, secret: Bytes32) -> SaltedList:
        """Return what a site commits to: its readings first, then a leaf for each other thing."""
        others: list[JsonValue] = [
            *all_json(self.logged),
            *all_json(self.studies),
            *all_json(self.statistics),
            *map(codec.dump, self.calibrations),
            *map(codec.dump, self.traces),
        ]
        listed = reading_list(self.readings, secret)
        return replace(listed, items=(*listed.items, *map(canonical, others)))

    def check_claims(self, plan: EquivalencePlan) -> None:
        """Recompute every claimed figure.

        Raises:
            StatisticsMismatchError: A figure is not that of the readings; both are told.
            StatisticsUncheckableError: The readings, or the plan's limits, do not give a figure.
            SampleError: Readings are in another unit than the claim.
        """
        planned = {one.path: one for one in plan.characteristics}
        for claim in self.statistics:
            found = [one for one in self.readings if one.characteristic == claim.characteristic]
            strange = next((one.unit for one in found if one.unit != claim.unit), None)
            if strange is not None:
                message = (
                    f"{claim.characteristic} is claimed in {claim.unit} and read in {strange}."
                )
                raise SampleError(message)
            limits = _limits(planned.get(claim.characteristic))
            claim.check([Fraction(one.value) for one in found], limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindData:
    """A site's data under one root that nobody can guess.

    Args:
        secret: What salts each reading's leaf.
        salt: What hides the root until it is revealed.
    """

    plan: EquivalencePlanId
    site: IdentityId
    secret: Bytes32 = field(repr=False)
    salt: Bytes32 = field(repr=False)
    shown: SiteData

    def __post_init__(self) -> None:
        others = {one.site for one in self.readings} - {to_hex(self.site)}
        if others or not self.readings:
            message = (
                f"The readings of {to_hex(self.site)} are {len(self.readings)}, of others too."
            )
            raise ForeignReadingError(message, others=sorted(others))

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Return the readings."""
        return self.shown.readings

    def root(self) -> Digest:
        """Return the root over all that is shown, each thing salted."""
        return self.shown.leaves(self.secret).root()

    def blind(self) -> Digest:
        """Return what the site commits to on chain."""
        return blind(self.plan, self.site, self.root(), self.salt)

    def encode(self) -> bytes:
        """Return the document that the evaluator gets."""
        return canonical(
            {
                "type": DATA_TYPE,
                "plan": to_hex(self.plan),
                "site": to_hex(self.site),
                "secret": to_hex(self.secret),
                "salt": to_hex(self.salt),
                **self.shown.to_json(),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the data that a document holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A reading cannot be, or is of another site.
        """
        return read_document(data, cls._read, DATA_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.constant("type", DATA_TYPE)
        return cls(
            plan=EquivalencePlanId(fields.bytes32("plan")),
            site=IdentityId(fields.bytes32("site")),
            secret=fields.bytes32("secret"),
            salt=fields.bytes32("salt"),
            shown=SiteData.read(fields),
        )


def instruments_of(data: Iterable[BlindData]) -> frozenset[str]:
    """Return the instruments that data name."""
    return frozenset(reading.instrument for one in data for reading in one.readings)


def _calibrations(fields: Fields, name: str) -> tuple[AccreditationDisclosure, ...]:
    found = fields.array(name)
    if len(found) > ACCREDITATIONS_MAX:
        fields.refuse(name, f"at most {ACCREDITATIONS_MAX} accreditations")
    return tuple(codec.load(AccreditationDisclosure, each, at=name) for each in found)


def _traces(fields: Fields, name: str) -> tuple[BuildTrace, ...]:
    return tuple(codec.load(BuildTrace, each, at=name) for each in fields.array(name))


def _limits(wanted: CharacteristicPlan | None) -> Limits | None:
    if wanted is None:
        return None
    return Limits(lower=_fraction(wanted.lower), upper=_fraction(wanted.upper))


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(parse_decimal(text))
