"""Which sites are qualified for a recipe: every way in which a certificate may end."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.world import World, make_world
from guildmark.api.pages.qualified import QualifiedPage, qualified_page
from guildmark.api.pages.rendering import render
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import (
    CertificateFact,
    ControllerFact,
    CounterFact,
    NoticeFact,
    PlanEntryFact,
    PlanFact,
    RecipeFact,
    SitePlanFact,
)
from guildmark.domain.chain.refusals import RecipeUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.identifiers import Address, IdentityId, RecipeId, to_hex
from guildmark.domain.identity.identity import controller_target
from guildmark.domain.recipes.recipe import Change
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.services.equivalence.qualified import SiteStanding, standings
from guildmark.services.index.projection import known

NOW = 100
RESULT = sha256(b"result")
GOOD, BAD = {"verdict": 1}, {"verdict": 2}
IN_FORCE = "The site was certified equivalent, and the certificate is in force."


class Board:
    """A world whose index says what became of plans."""

    def __init__(self) -> None:
        self.world: World = make_world()
        self.recipe = self.world.recipe.id()

    def plan(self, number: int, **given: Any) -> None:
        """Put a plan on record that the world's site joined, and what was certified of it."""
        own, site = self.recipe, self.world.site
        made = Registration(
            recipe=own,
            sponsor=self.world.maker,
            evaluator=given.pop("evaluator", self.world.issuer),
            document=sha256(f"plan {number}".encode()),
            commit_by=200,
            reveal_by=300,
            sites=(site,),
        )
        entry = PlanEntryFact(
            plan=made.id(), site=site, number=number, scope=sha256(b"model"), joined_at=1
        )
        with self.world.tools.store.writing() as work:
            work.facts.put(
                PlanFact(id=made.id(), plan=made, at=1),
                SitePlanFact(recipe=own, site=site, number=number, plan=made.id()),
                entry,
            )
            counter = given.pop("counter", None)
            if given:
                members = {"since": number, "result": RESULT, **given}
                work.facts.put(CertificateFact(plan=made.id(), site=site, **members))
            if counter is not None:
                work.facts.put(
                    CounterFact(plan=made.id(), site=site, challenger=counter, result=RESULT, at=2)
                )

    def trust(self, *authorities: IdentityId) -> Trust:
        """Return a list that names the plans' evaluator, and others."""
        named = (self.world.issuer, *authorities)
        pin = self.world.tools.chain.pin()
        listed = tuple(Listed(id=one) for one in named)
        return Trust(version=VERSION, chain=pin, authorities=listed)

    def standing(self, *authorities: IdentityId) -> SiteStanding:
        with self.world.tools.store.reading() as view:
            (found,) = standings(self.recipe, view, NOW, self.trust(*authorities))
        return found

    def page(self) -> QualifiedPage:
        clock = SimpleNamespace(now=lambda: NOW)
        judging = SimpleNamespace(clock=clock, trust=self.trust())
        node = SimpleNamespace(store=self.world.tools.store, judging=judging)
        return qualified_page(self.recipe, cast("ServedNode", node))


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.mark.parametrize(
    ("given", "until", "reason"),
    [
        (GOOD, 0, IN_FORCE),
        ({**GOOD, "until": NOW + 1}, NOW + 1, IN_FORCE),
        ({**GOOD, "suspended_at": NOW + 1}, 0, IN_FORCE),
    ],
)
def test_a_site_is_qualified_while_its_certificate_holds(
    board: Board, given: dict[str, int], until: int, reason: str
) -> None:
    board.plan(1, **given)

    found = board.standing()

    assert (found.is_qualified, found.until, found.reason) == (True, until, reason)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({**GOOD, "until": NOW}, "The site was certified equivalent; it has ended."),
        ({**GOOD, "suspended_at": NOW}, "The site was certified equivalent; it is suspended."),
        (
            {**GOOD, "lapsed_at": NOW, "cause": 1},
            "The site was certified equivalent; it has lapsed.",
        ),
        (BAD, "The last plan found the site not equivalent."),
        (
            {"verdict": 3},
            "Nobody certified the site equivalent: plan 1 ended with INCONCLUSIVE.",
        ),
        ({}, "Nobody certified the site equivalent: plan 1 is running."),
    ],
)
def test_why_a_site_is_not_qualified_is_said(
    board: Board, given: dict[str, int], reason: str
) -> None:
    board.plan(1, **given)

    found = board.standing()

    assert (found.is_qualified, found.until, found.reason) == (False, 0, reason)


STRANGER, OWNER = IdentityId(b"s" * 32), Address(b"o" * 20)


def test_a_strangers_certificate_qualifies_nobody(board: Board) -> None:
    board.plan(1, evaluator=STRANGER, **GOOD)

    found, by_own_list = board.standing(), board.standing(STRANGER)

    assert (found.is_qualified, by_own_list.is_qualified) == (False, True)
    reason = "The site was certified equivalent, but its evaluator is not on this node's list."
    assert found.reason == reason
    (row,) = board.page().sites
    assert row.standing == "not qualified"
    assert row.plans[0].told.endswith("(its evaluator is not on this node's list)")


def test_a_stranger_neither_takes_back_a_bad_word_nor_says_one(board: Board) -> None:
    board.plan(1, **GOOD)
    board.plan(2, **BAD, evaluator=STRANGER)
    unheard = board.standing()
    board.plan(3, **BAD)
    board.plan(4, **GOOD, evaluator=STRANGER)

    assert (unheard.is_qualified, board.standing().is_qualified) == (True, False)


def test_a_certificate_that_a_listed_authority_contradicts_qualifies_nobody(board: Board) -> None:
    board.plan(1, **GOOD, counter=STRANGER)

    found, unlisted = board.standing(STRANGER), board.standing()

    assert (found.is_qualified, unlisted.is_qualified) == (False, True)
    assert found.reason.endswith("but an authority on this node's list found another result.")


def test_a_doubted_evaluator_qualifies_nobody(board: Board) -> None:
    board.plan(1, **GOOD)
    evaluator = board.world.issuer
    with board.world.tools.store.writing() as work:
        work.facts.put(
            ControllerFact(identity=evaluator, number=1, account=OWNER, since=0),
            NoticeFact(
                identity=evaluator,
                target=controller_target(evaluator, 1),
                by=IdentityId(bytes(32)),
                number=1,
                notice_at=9,
                suspected_from=0,
                evidence=RESULT,
            ),
        )

    found = board.standing()

    assert found.reason.endswith("but a notice doubts its evaluator.")


def test_the_longest_certificate_counts_and_an_open_one_has_no_end(board: Board) -> None:
    board.plan(1, **GOOD, until=NOW + 5)
    board.plan(2, **GOOD, until=NOW + 9)
    limited = board.standing().until
    board.plan(3, **GOOD)

    assert (limited, board.standing().until) == (NOW + 9, 0)


@pytest.mark.parametrize(("bad", "is_qualified"), [(1, True), (3, False)])
def test_a_bad_end_counts_where_it_is_the_last_word(
    board: Board, bad: int, is_qualified: bool
) -> None:
    board.plan(2, **GOOD)
    board.plan(bad, **BAD)

    assert board.standing().is_qualified is is_qualified


@pytest.mark.parametrize(("change", "count"), [(Change.MINOR, 1), (Change.REQUALIFY, 0)])
def test_a_small_change_of_the_recipe_keeps_its_sites(
    board: Board, change: Change, count: int
) -> None:
    board.plan(1, **GOOD)
    with board.world.tools.store.writing() as work:
        old = known(work.facts, RecipeFact, board.recipe)
        later = replace(old.recipe, supersedes=board.recipe, change=change)
        work.facts.put(replace(old, id=later.id(), recipe=later))

    with board.world.tools.store.reading() as view:
        assert len(standings(later.id(), view, NOW, board.trust())) == count


def test_a_recipe_of_nobody_is_told(board: Board) -> None:
    with board.world.tools.store.reading() as view, pytest.raises(RecipeUnknownError):
        standings(RecipeId(bytes(32)), view, NOW, board.trust())


def test_the_page_tells_of_every_plan(board: Board) -> None:
    board.plan(1, verdict=3)
    board.plan(2, **GOOD, until=NOW + 1, suspended_at=NOW + 1, lapsed_at=NOW + 1, cause=1)
    with board.world.tools.store.writing() as work:
        plan = known(work.facts, SitePlanFact, board.recipe, board.world.site, 2).plan
        work.facts.put(
            CounterFact(
                plan=plan,
                site=board.world.site,
                challenger=IdentityId(bytes(32)),
                result=RESULT,
                at=2,
            )
        )

    page = board.page()
    text = render("qualified.html", page, host="parts.example.org")

    (row,) = page.sites
    assert page.headline == "1 of 1 compared sites is qualified"
    assert row.until == "Until 1970-01-01 00:01:41 UTC."
    first, second = row.plans
    assert first.told.startswith("Plan 1: INCONCLUSIVE by ")
    assert "(suspended on " in second.told
    assert "(lapsed on " in second.told
    assert "found another result)" in second.told
    assert (first.href, second.href) == ("", "")
    assert f"/orgs/{to_hex(board.world.site)}" in text


def test_the_page_says_that_nobody_was_compared(board: Board) -> None:
    page = board.page()

    assert page.headline == "No site was compared for this recipe yet"
    assert "<h2" not in render("qualified.html", page, host="parts.example.org")
