"""A report as a document: equal when read again, and strict about what it is."""

from dataclasses import replace
from decimal import Decimal

import pytest

import comparing
from filing import GIVEN, SHOWN, report
from guildmark.domain.encoding.fields import MemberInvalidError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import BlindData
from guildmark.domain.equivalence.leaves import OpeningMismatchError
from guildmark.domain.equivalence.logged import Passed
from guildmark.domain.equivalence.reporting.report import (
    Certified,
    EquivalenceReport,
    Sample,
)
from guildmark.domain.identifiers import Bytes32, EquivalencePlanId


def test_a_report_is_the_same_when_read_again() -> None:
    body = report().encode()

    assert EquivalenceReport.parse(body) == report()
    assert EquivalenceReport.parse(body).encode() == body


@pytest.mark.parametrize("other", ["https://guildmark.org/equivalence-report/v2", "", "1"])
def test_a_report_of_another_type_is_none(other: str) -> None:
    body = report().encode().replace(b"https://guildmark.org/equivalence-report/v1", other.encode())

    with pytest.raises(MemberInvalidError):
        EquivalenceReport.parse(body)


def test_a_sample_counts_parts_builds_and_lots_once() -> None:
    rows = comparing.drawn(comparing.SITE, 1, size=(4, 3))
    lots = [replace(one, lot=f"lot {number % 2}") for number, one in enumerate(rows)]

    own = Sample.of([*lots, replace(rows[0], value=Decimal("1.5"), instrument="another")])

    assert (own.readings, own.parts, own.builds, own.lots) == (13, 12, 4, 2)
    assert own.instruments == (comparing.GAUGE, "another")


def test_a_report_tells_what_was_passed_over() -> None:
    made = report()
    first = replace(made.sites[0], sample=Sample.of((), {Passed.LATE: 2}))
    told = replace(made, sites=(first, made.sites[1]))

    body = told.encode()

    assert b'"a late report": 2' in body
    assert EquivalenceReport.parse(body) == told
    assert b'"passed"' not in made.encode()


@pytest.mark.parametrize(
    ("now", "standing"),
    [(19, "in force"), (20, "suspended"), (29, "suspended"), (30, "lapsed"), (99, "lapsed")],
)
def test_a_certificate_stands_until_something_ends_it(now: int, standing: str) -> None:
    assert Certified.of(GIVEN).standing(now) == standing


@pytest.mark.parametrize(("now", "standing"), [(39, "in force"), (40, "ended")])
def test_a_certificate_ends_at_its_own_time(now: int, standing: str) -> None:
    plain = Certified.of(replace(GIVEN, suspended_at=0, lapsed_at=0))

    assert (plain.reason, plain.cause) == (None, None)
    assert plain.standing(now) == standing
    assert replace(plain, until=0).standing(now) == "in force"


def test_what_counts_of_a_report_are_revealed_data_alone() -> None:
    dataset = report().dataset([SHOWN])

    assert dataset.readings == SHOWN.readings
    assert dataset.roots == {comparing.REFERENCE: SHOWN.root()}
    assert dataset.failed == {comparing.SITE: "it did not reveal its data"}


@pytest.mark.parametrize(
    "data",
    [
        [],
        [replace(SHOWN, salt=SHOWN.salt, secret=Bytes32(sha256(b"other")))],
        [replace(SHOWN, plan=EquivalencePlanId(sha256(b"other")))],
    ],
)
def test_other_data_than_those_revealed_are_refused(data: list[BlindData]) -> None:
    with pytest.raises(OpeningMismatchError):
        report().dataset(data)
