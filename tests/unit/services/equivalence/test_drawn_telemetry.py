"""A site shows the telemetry that was drawn of its builds, or its data are not used."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from fakes.samples import BORE, LOGGED, UNITS, Shop, make_shop
from fakes.telemetry import NOZZLE, chunks, opened, window
from fakes.world import World, make_world
from guildmark.domain.builds.predicate import Resource
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.telemetry import Disclosure, disclose_chunks, telemetry_resource
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.equivalence.logged import SampleError
from guildmark.domain.equivalence.plan import CharacteristicPlan, Trace
from guildmark.domain.identifiers import Digest, to_hex
from guildmark.domain.log.merkle import ProofError
from guildmark.domain.measurement.readings import Reading

LAYERS, DRAWN = 5, 2
MEASURED = CharacteristicPlan(path=BORE, unit="mm", margin="0.1")


@dataclass(frozen=True)
class Machine:
    """The machine of a shop, whose agent keeps what it told."""

    shop: Shop
    told: dict[Digest, list[bytes]]

    def answers(self) -> list[Disclosure]:
        """Return what the agent opens for the plan."""
        asked = self.shop.world.tools.sampling.challenges(self.shop.id, self.shop.site)
        return [
            disclose_chunks(self.told[one.root], nonce=one.nonce, most=len(places))
            for one, places in asked
        ]

    def collected(self, answers: Sequence[Disclosure] | None = None) -> SiteData:
        given = self.answers() if answers is None else answers
        return self.shop.world.tools.sampling.collect(self.shop.id, self.shop.site, given)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("fakes.world.UNITS", LOGGED)
    made = make_world()
    made.disclose()
    return made


def make_machine(world: World, *, same_build: bool = False, **changes: Any) -> Machine:
    """Return a machine whose builds are logged with their telemetry, and drawn."""
    planned = {"characteristics": (window(), MEASURED), "chunks": DRAWN, **changes}
    shop = make_shop(world, **planned)
    machine = Machine(shop, {})
    begun = {"started_on": world.beacon.time} if same_build else {}
    shop.log(*(_said(machine, number, **begun) for number in range(1, LOGGED + 1)))
    shop.tick(2)
    return machine


def _said(machine: Machine, number: int, **run: Any) -> BuildStatement:
    values = [f"{210 + number / 10 + layer / 100:.2f}" for layer in range(LAYERS)]
    told = chunks(f"job {number}", values)
    named = telemetry_resource(told)
    machine.told[named.digest] = told
    return replace(machine.shop.state(number, **run), byproducts=(named,))


@pytest.fixture
def machine(world: World) -> Machine:
    return make_machine(world)


def windows(data: SiteData) -> list[Reading]:
    return [one for one in data.readings if one.characteristic == NOZZLE]


def test_drawn_telemetry_is_opened_and_read(machine: Machine) -> None:
    data = machine.collected()

    read = SiteData.parse(canonical(data.to_json()))
    assert read.traces == data.traces
    assert set(read.readings) == set(data.readings)
    assert len(data.traces) == len(windows(data)) == UNITS
    for one in windows(data):
        number = int(one.part.partition(".")[2]) + 1
        assert abs(one.value - (210 + Decimal(number) / 10)) < Decimal("0.05")
        assert one.instrument == to_hex(machine.shop.world.machine)
        assert one.raw in machine.told
    machine.shop.commit(data)
    dataset = machine.shop.judged(data)
    site = to_hex(machine.shop.site)
    assert site not in dataset.failed
    assert dataset.traces[site] == data.traces


def test_nobody_knew_which_chunks_are_drawn(machine: Machine) -> None:
    asked = machine.shop.world.tools.sampling.challenges(machine.shop.id, machine.shop.site)

    assert len({one.nonce for one, _ in asked}) == UNITS
    assert all(len(places) == DRAWN for _, places in asked)
    assert all(places == one.drawn(DRAWN) for one, places in asked)


def test_a_plan_without_windows_asks_for_none(world: World) -> None:
    machine = make_machine(
        world,
        characteristics=(MEASURED,),
        chunks=None,
    )

    assert machine.shop.world.tools.sampling.challenges(machine.shop.id, machine.shop.site) == ()
    data = machine.collected([])
    assert data.traces == ()
    # Telemetry that nobody asked for is no reason to believe anything.
    told = next(iter(machine.told.values()))
    other = opened("1.0", "build", told, DRAWN)
    assert "asked for or shown, but not both" in machine.shop.refusal(
        replace(data, traces=(other,))
    )


def test_a_build_without_an_answer_is_refused(machine: Machine) -> None:
    with pytest.raises(SampleError, match="No answer opens the telemetry of the build"):
        machine.collected(machine.answers()[1:])


def test_a_build_that_is_left_out_fails_the_site(machine: Machine) -> None:
    data = machine.collected()
    first = windows(data)[0]
    less = tuple(one for one in data.readings if one != first)

    told = machine.shop.refusal(replace(data, readings=less))

    assert told.startswith("The telemetry does not give what is read of it: build ")


def test_telemetry_that_is_left_out_fails_the_site(machine: Machine) -> None:
    data = machine.collected()

    told = machine.shop.refusal(replace(data, traces=data.traces[1:]))

    assert "is asked for or shown, but not both" in told


def test_a_value_that_telemetry_does_not_give_fails_the_site(machine: Machine) -> None:
    data = machine.collected()
    first = windows(data)[0]
    changed = tuple(
        replace(one, value=one.value + 1) if one == first else one for one in data.readings
    )

    assert "does not give what is read" in machine.shop.refusal(replace(data, readings=changed))


@pytest.mark.parametrize("change", ["nonce", "place", "twice", "part"])
def test_chunks_that_were_not_drawn_fail_the_site(machine: Machine, change: str) -> None:
    data = machine.collected()
    first, *others = data.traces
    one = first.opened[0]
    undrawn = next(at for at in range(LAYERS) if at not in first.drawn(DRAWN))
    wrong = {
        "nonce": replace(first, nonce=others[0].nonce),
        "place": replace(first, opened=(replace(one, place=undrawn),)),
        "twice": replace(first, opened=(one, one)),
        "part": replace(first, part="9.9"),
    }[change]

    told = machine.shop.refusal(replace(data, traces=(wrong, *others)))

    assert "is not what was drawn of it" in told


def test_a_chunk_that_the_statement_does_not_commit_to_fails_the_site(machine: Machine) -> None:
    data = machine.collected()
    first, *others = data.traces
    one, *rest = first.opened
    foreign = replace(one, data=others[0].opened[0].data)
    wrong = replace(first, opened=(foreign, *rest))

    with pytest.raises(ProofError):
        machine.shop.commit(replace(data, traces=(wrong, *others)))


def test_a_closed_chunk_is_told_to_the_engine(machine: Machine) -> None:
    answers = [replace(one, opened=one.opened[1:]) for one in machine.answers()]

    data = machine.collected(answers)

    assert [len(one.opened) for one in data.traces] == [DRAWN - 1] * UNITS
    machine.shop.commit(data)


def test_a_channel_without_a_value_is_refused(world: World) -> None:
    fan = window(Trace(channel="fan"))
    machine = make_machine(world, characteristics=(fan, MEASURED))

    with pytest.raises(SampleError, match="has no value of /process/nozzle"):
        machine.collected()


def test_parts_of_one_build_name_the_same_telemetry(world: World) -> None:
    machine = make_machine(world, same_build=True)

    with pytest.raises(SampleError, match="name different telemetry"):
        machine.answers()


@pytest.mark.parametrize(
    "byproducts",
    [
        (),
        (Resource(name="telemetry/many", digest=sha256(b"root")),),
        (Resource(name="telemetry/٣", digest=sha256(b"root")),),
    ],
)
def test_a_drawn_part_commits_to_telemetry(world: World, byproducts: tuple[Resource, ...]) -> None:
    shop = make_shop(world, characteristics=(window(), MEASURED), chunks=DRAWN)
    said = (replace(shop.state(number), byproducts=byproducts) for number in range(1, LOGGED + 1))
    shop.log(*said)
    shop.tick(2)

    with pytest.raises(SampleError, match="commits to no telemetry"):
        shop.world.tools.sampling.challenges(shop.id, shop.site)
