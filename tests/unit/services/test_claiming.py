"""A part is claimed once, by its hidden code; what is kept names nobody."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fakes.cases.second import CODE
from fakes.claims import MemoryClaims
from fakes.world import World, log_unasked, make_world
from guildmark.adapters.store.claims import SqlClaims
from guildmark.adapters.store.engine import open_database
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Index, LogNumber
from guildmark.domain.labels.activation import (
    ActivationCode,
    ClaimedBeforeError,
    CodeNotNamedError,
    CodeWrongError,
    FirstClaim,
    PartNotHereError,
    TriedTooOftenError,
    byproducts,
)
from guildmark.ports.store import Claims
from guildmark.services.labels import claiming as claiming_module
from guildmark.services.labels.claiming import TRIES, TRIES_SECONDS, Claiming, Pace
from guildmark.services.log.publishing import Publishing, make_note_key

MINE, THEIRS = Bytes32(sha256(b"mine")), Bytes32(sha256(b"theirs"))
WRONG = ActivationCode(CODE.number + 1)


@dataclass
class HandClock:
    time: int = 1_800_000_000

    def now(self) -> int:
        return self.time


@pytest.fixture
def world() -> World:
    """Return a world whose log has a part with a code, one without, and one with two."""
    made = make_world()
    plain = [made.statement(number) for number in (1, 2, 3)]
    one = byproducts(code=CODE.digest(plain[0].label), chip=None)
    two = byproducts(code=CODE.digest(plain[2].label), chip=None)
    stated = (
        replace(plain[0], byproducts=one),
        plain[1],
        replace(plain[2], byproducts=(*two, replace(two[0], digest=sha256(b"other")))),
    )
    log_unasked(made, *map(made.sign, stated))
    return made


def claiming(world: World, claims: Claims | None = None) -> Claiming:
    make_note_key(world.tools.keys)
    publishing = Publishing(
        ledger=world.tools.chain,
        store=world.tools.store,
        keys=world.tools.keys,
        own_log=world.log,
    )
    clock = HandClock()
    return Claiming(
        claims=MemoryClaims() if claims is None else claims,
        publishing=publishing,
        clock=clock,
        entropy=world.tools.entropy,
        pace=Pace(clock),
    )


def place(world: World, index: int = 0) -> tuple[LogNumber, Index]:
    return world.log, Index(index)


def later(service: Claiming, seconds: int) -> None:
    assert isinstance(service.clock, HandClock)
    service.clock.time += seconds


@pytest.mark.parametrize("is_in_sql", [False, True])
def test_the_first_claim_is_signed_with_its_time(
    world: World, tmp_path: Path, is_in_sql: bool
) -> None:
    engine = open_database(tmp_path / "node.db")
    service = claiming(world, SqlClaims(engine=engine) if is_in_sql else None)

    note = service.claim(place(world), CODE, MINE, network="a")
    later(service, 99)
    again = service.claim(place(world), CODE, MINE, network="b")
    with pytest.raises(ClaimedBeforeError) as refused:
        service.claim(place(world), CODE, THEIRS, network="c")
    engine.dispose()

    said = FirstClaim.parse(note.text)
    key = service.publishing.key(world.log)
    assert note.signers([key]) == (key,)
    assert (said.origin, said.time, said.claimant) == (key.name, 1_800_000_000, sha256(MINE))
    assert (said.log, said.index) == place(world)
    assert again == note
    assert (refused.value.exit_code, refused.value.detail["first"]) == (22, 1_800_000_000)
    assert "2027-01-15T08:00:00Z" in refused.value.message


@pytest.mark.parametrize("is_in_sql", [False, True])
def test_a_token_is_offered_until_the_part_is_claimed(
    world: World, tmp_path: Path, is_in_sql: bool
) -> None:
    engine = open_database(tmp_path / "node.db")
    service = claiming(world, SqlClaims(engine=engine) if is_in_sql else None)

    before = service.first(place(world))
    tokens = {service.offer(place(world), CODE, network="a") for _ in range(2)}
    still = service.first(place(world))
    service.claim(place(world), CODE, min(tokens), network="b")
    with pytest.raises(ClaimedBeforeError) as refused:
        service.offer(place(world), CODE, network="c")
    after = service.first(place(world))
    engine.dispose()

    assert (before, still, after) == (None, None, 1_800_000_000)
    assert len(tokens) == 2
    assert refused.value.detail["first"] == 1_800_000_000


def test_a_wrong_code_is_offered_nothing_and_not_told_of_a_claim(world: World) -> None:
    service = claiming(world)
    service.claim(place(world), CODE, MINE, network="a")

    with pytest.raises(CodeWrongError):
        service.offer(place(world), WRONG, network="b")


def test_offers_count_as_tries(world: World) -> None:
    service = claiming(world)
    for _ in range(TRIES):
        service.offer(place(world), CODE, network="a")

    with pytest.raises(TriedTooOftenError):
        service.offer(place(world), CODE, network="a")


def test_another_code_claims_nothing(world: World) -> None:
    claims = MemoryClaims()
    service = claiming(world, claims)

    with pytest.raises(CodeWrongError):
        service.claim(place(world), WRONG, MINE, network="a")

    assert claims.rows == {}


def test_a_statement_with_two_codes_has_none_that_counts(world: World) -> None:
    with pytest.raises(CodeWrongError):
        claiming(world).claim(place(world, 2), CODE, MINE, network="a")


def test_a_part_without_a_code_cannot_be_claimed(world: World) -> None:
    with pytest.raises(CodeNotNamedError):
        claiming(world).claim(place(world, 1), CODE, MINE, network="a")


@pytest.mark.parametrize("which", [(0, 3), (1, 0)])
def test_only_parts_of_the_own_log_are_claimed_here(world: World, which: tuple[int, int]) -> None:
    step, index = which

    with pytest.raises(PartNotHereError):
        claiming(world).claim((LogNumber(world.log + step), Index(index)), CODE, MINE, network="a")


def test_each_network_has_its_tries_and_gets_them_back(world: World) -> None:
    service = claiming(world)
    for _ in range(TRIES):
        with pytest.raises(CodeWrongError):
            service.claim(place(world), WRONG, MINE, network="a")

    with pytest.raises(TriedTooOftenError):
        service.claim(place(world), CODE, MINE, network="a")
    later(service, TRIES_SECONDS - 1)
    with pytest.raises(TriedTooOftenError):
        service.claim(place(world), CODE, MINE, network="a")
    service.claim(place(world), CODE, MINE, network="b")
    later(service, 1)

    assert service.claim(place(world), CODE, MINE, network="a").signatures


def test_networks_that_are_remembered_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claiming_module, "NETWORKS_MAX", 1)
    pace = Pace(HandClock())
    for _ in range(TRIES):
        pace.take("a")

    pace.take("b")
    pace.take("a")

    assert "'a'" not in repr(pace)
