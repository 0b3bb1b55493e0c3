"""Values that are not shown: what stands for them, and what the notes say of it."""

import pytest

from fakes.cases.draft import Draft
from fakes.cases.equivalent import GOOD, certified
from fakes.cases.salted import HEIGHT, salted
from guildmark.domain.verification.report import Report, State
from guildmark.domain.verification.verdict import verify_evidence

_COVERED = "A certificate of equivalence, (9), covers what is withheld of {}."


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_evidence(sealed.evidence, sealed.trust, sealed.question)


@pytest.mark.parametrize(("shown", "number"), [("/tolerance", 7), (HEIGHT, 8)])
def test_a_certificate_stands_for_what_is_closed_and_a_note_says_so(
    shown: str, number: int
) -> None:
    draft = Draft()
    salted(draft, shown)
    certified(draft, GOOD)

    report = judged(draft)

    closed = [one.number for one in report.checks if one.state is State.WITHHELD]
    assert report.exit == 0
    assert number in closed
    listed = ", ".join(f"({one})" for one in closed)
    assert _COVERED.format(listed) in report.notes


def test_without_a_certificate_nothing_stands_for_what_is_closed() -> None:
    draft = Draft()
    salted(draft, "/tolerance")

    report = judged(draft)

    assert report.exit == 23
    assert not any(note.startswith(_COVERED[:30]) for note in report.notes)
