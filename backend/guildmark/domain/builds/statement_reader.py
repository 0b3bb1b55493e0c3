"""Statements by the thousand: a machine's differ from one another at a few places only.

Reading a statement member by member takes ten times as long as checking its signature. What it
shares, byte by byte, with an earlier one of the same key was read already.
"""

import contextlib
import re
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, TypeAlias

from guildmark.domain.builds.predicate import Beacon, ExternalParameters, Measurement, RunDetails
from guildmark.domain.builds.statement import (
    LABEL_MAX,
    STATEMENT_LIMITS,
    BuildStatement,
    ValueRoots,
    subject_digest,
)
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    Bytes32,
    Digest,
    KeyId,
    LogNumber,
    Seq,
    UnitNumber,
)

FORMS_MAX = 256
"""Keys whose newest form is remembered, at some ten kilobytes each."""

# The names of members and the numbers of items that lead to a value. A text knows its own hash.
_Place: TypeAlias = str

_NAME = "subject/0/name"
_SUBJECT = "subject/0/digest/sha256"
_SALT = "predicate/salt"
_COUNTER = "predicate/runDetails/counter"
_STARTED = "predicate/runDetails/startedOn"
_FINISHED = "predicate/runDetails/finishedOn"
_LOG = "predicate/beacon/log"
_SEQ = "predicate/beacon/seq"
_RECORD = "predicate/beacon/recordDigest"
_UNIT = "predicate/externalParameters/unit"
_SETTINGS_ROOT = "predicate/internalParameters/settingsRoot"
_MEASUREMENTS_ROOT = "predicate/measurementsRoot"
_ALWAYS = (_NAME, _SUBJECT, _SALT, _COUNTER, _STARTED, _FINISHED, _LOG, _SEQ, _RECORD)

_VALUE, _RAW_DATA, _MEASURED_ON = "value", "rawData", "measuredOn"
_OWN_NAMES = frozenset({_VALUE, _RAW_DATA, _MEASURED_ON})
_OF_VALUE = frozenset({"value", "raw_data", "measured_on"})

# Whole numbers of JSON with sixteen digits, as number or text; a payload that has them is no form.
_MARK = 9_007_199_254_740_000
_MARK_START = b"9007199254740"
_PLACES_MAX = 900
_DIGEST_SIZE = 32
_DIGITS_MAX = 13


class _OtherFormError(Exception):
    """A payload that departs from a form: it is to be read in full."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _MeasuredForm:
    """What the measurements at one place have in common, and where each has its own.

    It equals itself only.
    """

    stays: Mapping[str, Any]
    value: _Place
    raw_data: _Place
    measured_on: _Place

    @classmethod
    def of(cls, number: int, measured: Measurement) -> "_MeasuredForm":
        """Return the form of the measurement with a number."""
        return cls(
            stays=_without(measured, _OF_VALUE),
            value=_measured_place(number, _VALUE),
            raw_data=_measured_place(number, _RAW_DATA),
            measured_on=_measured_place(number, _MEASURED_ON),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Form:
    """What the statements of a job have in common, and their payloads; it equals itself only.

    Args:
        statement: The members that stay, by name; so of its run, external parameters and
            measurements.
        is_salted: Whether they have roots instead of values; each has its own.
        places: What changes, in the order of the payload.
        first: What stands before the first of them.
        rest: What stands behind each of them: its first byte, all of it, its length.
    """

    statement: Mapping[str, Any]
    run: Mapping[str, Any]
    external: Mapping[str, Any]
    measurements: Sequence["_MeasuredForm"]
    is_salted: bool
    places: Sequence[_Place]
    first: bytes
    rest: Sequence[tuple[bytes, bytes, int]]

    def read(self, payload: bytes) -> BuildStatement:
        """Return the statement of a payload of this form.

        Raises:
            _OtherFormError: It is of another one.
            GuildmarkError: A value is malformed.
        """
        said = dict(zip(self.places, self._values(payload), strict=True))
        name, salt = _text(said[_NAME], LABEL_MAX), Bytes32(_hex(said[_SALT], b"0x"))
        if _hex(said[_SUBJECT]) != subject_digest(name, salt):
            raise _OtherFormError
        return BuildStatement(
            **self.statement,
            label=name,
            salt=salt,
            external=ExternalParameters(**self.external, unit=_unit(said.get(_UNIT))),
            run=RunDetails(
                **self.run,
                counter=_integer(said[_COUNTER]),
                started_on=_integer(said[_STARTED]),
                finished_on=_integer(said[_FINISHED]),
            ),
            beacon=_beacon(said[_LOG], said[_SEQ], said[_RECORD]),
            measurements=tuple([_measured(each, said) for each in self.measurements]),
            roots=_roots(said) if self.is_salted else None,
        )

    def _values(self, payload: bytes) -> Sequence[bytes]:
        """Return what stands at the places, in their order."""
        if not payload.startswith(self.first):
            raise _OtherFormError
        values, start = [], len(self.first)
        for ending, behind, size in self.rest:
            end = payload.find(ending, start)
            if end < 0 or not payload.startswith(behind, end):
                raise _OtherFormError
            values.append(payload[start:end])
            start = end + size
        if start != len(payload):
            raise _OtherFormError
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatement:
    """A statement, and the form that it has, None where it makes none.

    Statements of one form differ in label, salt, counter, times, beacon, unit and measured values
    with their files and times only; those that commit to salted values in the roots, too.
    """

    statement: BuildStatement
    form: Hashable = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementReader:
    """Reads statements as ``BuildStatement.parse`` does, faster where they resemble earlier ones.

    Label, salt, counter, times, beacon, unit, roots and measured values with their files may
    differ from the statement that was learned; with any other difference, or a value that is
    refused, all of it is read.
    """

    _forms: OrderedDict[KeyId, _Form] = field(default_factory=OrderedDict)

    def read(self, payload: bytes, key: KeyId) -> ReadStatement:
        """Return the statement that a payload holds, bytes as signed.

        Args:
            payload: The bytes.
            key: Whose form is tried first.

        Raises:
            GuildmarkError: As ``BuildStatement.parse`` raises it.
        """
        form = self._forms.get(key)
        if form is not None and len(payload) <= STATEMENT_LIMITS.size:
            # What the form refuses is refused in full, with the reason.
            with contextlib.suppress(_OtherFormError, GuildmarkError):
                return ReadStatement(statement=form.read(payload), form=form)
        statement = BuildStatement.parse(payload)
        return ReadStatement(statement=statement, form=self._learned(statement, payload, key))

    def _learned(self, statement: BuildStatement, payload: bytes, key: KeyId) -> _Form | None:
        form = _form(statement, payload)
        if form is not None:
            self._forms[key] = form
            self._forms.move_to_end(key)
        if len(self._forms) > FORMS_MAX:
            self._forms.popitem(last=False)
        return form


def _form(statement: BuildStatement, payload: bytes) -> _Form | None:
    changing = _changing(statement)
    if _MARK_START in payload or len(changing) > _PLACES_MAX:
        return None
    tree = parse_object(payload, STATEMENT_LIMITS)
    if canonical(tree) != payload:
        return None
    marks = dict(enumerate(changing, start=_MARK))
    for mark, place in marks.items():
        _set(tree, place, mark)
    marked = canonical(tree)
    order = sorted(marks, key=lambda mark: marked.index(str(mark).encode()))
    first, *behind = re.split(b"|".join(str(mark).encode() for mark in order), marked)
    own = {"label", "salt", "external", "run", "beacon", "measurements", "roots"}
    return _Form(
        statement=_without(statement, own),
        run=_without(statement.run, {"counter", "started_on", "finished_on"}),
        external=_without(statement.external, {"unit"}),
        measurements=[_MeasuredForm.of(*each) for each in enumerate(statement.measurements)],
        is_salted=statement.roots is not None,
        places=[marks[mark] for mark in order],
        first=first,
        rest=[(text[:1], text, len(text)) for text in behind],
    )


def _without(value: Any, changing: Collection[str]) -> Mapping[str, Any]:
    """Return the members of a value that stay, by name."""
    names = [one.name for one in fields(value) if one.name not in changing]
    return {name: getattr(value, name) for name in names}


def _changing(statement: BuildStatement) -> Sequence[_Place]:
    unit = () if statement.external.unit is None else (_UNIT,)
    measured = (
        _measured_place(number, name)
        for number, one in enumerate(statement.measurements)
        for name in one.to_json().keys() & _OWN_NAMES
    )
    return (*_ALWAYS, *unit, *_root_places(statement.roots), *measured)


def _root_places(roots: ValueRoots | None) -> Iterator[_Place]:
    if roots is not None and roots.settings is not None:
        yield _SETTINGS_ROOT
    if roots is not None and roots.measurements is not None:
        yield _MEASUREMENTS_ROOT


def _roots(said: Mapping[_Place, bytes]) -> ValueRoots:
    settings, measurements = said.get(_SETTINGS_ROOT), said.get(_MEASUREMENTS_ROOT)
    return ValueRoots(
        settings=None if settings is None else Digest(_hex(settings, b"0x")),
        measurements=None if measurements is None else Digest(_hex(measurements, b"0x")),
    )


def _measured_place(number: int, name: str) -> _Place:
    return f"predicate/measurements/{number}/{name}"


def _measured(form: _MeasuredForm, said: Mapping[_Place, bytes]) -> Measurement:
    raw, time = said.get(form.raw_data), said.get(form.measured_on)
    measured = _valued(form, said[form.value])
    if raw is None and time is None:
        return measured
    return replace(
        measured,
        raw_data=None if raw is None else Digest(_hex(raw, b"0x")),
        measured_on=None if time is None else _integer(time),
    )


@lru_cache(maxsize=4096)
def _valued(form: _MeasuredForm, value: bytes) -> Measurement:
    """Return a measurement without file and time; the parts of a job share most values."""
    return Measurement(**form.stays, value=_text(value, LABEL_MAX))


@lru_cache(maxsize=256)
def _beacon(log: bytes, seq: bytes, record: bytes) -> Beacon:
    """Return a beacon; the parts of a job share it."""
    return Beacon(
        log=LogNumber(_integer(log)),
        seq=Seq(_integer(seq)),
        record_digest=Digest(_hex(record, b"0x")),
    )


def _set(tree: Any, place: _Place, mark: int) -> None:
    """Put a mark instead of a value: as text where the value is one."""
    *way, last = place.split("/")
    for step in way:
        tree = tree[int(step)] if isinstance(tree, list) else tree[step]
    tree[last] = str(mark) if isinstance(tree[last], str) else mark


def _unit(said: bytes | None) -> UnitNumber | None:
    return None if said is None else UnitNumber(_integer(said, least=1))


def _text(said: bytes, most: int) -> str:
    """Return a text that stands for itself: no escapes, and nothing but ASCII."""
    if len(said) > most or b"\\" in said or not said.isascii():
        raise _OtherFormError
    text = said.decode()
    if not text.isprintable():
        raise _OtherFormError
    return text


def _hex(said: bytes, before: bytes = b"") -> bytes:
    """Return the 32 bytes of hex in the one form that documents write."""
    try:
        value = bytes.fromhex(said[len(before) :].decode())
    except ValueError as error:
        raise _OtherFormError from error
    if len(value) != _DIGEST_SIZE or said != before + value.hex().encode():
        raise _OtherFormError
    return value


def _integer(said: bytes, *, least: int = 0) -> int:
    """Return a whole number without sign or leading zero, as blocks and units have them."""
    if not said.isdigit() or (said[:1] == b"0" and said != b"0") or len(said) > _DIGITS_MAX:
        raise _OtherFormError
    value = int(said)
    if not least <= value <= UINT40_MAX:
        raise _OtherFormError
    return value
