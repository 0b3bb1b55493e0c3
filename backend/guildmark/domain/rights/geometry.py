"""What was measured of the shape in a file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import MalformedError
from guildmark.domain.recipes.quantity import parse_decimal

UNSTATED = "unstated"
"""The unit of a file that names none, as no STL does."""

_UNIT = re.compile(r"mm|cm|m|um|inch|foot|unstated", re.ASCII)
_SCHEMA = re.compile(r"[A-Z0-9_]{1,64}", re.ASCII)
_AXES = 3


class MalformedGeometryError(MalformedError):
    """What is said of a shape does not belong together."""

    code = "design.geometryMalformed"
    hint = "Measure the file again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """What was measured of triangles; numbers have six digits.

    Args:
        box: Its extent along x, y and z.
        triangles: How many there are, all copies counted.
        volume: What it encloses; none where it is not watertight.
    """

    box: tuple[str, ...]
    triangles: int
    volume: str | None = None

    def __post_init__(self) -> None:
        if len(self.box) != _AXES:
            message = f"A box has {_AXES} extents, not {len(self.box)}."
            raise MalformedGeometryError(message)

    @property
    def is_watertight(self) -> bool:
        """Return whether every edge has exactly two triangles, so that there is an inside."""
        return self.volume is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """What is known of a file's shape.

    Args:
        unit: The unit of length that the file names, or that the numbers were turned into.
        mesh: What was measured, where the file holds triangles.
        schema: The schema that a STEP file names; its surfaces are not measured.
    """

    unit: str
    mesh: Mesh | None = None
    schema: str | None = None

    def __post_init__(self) -> None:
        is_schema = self.schema is None or _SCHEMA.fullmatch(self.schema)
        if not _UNIT.fullmatch(self.unit) or not is_schema:
            message = "The unit or the schema of a shape is unknown."
            raise MalformedGeometryError(message, unit=ascii(self.unit[:20]))

    def text(self) -> str:
        """Return the one line that a file's leaf commits to."""
        return " ".join(f"{name}={_word(value)}" for name, value in self.to_json().items())

    def to_json(self) -> Mapping[str, JsonValue]:
        """Return the facts as a manifest shows them."""
        facts: dict[str, JsonValue] = {"unit": self.unit}
        if self.schema is not None:
            facts["schema"] = self.schema
        if self.mesh is not None:
            facts["box"] = list(self.mesh.box)
            facts["triangles"] = self.mesh.triangles
            facts["watertight"] = self.mesh.is_watertight
        if self.mesh is not None and self.mesh.volume is not None:
            facts["volume"] = self.mesh.volume
        return facts

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the facts that a manifest shows.

        Raises:
            DocumentError: A member is missing, unknown or of another type.
            MalformedGeometryError: They do not belong together.
        """
        schema = fields.text("schema", most=64) if fields.has("schema") else None
        mesh = _read_mesh(fields) if fields.has("box") else None
        return cls(unit=fields.text("unit", most=10), mesh=mesh, schema=schema)


def _read_mesh(fields: Fields) -> Mesh:
    volume = fields.parsed("volume", _number) if fields.has("volume") else None
    mesh = Mesh(
        box=fields.texts("box", _number), triangles=fields.integer("triangles"), volume=volume
    )
    if fields.flag("watertight") is not mesh.is_watertight:
        message = "Only what is watertight has a volume."
        raise MalformedGeometryError(message)
    return mesh


def _number(text: str) -> str:
    parse_decimal(text)
    return text


def _word(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)
