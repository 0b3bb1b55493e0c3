"""The JSON Schema of files of measured values, as it is published.

It says what a schema can say; which units there are, that a part stands once, and that claims
recompute, the reader checks.
"""

from collections.abc import Mapping
from typing import TypeAlias

from guildmark.domain.builds.predicate import NAME_MAX
from guildmark.domain.identifiers import UINT40_MAX
from guildmark.domain.measurement.document import FORMAT
from guildmark.domain.measurement.statistics import COUNT_MAX
from guildmark.domain.recipes.quantity import UCUM_CODES

Schema: TypeAlias = "Mapping[str, Schema | str | int | bool | list[str]]"

SCHEMA_ID = "https://guildmark.org/schemas/measurements/v1"

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DECIMAL = r"^(?!-0(\.0+)?$)-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$"
_POSITIVE = r"^(?=.*[1-9])(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$"
PATH = r"^(/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){2,8}$"


def measurements_schema() -> Schema:
    """Return the schema of ``guildmark/measurements/v1``."""
    members: Schema = {
        "format": {"const": FORMAT},
        "parts": {"type": "array", "items": _part()},
        "statistics": {"type": "array", "items": _statistics()},
    }
    head: Schema = {"$schema": DIALECT, "$id": SCHEMA_ID, "title": "Measured values of parts"}
    return {**head, **object_schema(members, needs=["format", "parts"])}


def _part() -> Schema:
    members: Schema = {
        "part": text_schema(),
        "build": text_schema(),
        "site": text_schema(),
        "lot": text_schema(),
        "measurements": {"type": "array", "items": measurement_schema()},
    }
    return object_schema(members, needs=["part", "measurements"])


def measurement_schema() -> Schema:
    """Return the schema of one measurement, as all documents have it."""
    members: Schema = {
        "characteristic": pattern_schema(PATH, "The path of the tolerance in the recipe."),
        "value": pattern_schema(DECIMAL, "A decimal string."),
        "unit": unit_schema(),
        "instrument": text_schema(),
        "uncertainty": pattern_schema(_POSITIVE, "The expanded uncertainty U, in the unit."),
        "coverageFactor": pattern_schema(_POSITIVE, "k: U is k standard uncertainties."),
        "resolution": pattern_schema(_POSITIVE, "The least step that the instrument shows."),
        "rawData": pattern_schema("^0x[0-9a-f]{64}$", "SHA-256 of the instrument's own file."),
        "operator": text_schema(),
        "measuredOn": {"type": "integer", "minimum": 0, "maximum": UINT40_MAX},
    }
    together: Schema = {
        "uncertainty": ["coverageFactor"],
        "coverageFactor": ["uncertainty"],
    }
    needs = ["characteristic", "value", "unit", "instrument"]
    return {**object_schema(members, needs=needs), "dependentRequired": together}


def _statistics() -> Schema:
    claimed = ("mean", "s", "min", "max", "cpk")
    figures = {name: pattern_schema(DECIMAL, "A claim.") for name in claimed}
    members: Schema = {
        "characteristic": pattern_schema(PATH, "The path of the tolerance in the recipe."),
        "unit": unit_schema(),
        "n": {"type": "integer", "minimum": 0, "maximum": COUNT_MAX},
        **figures,
    }
    return object_schema(members, needs=["characteristic", "unit"])


def object_schema(members: Schema, *, needs: list[str]) -> Schema:
    """Return the schema of an object with no other members."""
    return {
        "type": "object",
        "properties": members,
        "required": needs,
        "additionalProperties": False,
    }


def text_schema() -> Schema:
    """Return the schema of a name."""
    return {"type": "string", "maxLength": NAME_MAX}


def pattern_schema(pattern: str, description: str) -> Schema:
    """Return the schema of a text of one form."""
    return {"type": "string", "pattern": pattern, "description": description}


def unit_schema() -> Schema:
    """Return the schema of a unit."""
    return {"enum": sorted(UCUM_CODES)}
