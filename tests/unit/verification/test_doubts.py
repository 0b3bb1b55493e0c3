"""Notices that do not bear on a part, and those on who vouches for its parties."""

import pytest

from fakes import simulator as sim
from fakes.cases.draft import Draft, word
from fakes.cases.key import KEY
from fakes.cases.notices import HANDED_ON, KEY_ID, doubt, hand_on, list_authority, on_controller
from fakes.simulator import AUTHORITY, ISSUER, LOGGED, MACHINE, REGISTERED, SITE
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.trust import Listed, combine
from guildmark.domain.verification.report import Report, Verdict
from guildmark.verify import verify_bundle

BY_AUTHORITY = storage.NOTICES.at(KEY_ID, AUTHORITY)


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


def test_what_an_older_key_signed_is_not_doubted_with_its_controller() -> None:
    draft = Draft()
    doubt(draft, on_controller(MACHINE), REGISTERED + 2, REGISTERED + 1)

    assert judged(draft).exit == 0


def test_an_authority_that_the_reader_does_not_list_says_nothing() -> None:
    draft = Draft()
    draft.simulator.disclosed["authorities"] = (AUTHORITY,)
    doubt(draft, BY_AUTHORITY, LOGGED, LOGGED)
    doubt(draft, on_controller(SITE, by=AUTHORITY), REGISTERED, REGISTERED)

    assert judged(draft).exit == 0


@pytest.mark.parametrize(
    ("since", "until", "code"),
    [(LOGGED + 1, 0, 0), (0, LOGGED, 0), (LOGGED, LOGGED + 1, 12)],
)
def test_an_authority_counts_while_it_is_listed(since: int, until: int, code: int) -> None:
    draft = Draft()
    list_authority(draft, since, until)
    doubt(draft, BY_AUTHORITY, LOGGED, LOGGED)

    assert judged(draft).exit == code


def test_a_listed_authority_that_is_silent_changes_nothing() -> None:
    draft = Draft()
    list_authority(draft)

    assert judged(draft).verdict is Verdict.VERIFIED


def test_the_report_names_the_authority_and_both_times() -> None:
    draft = Draft()
    list_authority(draft)
    doubt(draft, BY_AUTHORITY, LOGGED + 1, LOGGED)

    reason = judged(draft).checks[2].reason

    assert reason == (
        f"The part was logged at {LOGGED}; notice was given at {LOGGED + 1} by the authority "
        f"Court, suspected from {LOGGED}."
    )


def test_the_next_controller_is_not_doubted_with_the_former_one() -> None:
    draft = Draft()
    hand_on(draft, SITE, IdentityKind.SITE)
    word(storage.LINKS.at(MACHINE, SITE, 1), sim.interval_word(HANDED_ON + 1))(draft)
    doubt(draft, on_controller(SITE, 1), HANDED_ON - 1, HANDED_ON - 1)

    assert judged(draft).exit == 0


def test_a_link_that_ended_before_the_window_is_not_looked_at() -> None:
    draft = Draft()
    shown = draft.simulator.make_disclosures().site_link
    assert shown is not None
    word(storage.LINK_COUNTS.at(MACHINE, SITE), 2)(draft)
    word(storage.LINKS.at(MACHINE, SITE, 1), sim.interval_word(HANDED_ON, HANDED_ON + 9))(draft)
    word(storage.LINKS.at(MACHINE, SITE, 2), sim.interval_word(HANDED_ON + 20))(draft)
    hand_on(draft, SITE, IdentityKind.SITE)
    word(storage.CONTROLLERS.at(SITE, 2), sim.controller_word(HANDED_ON + 19))(draft)
    doubt(draft, on_controller(SITE, 1), HANDED_ON, HANDED_ON)
    draft.simulator.disclosed["site_link"] = type(shown)(child=MACHINE, parent=SITE, count=2)

    assert judged(draft).exit == 0


def test_a_claim_by_a_doubted_issuer_names_nobody() -> None:
    draft = Draft()
    doubt(draft, on_controller(ISSUER), LOGGED, REGISTERED)

    report = judged(draft)

    assert (report.verdict, report.exit) == (Verdict.UNTRUSTED, 16)
    assert (
        "A claim of LEI does not count: its issuer's account was under notice or is doubted since "
        "then." in report.notes
    )


def test_a_claim_made_before_its_issuer_is_doubted_counts() -> None:
    draft = Draft()
    doubt(draft, on_controller(ISSUER), LOGGED, REGISTERED + 1)

    assert judged(draft).exit == 0


def test_hiding_a_notice_on_an_issuer_does_not_help() -> None:
    draft = Draft()
    draft.simulator.unproven.add(on_controller(ISSUER))

    report = judged(draft)

    assert report.exit == 16
    assert (
        "A claim of LEI does not count: that nobody gave notice of its issuer's account is not "
        "proven. Ask for a newer bundle." in report.notes
    )


def test_a_notice_in_the_future_of_the_part_still_doubts_what_it_names() -> None:
    draft = Draft()
    word(KEY, sim.key_word(REGISTERED, notice_at=LOGGED + 5, suspected_from=LOGGED + 1))(draft)

    assert judged(draft).exit == 0


def test_a_trust_file_lists_authorities_apart() -> None:
    trust = Draft().simulator.trust()

    grown = trust.with_parties(operators=(), issuers=(), authorities=(Listed(id=AUTHORITY),))

    assert grown.lists_authority(AUTHORITY, 5)
    assert not grown.lists_issuer(AUTHORITY, 5)
    assert not trust.lists_authority(AUTHORITY, 5)
    assert combine([trust, grown]).authorities == grown.authorities
