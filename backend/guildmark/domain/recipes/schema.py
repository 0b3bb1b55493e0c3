"""The published JSON Schema of recipe documents, with and without salts.

What a schema cannot say stands in its ``description``: clauses ascend by path, least <= nominal <=
greatest, texts are in Unicode's form NFC, a document has at most 4 MiB.
"""

from guildmark.domain.encoding.fields import TEXT_MAX
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.recipes.clause import (
    LENGTH_PATTERN,
    PATH_PATTERN,
    ClauseClass,
    ClauseType,
    Criticality,
)
from guildmark.domain.recipes.clauses import CLAUSES_MAX
from guildmark.domain.recipes.differing import RULES
from guildmark.domain.recipes.quantity import DECIMAL_PATTERN, UCUM_CODES
from guildmark.domain.recipes.recipe import DOCUMENT_TYPE, GROUPS

SCHEMA_ID = "https://guildmark.org/schemas/recipe/v1"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MISSING: JsonValue = {"not": {}}
_TEXT: JsonObject = {"type": "string", "maxLength": TEXT_MAX}


def recipe_schema(*, salted: bool) -> JsonObject:
    """Return the schema of a recipe: as a home keeps it, or as people write it, without salts."""
    members: dict[str, JsonValue] = {
        "name": _TEXT,
        "clauses": {
            "type": "array",
            "minItems": 1,
            "maxItems": CLAUSES_MAX,
            "items": {"$ref": "#/$defs/clause"},
        },
    }
    if salted:
        members["type"] = {"const": DOCUMENT_TYPE}
    return {
        "$schema": _DIALECT,
        "$id": SCHEMA_ID if salted else f"{SCHEMA_ID}/draft",
        "title": "Recipe" if salted else "Recipe, as people write it",
        "description": (
            "Clauses ascend by path, each path once. The least value is not above the nominal "
            "one, nor this above the greatest. Texts are in Unicode's form NFC."
        ),
        "type": "object",
        "additionalProperties": False,
        "required": sorted(members),
        "properties": members,
        "$defs": {"clause": _clause(salted=salted), "decimal": _decimal(), "unit": _unit()},
        "changeRules": [
            {"when": kind.value, "change": change.name.lower()} for kind, change in RULES.items()
        ],
    }


def _clause(*, salted: bool) -> JsonObject:
    members: dict[str, JsonValue] = {
        "path": {
            "type": "string",
            "allOf": [_like(f"/(?:{'|'.join(GROUPS)})/.*"), _like(PATH_PATTERN)],
        },
        "class": {"enum": [one.name.lower() for one in ClauseClass]},
        "type": {"enum": [one.name.lower() for one in ClauseType]},
        "criticality": {"enum": [one.name.lower() for one in Criticality]},
        "value": _TEXT,
        "min": _TEXT,
        "max": _TEXT,
        "unit": {"$ref": "#/$defs/unit"},
    }
    required: list[JsonValue] = ["class", "criticality", "path", "type"]
    if salted:
        members["salt"] = {"type": "string", "pattern": r"^0x[0-9a-f]{64}$"}
        required.append("salt")
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": members,
        "allOf": [_if("type", "quantity", _QUANTITY), _if("type", "text", _PLAIN), *_ENOUGH],
    }


def _like(pattern: str) -> JsonObject:
    return {"pattern": f"^(?:{pattern})$"}


def _decimal() -> JsonObject:
    return {"type": "string", **_like(DECIMAL_PATTERN), "not": _like(r"-0(?:\.0+)?")}


def _unit() -> JsonObject:
    return {"description": "A UCUM code.", "enum": sorted(UCUM_CODES)}


def _if(member: str, value: str, then: JsonObject) -> JsonObject:
    return {"if": {"properties": {member: {"const": value}}, "required": [member]}, "then": then}


_LENGTH: JsonObject = {
    "description": "A number of characters.",
    "type": "string",
    **_like(LENGTH_PATTERN),
}
_QUANTITY: JsonObject = {
    "required": ["unit"],
    "properties": {name: {"$ref": "#/$defs/decimal"} for name in ("value", "min", "max")},
}
_PLAIN: JsonObject = {
    "properties": {"unit": _MISSING},
    **_if("class", "custom", {"properties": {"min": _LENGTH, "max": _LENGTH}}),
    "else": {"properties": {"min": _MISSING, "max": _MISSING}},
}
_ENOUGH: tuple[JsonObject, ...] = (
    _if("class", "core", {"anyOf": [{"required": [one]} for one in ("value", "min", "max")]}),
    _if("class", "window", {"anyOf": [{"required": ["value"]}, {"required": ["min", "max"]}]}),
    {
        "if": {
            "properties": {"class": {"const": "custom"}, "type": {"const": "quantity"}},
            "required": ["class", "type"],
        },
        "then": {"required": ["min", "max"]},
    },
)
