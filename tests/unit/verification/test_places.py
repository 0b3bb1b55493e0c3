"""Where a site says that it is, over the whole time of a build."""

import pytest

from fakes import simulator as sim
from fakes.cases.draft import Draft, relicense, word
from fakes.cases.notices import doubt, on_controller
from fakes.simulator import BEGUN, LOGGED, SITE
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.identifiers import to_hex
from guildmark.domain.identity.identity import profile_digest
from guildmark.domain.verification.evidence import ProfileDisclosure
from guildmark.domain.verification.report import Report
from guildmark.verify import verify_bundle

PRESENT = ProfileDisclosure(identity=SITE, document=sim.PROFILE)


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


def profile(country: str) -> ProfileDisclosure:
    salt = to_hex(sim.salt(country))
    return ProfileDisclosure(identity=SITE, document=canonical({"country": country, "salt": salt}))


def stood(draft: Draft, shown: ProfileDisclosure, since: int, until: int = 0) -> None:
    place = storage.PROFILE_TIMES.at(SITE, shown.opened()[0])
    word(place, sim.interval_word(since, until))(draft)


def moved(at: int, before: str, *, shows: bool = True) -> Draft:
    """Return a part of a site that said to be elsewhere before, and in Germany since."""
    draft, former = Draft(), profile(before)
    relicense(draft, COUNTRY="DE", COUNTRY_DENIED="FR")
    stood(draft, former, sim.REGISTERED, at)
    stood(draft, PRESENT, at)
    draft.simulator.disclosed["profiles"] = (PRESENT, former) if shows else (PRESENT,)
    return draft


@pytest.mark.parametrize(("at", "exit_code"), [(BEGUN, 0), (BEGUN + 1, 18), (LOGGED, 18)])
def test_a_site_that_moved_was_where_it_said_at_the_time(at: int, exit_code: int) -> None:
    assert judged(moved(at, "FR")).exit == exit_code


def test_a_country_where_the_site_said_to_be_for_a_second_counts() -> None:
    draft = moved(BEGUN + 1, "AT")

    assert judged(draft).exit == 18


@pytest.mark.parametrize(("at", "exit_code"), [(BEGUN, 0), (BEGUN + 1, 23), (LOGGED + 1, 23)])
def test_a_profile_that_began_later_proves_no_country(at: int, exit_code: int) -> None:
    assert judged(moved(at, "FR", shows=False)).exit == exit_code


def test_a_profile_that_was_changed_without_moving_changes_nothing() -> None:
    assert judged(moved(BEGUN + 50, "DE")).exit == 0


def test_a_part_stays_as_it_is_when_its_site_moves_later() -> None:
    draft, later = Draft(), profile("FR")
    relicense(draft, COUNTRY="DE")
    stood(draft, PRESENT, sim.REGISTERED, LOGGED + 1)
    stood(draft, later, LOGGED + 1)
    digest = later.opened()[0]
    word(storage.PROFILES.at(SITE), sim.as_int(digest))(draft)
    draft.simulator.disclosed["profiles"] = (later, PRESENT)

    assert judged(draft).exit == 0


@pytest.mark.parametrize(("since", "exit_code"), [(sim.REGISTERED + 500, 23), (1_501, 0)])
def test_what_a_doubted_controller_said_of_the_place_is_in_doubt(
    since: int, exit_code: int
) -> None:
    draft = moved(1_500, "FR")
    doubt(draft, on_controller(SITE), LOGGED, since)

    assert judged(draft).exit == exit_code


def test_terms_without_countries_ask_for_no_place() -> None:
    draft = Draft()
    draft.simulator.unproven.add(storage.PROFILE_TIMES.at(SITE, PRESENT.opened()[0]))

    assert judged(draft).exit == 0


def test_a_profile_that_nobody_can_read_proves_no_place() -> None:
    draft = Draft()
    relicense(draft, COUNTRY="DE")
    broken = ProfileDisclosure(identity=SITE, document=b"{}")
    draft.simulator.disclosed["profiles"] = (broken,)

    assert judged(draft).exit == 23


def test_a_profile_without_a_country_proves_none() -> None:
    draft = Draft()
    relicense(draft, COUNTRY="DE")
    silent, salt = {"name": "S"}, sim.salt("silent")
    shown = ProfileDisclosure(identity=SITE, document=canonical({**silent, "salt": to_hex(salt)}))
    word(storage.PROFILES.at(SITE), sim.as_int(profile_digest(silent, salt)))(draft)
    draft.simulator.disclosed["profiles"] = (shown,)

    assert judged(draft).exit == 23


@pytest.mark.parametrize("turned", [False, True])
def test_every_profile_of_one_country_is_doubted_by_itself(*, turned: bool) -> None:
    draft = moved(BEGUN + 50, "DE")
    if turned:
        shown = draft.simulator.disclosed["profiles"]
        draft.simulator.disclosed["profiles"] = shown[::-1]
    doubt(draft, on_controller(SITE), LOGGED, BEGUN + 50)

    assert judged(draft).exit == 23
