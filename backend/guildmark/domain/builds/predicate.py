"""The parts of a build statement's predicate, each read strictly and written back alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self

from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    DesignId,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    Seq,
    SiteRecipeId,
    UnitNumber,
    digest_from_hex,
    to_hex,
)
from guildmark.domain.recipes.clause import ClausePath, parse_path
from guildmark.domain.recipes.quantity import check_unit, parse_decimal

NAME_MAX = 200


class MalformedStatementError(MalformedError):
    """A statement whose parts contradict one another."""

    code = "statement.malformed"
    hint = "Have the machine's agent make the statement again."


class MalformedMeasurementError(MalformedError):
    """A measurement whose uncertainty is not said in full, or is none."""

    code = "measurement.malformed"
    hint = "State the expanded uncertainty with its coverage factor, both above 0, or neither."


class SignerRole(Enum):
    """Who holds the key that signed."""

    MACHINE = "machine"
    GATEWAY = "gateway"
    TECHNICIAN = "technician"


class KeyHolder(Enum):
    """What the signer says holds its key; nothing proves it."""

    FILE = "file"
    PKCS11 = "pkcs11"
    TPM = "tpm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A machine's setting, by the path of its clause: a text, or a decimal with a unit."""

    path: ClausePath
    value: str
    unit: str | None = None

    def __post_init__(self) -> None:
        parse_path(self.path)
        if self.unit is not None:
            check_unit(self.unit)
            parse_decimal(self.value)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the setting that a statement shows."""
        return cls(
            path=ClausePath(fields.text("path")),
            value=fields.text("value"),
            unit=fields.maybe("unit", fields.text),
        )

    def to_json(self) -> JsonObject:
        """Return the setting as a statement shows it."""
        return present({"path": self.path, "value": self.value, "unit": self.unit})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measured value, by the path of the tolerance that it answers.

    Args:
        characteristic: The path of the tolerance.
        value: The value.
        unit: The UCUM code of the value's unit, and of what is stated beside it.
        instrument: What took it.
        uncertainty: The expanded uncertainty U.
        coverage_factor: How many standard uncertainties U is: k.
        resolution: The least step that the instrument shows.
        raw_data: SHA-256 of the instrument's own file.
        operator: The pseudonym of who measured.
        measured_on: When, by the instrument's own clock, in seconds.
    """

    characteristic: ClausePath
    value: str
    unit: str
    instrument: str
    uncertainty: str | None = None
    coverage_factor: str | None = None
    resolution: str | None = None
    raw_data: Digest | None = None
    operator: str | None = None
    measured_on: int | None = None

    def __post_init__(self) -> None:
        parse_path(self.characteristic)
        check_unit(self.unit)
        parse_decimal(self.value)
        if (self.uncertainty is None) != (self.coverage_factor is None):
            message = f"{self.characteristic} states U or k without the other."
            raise MalformedMeasurementError(message, characteristic=self.characteristic)
        for text in (self.uncertainty, self.coverage_factor, self.resolution):
            if text is not None and parse_decimal(text) <= 0:
                message = f"{self.characteristic} states {text[:40]}, which must be above 0."
                raise MalformedMeasurementError(message, characteristic=self.characteristic)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the measurement that a statement shows."""
        return cls.read_at(ClausePath(fields.text("characteristic")), fields)

    @classmethod
    def read_at(cls, characteristic: ClausePath, fields: Fields) -> Self:
        """Return the measurement of a characteristic that its place in a document names."""
        return cls(
            characteristic=characteristic,
            value=fields.text("value"),
            unit=fields.text("unit"),
            instrument=fields.text("instrument", most=NAME_MAX),
            uncertainty=fields.maybe("uncertainty", fields.text),
            coverage_factor=fields.maybe("coverageFactor", fields.text),
            resolution=fields.maybe("resolution", fields.text),
            raw_data=fields.maybe("rawData", fields.digest),
            operator=fields.maybe("operator", lambda name: fields.text(name, most=NAME_MAX)),
            measured_on=fields.maybe(
                "measuredOn", lambda name: fields.integer(name, most=UINT40_MAX)
            ),
        )

    def to_json(self) -> JsonObject:
        """Return the measurement as a statement shows it."""
        members: Mapping[str, JsonValue] = {
            "characteristic": self.characteristic,
            "value": self.value,
            "unit": self.unit,
            "instrument": self.instrument,
            "uncertainty": self.uncertainty,
            "coverageFactor": self.coverage_factor,
            "resolution": self.resolution,
            "rawData": None if self.raw_data is None else to_hex(self.raw_data),
            "operator": self.operator,
            "measuredOn": self.measured_on,
        }
        return present(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that went in or came out, by the digest of its bytes."""

    name: str
    digest: Digest

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the resource that a statement shows."""
        return cls(
            name=fields.text("name", most=NAME_MAX),
            digest=fields.object("digest", read_digest_set),
        )

    def to_json(self) -> JsonObject:
        """Return the resource as an in-toto ResourceDescriptor."""
        return {"name": self.name, "digest": {"sha256": self.digest.hex()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalParameters:
    """What the build was asked to be, by whom it was allowed, and where it counts.

    Args:
        license: The license.
        recipe: The master recipe.
        site_recipe: The site's own recipe.
        design: The design.
        revision: The number of its revision.
        log: The only log in which the statement counts.
        lane: The only lane from which its unit may come.
        unit: Where named, the unit must be this one.
        order: The order that the build is for.
    """

    license: LicenseId
    recipe: RecipeId
    site_recipe: SiteRecipeId
    design: DesignId
    revision: int
    log: LogNumber
    lane: LaneNumber
    unit: UnitNumber | None = None
    order: str | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the parameters that a statement shows."""
        unit = fields.maybe("unit", lambda name: _number(fields, name))
        return cls(
            license=LicenseId(fields.bytes32("license")),
            recipe=RecipeId(fields.bytes32("recipe")),
            site_recipe=SiteRecipeId(fields.bytes32("siteRecipe")),
            design=DesignId(fields.bytes32("design")),
            revision=_number(fields, "revision"),
            log=LogNumber(_number(fields, "log")),
            lane=LaneNumber(_number(fields, "lane")),
            unit=None if unit is None else UnitNumber(unit),
            order=fields.maybe("order", lambda name: fields.text(name, most=NAME_MAX)),
        )

    def to_json(self) -> JsonObject:
        """Return the parameters as a statement shows them."""
        members: Mapping[str, JsonValue] = {
            "license": to_hex(self.license),
            "recipe": to_hex(self.recipe),
            "siteRecipe": to_hex(self.site_recipe),
            "design": to_hex(self.design),
            "revision": self.revision,
            "log": self.log,
            "lane": self.lane,
            "unit": self.unit,
            "order": self.order,
        }
        return present(members)


CLOCK_TOLERANCE = 300
"""Seconds by which a machine's clock may be off: blocks lie some seconds apart, clocks drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """Who built, where and when; times are the machine's own claim, in seconds.

    Args:
        maker: The organization of the site.
        site: The site.
        machine: The machine; its key signs.
        counter: Rises by one with each statement of the machine.
        started_on: When the job began.
        finished_on: When it ended.
        technician: The pseudonym of the person at the machine.
        is_late_report: Whether nobody saw the job begin, so that the beacon is of the signing.
    """

    maker: IdentityId
    site: IdentityId
    machine: IdentityId
    counter: int
    started_on: int
    finished_on: int
    technician: str | None = None
    is_late_report: bool = False

    def __post_init__(self) -> None:
        if self.finished_on < self.started_on:
            message = "The job ends before it begins."
            raise MalformedStatementError(
                message, startedOn=self.started_on, finishedOn=self.finished_on
            )

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the details that a statement shows."""
        return cls(
            maker=IdentityId(fields.bytes32("maker")),
            site=IdentityId(fields.bytes32("site")),
            machine=IdentityId(fields.bytes32("machine")),
            counter=fields.integer("counter"),
            started_on=fields.integer("startedOn", most=UINT40_MAX),
            finished_on=fields.integer("finishedOn", most=UINT40_MAX),
            technician=fields.maybe("technician", lambda name: fields.text(name, most=NAME_MAX)),
            is_late_report=bool(fields.maybe("lateReport", fields.flag)),
        )

    def to_json(self) -> JsonObject:
        """Return the details as a statement shows them."""
        members: Mapping[str, JsonValue] = {
            "maker": to_hex(self.maker),
            "site": to_hex(self.site),
            "machine": to_hex(self.machine),
            "counter": self.counter,
            "startedOn": self.started_on,
            "finishedOn": self.finished_on,
            "technician": self.technician,
            "lateReport": self.is_late_report or None,
        }
        return present(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """A final record that was known when the job began: the build is not older than it."""

    log: LogNumber
    seq: Seq
    record_digest: Digest

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the beacon that a statement shows."""
        return cls(
            log=LogNumber(fields.integer("log", most=UINT40_MAX)),
            seq=Seq(fields.integer("seq", most=UINT40_MAX)),
            record_digest=fields.digest("recordDigest"),
        )

    def to_json(self) -> JsonObject:
        """Return the beacon as a statement shows it."""
        return {
            "log": self.log,
            "seq": self.seq,
            "recordDigest": to_hex(self.record_digest),
        }


class _Shown(Protocol):
    def to_json(self) -> JsonObject: ...


def all_json(values: Sequence[_Shown]) -> list[JsonValue]:
    """Return each value as a statement shows it."""
    return [value.to_json() for value in values]


def present(members: Mapping[str, JsonValue]) -> JsonObject:
    """Return the members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def read_digest_set(fields: Fields) -> Digest:
    """Return the SHA-256 of an in-toto DigestSet: bare hex, as in-toto writes it."""
    return fields.parsed("sha256", lambda text: digest_from_hex("0x" + text))


def _number(fields: Fields, name: str) -> int:
    return fields.integer(name, least=1, most=UINT40_MAX)
