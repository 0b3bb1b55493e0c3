from dataclasses import replace

import pytest

from fakes import world as small
from fakes.store import MemoryFacts
from fakes.world import ISSUER, OPERATOR, World, clause, make_world
from guildmark.domain.chain.facts import KeyFact, LaneFact, LicenseFact, LogFact, RecordFact
from guildmark.domain.chain.refusals import (
    IdentityUnknownError,
    KeyUnknownError,
    LaneLogError,
    LicenseUnknownError,
    RecipeUnknownError,
)
from guildmark.domain.identifiers import (
    IdentityId,
    KeyId,
    LaneNumber,
    LogNumber,
    Seq,
    SiteRecipeId,
)
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import key_id
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.domain.shopfloor.fieldwork import Brief, readiness
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.assignments import UnlinkedError
from guildmark.services.builds.briefing import Briefing, Question
from guildmark.services.builds.builds import signing_key


@pytest.fixture
def world() -> World:
    made = make_world()
    made.disclose()
    return made


def question(world: World) -> Question:
    key = key_id(world.machine, signing_key(world.tools.keys, KeyName("machine")))
    return Question(machine=world.machine, key=key, lane=world.lane, site_recipe=world.site_recipe)


def brief(world: World) -> Brief:
    return Briefing(store=world.tools.store).brief(question(world))


def test_brief_says_what_counts_and_what_waits(world: World) -> None:
    first = brief(world)
    world.tools.ingest(world.log).receive([world.envelope()])
    second = brief(world)

    assert (first.maker, first.site, first.operator) == (world.maker, world.site, world.operator)
    assert first.external == world.statement().external
    assert first.ciphertext == world.revision.ciphertext
    assert (first.drawn, first.following, first.counter) == (1, 1, 0)
    assert (second.drawn, second.following, second.counter) == (1, 2, 1)
    assert first.beacon is not None
    assert first.beacon.time == world.beacon.time
    assert first.usable_beacon == world.statement().beacon
    assert Brief.parse(second.encode()) == second
    names = [right.name for right in first.rights]
    assert names == [
        *("the key", "the machine's link", "the site's link", "the design", "the recipe"),
        *("the site's recipe", "license 1", f"lane {world.lane}"),
    ]


def test_pace_is_between_the_last_two_records(world: World) -> None:
    before = brief(world)
    world.tools.logs(OPERATOR).tick()
    world.tools.indexing(world.log).follow()

    after = brief(world)

    assert before.pace == 0
    assert before.beacon is not None
    assert after.beacon is not None
    assert after.pace == after.beacon.time - before.beacon.time > 0


def test_ends_of_rights_are_told(world: World) -> None:
    key = question(world).key
    with world.tools.store.writing() as work:
        found = work.facts.get(KeyFact, key)
        license_ = work.facts.get(LicenseFact, 1)
        assert found is not None
        assert license_ is not None
        work.facts.put(replace(found, until=900, notice_at=800))
        work.facts.put(replace(license_, stop_at=700))

    ends = {right.name: right.until for right in brief(world).rights}

    assert ends["the key"] == 800
    assert ends["license 1"] == 700


def test_brief_without_any_record_has_no_beacon(world: World) -> None:
    world.tools.store.forget(RecordFact)
    with world.tools.store.writing() as work:
        for log in work.facts.each(LogFact):
            work.facts.put(replace(log, seq=Seq(0)))

    found = brief(world)

    assert found.beacon is None
    assert found.usable_beacon is None


def test_what_is_not_there_is_refused(world: World) -> None:
    briefing, good = Briefing(store=world.tools.store), question(world)
    nobody = bytes(31) + b"\1"
    for wrong, error in [
        (replace(good, lane=LaneNumber(99)), LicenseUnknownError),
        (replace(good, site_recipe=SiteRecipeId(nobody)), RecipeUnknownError),
        (replace(good, machine=IdentityId(nobody)), IdentityUnknownError),
        (replace(good, machine=world.operator), UnlinkedError),
        (replace(good, key=KeyId(nobody)), KeyUnknownError),
    ]:
        with pytest.raises(error):
            briefing.brief(wrong)
    with world.tools.store.writing() as work:
        lane = work.facts.get(LaneFact, world.lane)
        assert lane is not None
        work.facts.put(replace(lane, log=LogNumber(0)))
    with pytest.raises(LaneLogError):
        briefing.brief(good)


def asking(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose recipe asks that the maker is accredited."""
    asked = clause("/qa/accreditation/quality", ClauseClass.CORE, value="ISO 9001")
    leaves = sorted((*small.RECIPE.clauses, asked), key=lambda leaf: leaf.path)
    monkeypatch.setattr(small, "RECIPE", RecipeDocument(name="Bracket", clauses=tuple(leaves)))
    made = make_world()
    made.disclose()
    return made


def test_readiness_tells_of_the_accreditation_that_the_recipe_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = asking(monkeypatch)

    def begin() -> str:
        world.tools.indexing(world.log).follow()
        return readiness(brief(world), elapsed=0, delay=60, spoken_for=0).text

    absent = begin()
    end = world.tools.chain.now + 600
    given = world.tools.accreditations(ISSUER)
    given.give(world.issuer, world.maker, ScopeDocument(standard="ISO 9001"), until=end)
    young = begin()
    world.tools.logs(OPERATOR).tick()
    ready = begin()
    told = readiness(brief(world), elapsed=600, delay=60, spoken_for=0).text

    assert absent == "the accreditation for ISO 9001 does not hold"
    assert young.endswith("the accreditation for ISO 9001 is younger than any record")
    assert (ready, told) == ("ready", "the accreditation for ISO 9001 does not hold")
    (right,) = [one for one in brief(world).rights if "ISO" in one.name]
    assert right.until == end


def test_brief_of_a_recipe_that_is_not_shown_or_a_chain_without_blocks_asks_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = asking(monkeypatch)
    monkeypatch.setattr(MemoryFacts, "cursor", lambda _: None)

    assert "the accreditation for ISO 9001" in [one.name for one in brief(world).rights]
    world.tools.store.forget_documents(DocumentKind.RECIPE)
    assert not [one.name for one in brief(world).rights if "ISO" in one.name]
