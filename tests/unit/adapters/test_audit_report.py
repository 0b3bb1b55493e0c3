"""An audit as tables: what a spreadsheet would run is text, what is not shown is empty."""

import csv
import io

from guildmark.adapters.reports import audit
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.services.audit.auditing import AuditResult, Finding, Flaw

FOUND = Finding(
    flaw=Flaw.WITHHELD,
    places=((LogNumber(1), Index(2)), (LogNumber(1), Index(7))),
    reason='=HYPERLINK("x"), "so"',
)
RESULT = AuditResult(block=9, units=(), findings=(FOUND,))


def test_a_table_reads_back_and_runs_nothing() -> None:
    table = audit.table(audit.FINDING_HEADS, audit.finding_rows(RESULT))

    (row,) = csv.DictReader(io.StringIO(table.decode()))
    assert row == {
        "flaw": "withheld",
        "places": "1.2 1.7",
        "reason": '\'=HYPERLINK("x"), "so"',
    }


def test_a_document_says_what_it_is_about_and_how_it_ends() -> None:
    document = audit.document(RESULT, {"license": "0x01"})

    assert document == {
        "scope": {"license": "0x01"},
        "block": 9,
        "exit": 23,
        "states": {},
        "findings": [{"flaw": "withheld", "places": "1.2 1.7", "reason": '=HYPERLINK("x"), "so"'}],
        "units": [],
    }
