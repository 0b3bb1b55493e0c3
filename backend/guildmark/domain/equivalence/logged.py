"""Units as their log holds them: what data are compared with, since nobody can change it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Self

from guildmark.domain.builds.delivery import recorded_measurements
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.predicate import RunDetails
from guildmark.domain.builds.statement import STATEMENT_LIMITS, BuildStatement
from guildmark.domain.builds.values import MeasurementsDisclosure
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.equivalence.plan import EquivalencePlan, Kind
from guildmark.domain.equivalence.sampling import place_name
from guildmark.domain.errors import NonconformingError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    LogNumber,
    Seq,
    bytes32_from_hex,
    from_hex,
    to_hex,
)
from guildmark.domain.log.entry import NO_PREVIOUS, Entry
from guildmark.domain.log.merkle import verify_inclusion
from guildmark.domain.log.positions import Place
from guildmark.domain.log.record import Record
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.quantity import parse_decimal

_ENVELOPE_MAX = 4 * STATEMENT_LIMITS.size


class SampleError(NonconformingError):
    """Data that are not those of the units that the plan draws."""

    code = "equivalence.sampleWrong"
    hint = "Let `equivalence draw --out` write the readings of the units that were drawn."


class Passed(StrEnum):
    """Why a drawn unit is passed over: it was not built for the plan."""

    SCRAP = "scrap"
    OTHER_RECIPE = "another recipe"
    OTHER_SITE = "another site"
    OTHER_MODEL = "another machine model"
    LATE = "a late report"
    EARLY = "begun before the site joined"


class TooFewDrawnError(SampleError):
    """Of the units that a plan draws from, fewer were built for it than it measures."""

    code = "equivalence.sampleTooSmall"
    hint = (
        "Plan again. Count only on jobs whose beginning was told, of the plan's recipe, on the "
        "site's machines, begun after it joined."
    )

    @classmethod
    def of(cls, found: int, passed: Mapping[Passed, int]) -> Self:
        """Return the error, with why the other units were passed over."""
        why = f" (passed over: {passed_words(passed)})" if passed else ""
        message = f"Only {found} of the drawn parts were built for the plan{why}."
        return cls(message, found=found, passed={str(one): count for one, count in passed.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedUnit:
    """A build at its place in a log.

    Args:
        seq: The number of the record that holds it.
        position: Its place in the record.
        salt: The salt of its log entry.
        envelope: Its envelope, bytes as received.
        path: The way from the entry to the record's root.
        previous: What its entry says came before.
        measurements: What the site opens of measured values, where the statement is salted.
    """

    log: LogNumber
    seq: Seq
    position: int
    salt: Bytes32 = field(repr=False)
    envelope: bytes = field(repr=False)
    path: tuple[Digest, ...] = field(repr=False)
    previous: int = NO_PREVIOUS
    measurements: MeasurementsDisclosure | None = field(default=None, repr=False)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the unit that a document shows."""
        return cls(
            log=LogNumber(fields.integer("log")),
            seq=Seq(fields.integer("seq")),
            position=fields.integer("position"),
            salt=fields.bytes32("salt"),
            envelope=from_hex(fields.text("envelope", most=_ENVELOPE_MAX)),
            path=fields.texts("path", _digest),
            previous=fields.integer("previous"),
            measurements=fields.maybe(
                "measurements",
                lambda name: codec.load(MeasurementsDisclosure, fields.value(name), at=name),
            ),
        )

    def to_json(self) -> JsonObject:
        """Return the unit as a document shows it."""
        shown = self.measurements
        opened = {} if shown is None else {"measurements": codec.dump(shown)}
        return {
            **opened,
            "log": self.log,
            "seq": self.seq,
            "position": self.position,
            "salt": to_hex(self.salt),
            "envelope": to_hex(self.envelope),
            "path": list(map(to_hex, self.path)),
            "previous": self.previous,
        }

    def opened(self) -> tuple[Envelope, BuildStatement]:
        """Return what was signed, and what it says, with the measurements that the site opens.

        Raises:
            GuildmarkError: The envelope holds no build, or other values are opened.
        """
        envelope = Envelope.parse(self.envelope)
        statement = BuildStatement.parse(envelope.payload)
        recorded = recorded_measurements(statement, self.measurements)
        return envelope, statement.with_values(statement.settings, recorded.values)

    def check(self, statement: BuildStatement, record: Record) -> None:
        """Check that a record on chain holds the unit.

        Raises:
            ProofError: It does not.
        """
        entry = Entry(
            kind=statement.kind,
            subject=statement.subject,
            envelope=envelope_digest(self.envelope),
            site_recipe=statement.external.site_recipe,
            machine=statement.run.machine,
            maker=statement.run.maker,
            dependencies=statement.dependencies,
            previous=self.previous,
        )
        verify_inclusion(
            data=entry.leaf_data(self.salt),
            index=self.position,
            count=record.count,
            path=self.path,
            root=record.root,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A site's units in the order in which they were drawn, as far as its data open them.

    Args:
        order: All units of the population.
        opened: What was logged of those that the data open.
        foreign: Those of them that are passed over, and why.
        recorded: When each opened one was recorded.
    """

    order: Sequence[Place]
    opened: Mapping[Place, BuildStatement]
    foreign: Mapping[Place, Passed] = field(default_factory=dict)
    recorded: Mapping[Place, int] = field(default_factory=dict)

    def measured(self, units: int) -> Sequence[Place]:
        """Return the first units that were built for the plan: those that are measured.

        Raises:
            SampleError: One of them is not opened, or there are too few.
        """
        found: list[Place] = []
        for place in self.order:
            if place not in self.opened:
                message = f"The drawn part {place_name(place)} is not shown."
                raise SampleError(message)
            if place not in self.foreign:
                found.append(place)
            if len(found) == units:
                return found
        raise TooFewDrawnError.of(len(found), Counter(self.foreign.values()))

    def passed_over(self, units: int) -> Mapping[Passed, int]:
        """Return how many of the parts before the last measured one are passed over, and why.

        Raises:
            SampleError: A drawn part is not opened, or there are too few.
        """
        last = self.measured(units)[-1]
        before = self.order[: self.order.index(last)]
        return Counter(self.foreign[place] for place in before if place in self.foreign)


def _digest(text: str) -> Digest:
    return Digest(bytes32_from_hex(text))


def passed_words(passed: Mapping[Passed, int]) -> str:
    """Return how many parts were passed over for which reasons, most first."""
    ordered = sorted(passed.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count} {why}" for why, count in ordered)


def build_name(run: RunDetails) -> str:
    """Return what a build is called whose parts began together on one machine."""
    return f"{to_hex(run.machine)}/{run.started_on}"


def readings_of(place: Place, statement: BuildStatement) -> tuple[Reading, ...]:
    """Return what a unit's statement says was measured, as data hold it."""
    return tuple(
        Reading(
            part=place_name(place),
            build=build_name(statement.run),
            site=to_hex(statement.run.site),
            characteristic=one.characteristic,
            value=parse_decimal(one.value),
            unit=one.unit,
            instrument=one.instrument,
            raw=one.raw_data,
        )
        for one in statement.measurements
    )


def check_drawn(plan: EquivalencePlan, sample: Sample, readings: Iterable[Reading]) -> None:
    """Check that readings are what was logged of the units that were drawn.

    Raises:
        SampleError: One is missing, of another unit, or says something else, or more parts were
            passed over than the plan allows.
    """
    _check_passed(plan, sample)
    planned = {one.path for one in plan.characteristics if one.kind is Kind.PART}
    given = {
        (one.part, one.characteristic): one for one in readings if one.characteristic in planned
    }
    measured = {place_name(place): place for place in sample.measured(plan.units)}
    strange = sorted({part for part, _ in given} - measured.keys())
    if strange:
        message = f"The part {strange[0]} was not drawn."
        raise SampleError(message)
    for part, place in measured.items():
        said = {one.characteristic: one for one in readings_of(place, sample.opened[place])}
        for path in sorted(planned):
            _check_reading(part, path, given.get((part, path)), said.get(path))


def _check_passed(plan: EquivalencePlan, sample: Sample) -> None:
    passed = sample.passed_over(plan.units)
    count = sum(passed.values())
    drawn = count + plan.units
    if plan.max_passed is None or Fraction(count, drawn) <= Fraction(plan.max_passed):
        return
    message = (
        f"{count} of {drawn} drawn parts were passed over ({passed_words(passed)}); the plan allows"
        f" a share of {plan.max_passed}."
    )
    raise SampleError(message, passed=count, drawn=drawn)


def _check_reading(
    part: str, path: ClausePath, given: Reading | None, said: Reading | None
) -> None:
    if said is None:
        message = f"What was logged of the drawn part {part} does not measure {path}."
        raise SampleError(message)
    if given is None:
        message = f"There is no {path} of the drawn part {part}."
        raise SampleError(message)
    shown, logged = given.to_json(), said.to_json()
    for name in ("value", "unit", "instrument", "rawData", "build", "lot"):
        if shown.get(name) != logged.get(name):
            message = (
                f"The {name} of {path} of the part {part} is {shown.get(name)}; it was logged as"
                f" {logged.get(name)}."
            )
            raise SampleError(message, part=part, characteristic=path)
