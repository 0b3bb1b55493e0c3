"""Who approved the recipe, where it asks for it: right ones, and what the report says."""

import pytest

from fakes.cases.approved import APPROVER, STANDARD, approve, ask, sign
from fakes.cases.draft import Draft
from fakes.simulator import BEGUN, LOGGED, MACHINE
from guildmark.domain import bundle
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.approval import APPROVALS_MAX
from guildmark.domain.verification.evidence import EvidenceRangeError
from guildmark.domain.verification.report import Report
from guildmark.verify import verify_bundle


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


@pytest.mark.parametrize("day", [BEGUN - 50, BEGUN, LOGGED])
def test_a_part_of_an_approved_recipe_is_verified(day: int) -> None:
    draft = Draft()
    approve(draft, sign(draft))
    draft.simulator.disclosed["approvals"] = (sign(draft, approved_on=day),)

    report = judged(draft)

    assert report.exit == 0
    assert [note for note in report.notes if "approved" in note] == [
        f"{to_hex(APPROVER)} approved the recipe ({STANDARD})."
    ]


def test_one_good_approval_is_enough_whatever_stands_beside_it() -> None:
    draft = Draft()
    approve(draft)
    others = (sign(draft, standard="ISO 13485"), sign(draft, approver=MACHINE))
    draft.simulator.disclosed["approvals"] = (*others, sign(draft))

    assert judged(draft).exit == 0


def test_each_approval_that_does_not_count_is_told() -> None:
    draft = Draft()
    approve(draft)
    shown = (sign(draft, standard="ISO 13485"), sign(draft, approver=MACHINE))
    draft.simulator.disclosed["approvals"] = shown

    findings = judged(draft).checks[7].findings

    assert [one.reason for one in findings] == [
        f"{to_hex(APPROVER)} approved under ISO 13485, asked is ISO 9001.",
        f"The approver {to_hex(MACHINE)} is no registered organization.",
    ]


def test_without_the_license_the_owner_of_the_design_is_not_compared() -> None:
    draft = Draft()
    approve(draft)
    draft.simulator.disclosed["licenses"] = ()

    report = judged(draft)

    assert not [one for one in report.checks[7].findings if "approv" in one.reason]
    assert report.exit != 0


def test_a_recipe_that_is_not_shown_has_no_approval_to_note() -> None:
    draft = Draft()
    ask(draft)
    draft.simulator.disclosed["recipe"] = None

    assert not [note for note in judged(draft).notes if "approved" in note]


def test_evidence_has_a_bound_of_approvals() -> None:
    draft = Draft()
    approve(draft, *[sign(draft, reason=f"{number}") for number in range(APPROVALS_MAX + 1)])

    with pytest.raises(EvidenceRangeError):
        draft.seal()
