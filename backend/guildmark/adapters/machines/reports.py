"""Job reports in files: JSON (``guildmark/job/v1``), CSV and QIF 3 measurement results."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from guildmark.adapters.machines.markup import Element
from guildmark.adapters.measuring.qif import Results, Terms, qif_document, result_sets
from guildmark.adapters.times import seconds
from guildmark.domain.builds.lots import check_lot
from guildmark.domain.builds.predicate import NAME_MAX, Measurement, Setting
from guildmark.domain.encoding.fields import Fields, read_document, read_object
from guildmark.domain.encoding.strictjson import JsonError, Limits
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import UINT40_MAX, digest_from_hex
from guildmark.domain.shopfloor.jobs import (
    JobEvent,
    JobPhase,
    MalformedReportError,
    Observation,
    Piece,
    Sample,
    Trace,
)
from guildmark.domain.shopfloor.schema import FORMAT, NOTE_MAX

T = TypeVar("T")

SIZE_MAX = 4 << 20
CSV_END = "# end"

_LIMITS = Limits(size=SIZE_MAX, values=200_000)
_ONCE = ("at", "file", "fileName", "technician", "note", "lots")
_LOTS_APART = ";"
_NEEDED = frozenset({"job", "at", "piece"})
_MEASURED = (
    *("characteristic", "value", "unit", "instrument", "uncertainty", "coverageFactor"),
    *("resolution", "rawData", "operator"),
)
_COLUMNS = frozenset({"job", "piece", "serial", "conforming", *_ONCE, *_MEASURED})
_ROWS_MAX = 100_000
# How QIF judges.
_QIF_VERDICTS = MappingProxyType({"PASS": True, "FAIL": False})


class UnfinishedReportError(MalformedReportError):
    """A report whose end is not there: it may still be being written."""

    code = "machine.unfinishedReport"
    hint = "Write it under a name that ends with .part, then rename it."


def read_json(data: bytes) -> Observation:
    """Return the job, and the samples, that a JSON report tells of.

    Raises:
        UnfinishedReportError: It is no JSON, or not yet.
        MalformedReportError: It does not follow its schema.
    """
    try:
        return read_document(data, _report, _LIMITS)
    except JsonError as error:
        raise UnfinishedReportError(error.message) from error
    except MalformedReportError:
        raise
    except MalformedError as error:
        raise MalformedReportError(error.message) from error


def read_csv(data: bytes) -> Observation:
    """Return the finished jobs that a CSV report tells of: a row a measurement, or a piece.

    Raises:
        UnfinishedReportError: Its last line is not ``# end``.
        MalformedReportError: Columns or values are not as they should be.
    """
    rows = _rows(data)
    jobs: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        jobs.setdefault(row["job"], []).append(row)
    try:
        events = tuple(_job_of_rows(name, found) for name, found in jobs.items())
    except MalformedReportError:
        raise
    except MalformedError as error:
        raise MalformedReportError(error.message) from error
    return Observation(cursor=b"", events=events)


def read_qif(data: bytes, *, at: int) -> Observation:
    """Return the inspection that a QIF 3 document tells of: one piece a set of results.

    Args:
        data: The document.
        at: The time that it has where it names none itself.

    Raises:
        UnfinishedReportError: Its closing tag is not there.
        MalformedReportError: It is not as it should be.
    """
    if not data.rstrip().endswith(b"QIFDocument>"):
        message = "The QIF document does not end with its closing tag."
        raise UnfinishedReportError(message)
    return Observation(cursor=b"", events=(_inspection(qif_document(data), at),))


def _report(fields: Fields) -> Observation:
    fields.constant("format", FORMAT)
    event = JobEvent(
        job=fields.text("job", most=NAME_MAX),
        phase=fields.maybe("phase", lambda name: fields.named(name, JobPhase)) or JobPhase.FINISHED,
        at=fields.integer("at", most=UINT40_MAX),
        file_name=fields.maybe("fileName", lambda name: fields.text(name, most=NAME_MAX)),
        file=fields.maybe("file", fields.digest),
        settings=_some(fields, "settings", Setting.read),
        firmware=fields.maybe("firmware", lambda name: fields.text(name, most=NAME_MAX)),
        pieces=_some(fields, "pieces", _piece),
        technician=fields.maybe("technician", lambda name: fields.text(name, most=NAME_MAX)),
        note=fields.maybe("note", lambda name: fields.text(name, most=NOTE_MAX)),
        lots=fields.maybe("lots", lambda name: fields.texts(name, check_lot)) or (),
    )
    samples = _some(fields, "samples", _sample)
    traces = (Trace(job=event.job, samples=samples),) if samples else ()
    return Observation(cursor=b"", events=(_whole(event),), traces=traces)


def _some(fields: Fields, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
    return fields.maybe(name, lambda member: fields.objects(member, read)) or ()


def _piece(fields: Fields) -> Piece:
    return Piece(
        measurements=_some(fields, "measurements", Measurement.read),
        conforming=fields.maybe("conforming", fields.flag),
        serial=fields.maybe("serial", lambda name: fields.text(name, most=NAME_MAX)),
    )


def _sample(fields: Fields) -> Sample:
    return Sample(
        channel=fields.text("channel", most=NAME_MAX),
        at=fields.integer("at"),
        value=fields.text("value", most=NAME_MAX),
        unit=fields.maybe("unit", lambda name: fields.text(name, most=NAME_MAX)),
    )


def _whole(event: JobEvent) -> JobEvent:
    """Return the event with the one piece that a finished job gives where nothing else is said."""
    if event.pieces or event.phase is not JobPhase.FINISHED:
        return event
    return replace(event, pieces=(Piece(),))


def _rows(data: bytes) -> Sequence[Mapping[str, str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"The CSV is not UTF-8 at byte {error.start}."
        raise MalformedReportError(message, offset=error.start) from error
    body, mark, rest = text.rstrip().rpartition(CSV_END)
    if not mark or rest or not body.endswith("\n"):
        message = f"The last line of the CSV is not {CSV_END!r}."
        raise UnfinishedReportError(message)
    try:
        return _table(list(csv.reader(io.StringIO(body), strict=True)))
    except csv.Error as error:
        message = f"The CSV is malformed: {error}."
        raise MalformedReportError(message) from error


def _table(lines: Sequence[Sequence[str]]) -> Sequence[Mapping[str, str]]:
    """Return each row by its column; empty cells are left out."""
    columns = lines[0] if lines else ()
    unknown = sorted(set(columns) - _COLUMNS)
    missing = sorted(_NEEDED - set(columns))
    if unknown or missing or len(set(columns)) < len(columns):
        message = "The CSV's columns are not as they should be."
        raise MalformedReportError(message, unknown=unknown[:10], missing=missing)
    if len(lines) > _ROWS_MAX:
        message = f"The CSV has more than {_ROWS_MAX} rows."
        raise MalformedReportError(message, rows=len(lines))
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        row = {name: cell.strip() for name, cell in zip(columns, line, strict=False) if cell}
        if len(line) != len(columns) or not row.keys() >= _NEEDED:
            message = f"Row {number} of the CSV lacks cells, or has too many."
            raise MalformedReportError(message, row=number)
        rows.append(row)
    return rows


def _job_of_rows(name: str, rows: Sequence[Mapping[str, str]]) -> JobEvent:
    once = {column: _one(name, column, rows) for column in _ONCE}
    pieces: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        pieces.setdefault(row["piece"], []).append(row)
    file = once["file"]
    return JobEvent(
        job=name,
        phase=JobPhase.FINISHED,
        at=_seconds(once["at"] or ""),
        file_name=once["fileName"],
        file=None if file is None else digest_from_hex(file),
        pieces=tuple(_piece_of_rows(name, found) for found in pieces.values()),
        technician=once["technician"],
        note=once["note"],
        lots=tuple(one.strip() for one in (once["lots"] or "").split(_LOTS_APART) if one.strip()),
    )


def _piece_of_rows(job: str, rows: Sequence[Mapping[str, str]]) -> Piece:
    conforming = _one(job, "conforming", rows)
    if conforming not in {None, "true", "false"}:
        message = f"The job {job!r} has a piece that is neither conforming (true) nor not (false)."
        raise MalformedReportError(message, found=conforming)
    measured = [row for row in rows if any(column in row for column in _MEASURED)]
    return Piece(
        measurements=tuple(
            read_object(
                {column: row[column] for column in _MEASURED if column in row}, Measurement.read
            )
            for row in measured
        ),
        conforming=None if conforming is None else conforming == "true",
        serial=_one(job, "serial", rows),
    )


def _one(job: str, column: str, rows: Sequence[Mapping[str, str]]) -> str | None:
    """Return what the rows say in a column, which must be one thing."""
    said = {row[column] for row in rows if column in row}
    if len(said) > 1:
        message = f"The job {job!r} has rows with different values in the column {column}."
        raise MalformedReportError(message, column=column)
    return said.pop() if said else None


def _seconds(text: str) -> int:
    found = seconds(text)
    if found is None:
        message = f"{text[:40]!r} is no time: give seconds since 1970, or ISO 8601 with an offset."
        raise MalformedReportError(message, found=ascii(text[:40]))
    return found


def _inspection(document: Element, at: int) -> JobEvent:
    name = document.said("QPId")
    if name is None:
        message = "The QIF document has no QPId: nothing tells it from another inspection."
        raise MalformedReportError(message)
    terms = Terms.of(document)
    times = [_seconds(found.text.strip()) for found in document.all("TimeStamp")]
    return JobEvent(
        job=name,
        phase=JobPhase.FINISHED,
        at=max(times, default=at),
        pieces=tuple(_piece_of_results(terms.results(found)) for found in result_sets(document)),
    )


def _piece_of_results(found: Results) -> Piece:
    return Piece(
        measurements=found.measurements,
        conforming=_QIF_VERDICTS.get(found.status),
        serial=found.serial or None,
    )
