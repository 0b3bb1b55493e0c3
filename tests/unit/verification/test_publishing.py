"""Who published what a part was built by, and where: notices count against him, too."""

import pytest

from fakes import simulator as sim
from fakes.cases.draft import Draft, word
from fakes.cases.given import ADDED, BUYER, SOLD, extend, share
from fakes.cases.licenses import CLASS, cleared
from fakes.cases.notices import HANDED_ON, doubt, hand_on, on_controller
from fakes.cases.sold import HOUSE, own, sell, show
from fakes.simulator import DESIGN, DESIGNER, GRANTED, LOGGED, OPERATOR, PUBLISHED, SITE
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes.recipe import Status
from guildmark.domain.trust import Listed
from guildmark.domain.verification.report import Report, Verdict
from guildmark.verify import verify_bundle

LATER = GRANTED + 60
"""Behind the grant, before the beacon."""

QUALIFIED = PUBLISHED + 50


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


def told(draft: Draft, check: int) -> str | None:
    return judged(draft).checks[check].code


def revised(at: int = LATER) -> Draft:
    """Return a part of a revision that was published at a time."""
    draft = Draft()
    draft.simulator.revision["at"] = at
    return draft


@pytest.mark.parametrize(
    ("notice_at", "since", "exit_code"),
    [(9, 1, 0), (9, 0, 23), (1, 0, 23), (0, 0, 18), (0, -9, 18)],
)
def test_a_thiefs_revision_under_an_old_license_is_doubted(
    notice_at: int, since: int, exit_code: int
) -> None:
    draft = revised()
    doubt(draft, on_controller(DESIGNER), LATER + notice_at, LATER + since)

    assert judged(draft).exit == exit_code


@pytest.mark.parametrize(
    ("at", "since", "code"),
    [
        (QUALIFIED + 1, PUBLISHED, "verify.controllerInDoubt"),
        (QUALIFIED + 1, PUBLISHED + 1, "verify.controllerInDoubt"),
        (QUALIFIED + 1, QUALIFIED, "verify.controllerInDoubt"),
        (QUALIFIED + 1, QUALIFIED + 1, None),
        (QUALIFIED, PUBLISHED, "verify.controllerUnderNotice"),
        (PUBLISHED, PUBLISHED, "verify.controllerUnderNotice"),
    ],
)
def test_a_recipe_is_doubted_by_who_published_it_and_set_its_status(
    at: int, since: int, code: str | None
) -> None:
    draft = Draft()
    doubt(draft, on_controller(DESIGNER), at, since)

    assert told(draft, 7) == code


def test_a_status_that_a_thief_set_later_is_doubted() -> None:
    draft = Draft()
    recipe = draft.simulator.make_recipe().id()
    word(storage.STEPS.at(recipe, 1), sim.step_word(Status.TRIAL, PUBLISHED + 10))(draft)
    word(storage.STEPS.at(recipe, 2), sim.step_word(Status.QUALIFIED, LATER))(draft)
    doubt(draft, on_controller(DESIGNER), LATER + 9, LATER)

    assert told(draft, 7) == "verify.controllerInDoubt"


IN_DOUBT, UNDER_NOTICE = "verify.controllerInDoubt", "verify.controllerUnderNotice"


@pytest.mark.parametrize(
    ("published", "at", "since", "code"),
    [
        # While the seller owned it.
        (SOLD - 1, SOLD - 1, SOLD - 1, UNDER_NOTICE),
        (SOLD - 1, SOLD, SOLD - 1, IN_DOUBT),
        (SOLD - 1, SOLD, SOLD, None),
        # In the second of the sale either may have published.
        (SOLD, SOLD, SOLD, IN_DOUBT),
        (SOLD, SOLD, SOLD + 1, None),
        # Later it was the buyer, whom a doubted seller may not have sold to.
        (SOLD + 1, SOLD, SOLD, IN_DOUBT),
        (SOLD + 1, SOLD - 1, SOLD - 1, IN_DOUBT),
        (SOLD + 1, SOLD + 1, SOLD + 1, None),
        (SOLD + 1, SOLD + 9, SOLD + 1, None),
    ],
)
def test_a_seller_is_doubted_for_his_own_time_and_for_the_sale(
    published: int, at: int, since: int, code: str | None
) -> None:
    draft = Draft()
    sell(draft, at=published)
    doubt(draft, on_controller(DESIGNER), at, since)

    assert told(draft, 5) == code


@pytest.mark.parametrize(
    ("published", "at", "code"),
    [
        (SOLD - 1, SOLD - 1, None),
        (SOLD, SOLD - 1, IN_DOUBT),
        (SOLD + 1, SOLD, UNDER_NOTICE),
        (SOLD + 1, SOLD + 2, IN_DOUBT),
    ],
)
def test_a_buyer_is_doubted_from_the_sale_on(published: int, at: int, code: str | None) -> None:
    draft = Draft()
    sell(draft, at=published)
    doubt(draft, on_controller(HOUSE), at, min(at, published))

    assert told(draft, 5) == code


def resold(draft: Draft, *owners: bytes) -> None:
    """Let the design have been sold on, each time ten seconds later."""
    sold = [(account, SOLD + 10 * number) for number, account in enumerate(owners)]
    own(draft, (sim.OWNER, sim.REGISTERED), *sold)


THIRD = b"\xd8" * 20


@pytest.mark.parametrize(
    ("published", "code"),
    [(SOLD + 9, None), (SOLD + 10, IN_DOUBT), (SOLD + 11, UNDER_NOTICE), (SOLD + 15, UNDER_NOTICE)],
)
def test_who_got_the_design_back_is_himself_again(published: int, code: str | None) -> None:
    draft = Draft()
    sell(draft, at=published)
    resold(draft, BUYER, sim.OWNER)
    show(draft, (1, HOUSE), (2, DESIGNER))
    doubt(draft, on_controller(DESIGNER), SOLD + 1, SOLD + 1)

    assert told(draft, 5) == code


@pytest.mark.parametrize(("since", "code"), [(SOLD + 10, IN_DOUBT), (SOLD + 11, None)])
def test_each_sale_before_a_paper_counts_by_its_own_time(since: int, code: str | None) -> None:
    draft = Draft()
    sell(draft, at=SOLD + 15)
    resold(draft, BUYER, THIRD)
    show(draft, (1, HOUSE), (2, None))
    doubt(draft, on_controller(HOUSE), SOLD + 20, since)

    assert told(draft, 5) == code


@pytest.mark.parametrize(
    ("shown", "code"), [((1, 2), None), ((2,), None), ((1,), IN_DOUBT), ((1, 9), IN_DOUBT)]
)
def test_a_bundle_that_hides_who_published_leaves_it_in_doubt(
    shown: tuple[int, ...], code: str | None
) -> None:
    draft = Draft()
    sell(draft, at=SOLD + 15)
    resold(draft, BUYER, THIRD)
    show(draft, *((epoch, None) for epoch in shown))
    doubt(draft, on_controller(DESIGNER), SOLD + 1, SOLD + 1)

    assert told(draft, 5) == code


@pytest.mark.parametrize("since", [SOLD - 1, SOLD])
def test_a_license_by_the_buyer_settles_how_he_got_the_design(since: int) -> None:
    draft = revised(at=SOLD + 1)
    extend(draft)
    house = sim.identity_word(IdentityKind.ORGANIZATION, controller=sim.OWNER)
    word(storage.IDENTITIES.at(HOUSE), house)(draft)
    show(draft, (0, HOUSE))
    doubt(draft, on_controller(HOUSE), SOLD + 1, since)

    assert told(draft, 5) is None


@pytest.mark.parametrize(("is_shown", "code"), [(False, IN_DOUBT), (True, None)])
def test_what_was_published_before_an_owner_bought_the_design_is_not_his(
    is_shown: bool, code: str | None
) -> None:
    draft = revised(at=PUBLISHED)
    extend(draft)
    show(draft, *([(0, None)] if is_shown else []))
    doubt(draft, on_controller(DESIGNER), PUBLISHED, PUBLISHED)

    assert told(draft, 5) == code


@pytest.mark.parametrize(("at", "code"), [(QUALIFIED, IN_DOUBT), (QUALIFIED + 1, None)])
def test_a_status_counts_by_who_owned_the_design_then(at: int, code: str | None) -> None:
    draft = Draft()
    own(draft, (sim.OWNER, sim.REGISTERED), (BUYER, QUALIFIED))
    show(draft, (1, None))
    doubt(draft, on_controller(DESIGNER), GRANTED, at)

    assert told(draft, 7) == code


def test_who_owned_the_design_from_the_first_was_himself_before_the_grant() -> None:
    draft = revised(at=GRANTED - 20)
    doubt(draft, on_controller(DESIGNER), GRANTED - 20, GRANTED - 20)

    assert told(draft, 5) == "verify.controllerUnderNotice"


def test_that_nobody_followed_an_owner_is_not_assumed() -> None:
    draft = revised()
    draft.simulator.unproven.add(storage.DESIGN_OWNERS.at(DESIGN, 1))

    assert judged(draft).exit == 23
    assert told(draft, 5) == told(draft, 7) == "verify.proofMissing"


def test_who_is_not_shown_to_have_signed_is_not_doubted_for_publishing() -> None:
    draft = revised(at=ADDED)
    extend(draft)
    draft.simulator.disclosed["extension"] = None
    doubt(draft, on_controller(DESIGNER), ADDED, ADDED)

    report = judged(draft)

    assert report.checks[5].code is None
    assert report.checks[6].code == "verify.extensionMissing"


@pytest.mark.parametrize(("name", "value"), [("owner", None), ("licenses", ())])
def test_a_part_that_shows_no_owner_or_no_license_is_never_green(name: str, value: object) -> None:
    draft = revised()
    draft.simulator.disclosed[name] = value
    doubt(draft, on_controller(DESIGNER), LATER, LATER)

    report = judged(draft)

    assert report.checks[7].code is None
    assert report.verdict is not Verdict.VERIFIED


@pytest.mark.parametrize(("since", "exit_code"), [(1, 0), (0, 23)])
def test_a_clearance_by_a_doubted_issuer_clears_nobody(since: int, exit_code: int) -> None:
    draft, given = Draft(), 1_200
    office = sim.identity("export office")
    place = cleared(draft, issuer=office)
    word(place, sim.interval_word(given))(draft)
    word(storage.IDENTITIES.at(office), sim.identity_word(IdentityKind.AUTHORITY))(draft)
    draft.trust["issuers"] = (Listed(id=sim.ISSUER), Listed(id=office))
    doubt(draft, on_controller(office), LOGGED, given + since)

    report = judged(draft)

    assert report.exit == exit_code
    assert (report.checks[6].code == "verify.clearanceMissing") is (exit_code == 23)
    assert CLASS in report.checks[6].reason or exit_code == 0


def test_a_clearance_whose_issuer_is_not_shown_to_be_sound_clears_nobody() -> None:
    draft = Draft()
    office = sim.identity("export office")
    cleared(draft, issuer=office)
    word(storage.IDENTITIES.at(office), sim.identity_word(IdentityKind.AUTHORITY))(draft)
    draft.trust["issuers"] = (Listed(id=sim.ISSUER), Listed(id=office))
    draft.simulator.unproven.add(on_controller(office))

    assert told(draft, 6) == "verify.clearanceMissing"


@pytest.mark.parametrize(
    ("at", "since", "code"),
    [
        (LATER + 9, LATER, "verify.controllerInDoubt"),
        (LATER + 9, LATER + 1, None),
        (LATER, LATER, "verify.controllerUnderNotice"),
    ],
)
def test_a_site_recipe_is_doubted_by_when_its_site_published_it(
    at: int, since: int, code: str | None
) -> None:
    draft = Draft()
    site_recipe = draft.simulator.make_site_recipe().id()
    word(storage.SITE_RECIPES.at(site_recipe), LATER)(draft)
    doubt(draft, on_controller(SITE), at, since)

    assert told(draft, 7) == code


@pytest.mark.parametrize(
    ("is_shared", "at", "since", "codes"),
    [
        (True, 9, 0, ("verify.controllerInDoubt", None)),
        (True, 0, 0, ("verify.controllerUnderNotice", None)),
        (True, 9, 1, (None, None)),
        (False, 9, 0, (None, None)),
        (True, 9, GRANTED - LATER, ("verify.controllerInDoubt", "verify.controllerInDoubt")),
    ],
)
def test_a_notice_on_the_owners_account_counts_in_whoevers_name_it_was_given(
    is_shared: bool, at: int, since: int, codes: tuple[str | None, str | None]
) -> None:
    draft = revised()
    if is_shared:
        share(draft)
    doubt(draft, on_controller(OPERATOR), LATER + at, LATER + since)

    assert (told(draft, 5), told(draft, 6)) == codes


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (HANDED_ON - 1, "verify.controllerInDoubt"),
        (HANDED_ON, "verify.controllerInDoubt"),
        (HANDED_ON + 1, None),
    ],
)
def test_an_account_is_doubted_in_anothers_name_as_long_as_it_spoke_for_him(
    at: int, code: str | None
) -> None:
    draft = revised(at=at)
    hand_on(draft, OPERATOR, IdentityKind.ORGANIZATION)
    first = int.from_bytes(sim.OWNER, "big") | sim.REGISTERED << 160
    word(storage.CONTROLLERS.at(OPERATOR, 1), first)(draft)
    doubt(draft, on_controller(OPERATOR, 1), HANDED_ON + 50, HANDED_ON - 1)

    assert told(draft, 5) == code


def test_a_name_that_is_not_proven_leaves_what_was_published_as_it_is() -> None:
    draft = revised()
    draft.simulator.unproven.add(storage.IDENTITIES.at(sim.ISSUER))

    report = judged(draft)

    assert (report.checks[5].code, report.checks[6].code) == (None, None)
