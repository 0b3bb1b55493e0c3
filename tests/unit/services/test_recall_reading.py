"""Recalls as they are read: by what is asked, page by page, and whom they reach."""

from dataclasses import replace

import pytest

from fakes.world import DESIGNER, ISSUER, MACHINE, SITE, World, make_world
from guildmark.domain.chain.facts import (
    PlanFact,
    RecallFact,
    RecipeFact,
    RecordFact,
    SitePlanFact,
    SiteRecipeFact,
)
from guildmark.domain.chain.refusals import RecallUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    EquivalencePlanId,
    Index,
    LogNumber,
)
from guildmark.domain.identity.identity import key_id
from guildmark.domain.recall import OWNERS, RecallCause, RecallId, Severity, Thing
from guildmark.domain.recall_reason import ReasonMismatchError, RecallReason
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.services.recalls.reaching import (
    Reach,
    RecalledPartUnknownError,
    is_within,
    reach,
    recalls_of,
)
from guildmark.services.recalls.reading import Asked, listed, recall_of, shown_reason
from guildmark.services.recalls.recalling import Said
from guildmark.services.recipes.disclosing import DisclosedThingUnknownError

NOBODYS = Bytes32(b"\7" * 32)
PLAN = EquivalencePlanId(b"\5" * 32)
TEXT = b"Cracks at the weld."
SAID = Said(severity=Severity.WITHDRAW, reason=sha256(TEXT))


@pytest.fixture
def world() -> World:
    """Return a world with one part on record, and a plan that its site joined."""
    made = make_world()
    made.disclose()
    made.tools.ingest(made.log).receive([made.envelope(1)])
    line = made.tools.line(made.log)
    line.step()
    line.step()
    made.tools.indexing().follow()
    with made.tools.store.writing() as work:
        (recipe,) = work.facts.each(RecipeFact)
        plan = Registration(
            recipe=recipe.id,
            sponsor=made.maker,
            evaluator=made.maker,
            document=Digest(NOBODYS),
            commit_by=1,
            reveal_by=2,
            sites=(made.site,),
        )
        work.facts.put(
            PlanFact(id=PLAN, plan=plan, at=1),
            SitePlanFact(recipe=recipe.id, site=made.site, number=1, plan=PLAN),
        )
    return made


def place(world: World) -> tuple[LogNumber, Index]:
    with world.tools.store.reading() as view:
        (fact,) = view.facts.each(RecordFact, world.log)
    return world.log, fact.record.first_index


def things(world: World) -> dict[RecallCause, Thing]:
    """Return what the part of the world can be recalled by."""
    with world.tools.store.reading() as view:
        (recipe,) = view.facts.each(RecipeFact)
        (own,) = view.facts.each(SiteRecipeFact)
    key = key_id(world.machine, signing_key(world.tools.keys, KeyName(MACHINE)))
    named = {
        RecallCause.LOT: (world.maker, NOBODYS),
        RecallCause.MACHINE: (world.machine, None),
        RecallCause.KEY: (key, None),
        RecallCause.RECIPE: (recipe.id, None),
        RecallCause.SITE_RECIPE: (own.id, None),
        RecallCause.CERTIFICATE: (PLAN, world.site),
        RecallCause.DESIGN: (world.revision.design, None),
    }
    found = {
        cause: Thing(cause=cause, id=Bytes32(one), detail=Bytes32(detail or bytes(32)))
        for cause, (one, detail) in named.items()
    }
    return {RecallCause.SERIAL: Thing.serial(*place(world)), **found}


def fact_of(thing: Thing, *, at: int = 1, since: int = 0, until: int = 0) -> RecallFact:
    return RecallFact(
        thing=thing,
        by=OWNERS,
        number=1,
        issuer=NOBODYS,
        at=at,
        since=since,
        until=until,
        severity=2,
        reason=SAID.reason,
    )


def reached(world: World, fact: RecallFact, log: LogNumber | None = None) -> Reach:
    with world.tools.store.reading() as view:
        return reach(fact, log or world.log, view)


def test_every_cause_but_a_lot_reaches_the_part_that_has_it_in_common(world: World) -> None:
    found = {cause: reached(world, fact_of(thing)) for cause, thing in things(world).items()}

    assert found.pop(RecallCause.LOT) == Reach(parts=None)
    assert found.pop(RecallCause.CERTIFICATE) == Reach(parts=1, is_most=True)
    assert set(found.values()) == {Reach(parts=1)}


def test_what_others_have_in_common_reaches_nothing_here(world: World) -> None:
    named = [Thing(cause=c, id=NOBODYS, detail=t.detail) for c, t in things(world).items()]

    found = [reached(world, fact_of(one)) for one in named if one.cause is not RecallCause.LOT]

    assert {one.parts for one in found} == {0}
    assert reached(world, fact_of(things(world)[RecallCause.SERIAL]), LogNumber(99)).parts == 0
    machine = things(world)[RecallCause.MACHINE]
    assert reached(world, fact_of(machine, since=1), LogNumber(99)).parts == 0


def test_a_window_reaches_what_was_recorded_in_it(world: World) -> None:
    with world.tools.store.reading() as view:
        (record,) = (one.record for one in view.facts.each(RecordFact, world.log))
    machine, time = things(world)[RecallCause.MACHINE], record.time
    windows = [(time, 0), (time + 1, 0), (0, time), (0, time + 1), (time, time + 1)]
    facts = [fact_of(machine, since=since, until=until) for since, until in windows]

    assert [reached(world, fact).parts for fact in facts] == [1, 0, 0, 1, 1]
    assert [is_within(fact, record) for fact in facts] == [True, False, False, True, True]


def test_what_is_not_on_record_is_in_no_window(world: World) -> None:
    assert not is_within(fact_of(things(world)[RecallCause.MACHINE]), None)


def test_a_part_is_told_what_reaches_it(world: World) -> None:
    named = things(world)
    facts = [fact_of(thing) for thing in named.values()]
    late = fact_of(Thing(cause=RecallCause.MACHINE, id=NOBODYS))
    with world.tools.store.writing() as work:
        work.facts.put(*facts, late)

    with world.tools.store.reading() as view:
        found = recalls_of(*place(world), view)
        page = listed(Asked(part=place(world)), view, most=99)

    # Entries commit to lots under salts.
    assert {fact.thing.cause for fact in found} == set(RecallCause) - {RecallCause.LOT}
    assert set(page.recalls) == set(found)


def test_a_part_that_is_not_here_is_not_said_to_be_free_of_recalls(world: World) -> None:
    log, index = place(world)
    with world.tools.store.reading() as view:
        for elsewhere in ((LogNumber(99), index), (log, Index(99))):
            with pytest.raises(RecalledPartUnknownError) as caught:
                listed(Asked(part=elsewhere), view, most=1)
            assert caught.value.code == "recall.partUnknown"


def test_a_key_among_several_of_its_machine_is_counted_at_most(world: World) -> None:
    keys = world.tools.keys
    keys.create(KeyName("second"), keys.public_key(KeyName(MACHINE)).algorithm)
    second = signing_key(keys, KeyName("second"))
    world.tools.identities(SITE).add_key(world.machine, second)
    world.tools.indexing().follow()

    assert reached(world, fact_of(things(world)[RecallCause.KEY])) == Reach(parts=1, is_most=True)


def issued(world: World) -> list[RecallFact]:
    """Issue three recalls, close the first; return them from the newest on."""
    design = things(world)[RecallCause.DESIGN]
    world.tools.recalling(DESIGNER).issue(design, SAID)
    world.tools.indexing().follow()
    world.tools.chain.mine()
    world.tools.recalling(DESIGNER).issue(design, replace(SAID, severity=Severity.DANGER))
    world.tools.chain.mine()
    world.tools.recalling(ISSUER).issue_as(world.issuer, design, SAID)
    world.tools.indexing().follow()
    world.tools.recalling(DESIGNER).close(design, 1, sha256(b"mended"))
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        facts = list(view.facts.each(RecallFact, design.key()))
    return sorted(facts, key=lambda fact: -fact.at)


def test_what_is_asked_is_listed(world: World) -> None:
    third, second, first = issued(world)
    design = things(world)[RecallCause.DESIGN]

    def ask(asked: Asked) -> list[RecallFact]:
        with world.tools.store.reading() as view:
            return list(listed(asked, view, most=99).recalls)

    assert ask(Asked()) == [third, second, first]
    assert ask(Asked(is_open=True)) == [third, second]
    assert ask(Asked(is_open=False)) == [first]
    assert ask(Asked(issuer=Bytes32(world.issuer))) == [third]
    assert ask(Asked(cause=RecallCause.DESIGN, thing=design)) == [third, second, first]
    assert ask(Asked(cause=RecallCause.MACHINE)) == []
    assert ask(Asked(thing=things(world)[RecallCause.MACHINE])) == []
    # The first was closed after all were issued.
    assert ask(Asked(since=first.closed_at)) == [first]
    assert ask(Asked(since=first.closed_at + 1)) == []


def test_who_writes_many_hides_nobody_elses(world: World) -> None:
    machine = things(world)[RecallCause.MACHINE]
    flood = [replace(fact_of(machine), number=number, at=100 + number) for number in range(1, 9)]
    honest = replace(fact_of(machine), number=9, at=101, issuer=Bytes32(b"\6" * 32))
    other = replace(fact_of(things(world)[RecallCause.DESIGN]), number=1, at=100)
    with world.tools.store.writing() as work:
        work.facts.put(*flood, honest, other)

    with world.tools.store.reading() as view:
        first = listed(Asked(few=2), view, most=3)
        rest = listed(Asked(few=2), view, most=3, after=first.after)
        whole = listed(Asked(thing=machine), view, most=99)

    assert first.recalls == (flood[7], flood[6], honest)
    assert (rest.recalls, rest.after) == ((other,), None)
    assert len(whole.recalls) == 9


def test_pages_follow_one_another_without_a_gap(world: World) -> None:
    facts, after = issued(world), None
    seen: list[RecallFact] = []

    with world.tools.store.reading() as view:
        for _ in facts:
            page = listed(Asked(), view, most=1, after=after)
            seen += page.recalls
            after = page.after
        unknown = RecallId(key=Digest(NOBODYS), by=OWNERS, number=1)
        with pytest.raises(RecallUnknownError):
            listed(Asked(), view, most=1, after=unknown)
        whole = listed(Asked(), view, most=3)
        one = recall_of(facts[0].id, view.facts)

    assert (seen, after, whole.after, one) == (facts, None, None, facts[0])


def test_a_reason_is_shown_once_somebody_published_it(world: World) -> None:
    first = issued(world)[-1]
    reason, disclosing = RecallReason.of_file(TEXT), world.tools.disclosing
    kind = DocumentKind.RECALL_REASON

    with world.tools.store.reading() as view:
        assert shown_reason(first.reason, view.documents) is None
    disclosing.receive(kind, first.reason, reason.encode())
    disclosing.receive(kind, first.closing, RecallReason("mended").encode())
    with pytest.raises(ReasonMismatchError):
        disclosing.receive(kind, first.reason, RecallReason("Other").encode())
    with pytest.raises(DisclosedThingUnknownError):
        disclosing.receive(kind, NOBODYS, reason.encode())

    with world.tools.store.reading() as view:
        assert shown_reason(first.reason, view.documents) == TEXT.decode()
        assert shown_reason(first.closing, view.documents) == "mended"
