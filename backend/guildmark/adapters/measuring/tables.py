"""Tables of measured values: CSV whose columns, delimiter and decimal sign are stated.

Nothing is guessed: what reads as two numbers in two countries is refused, with its line and column.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn

from guildmark.adapters.times import seconds
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.encoding.fields import DocumentError, read_object
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import digest_from_hex
from guildmark.domain.measurement.document import (
    SIZE_MAX,
    MeasuredPart,
    MeasurementFile,
    MeasurementFileError,
)
from guildmark.domain.recipes.clause import parse_path
from guildmark.domain.recipes.quantity import check_unit, parse_decimal

ROWS_MAX = 200_000
NEEDED = ("part", "characteristic", "value", "unit", "instrument")
NUMBERS = ("value", "uncertainty", "coverageFactor", "resolution")
COLUMNS = (*NEEDED, *NUMBERS[1:], "rawData", "operator", "measuredOn", "build", "site", "lot")
_CHECKS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "characteristic": parse_path,
        "unit": check_unit,
        "rawData": digest_from_hex,
        **dict.fromkeys(NUMBERS, parse_decimal),
    }
)
_OF_PART = ("part", "build", "site", "lot")
_SIGNS = (".", ",")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableForm:
    """How a table is written.

    Args:
        delimiter: What stands between two cells.
        decimal: What stands before the decimals.
        columns: The headers of our columns, where they differ from our names.
        given: What every row has, by column: the table has no such column.
    """

    delimiter: str = ","
    decimal: str = "."
    columns: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n' or self.decimal not in _SIGNS:
            message = "A delimiter is one character, and decimals stand behind . or ,"
            raise MeasurementFileError(message, delimiter=self.delimiter, decimal=self.decimal)
        if self.delimiter == self.decimal:
            message = f"{self.decimal!r} parts cells and stands before decimals: no row is clear."
            raise MeasurementFileError(message, delimiter=self.delimiter, decimal=self.decimal)
        unknown = sorted({*self.columns, *self.given} - {*COLUMNS})
        if unknown:
            message = f"There is no column {unknown[0][:40]!r}; there are {', '.join(COLUMNS)}."
            raise MeasurementFileError(message, column=unknown[0][:40])


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: its line in the file and its cells by our columns; empty ones are left out."""

    line: int
    cells: Mapping[str, str]
    headers: Mapping[str, str]

    def refuse(self, column: str, reason: str, cause: Exception | None = None) -> NoReturn:
        header = self.headers.get(column, column)
        message = f"Line {self.line}, column {header!r}: {reason}"
        raise MeasurementFileError(message, line=self.line, column=header) from cause


def read_table(data: bytes, form: TableForm) -> MeasurementFile:
    """Return the measured values of a table, a row a value.

    Raises:
        MeasurementFileError: Bytes, columns or a cell are not as stated; line and column are named.
        RawDataReusedError: Two parts have one file of an instrument.
    """
    parts: dict[tuple[str, str | None], list[_Row]] = {}
    for row in _rows(data, form):
        parts.setdefault((row.cells["part"], row.cells.get("site")), []).append(row)
    return MeasurementFile(parts=tuple(_part(rows, form) for rows in parts.values()))


def _rows(data: bytes, form: TableForm) -> Sequence[_Row]:
    reader = csv.reader(io.StringIO(_text(data)), delimiter=form.delimiter, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        message = f"Line {reader.line_num}: {error}."
        raise MeasurementFileError(message, line=reader.line_num) from error
    if not 0 < len(lines) <= ROWS_MAX + 1:
        message = f"The table has {max(len(lines) - 1, 0)} rows; 1 to {ROWS_MAX} are read."
        raise MeasurementFileError(message, rows=max(len(lines) - 1, 0))
    names = _names(lines[0][1], form)
    headers = dict(zip(names, lines[0][1], strict=True))
    return [_row(line, cells, headers, form) for line, cells in lines[1:]]


def _text(data: bytes) -> str:
    if len(data) > SIZE_MAX:
        message = f"The file has {len(data)} bytes; {SIZE_MAX} are read at most."
        raise MeasurementFileError(message, size=len(data))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"Line {line} is not UTF-8."
        raise MeasurementFileError(message, line=line, offset=error.start) from error


def _names(header: Sequence[str], form: TableForm) -> Sequence[str]:
    """Return our names of the table's columns, in their order."""
    renamed = {name: form.columns.get(name, name) for name in COLUMNS}
    ours = {text: name for name, text in renamed.items()}
    found = [text.strip() for text in header]
    unknown = [text for text in found if text not in ours]
    names = [ours[text] for text in found if text in ours]
    missing = [renamed[name] for name in NEEDED if name not in {*names, *form.given}]
    twice = len(set(names)) < len(names) or not set(names).isdisjoint(form.given)
    if unknown or missing or twice:
        message = "The table's columns are not as stated."
        next_step = f"Columns are {', '.join(COLUMNS)}; say where they have other headers."
        raise MeasurementFileError(
            message, next_step=next_step, line=1, unknown=unknown[:10], missing=missing
        )
    return names


def _row(line: int, cells: Sequence[str], headers: Mapping[str, str], form: TableForm) -> _Row:
    if len(cells) != len(headers):
        message = f"Line {line} has {len(cells)} cells, the first line {len(headers)}."
        raise MeasurementFileError(message, line=line, cells=len(cells))
    said = {name: cell.strip() for name, cell in zip(headers, cells, strict=True)}
    row = _Row(line, {**form.given, **{name: cell for name, cell in said.items() if cell}}, headers)
    for name in NEEDED:
        if name not in row.cells:
            row.refuse(name, "the cell is empty.")
    return row


def _part(rows: Sequence[_Row], form: TableForm) -> MeasuredPart:
    first = rows[0]
    seen = set()
    for row in rows:
        for name in _OF_PART:
            if row.cells.get(name) != first.cells.get(name):
                row.refuse(name, f"line {first.line} says another one of the same part.")
        if row.cells["characteristic"] in seen:
            row.refuse("characteristic", "the part has two values of it.")
        seen.add(row.cells["characteristic"])
    build, site, lot = (first.cells.get(name) for name in _OF_PART[1:])
    measurements = tuple(_measurement(row, form) for row in rows)
    return MeasuredPart(
        part=first.cells["part"], measurements=measurements, build=build, site=site, lot=lot
    )


def _measurement(row: _Row, form: TableForm) -> Measurement:
    members: dict[str, JsonValue] = {
        name: _cell(row, name, form) for name in row.cells if name not in _OF_PART
    }
    if "measuredOn" in members:
        members["measuredOn"] = _seconds(row)
    try:
        return read_object(members, Measurement.read)
    except DocumentError as error:
        row.refuse(str(error.detail["member"]), error.message, error)
    except MalformedError as error:
        row.refuse("uncertainty", error.message, error)


def _cell(row: _Row, column: str, form: TableForm) -> str:
    text = _number(row, column, form) if column in NUMBERS else row.cells[column]
    check = _CHECKS.get(column)
    try:
        if check is not None:
            check(text)
    except MalformedError as error:
        row.refuse(column, error.message, error)
    return text


def _number(row: _Row, column: str, form: TableForm) -> str:
    """Return a number as documents write it; its digits stay as they are."""
    cell, other = row.cells[column], "," if form.decimal == "." else "."
    if other in cell:
        reason = (
            f"{cell[:40]!r} has {other!r}, and decimals stand behind {form.decimal!r}."
            " State the decimal sign; write no signs between thousands."
        )
        row.refuse(column, reason)
    return cell.replace(form.decimal, ".")


def _seconds(row: _Row) -> int:
    text = row.cells["measuredOn"]
    found = seconds(text)
    if found is None:
        reason = f"{text[:40]!r} is neither seconds since 1970 nor ISO 8601 with an offset."
        row.refuse("measuredOn", reason)
    return found
