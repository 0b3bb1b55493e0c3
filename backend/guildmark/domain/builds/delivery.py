"""What a machine hands to its log: the envelope, and beside it what opens the statement's values.

The log commits to the envelope alone. The values are kept apart from it: they are shown one by one.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from guildmark.domain.builds.dsse import ENVELOPE_LIMITS, Envelope, envelope_digest
from guildmark.domain.builds.predicate import Measurement, Setting
from guildmark.domain.builds.statement import BuildStatement, ValueRoots
from guildmark.domain.builds.values import (
    MalformedValuesError,
    MeasurementsDisclosure,
    NewSalt,
    Recorded,
    SettingsDisclosure,
    ValuesMismatchError,
)
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import MalformedError, UncheckableError
from guildmark.domain.identifiers import Digest
from guildmark.domain.recipes.clause import PATH_PATTERN

TOLERANCES = "/tolerance"
RESULTS_ALONE = (TOLERANCES,)
"""What is shown to everybody where a site says nothing else: how its parts meet tolerances."""
SHOWN_MAX = 256
DELIVERY_LIMITS = Limits(size=4 << 20, depth=8, values=60_000)

_BEGINNING = b'{"envelope":"'
_BEGINNING_OF_PATH = re.compile(PATH_PATTERN.replace("{2,8}", "{1,8}"), re.ASCII)


class ShownPathError(MalformedError):
    """What everybody may see is named by something else than paths, or by too many."""

    code = "values.shownPath"
    hint = "Name paths or their beginnings, for example /tolerance or /process/layer_height."


class ValuesMissingError(UncheckableError):
    """A statement commits to values that do not come with it."""

    code = "statement.valuesMissing"
    hint = "Send what the machine's agent wrote, whole: the values stand beside the envelope."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedValues(Document):
    """Everything that a statement commits to, opened; for its log and for whom the maker trusts.

    Args:
        settings: The recorded settings, None where there is none.
        measurements: The measured values, None where there is none.
        shown: Paths, and beginnings of paths, of the values that everybody may see.
    """

    LIMITS = DELIVERY_LIMITS

    settings: SettingsDisclosure | None = None
    measurements: MeasurementsDisclosure | None = None
    shown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_shown(self.shown)

    @property
    def roots(self) -> ValueRoots:
        """Return what commits to the values."""
        settings, measurements = self.settings, self.measurements
        return ValueRoots(
            settings=None if settings is None else settings.root(),
            measurements=None if measurements is None else measurements.root(),
        )

    def is_shown(self, path: str) -> bool:
        """Return whether everybody may see the value at a path."""
        return is_among(path, self.shown)

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths of all values."""
        return paths_of(self.settings, self.measurements)

    def open(self, statement: BuildStatement) -> BuildStatement:
        """Return a statement with all of its values.

        Raises:
            ValuesMissingError: One is not opened.
            ValuesMismatchError: They are not those that the statement commits to.
        """
        settings = recorded_settings(statement, self.settings)
        measurements = recorded_measurements(statement, self.measurements)
        if not (settings.is_complete and measurements.is_complete):
            message = "Not all values to which the statement commits came with it."
            raise ValuesMissingError(message)
        return statement.with_values(settings.values, measurements.values)

    def for_everybody(self) -> tuple[SettingsDisclosure | None, MeasurementsDisclosure | None]:
        """Return what everybody may see."""
        return self.opened_below(self.shown)

    def opened_below(
        self, paths: Sequence[str]
    ) -> tuple[SettingsDisclosure | None, MeasurementsDisclosure | None]:
        """Return all leaves, and of the values those at paths and below them."""
        settings, measurements = self.settings, self.measurements
        return (
            None if settings is None else settings.only(lambda one: is_among(one, paths)),
            None if measurements is None else measurements.only(lambda one: is_among(one, paths)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A delivery's document."""

    envelope: str
    values: OpenedValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An envelope, bytes as signed, and what opens its values; None where they stand in it."""

    envelope: bytes = field(repr=False)
    values: OpenedValues | None = field(default=None, repr=False)

    @property
    def digest(self) -> Digest:
        """Return the envelope's digest, under which its log knows it."""
        return envelope_digest(self.envelope)

    def statement(self) -> BuildStatement:
        """Return what the envelope says, with all of its values; its signatures are not looked at.

        Raises:
            MalformedError: It does not follow its format.
            ValuesMissingError: A value is not opened.
            ValuesMismatchError: The values are not those that the statement commits to.
        """
        return self.opened(BuildStatement.parse(Envelope.parse(self.envelope).payload))

    def opened(self, statement: BuildStatement) -> BuildStatement:
        """Return the envelope's statement, as it was read, with all of its values.

        Raises:
            ValuesMissingError: A value is not opened.
            ValuesMismatchError: The values are not those that the statement commits to.
        """
        if statement.roots is None and self.values is None:
            return statement
        return (self.values or OpenedValues()).open(statement)

    def encode(self) -> bytes:
        """Return the delivery's bytes: the envelope's own where its values stand in it."""
        if self.values is None:
            return self.envelope
        envelope = base64.b64encode(self.envelope).decode()
        return canonical(codec.dump(_Written(envelope=envelope, values=self.values)))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the delivery that ``data`` holds. Nothing in it is verified yet.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedValuesError: The envelope is not in base64, or is too long.
        """
        if not data.startswith(_BEGINNING):
            return cls(envelope=data)
        written = codec.load(_Written, parse_object(data, DELIVERY_LIMITS))
        try:
            envelope = base64.b64decode(written.envelope, validate=True)
        except (binascii.Error, ValueError) as error:
            message = "The envelope is not in base64."
            raise MalformedValuesError(message) from error
        if len(envelope) > ENVELOPE_LIMITS.size:
            message = f"The envelope has {len(envelope)} bytes."
            raise MalformedValuesError(message, size=len(envelope))
        return cls(envelope=envelope, values=written.values)


def seal(
    statement: BuildStatement, new_salt: NewSalt, shown: tuple[str, ...]
) -> tuple[BuildStatement, OpenedValues]:
    """Return a statement that commits to its values under fresh salts, and what opens them."""
    values = OpenedValues(
        settings=SettingsDisclosure.seal(statement.settings, new_salt),
        measurements=MeasurementsDisclosure.seal(statement.measurements, new_salt),
        shown=shown,
    )
    return statement.committing(values.roots), values


def is_among(path: str, beginnings: Sequence[str]) -> bool:
    """Return whether a path is one of some paths, or below one of them."""
    return any(path == one or path.startswith(one + "/") for one in beginnings)


def paths_of(
    settings: SettingsDisclosure | None, measurements: MeasurementsDisclosure | None
) -> tuple[str, ...]:
    """Return the paths of the values that are opened."""
    found = () if settings is None else tuple(one.path for one in settings.opened)
    measured = () if measurements is None else tuple(one.path for one in measurements.opened)
    return (*found, *measured)


def check_shown(paths: Sequence[str]) -> None:
    """Check what everybody may see.

    Raises:
        ShownPathError: Too many are named, or one is no path and no beginning of one.
    """
    if len(paths) > SHOWN_MAX:
        message = f"At most {SHOWN_MAX} paths are shown, found {len(paths)}."
        raise ShownPathError(message, found=len(paths))
    for path in paths:
        if not _BEGINNING_OF_PATH.fullmatch(path):
            message = f"{path[:80]!r} is no path of a value, and no beginning of one."
            raise ShownPathError(message, path=ascii(path[:80]))


def recorded_settings(
    statement: BuildStatement, shown: SettingsDisclosure | None
) -> Recorded[Setting]:
    """Return the settings that a statement records, as far as they are shown.

    Raises:
        ValuesMismatchError: Others are shown than it commits to.
    """
    if statement.roots is None or statement.roots.settings is None:
        _check_absent("settings", shown)
        return Recorded.in_clear(statement.settings)
    if shown is None:
        return Recorded(count=None)
    return shown.verify(statement.roots.settings)


def recorded_measurements(
    statement: BuildStatement, shown: MeasurementsDisclosure | None
) -> Recorded[Measurement]:
    """Return the values that a statement records, as far as they are shown.

    Raises:
        ValuesMismatchError: Others are shown than it commits to.
    """
    if statement.roots is None or statement.roots.measurements is None:
        _check_absent("measurements", shown)
        return Recorded.in_clear(statement.measurements)
    if shown is None:
        return Recorded(count=None)
    return shown.verify(statement.roots.measurements)


def _check_absent(what: str, shown: object) -> None:
    if shown is not None:
        message = f"The statement commits to no salted {what}, and some are shown."
        raise ValuesMismatchError(message)
