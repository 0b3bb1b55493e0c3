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

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DECIMAL = r"^(?!-0(\.0+)?$)-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$"
_POSITIVE = r"^(?=.*[1-9])(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$"
_PATH = r"^(/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){2,8}$"


def measurements_schema() -> Schema:
    """Return the schema of ``guildmark/measurements/v1``."""
    members: Schema = {
        "format": {"const": FORMAT},
        "parts": {"type": "array", "items": _part()},
        "statistics": {"type": "array", "items": _statistics()},
    }
    head: Schema = {"$schema": _DIALECT, "$id": SCHEMA_ID, "title": "Measured values of parts"}
    return {**head, **_object(members, needs=["format", "parts"])}


def _part() -> Schema:
    members: Schema = {
        "part": _text(),
        "build": _text(),
        "site": _text(),
        "lot": _text(),
        "measurements": {"type": "array", "items": _measurement()},
    }
    return _object(members, needs=["part", "measurements"])


def _measurement() -> Schema:
    members: Schema = {
        "characteristic": _pattern(_PATH, "The path of the tolerance in the recipe."),
        "value": _pattern(_DECIMAL, "A decimal string."),
        "unit": _unit(),
        "instrument": _text(),
        "uncertainty": _pattern(_POSITIVE, "The expanded uncertainty U, in the unit."),
        "coverageFactor": _pattern(_POSITIVE, "k: U is k standard uncertainties."),
        "resolution": _pattern(_POSITIVE, "The least step that the instrument shows."),
        "rawData": _pattern("^0x[0-9a-f]{64}$", "SHA-256 of the instrument's own file."),
        "operator": _text(),
        "measuredOn": {"type": "integer", "minimum": 0, "maximum": UINT40_MAX},
    }
    together: Schema = {
        "uncertainty": ["coverageFactor"],
        "coverageFactor": ["uncertainty"],
    }
    needs = ["characteristic", "value", "unit", "instrument"]
    return {**_object(members, needs=needs), "dependentRequired": together}


def _statistics() -> Schema:
    figures = {name: _pattern(_DECIMAL, "A claim.") for name in ("mean", "s", "min", "max", "cpk")}
    members: Schema = {
        "characteristic": _pattern(_PATH, "The path of the tolerance in the recipe."),
        "unit": _unit(),
        "n": {"type": "integer", "minimum": 0, "maximum": COUNT_MAX},
        **figures,
    }
    return _object(members, needs=["characteristic", "unit"])


def _object(members: Schema, *, needs: list[str]) -> Schema:
    return {
        "type": "object",
        "properties": members,
        "required": needs,
        "additionalProperties": False,
    }


def _text() -> Schema:
    return {"type": "string", "maxLength": NAME_MAX}


def _pattern(pattern: str, description: str) -> Schema:
    return {"type": "string", "pattern": pattern, "description": description}


def _unit() -> Schema:
    return {"enum": sorted(UCUM_CODES)}
