"""Recipes that say that they change less than they do: right ones, and what the report says."""

import pytest

from fakes import simulator as sim
from fakes.cases.approved import sign
from fakes.cases.draft import Draft
from fakes.cases.overridden import CORE, OWNER, agreed, altered, override, understate
from fakes.simulator import BEGUN, LOGGED, PUBLISHED, REGISTERED, owner_word
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import UnitNumber
from guildmark.domain.recipes.recipe import Change
from guildmark.domain.verification.evidence import ExtensionDisclosure, OwnerDisclosure
from guildmark.domain.verification.report import Report
from guildmark.verify import verify_bundle

TOLD = "The recipe states its change as minor, by the rules it is requalify."


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


def reasons(draft: Draft) -> list[str]:
    return [one.reason for one in judged(draft).checks[7].findings]


@pytest.mark.parametrize("change", [Change.EDITORIAL, Change.MINOR])
@pytest.mark.parametrize("day", [PUBLISHED - 1, PUBLISHED, BEGUN, LOGGED])
def test_a_part_of_a_recipe_that_two_signed_for_is_verified(change: Change, day: int) -> None:
    draft = Draft()
    override(draft, change, approved_on=day)

    report = judged(draft)

    assert report.exit == 0
    (note,) = [note for note in report.notes if "by the rules" in note]
    assert note.startswith(f"The recipe states its change as {change.name.lower()}, by the rules")
    assert "The designer and 0x" in note


def test_what_needs_nobody_is_told_by_no_note() -> None:
    draft = Draft()
    sim.supersede(draft.simulator, Change.MINOR)
    draft.simulator.disclosed["approvals"] = agreed(draft)

    report = judged(draft)

    assert report.exit == 0
    assert not [note for note in report.notes if "rules" in note]


def test_each_signature_that_lacks_is_told() -> None:
    draft = Draft()
    understate(draft)

    assert reasons(draft) == [
        f"{TOLD} No shown approval of the designer agrees to that.",
        f"{TOLD} No shown approval of an accredited organization agrees to that.",
    ]
    assert not [note for note in judged(draft).notes if "by the rules" in note]


def test_one_good_pair_is_enough_whatever_stands_beside_it() -> None:
    draft = Draft()
    override(draft)
    others = (sign(draft, standard="ISO 13485", ruled=Change.REQUALIFY), sign(draft))
    draft.simulator.disclosed["approvals"] = (*others, *agreed(draft))

    assert judged(draft).exit == 0


def test_who_signed_too_late_is_named() -> None:
    draft = Draft()
    override(draft, approved_on=LOGGED + 1)

    assert reasons(draft)[0] == (
        f"{TOLD} The designer approved at {LOGGED + 1}, after the part was logged."
    )


@pytest.mark.parametrize(("sold", "is_designer"), [(PUBLISHED - 1, False), (PUBLISHED, True)])
def test_the_designer_is_who_owned_the_design_when_the_recipe_appeared(
    sold: int, is_designer: bool
) -> None:
    draft = Draft()
    override(draft, approved_on=REGISTERED)
    words = draft.simulator.words
    words[storage.DESIGN_OWNERS.at(sim.DESIGN, 1)] = owner_word(sim.OWNER, sold)

    found = {one.cause.code for one in judged(draft).checks[7].findings}

    assert ("verify.overrideUnsigned" not in found) is is_designer


def test_the_next_owner_may_agree_later() -> None:
    draft = Draft()
    override(draft, approved_on=BEGUN)
    words = draft.simulator.words
    words[storage.DESIGN_OWNERS.at(sim.DESIGN, 0)] = owner_word(sim.OWNER, REGISTERED)
    words[storage.DESIGN_OWNERS.at(sim.DESIGN, 1)] = owner_word(OWNER, BEGUN)

    before = {one.cause.code for one in judged(draft).checks[7].findings}
    draft.simulator.disclosed["owners"] = (OwnerDisclosure(epoch=1),)
    after = {one.cause.code for one in judged(draft).checks[7].findings}

    assert "verify.overrideUnsigned" in before
    assert "verify.overrideUnsigned" not in after


def test_without_the_license_nobody_is_known_as_the_designer() -> None:
    draft = Draft()
    override(draft)
    draft.simulator.disclosed["licenses"] = ()

    assert reasons(draft) == [
        f"{TOLD} The account that signed as the designer did not own the design then."
    ]


def test_the_owner_of_an_extension_is_one_of_those_shown() -> None:
    draft = Draft()
    override(draft)
    shown = ExtensionDisclosure(first=UnitNumber(61), epoch=0)
    draft.simulator.disclosed["extension"] = shown

    assert judged(draft).checks[7].code is None


def test_a_greater_change_than_the_rules_make_needs_nobody() -> None:
    draft = Draft()
    spelled = altered(draft, CORE, value="40.0")
    sim.supersede(draft.simulator, Change.MINOR, spelled)

    assert judged(draft).exit == 0


def test_a_recipe_that_is_not_shown_has_no_override_to_note() -> None:
    draft = Draft()
    override(draft)
    draft.simulator.disclosed["recipe"] = None

    assert not [note for note in judged(draft).notes if "by the rules" in note]
