"""Values that are not shown: what stands for them, and what the notes say of it."""

import pytest

from fakes.cases.draft import Draft
from fakes.cases.equivalent import GOOD, certified
from fakes.cases.salted import HEIGHT, salted
from guildmark.api.pages.verdict import Judge, verdict_page
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.verification.report import Report, State
from guildmark.domain.verification.verdict import verify_evidence
from guildmark.verify.document import document

_COVERED = "; the certificate of equivalence of the maker's site, (9), covers them."
_OPEN = "; no certificate of equivalence, (9), covers them."


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_evidence(sealed.evidence, sealed.trust, sealed.question)


@pytest.mark.parametrize(
    ("shown", "number", "words"),
    [
        ("/tolerance", 7, "2 of 2 settings are kept by the maker"),
        (HEIGHT, 7, "1 of 2 settings is kept by the maker"),
        (HEIGHT, 8, "2 of 2 measured values are kept by the maker"),
    ],
)
def test_a_certificate_stands_for_what_is_closed_and_a_note_says_so(
    shown: str, number: int, words: str
) -> None:
    draft = Draft()
    salted(draft, shown)
    certified(draft, GOOD)

    report = judged(draft)

    closed = [one.number for one in report.checks if one.state is State.WITHHELD]
    assert report.exit == 0
    assert number in closed
    assert f"{words}{_COVERED}" in report.notes
    assert report.checks[number].covered_by == 9
    checks = document(report)["checks"]
    assert isinstance(checks, list)
    said = checks[number]
    assert isinstance(said, dict)
    assert (said["state"], said["coveredBy"]) == ("withheld", 9)


def test_without_a_certificate_nothing_stands_for_what_is_closed() -> None:
    draft = Draft()
    salted(draft, "/tolerance")

    report = judged(draft)

    assert report.exit == 23
    assert report.checks[7].covered_by is None
    assert f"2 of 2 settings are kept by the maker{_OPEN}" in report.notes
    assert not any(note.endswith(_COVERED) for note in report.notes)


def test_how_many_are_kept_is_not_said_where_it_is_not_shown() -> None:
    draft = Draft()
    salted(draft)
    draft.simulator.disclosed["settings"] = None

    report = judged(draft)

    said = "All settings are kept by the maker, who does not show how many there are"
    assert f"{said}{_OPEN}" in report.notes
    assert report.checks[8].covered_by is None


def test_the_page_says_what_is_kept_and_what_covers_it() -> None:
    draft = Draft()
    salted(draft, "/tolerance")
    certified(draft, GOOD)

    page = verdict_page(judged(draft), judge=Judge(host="h", chain_class=ChainClass.LOCAL))

    (kept,) = [fact for fact in page.facts if fact.name == "Not shown"]
    assert kept.value == "2 of 2 settings are kept by the maker."
    assert kept.source == "the certificate of equivalence of the maker's site, (9), covers them"
