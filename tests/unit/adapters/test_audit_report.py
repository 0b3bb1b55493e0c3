"""An audit as JSON, tables and paper: equal bytes, nothing that runs, and memory that stays."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import jsonschema_rs
import pytest

from guildmark.adapters.reports import audit
from guildmark.adapters.reports.book import SqliteBook
from guildmark.adapters.reports.pdf import audit as paper
from guildmark.domain.audit.accounts import (
    Accounts,
    GapAccount,
    LaneAccount,
    LogAccount,
    MachineAccount,
)
from guildmark.domain.audit.findings import Finding, Flaw
from guildmark.domain.audit.schema import audit_schema
from guildmark.domain.audit.telemetry import Drawing, TelemetryState
from guildmark.domain.audit.units import UnitRow
from guildmark.domain.chain.facts import NoticeFact, RecallFact
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    LogNumber,
)
from guildmark.domain.recall import OWNERS, Thing
from guildmark.ports.chain import Block
from guildmark.services.audit.auditing import AuditResult

ID = bytes([5]) * 32
SCOPE: JsonObject = {"license": "0x" + "01" * 32, "from": 5}
LOG = LogNumber(1)
FOUND = Finding(
    flaw=Flaw.WITHHELD,
    places=((LOG, Index(2)), (LOG, Index(7))),
    reason='=HYPERLINK("x"), "so"',
)
ROW = UnitRow(
    log=1,
    index=2,
    record=0,
    recorded="2026-01-02T03:04:05Z",
    block=7,
    license="0x" + "01" * 32,
    lane=3,
    unit=4,
    state="verified",
    site="0x" + "02" * 32,
)
RECALL = RecallFact(
    thing=Thing.serial(LOG, Index(2)),
    by=OWNERS,
    number=1,
    issuer=Bytes32(ID),
    at=50,
    since=0,
    until=0,
    severity=2,
    reason=Digest(ID),
)
NOTICE = NoticeFact(
    identity=IdentityId(ID),
    target=Bytes32(ID),
    by=IdentityId(bytes(32)),
    number=0,
    notice_at=70,
    suspected_from=60,
    evidence=Digest(ID),
)


@pytest.fixture
def book() -> Iterator[SqliteBook]:
    """Return an empty book."""
    with SqliteBook() as made:
        yield made


def accounts() -> Accounts:
    """Return accounts with one of everything."""
    other = replace(RECALL, by=IdentityId(ID), closed_at=60)
    gap = (Flaw.ACCREDITATION_GAP, IdentityId(ID), "verify.accreditationLapsed")
    return Accounts(
        states={"verified": 1},
        flaws={Flaw.WITHHELD: 1},
        machines={IdentityId(ID): MachineAccount(first=1, last=4, shown=2)},
        gaps={gap: GapAccount(first=1, last=2, parts=3)},
        recalls={one.key: (one, 1) for one in (RECALL, other)},
        telemetry={TelemetryState.OPENED: 1, TelemetryState.UNASKED: 2},
        drawing=Drawing(nonce=Bytes32(ID), most=3),
        notices=(NOTICE, replace(NOTICE, by=IdentityId(ID))),
        logs=tuple(
            LogAccount(
                number=LogNumber(number),
                operator=IdentityId(ID),
                records=1,
                size=2,
                unitless=0,
                is_whole=number == LOG,
            )
            for number in (1, 2)
        ),
        lanes=(
            LaneAccount(
                number=LaneNumber(3),
                license=LicenseId(ID),
                site=IdentityId(ID),
                units=9,
                drawn=1,
                refused=1,
            ),
        ),
    )


def result(book: SqliteBook) -> AuditResult:
    """Return a result with one of everything."""
    book.add_unit(ROW)
    book.add_finding(FOUND)
    block = Block(number=9, hash=Digest(ID), time=80)
    return AuditResult(block=block, accounts=accounts(), book=book)


def nothing(book: SqliteBook) -> AuditResult:
    """Return the result of an audit of nothing."""
    return AuditResult(block=None, accounts=Accounts(), book=book)


def written(found: AuditResult) -> Any:
    return json.loads(b"".join(audit.pieces(found, SCOPE)))


def test_a_table_reads_back_and_runs_nothing(book: SqliteBook) -> None:
    rows = map(audit.finding_row, result(book).book.findings())

    table = b"".join(audit.table(audit.FINDING_HEADS, rows))

    (row,) = csv.DictReader(io.StringIO(table.decode()))
    assert row["flaw"] == "withheld"
    assert row["places"] == "1.2 1.7"
    assert row["reason"] == '\'=HYPERLINK("x"), "so"'
    assert row["nextStep"].startswith("Ask the log's operator")


def test_the_published_schema_takes_what_is_written(book: SqliteBook) -> None:
    schema: Any = json.loads(json.dumps(audit_schema()))
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.Draft202012Validator(schema)
    document = written(result(book))

    validator.validate(document)

    for member in document:
        assert not validator.is_valid({k: v for k, v in document.items() if k != member}), member
    assert not validator.is_valid({**document, "more": 1})
    assert not validator.is_valid({**document, "states": {"green": 1}})
    with SqliteBook() as empty:
        validator.validate(written(nothing(empty)))


def test_a_document_says_what_it_is_about_and_how_it_ends(book: SqliteBook) -> None:
    document = written(result(book))

    assert (document["scope"], document["block"], document["exit"]) == (SCOPE, 9, 23)
    assert document["machines"] == [
        {"machine": "0x" + ID.hex(), "first": 1, "last": 4, "shown": 2, "missing": 2}
    ]
    assert [one["closed"] for one in document["recalls"]] == ["", "1970-01-01T00:01:00Z"]
    assert [one["isWhole"] for one in document["logs"]] == [True, False]
    assert document["units"][0]["unit"] == 4
    states = {"opened": 1, "unasked": 2}
    assert document["telemetry"] == {"nonce": "0x" + ID.hex(), "chunks": 3, "states": states}


def test_what_is_equal_is_written_in_equal_bytes(book: SqliteBook) -> None:
    found = result(book)

    assert b"".join(audit.pieces(found, SCOPE)) == b"".join(audit.pieces(found, SCOPE))
    assert paper.written(found, SCOPE) == paper.written(found, SCOPE)


def test_paper_names_what_it_has_no_room_for(
    book: SqliteBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "LINES_MAX", 0)

    assert paper.written(result(book), SCOPE).startswith(b"%PDF-")
    with SqliteBook() as empty:
        assert paper.written(nothing(empty), SCOPE).startswith(b"%PDF-")


def test_findings_stand_worst_first_and_by_place(book: SqliteBook) -> None:
    made = [
        Finding(flaw=Flaw.WITHHELD, places=((LOG, Index(9)),), reason="c"),
        Finding(flaw=Flaw.NODE_SILENT, places=(), reason="d"),
        Finding(flaw=Flaw.WITHHELD, places=((LOG, Index(2)),), reason="b"),
        Finding(flaw=Flaw.DOUBLE_USE, places=((LOG, Index(9)),), reason="a"),
    ]
    for one in made:
        book.add_finding(one)

    assert [one.reason for one in book.findings()] == ["a", "b", "c", "d"]


def test_a_use_at_one_place_is_no_double(book: SqliteBook) -> None:
    for at in (3, 3, 1):
        book.add_use("label", b"a", (LOG, Index(at)))
    book.add_use("label", b"b", (LOG, Index(5)))
    book.add_use("counter", b"b", (LOG, Index(6)))

    assert list(book.doubles("label")) == [[(LOG, 1), (LOG, 3)]]
    assert list(book.doubles("counter")) == []
    assert list(book.uses("label")) == [b"a", b"b"]


def fill(book: SqliteBook, count: int) -> AuditResult:
    """Write down units and findings as an audit of a log does."""
    sums = Accounts()
    for number in range(count):
        place = (LOG, Index(number))
        label = f"https://parts.example/id/x/{number:08d}".encode()
        book.add_unit(replace(ROW, index=number, unit=number + 1, label=label.decode()))
        book.add_use("label", label, place)
        book.add_use("counter", ID + number.to_bytes(8, "big"), place)
        finding = Finding(flaw=Flaw.WITHHELD, places=(place,), reason="It is withheld.")
        sums.add_finding(finding)
        book.add_finding(finding)
        sums.states["withheld"] = sums.states.get("withheld", 0) + 1
    book.add_use("label", b"https://parts.example/id/x/00000001", (LOG, Index(0)))
    return AuditResult(block=None, accounts=sums, book=book)


def peak(count: int) -> tuple[int, bytes, int]:
    """Return how much memory an audit's book and report take, its digest and its doubles."""
    tracemalloc.start()
    try:
        with SqliteBook() as book:
            found = fill(book, count)
            digest = sha256()
            for piece in audit.pieces(found, SCOPE):
                digest.update(piece)
            rows = map(audit.unit_row, book.units())
            for piece in audit.table(audit.UNIT_HEADS, rows):
                digest.update(piece)
            doubles = sum(1 for _ in book.doubles("label"))
        return tracemalloc.get_traced_memory()[1], digest.digest(), doubles
    finally:
        tracemalloc.stop()


def test_ten_thousand_units_take_no_more_memory_than_a_few() -> None:
    few, _, _ = peak(200)

    many, _, doubles = peak(10_000)

    assert doubles == 1
    assert many < few + (1 << 19)
