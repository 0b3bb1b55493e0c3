"""Check (10) in a whole verdict: what holds, what is said of it, and what a policy asks."""

from dataclasses import replace

import pytest

from fakes import simulator as sim
from fakes.cases import CASES
from fakes.cases.accredited import CERTIFIER, OF_CERTIFIER, OF_MAKER, SCOPE, accredit, register
from fakes.cases.draft import Draft, Sealed
from fakes.cases.notices import doubt, on_controller
from fakes.simulator import ISSUER, LOGGED, MAKER, REGISTERED, SITE, accreditation
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import to_hex
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.trust import Policy
from guildmark.domain.verification.evidence import (
    ACCREDITATIONS_MAX,
    AccreditationDisclosure,
    EvidenceRangeError,
)
from guildmark.domain.verification.report import Report, State, Verdict
from guildmark.verify import verify_bundle


def judged(sealed: Sealed) -> Report:
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


def drafted(*shown: AccreditationDisclosure) -> Draft:
    draft = Draft()
    accredit(draft, *shown)
    return draft


def case(name: str) -> Sealed:
    return next(one for one in CASES if one.name == name).seal()


@pytest.mark.parametrize(
    "shown",
    [
        (OF_MAKER, OF_CERTIFIER),
        (accreditation(ISSUER, MAKER, SCOPE),),
        (accreditation(ISSUER, SITE, SCOPE),),
        (accreditation(ISSUER, MAKER, replace(SCOPE, sites=(SITE,))),),
    ],
)
def test_a_part_of_an_accredited_maker_is_verified(
    shown: tuple[AccreditationDisclosure, ...],
) -> None:
    report = judged(drafted(*shown).seal())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    states = [check.state for check in report.checks]
    assert states == [*[State.OK] * 9, State.NOT_CLAIMED, State.OK, State.OK, State.NOT_CLAIMED]


def test_a_note_says_who_accredited_whom() -> None:
    report = judged(drafted().seal())

    issuers = f"{to_hex(CERTIFIER)}, under {to_hex(ISSUER)}"
    assert f"Makers of Example was accredited for ISO 13485 by {issuers}." in report.notes


def test_a_standard_may_be_named_by_the_clause_itself() -> None:
    draft = Draft()
    named = sim.text("/qa/accreditation/quality", ClauseClass.CORE, "ISO 13485")
    draft.simulator.master = tuple(sorted((*sim.MASTER, named), key=lambda leaf: leaf.path))
    draft.simulator.own = tuple(sorted((*sim.OWN, named), key=lambda leaf: leaf.path))
    draft.simulator.terms_members = sim.members_of_recipe(draft.simulator)
    draft.simulator.accreditations = (accreditation(ISSUER, MAKER, SCOPE),)

    assert judged(draft.seal()).exit == 0


def test_every_requirement_must_be_met() -> None:
    draft = drafted()
    other = sim.text("/qa/accreditation/welding/standard", ClauseClass.CORE, "ISO 3834")
    leaves = (*draft.simulator.master, other)
    draft.simulator.master = tuple(sorted(leaves, key=lambda leaf: leaf.path))
    draft.simulator.own = tuple(sorted((*draft.simulator.own, other), key=lambda leaf: leaf.path))
    draft.simulator.terms_members = sim.members_of_recipe(draft.simulator)

    report = judged(draft.seal())

    assert report.exit == 13
    assert report.failed[0].number == 10
    assert "ISO 3834" in report.failed[0].reason


def test_the_second_verdict_names_the_issuer() -> None:
    report = judged(case("authority_that_is_not_on_the_list"))

    assert report.verdict is Verdict.UNTRUSTED
    assert report.headline.endswith(
        "but the last issuer of an accreditation is not on your trust list."
    )


def test_a_policy_that_does_not_ask_is_told_what_it_misses() -> None:
    draft = drafted()
    draft.simulator.accreditations = ()
    draft.trust["policy"] = Policy(required=tuple(range(9)))

    report = judged(draft.seal())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert "Your policy does not ask for (10), which is unknown." in report.notes


def test_a_policy_that_does_not_ask_hears_of_what_is_contradicted() -> None:
    sealed = case("accreditation_that_nobody_gave")
    assert sealed.trust is not None
    older = replace(sealed.trust, policy=Policy(required=tuple(range(9))))

    assert judged(replace(sealed, trust=older)).exit == 13


def test_without_a_trust_file_nobody_is_a_root() -> None:
    draft = drafted()
    draft.without_trust = True

    report = judged(draft.seal())

    assert (report.verdict, report.exit) == (Verdict.UNTRUSTED, 16)
    assert report.checks[10].code == "verify.accreditationUnlisted"


def test_nothing_is_said_where_time_is_not_known() -> None:
    draft = drafted()
    draft.simulator.disclosed["beacon"] = None

    report = judged(draft.seal())

    assert report.checks[10].code == "verify.windowUnknown"
    assert not any("was accredited" in note for note in report.notes)


def test_what_is_not_proven_does_not_hide_what_is() -> None:
    draft = drafted(OF_MAKER, OF_CERTIFIER, accreditation(ISSUER, MAKER, SCOPE))
    location = storage.ACCREDITATIONS.at(OF_MAKER.id())
    draft.simulator.unproven.add(location)

    assert judged(draft.seal()).exit == 0


def test_a_bundle_shows_a_bounded_number() -> None:
    many = [
        accreditation(ISSUER, MAKER, ScopeDocument(standard=f"S {number}"))
        for number in range(ACCREDITATIONS_MAX + 1)
    ]

    drafted(*many[:-1]).seal()
    with pytest.raises(EvidenceRangeError, match="accreditations must be 0 to 32, found 33"):
        drafted(*many).seal()


def test_a_doubted_accreditation_does_no_harm_beside_one_that_holds() -> None:
    draft = drafted(OF_MAKER, OF_CERTIFIER, accreditation(ISSUER, MAKER, SCOPE))
    register(draft, CERTIFIER)
    doubt(draft, on_controller(CERTIFIER), LOGGED + 50, REGISTERED)

    report = judged(draft.seal())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert any(f"by {to_hex(ISSUER)}." in note for note in report.notes)


@pytest.mark.parametrize(("recorded_at", "exit_code"), [(1_489, 0), (1_490, 23), (1_500, 13)])
def test_what_counts_is_when_an_accreditation_was_given_not_what_it_begins_with(
    recorded_at: int, exit_code: int
) -> None:
    draft = drafted()
    register(draft, CERTIFIER)
    word = sim.accreditation_word(1_900, recorded_at=recorded_at)
    draft.simulator.words[storage.ACCREDITATIONS.at(OF_MAKER.id())] = word
    doubt(draft, on_controller(CERTIFIER), 1_500, 1_490)

    assert judged(draft.seal()).exit == exit_code


def test_a_doubted_accreditation_is_in_no_note() -> None:
    draft = drafted()
    register(draft, CERTIFIER)
    doubt(draft, on_controller(CERTIFIER), LOGGED + 50, REGISTERED)

    assert not [note for note in judged(draft.seal()).notes if "was accredited" in note]
