"""The JSON Schema of an audit's report, as it is published."""

from guildmark.domain.audit.findings import Flaw
from guildmark.domain.audit.telemetry import TelemetryState
from guildmark.domain.audit.units import STATES
from guildmark.domain.measurement.schema import DIALECT, Schema, object_schema, pattern_schema

FORMAT = "guildmark/audit/v1"
SCHEMA_ID = "https://guildmark.org/schemas/audit/v1"

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_ID: Schema = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
_SOME_ID: Schema = {"type": "string", "pattern": "^(0x[0-9a-f]{64})?$"}
_MOMENT: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$"}


def audit_schema() -> Schema:
    """Return the schema of ``guildmark/audit/v1``."""
    members: Schema = {
        "format": {"const": FORMAT},
        "scope": _scope(),
        "block": _described(_COUNT, "The newest final block that the auditor's index had read."),
        "blockHash": _SOME_ID,
        "exit": {"type": "integer", "minimum": 0, "maximum": 255},
        "states": _counts(list(STATES)),
        "flaws": _counts([flaw.value for flaw in Flaw]),
        "logs": _array(_log()),
        "lanes": _array(_lane()),
        "machines": _array(_machine()),
        "telemetry": _telemetry(),
        "gaps": _array(_gap()),
        "recalls": _array(_recall()),
        "notices": _array(_notice()),
        "findings": _array(_finding()),
        "units": _array(_unit()),
    }
    head: Schema = {"$schema": DIALECT, "$id": SCHEMA_ID, "title": "The report of an audit"}
    return {**head, **_whole(members)}


def _whole(members: Schema) -> Schema:
    return object_schema(members, needs=list(members))


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _counts(names: list[str]) -> Schema:
    return object_schema({name: {"type": "integer", "minimum": 1} for name in names}, needs=[])


def _scope() -> Schema:
    ids: Schema = dict.fromkeys(("license", "organization", "machine", "recipe"), _ID)
    lot = pattern_schema("^0x[0-9a-f]{64}:0x[0-9a-f]{64}$", "Maker and digest.")
    members: Schema = {**ids, "lot": lot, "from": _COUNT, "to": _COUNT}
    return {**object_schema(members, needs=[]), "minProperties": 1}


def _log() -> Schema:
    counts: Schema = dict.fromkeys(
        ("log", "records", "entries", "withoutUnit", "checkpoint", "witnesses"), _COUNT
    )
    is_signed = _described({"type": ["boolean", "null"]}, "Null where the auditor names no key.")
    known: Schema = {"isWhole": {"type": "boolean"}, "isSigned": is_signed}
    return _whole({**counts, **known, "operator": _ID})


def _lane() -> Schema:
    counts: Schema = dict.fromkeys(("lane", "units", "drawn", "refused"), _COUNT)
    return _whole({**counts, "license": _ID, "site": _ID})


def _machine() -> Schema:
    counts: Schema = dict.fromkeys(("first", "last", "shown", "missing"), _COUNT)
    return _whole({**counts, "machine": _ID})


def _telemetry() -> Schema:
    nonce = _described(_SOME_ID, "What the auditor drew chunks by; empty where he drew none.")
    states = _counts([state.value for state in TelemetryState])
    return _whole({"nonce": nonce, "chunks": _COUNT, "states": states})


def _gap() -> Schema:
    return _whole(
        {
            "flaw": {"enum": [Flaw.ACCREDITATION_GAP.value, Flaw.EQUIVALENCE_GAP.value]},
            "site": _ID,
            "code": _TEXT,
            "parts": _COUNT,
            "first": _MOMENT,
            "last": _MOMENT,
        }
    )


def _recall() -> Schema:
    texts: Schema = dict.fromkeys(("cause", "thing", "by", "closed"), _TEXT)
    counts: Schema = dict.fromkeys(("number", "severity", "parts"), _COUNT)
    return _whole({**texts, **counts, "at": _MOMENT, "reason": _ID})


def _notice() -> Schema:
    ids: Schema = dict.fromkeys(("identity", "target", "evidence"), _ID)
    return _whole({**ids, "by": _TEXT, "at": _MOMENT, "suspectedFrom": _MOMENT})


def _finding() -> Schema:
    places = pattern_schema(r"^([0-9]+\.[0-9]+( [0-9]+\.[0-9]+)*)?$", "Entries as log.index.")
    return _whole(
        {
            "flaw": {"enum": [flaw.value for flaw in Flaw]},
            "places": places,
            "reason": _TEXT,
            "nextStep": _TEXT,
        }
    )


def _unit() -> Schema:
    counts: Schema = dict.fromkeys(("log", "index", "record", "block", "lane", "unit"), _COUNT)
    known: Schema = dict.fromkeys(("maker", "machine", "recipe", "envelope"), _SOME_ID)
    return _whole(
        {
            **counts,
            **known,
            "license": _ID,
            "site": _ID,
            "recorded": _MOMENT,
            "state": {"enum": list(STATES)},
            "failed": _described(_TEXT, "The checks that fall short, each as number:code."),
            "label": _TEXT,
            "telemetry": _described(
                {"enum": ["", *(state.value for state in TelemetryState)]},
                "Empty where nothing is shown, and of what is no part any more.",
            ),
            "counter": {"type": ["integer", "string"], "description": "Empty where not shown."},
        }
    )
