"""The JSON Schema of job reports, as it is published: what a machine writes of one job.

That only a finished job gives pieces, and what a decimal means, the reader checks.
"""

from guildmark.domain.builds.dependencies import DEPENDENCIES_MAX
from guildmark.domain.builds.lots import LOT_NAME_MAX
from guildmark.domain.builds.predicate import NAME_MAX
from guildmark.domain.encoding.fields import TEXT_MAX
from guildmark.domain.encoding.strictjson import INTEGER_MAX
from guildmark.domain.identifiers import UINT40_MAX
from guildmark.domain.measurement.schema import (
    DIALECT,
    PATH,
    Schema,
    measurement_schema,
    object_schema,
    pattern_schema,
    text_schema,
    unit_schema,
)
from guildmark.domain.shopfloor.jobs import PIECES_MAX, JobPhase

FORMAT = "guildmark/job/v1"
NOTE_MAX = 2_000
SCHEMA_ID = "https://guildmark.org/schemas/job/v1"


def report_schema() -> Schema:
    """Return the schema of ``guildmark/job/v1``."""
    members: Schema = {
        "format": {"const": FORMAT},
        "job": {"type": "string", "minLength": 1, "maxLength": NAME_MAX},
        "phase": {"enum": [phase.value for phase in JobPhase]},
        "at": {"type": "integer", "minimum": 0, "maximum": UINT40_MAX},
        "fileName": text_schema(),
        "file": pattern_schema("^0x[0-9a-f]{64}$", "SHA-256 of the job file."),
        "settings": {"type": "array", "items": _setting()},
        "firmware": text_schema(),
        "pieces": {"type": "array", "maxItems": PIECES_MAX, "items": _piece()},
        "technician": text_schema(),
        "note": {"type": "string", "maxLength": NOTE_MAX},
        "lots": {"type": "array", "maxItems": DEPENDENCIES_MAX, "items": _lot()},
        "samples": {"type": "array", "items": _sample()},
    }
    head: Schema = {"$schema": DIALECT, "$id": SCHEMA_ID, "title": "Report of one job"}
    return {**head, **object_schema(members, needs=["format", "job", "at"])}


def _setting() -> Schema:
    members: Schema = {
        "path": pattern_schema(PATH, "The path of the clause in the recipe."),
        "value": {"type": "string", "maxLength": TEXT_MAX},
        "unit": unit_schema(),
    }
    return object_schema(members, needs=["path", "value"])


def _piece() -> Schema:
    members: Schema = {
        "measurements": {"type": "array", "items": measurement_schema()},
        "conforming": {"type": "boolean"},
        "serial": text_schema(),
    }
    return object_schema(members, needs=[])


def _lot() -> Schema:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": LOT_NAME_MAX,
        "description": "A lot that went in, as its supplier names it, or MAKER:DIGEST.",
    }


def _sample() -> Schema:
    members: Schema = {
        "channel": text_schema(),
        "at": {"type": "integer", "minimum": 0, "maximum": INTEGER_MAX},
        "value": text_schema(),
        "unit": text_schema(),
    }
    return object_schema(members, needs=["channel", "at", "value"])
