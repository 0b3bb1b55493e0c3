"""Files that people write about a job: its settings, and what came out of the machine.

A settings file is a JSON object with `settings`, a report one with `label` and `measurements`;
both map the path of a clause to an object with a value and its unit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeVar

from guildmark.domain.builds.predicate import Measurement, Setting
from guildmark.domain.encoding.fields import Fields, read_document, read_object
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import Digest
from guildmark.domain.recipes.clause import ClausePath

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came out of a machine: one part.

    Args:
        label: The part's label.
        started_on: Seconds since 1970 (UTC) at which the job began.
        finished_on: Seconds at which it ended.
        measurements: The measured values, in the order of their paths.
        simulated: Whether the values are simulated.
        activation: What commits to the label's hidden code, None where it has none.
        chip: What commits to the key of the part's chip, None where it has none.
    """

    label: str
    started_on: int
    finished_on: int
    measurements: tuple[Measurement, ...]
    simulated: bool
    activation: Digest | None = None
    chip: Digest | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the report that a file holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A value is no number, or a path no clause's.
        """
        return read_document(data, cls._read)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        return cls(
            label=fields.text("label"),
            started_on=fields.integer("startedOn"),
            finished_on=fields.integer("finishedOn"),
            measurements=_by_path(fields, "measurements", Measurement.read_at),
            simulated=bool(fields.maybe("simulated", fields.flag)),
            activation=fields.maybe("activation", fields.digest),
            chip=fields.maybe("chip", fields.digest),
        )


def read_settings(data: bytes) -> tuple[Setting, ...]:
    """Return the settings that a file holds, in the order of their paths; its other members pass.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: `settings` is missing or not as described.
        MalformedError: A value is no number, or a path no clause's.
    """
    return _by_path(Fields(parse_object(data)), "settings", _setting)


def read_measurements(data: bytes) -> tuple[Measurement, ...]:
    """Return the measurements that a file holds, in the order of their paths; the rest pass.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: `measurements` is missing or not as described.
        MalformedError: A value is no number, or a path no clause's.
    """
    return _by_path(Fields(parse_object(data)), "measurements", Measurement.read_at)


def _by_path(fields: Fields, name: str, read: Callable[[ClausePath, Fields], T]) -> tuple[T, ...]:
    members = fields.value(name)
    if not isinstance(members, Mapping):
        fields.refuse(name, "an object with the path of a clause for each member")
    found: list[T] = []
    for path, member in sorted(members.items()):
        if not isinstance(member, Mapping):
            fields.refuse(f"{name}.{path}", "an object with a value")
        reading = partial(read, ClausePath(path))
        found.append(read_object(member, reading, f"{name}.{path}"))
    return tuple(found)


def _setting(path: ClausePath, fields: Fields) -> Setting:
    unit = fields.maybe("unit", fields.text)
    return Setting(path=path, value=fields.text("value"), unit=unit)
