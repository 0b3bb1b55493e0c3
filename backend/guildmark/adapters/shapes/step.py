"""STEP (ISO 10303-21): what its text says of itself; no CAD kernel looks at its surfaces."""

import re

from guildmark.adapters.shapes.refusals import ShapeMalformedError
from guildmark.domain.rights.geometry import UNSTATED, Geometry

_BEGIN, _END = b"ISO-10303-21;", b"END-ISO-10303-21;"
_HEAD = 64 * 1024
_SCHEMA = re.compile(rb"FILE_SCHEMA\s{0,99}\(\s{0,99}\(\s{0,99}'([A-Za-z0-9_]{1,64})")
_METRE = re.compile(rb"SI_UNIT\s{0,9}\(\s{0,9}(\.[A-Z]{1,9}\.|\$)\s{0,9},\s{0,9}\.METRE\.\s{0,9}\)")
_UNITS = {b".MILLI.": "mm", b".CENTI.": "cm", b"$": "m"}


def read_step(data: bytes) -> Geometry:
    """Return the schema of a STEP file and its unit of length, where it names exactly one.

    Raises:
        ShapeMalformedError: It does not begin, end, or name its schema as the standard wants.
    """
    text = data.strip()
    schema = _SCHEMA.search(text[:_HEAD])
    if not text.startswith(_BEGIN) or not text.endswith(_END) or schema is None:
        message = "The file does not begin and end as a STEP file does, or names no schema."
        raise ShapeMalformedError(message)
    units = set(_METRE.findall(text)) if b"CONVERSION_BASED_UNIT" not in text else set()
    unit = _UNITS.get(units.pop(), UNSTATED) if len(units) == 1 else UNSTATED
    return Geometry(unit=unit, schema=schema[1].decode("ascii").upper())
