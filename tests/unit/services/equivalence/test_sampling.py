"""A site shows the units that were drawn, as they were logged, or its data are not used."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fakes.samples import BORE, DRAWN_FROM, LOGGED, UNITS, Shop, make_shop
from fakes.store import MemoryNodeStore
from fakes.world import Tools, World, make_world
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.facts import KeyFact, LaneFact, LinkFact, PlanEntryFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import BlindData
from guildmark.domain.equivalence.dataset import GaugeStudy, Trial
from guildmark.domain.equivalence.logged import (
    LoggedUnit,
    Passed,
    SampleError,
    TooFewDrawnError,
    passed_words,
)
from guildmark.domain.equivalence.plan import CharacteristicPlan
from guildmark.domain.equivalence.sampling import place_name
from guildmark.domain.errors import GuildmarkError, SignatureError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    EquivalencePlanId,
    IdentityId,
    Index,
    LogNumber,
    RecipeId,
    Seq,
    SiteRecipeId,
    to_hex,
)
from guildmark.domain.log.merkle import ProofError
from guildmark.domain.measurement.statistics import (
    ClaimedStatistics,
    StatisticsMismatchError,
    StatisticsUncheckableError,
)
from guildmark.domain.recipes.clause import ClausePath
from guildmark.services.equivalence.sampling import (
    DrawnUnitUnknownError,
    NotDrawnError,
    PlanDocumentUnknownError,
    SampleTooEarlyError,
    _collected,
    check_data,
    entry_of,
    passed_over,
    why_passed,
)

NOWHERE = EquivalencePlanId(sha256(b"nowhere"))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("fakes.world.UNITS", LOGGED)
    made = make_world()
    made.disclose()
    return made


@pytest.fixture
def shop(world: World) -> Shop:
    return make_shop(world)


@pytest.fixture
def drawn(shop: Shop) -> Shop:
    """Return the shop once its parts are logged and the draw is on record."""
    shop.log(*(shop.state(number) for number in range(1, LOGGED + 1)))
    shop.tick(2)
    return shop


def test_the_drawn_units_are_what_their_machine_measured(drawn: Shop) -> None:
    found = drawn.world.tools.sampling.draw(drawn.id, drawn.site)
    data = drawn.collected()

    names = [place_name(place) for place in found.order]
    assert [index for _, index in sorted(found.order)] == list(range(DRAWN_FROM))
    assert [one.part for one in data.readings] == names[:UNITS]
    assert len({one.build for one in data.readings}) == UNITS
    for one in data.readings:
        number = int(one.part.partition(".")[2]) + 1
        assert one.value == Decimal(f"22.{number:02d}")
        assert one.raw == sha256(b"raw %d" % number)
    drawn.commit(data)
    dataset = drawn.judged(data)
    assert to_hex(drawn.site) not in dataset.failed
    assert set(dataset.readings) == set(data.readings)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Return a shop whose machines sign salted values, of which nobody sees any."""
    monkeypatch.setattr("fakes.world.UNITS", LOGGED)
    world = make_world(Tools(shown=()))
    world.disclose()
    shop = make_shop(world)
    shop.log(*(shop.state(number) for number in range(1, LOGGED + 1)))
    shop.tick(2)
    return shop


def test_a_site_opens_to_a_plan_what_it_measures_and_nothing_else(closed: Shop) -> None:
    found = closed.collected()
    data = BlindData.parse(closed.data(found).encode()).shown

    assert data.logged == found.logged
    assert {one.characteristic for one in data.readings} == {BORE}
    for unit in data.logged:
        assert unit.measurements is not None
        assert [one.path for one in unit.measurements.opened] == [BORE]
        assert unit.opened()[1].settings == ()
    assert to_hex(closed.site) not in closed.judged(data).failed


def test_a_drawn_value_that_stays_closed_fails_the_site(closed: Shop) -> None:
    data = closed.collected()
    hidden = [
        replace(one, measurements=one.measurements.only(lambda _: False))
        for one in data.logged
        if one.measurements is not None
    ]

    dataset = closed.judged(replace(data, logged=tuple(hidden)))

    assert to_hex(closed.site) in dataset.failed


def test_nothing_is_drawn_before_all_is_on_record(shop: Shop) -> None:
    draw = shop.world.tools.sampling.draw
    shop.log(*(shop.state(number) for number in range(1, DRAWN_FROM)))
    shop.tick(2)

    with pytest.raises(SampleTooEarlyError, match="did not log 6 units"):
        draw(shop.id, shop.site)
    shop.log(shop.state(DRAWN_FROM))
    shop.tick()
    with pytest.raises(SampleTooEarlyError, match="not two ticks"):
        draw(shop.id, shop.site)
    shop.tick()
    first = draw(shop.id, shop.site)
    shop.log(shop.state(DRAWN_FROM + 1))
    shop.tick(2)

    # What comes later changes nothing.
    assert draw(shop.id, shop.site) == first


def test_who_did_not_join_has_no_units(shop: Shop) -> None:
    second = IdentityId(bytes.fromhex(shop.plan.sites[0][2:]))

    with pytest.raises(SampleTooEarlyError, match="did not join"):
        shop.world.tools.sampling.draw(shop.id, second)
    with pytest.raises(PlanDocumentUnknownError):
        shop.world.tools.sampling.draw(NOWHERE, second)


def test_a_plan_may_draw_nothing(world: World) -> None:
    shop = make_shop(world, drawn_from=None)

    with pytest.raises(NotDrawnError):
        shop.world.tools.sampling.draw(shop.id, shop.site)


def test_units_of_others_and_of_other_designs_are_not_drawn(drawn: Shop) -> None:
    found = drawn.world.tools.sampling.draw(drawn.id, drawn.site)
    with drawn.world.tools.store.writing() as work:
        lane = work.facts.get(LaneFact, drawn.world.lane)
        assert lane is not None
        strange = replace(lane, holder=drawn.world.issuer)
        work.facts.put(strange)

    with pytest.raises(SampleTooEarlyError):
        drawn.world.tools.sampling.draw(drawn.id, drawn.site)
    for holder, is_its in ((drawn.world.maker, True), (drawn.site, True)):
        with drawn.world.tools.store.writing() as work:
            work.facts.put(replace(lane, holder=holder))
        assert (drawn.world.tools.sampling.draw(drawn.id, drawn.site) == found) is is_its


def test_whom_a_site_joins_later_adds_no_units(drawn: Shop) -> None:
    """A link after joining, and one that had ended, leave the population as it was."""
    joined = drawn.world.tools
    with joined.store.writing() as work:
        lane = work.facts.get(LaneFact, drawn.world.lane)
        (link,) = work.facts.each(LinkFact, drawn.site)
        entry = work.facts.get(PlanEntryFact, drawn.id, drawn.site)
        assert lane is not None
        assert entry is not None
        work.facts.put(replace(lane, holder=drawn.world.maker))
    at = entry.joined_at
    for since, until, counts in (
        (at, 0, True),
        (at + 1, 0, False),
        (at - 1, at, False),
        (at - 1, at + 1, True),
    ):
        with joined.store.writing() as work:
            work.facts.put(replace(link, since=since, until=until))
        if counts:
            assert joined.sampling.draw(drawn.id, drawn.site).order
        else:
            with pytest.raises(SampleTooEarlyError):
                joined.sampling.draw(drawn.id, drawn.site)


def test_a_drawn_part_cannot_be_left_out(drawn: Shop) -> None:
    data = drawn.collected()
    worst = data.readings[0].part

    assert (
        drawn.refusal(replace(data, logged=data.logged[1:], readings=data.readings[1:]))
        == f"The drawn part {worst} is not shown."
    )


def test_a_value_of_a_drawn_part_cannot_be_left_out(drawn: Shop) -> None:
    data = drawn.collected()

    said = drawn.refusal(replace(data, readings=data.readings[1:]))

    assert said == f"There is no {BORE} of the drawn part {data.readings[0].part}."


def test_a_part_that_was_not_drawn_cannot_be_chosen(drawn: Shop) -> None:
    data = drawn.collected()
    chosen = replace(data.readings[0], part="9.9")

    said = drawn.refusal(replace(data, readings=(*data.readings, chosen)))

    assert said == "The part 9.9 was not drawn."


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("value", {"value": Decimal("22.3")}),
        ("value", {"value": Decimal("22.010")}),
        ("unit", {"unit": "um"}),
        ("instrument", {"instrument": "another gauge"}),
        ("rawData", {"raw": sha256(b"another file")}),
        ("rawData", {"raw": None}),
        ("build", {"build": "a build of its own"}),
        ("lot", {"lot": "a lot of its own"}),
    ],
)
def test_what_was_logged_cannot_be_changed(drawn: Shop, name: str, changes: dict[str, Any]) -> None:
    data = drawn.collected()
    first, *rest = data.readings

    said = drawn.refusal(replace(data, readings=(replace(first, **changes), *rest)))

    assert said.startswith(f"The {name} of {BORE} of the part {first.part} is ")


def test_a_drawn_part_that_was_logged_without_the_value_proves_nothing(shop: Shop) -> None:
    bore = CharacteristicPlan(path=BORE, unit="mm", margin="0.1")
    other = replace(bore, path=ClausePath("/process/nozzle"))
    made = make_shop(shop.world, characteristics=(other, bore))
    made.log(*(made.state(number) for number in range(1, DRAWN_FROM + 1)))
    made.tick(2)
    data = made.collected()

    said = made.refusal(data)

    part = data.readings[0].part
    assert said == f"What was logged of the drawn part {part} does not measure {other.path}."


def swapped(unit: LoggedUnit, **changes: Any) -> LoggedUnit:
    return replace(unit, **changes)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda unit: swapped(unit, salt=Bytes32(sha256(b"other"))), ProofError),
        (lambda unit: swapped(unit, position=unit.position ^ 1), ProofError),
        (lambda unit: swapped(unit, previous=unit.previous + 1), ProofError),
        (lambda unit: swapped(unit, path=unit.path[1:]), ProofError),
        (lambda unit: swapped(unit, seq=Seq(99)), SampleError),
        (lambda unit: swapped(unit, log=LogNumber(9)), SampleError),
    ],
)
def test_a_unit_is_shown_at_its_own_place(
    drawn: Shop, change: Callable[[LoggedUnit], LoggedUnit], error: type[GuildmarkError]
) -> None:
    data = drawn.collected()
    first, *rest = data.logged

    with pytest.raises(error):
        drawn.commit(replace(data, logged=(change(first), *rest)))


def test_a_unit_that_its_machine_did_not_sign_proves_nothing(shop: Shop) -> None:
    """A log's writer may take in whatever he likes; what no machine signed counts for nothing."""
    signed = [shop.state(number) for number in range(1, DRAWN_FROM + 1)]
    shop.log(*signed)
    shop.tick(2)
    data = shop.collected()
    with shop.world.tools.store.writing() as work:
        for key in work.facts.each(KeyFact):
            work.facts.put(replace(key, machine=shop.world.instrument))

    with pytest.raises(SignatureError):
        shop.commit(data)


def test_units_that_were_not_built_for_the_plan_are_passed_over_and_shown(world: World) -> None:
    old = world.beacon
    shop = make_shop(world)
    early = replace(shop.world, beacon=old)
    begun_before = [
        replace(shop.state(number), beacon=early.statement(number).beacon) for number in (1, 2)
    ]
    late = shop.state(3, is_late_report=True)
    shop.log(*begun_before, late, *(shop.state(number) for number in range(4, 7)))
    shop.tick(2)

    data = shop.collected()

    assert sorted(one.part for one in data.readings) == ["1.3", "1.4", "1.5"]
    assert {unit.position for unit in data.logged} >= {3, 4, 5}
    shop.commit(data)


@pytest.fixture
def passing(world: World) -> Shop:
    """Return a shop that logged a late report and scrap beside three parts."""
    shop = make_shop(world, drawn_from=5)
    scrapped = replace(shop.state(2), scrap="the first layer came off")
    late = shop.state(1, is_late_report=True)
    shop.log(late, scrapped, *(shop.state(number) for number in range(3, 6)))
    shop.tick(2)
    return shop


def test_what_is_passed_over_is_counted_by_reason(passing: Shop) -> None:
    data = passing.data(passing.collected())
    with passing.world.tools.store.reading() as view:
        passed = passed_over(passing.plan, data, view)
        undrawn = passed_over(replace(passing.plan, drawn_from=None), data, view)

    assert passed == {Passed.LATE: 1, Passed.SCRAP: 1}
    assert passed_words(passed) == "1 a late report, 1 scrap"
    assert not undrawn


def test_a_plan_bounds_what_is_passed_over(passing: Shop) -> None:
    data = passing.data(passing.collected())
    with passing.world.tools.store.reading() as view:

        def check(share: str) -> None:
            check_data(replace(passing.plan, max_passed=share), data, view)

        check("0.4")
        with pytest.raises(SampleError) as caught:
            check("0.399")

    assert caught.value.message == (
        "2 of 5 drawn parts were passed over (1 a late report, 1 scrap); the plan allows a share of"
        " 0.399."
    )


def test_data_that_pass_over_too_many_do_not_count(world: World) -> None:
    shop = make_shop(world, drawn_from=4, max_passed="0")
    good = [shop.state(number) for number in range(2, 5)]
    shop.log(shop.state(1, is_late_report=True), *good)
    shop.tick(2)

    assert shop.refusal(shop.collected()).startswith("1 of 4 drawn parts were passed over (1 a")


def test_too_few_units_of_the_plan_are_told(world: World) -> None:
    shop = make_shop(world)
    shop.log(*(shop.state(number, is_late_report=number < 5) for number in range(1, 7)))
    shop.tick(2)

    with pytest.raises(TooFewDrawnError) as caught:
        shop.collected()
    assert caught.value.message == (
        "Only 2 of the drawn parts were built for the plan (passed over: 4 a late report)."
    )
    assert caught.value.detail == {"found": 2, "passed": {"a late report": 4}}


def test_other_sites_recipes_and_models_are_not_the_plans(drawn: Shop) -> None:
    with drawn.world.tools.store.reading() as view:
        entry = view.facts.get(PlanEntryFact, drawn.id, drawn.site)
        assert entry is not None

        def why(said: BuildStatement, **changes: Any) -> Passed | None:
            return why_passed(drawn.plan, replace(entry, **changes), said, view)

        said = drawn.state(1)
        external, beacon = said.external, said.beacon
        assert why(said) is None
        assert why(said, site=IdentityId(sha256(b"other"))) is Passed.OTHER_SITE
        assert why(said, scope=Digest(sha256(b"other"))) is Passed.OTHER_MODEL
        assert why(said, joined_at=drawn.world.beacon.time) is None
        assert why(said, joined_at=drawn.world.beacon.time + 1) is Passed.EARLY
        other = SiteRecipeId(sha256(b"other"))
        assert [
            why(replace(said, external=replace(external, recipe=RecipeId(sha256(b"other"))))),
            why(replace(said, external=replace(external, site_recipe=other))),
            why(replace(said, beacon=replace(beacon, seq=Seq(99)))),
            why(replace(said, beacon=replace(beacon, record_digest=sha256(b"other")))),
            why(replace(said, scrap="the first layer came off")),
        ] == [Passed.OTHER_RECIPE, Passed.OTHER_MODEL, Passed.EARLY, Passed.EARLY, Passed.SCRAP]


def test_only_the_home_of_the_log_collects(drawn: Shop) -> None:
    with drawn.world.tools.store.reading() as view:
        entry = entry_of(drawn.id, drawn.site, view)
        empty = replace(view, log=MemoryNodeStore().reading().__enter__().log)

        with pytest.raises(DrawnUnitUnknownError):
            _collected(drawn.plan, entry, ((LogNumber(1), Index(0)),), empty)


def claim(**figures: Any) -> ClaimedStatistics:
    return ClaimedStatistics(**{"characteristic": BORE, "unit": "mm", **figures})


def test_claimed_figures_are_recomputed_on_both_sides(drawn: Shop) -> None:
    data = drawn.collected()
    values = sorted(one.value for one in data.readings)
    true = claim(n=UNITS, minimum=str(values[0]), maximum=str(values[-1]))

    said = drawn.refusal(replace(data, statistics=(true, claim(maximum="22.99"))))

    assert said == f"The file claims max = 22.99 of {BORE}; its values give {values[-1]}00."
    replace(data, statistics=(true,)).check_claims(drawn.plan)


@pytest.mark.parametrize(
    ("figures", "error"),
    [
        ({"n": UNITS + 1}, StatisticsMismatchError),
        ({"cpk": "1.33"}, StatisticsUncheckableError),
        ({"unit": "um", "mean": "22"}, SampleError),
        (
            {"characteristic": ClausePath("/tolerance/height"), "mean": "22"},
            StatisticsUncheckableError,
        ),
    ],
)
def test_a_claim_that_does_not_recompute_is_refused(
    drawn: Shop, figures: dict[str, Any], error: type[GuildmarkError]
) -> None:
    with pytest.raises(error):
        replace(drawn.collected(), statistics=(claim(**figures),)).check_claims(drawn.plan)


def test_capability_is_claimed_by_the_plans_limits(drawn: Shop) -> None:
    bore = replace(drawn.plan.characteristics[0], lower="22.00", upper="22.40")
    plan = replace(drawn.plan, characteristics=(bore,))
    data = replace(drawn.collected(), statistics=(claim(cpk="9.99"),))

    with pytest.raises(StatisticsMismatchError, match="claims cpk"):
        data.check_claims(plan)


def test_data_come_back_from_their_documents(drawn: Shop) -> None:
    trial = Trial(part="1", appraiser="A", value=Decimal("22.10"))
    study = GaugeStudy(instrument="gauge", characteristic=BORE, trials=(trial,))
    full = replace(drawn.collected(), studies=(study,), statistics=(claim(n=3),))
    data = drawn.data(full)

    assert BlindData.parse(data.encode()).encode() == data.encode()
    assert BlindData.parse(data.encode()).root() == data.root()
    for part in ({"logged": full.logged[1:]}, {"studies": ()}, {"statistics": ()}):
        assert drawn.data(replace(full, **part)).root() != data.root()


def test_studies_of_gauges_reach_the_engine(drawn: Shop) -> None:
    trial = Trial(part="1", appraiser="A", value=Decimal("22.10"))
    study = GaugeStudy(instrument="gauge", characteristic=BORE, trials=(trial,))

    assert drawn.judged(replace(drawn.collected(), studies=(study,))).studies == (study,)
