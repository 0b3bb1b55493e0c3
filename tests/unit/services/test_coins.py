"""Coins of others: what is owed is allowed exactly, and what cannot be paid is refused by name."""

import pytest

from fakes.world import MAKER, World, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import ZERO_ADDRESS, Address
from guildmark.services.rights.coins import (
    AllowanceShortError,
    BalanceShortError,
    CoinMissingError,
    Coins,
)

COIN = Address(b"\x0c" * 20)
OWED = 100


@pytest.fixture
def world() -> World:
    world = make_world()
    world.tools.chain.with_code.add(COIN)
    world.tools.chain.held[COIN, account(world)] = OWED
    return world


def account(world: World) -> Address:
    return world.tools.account(MAKER).address


def coins(world: World) -> Coins:
    return Coins(ledger=world.tools.chain, account=world.tools.account(MAKER))


def allow(world: World, amount: int) -> None:
    registry = world.tools.chain.pin().contracts[ContractName.LICENSES].address
    world.tools.chain.allowed[COIN, account(world), registry] = amount


@pytest.mark.parametrize("before", [0, OWED - 1])
def test_exactly_what_is_owed_is_allowed(before: int, world: World) -> None:
    allow(world, before)

    assert coins(world).ready(COIN, OWED, approve=True) == OWED
    assert coins(world).allowance(COIN) == OWED


@pytest.mark.parametrize("before", [OWED, OWED + 1])
@pytest.mark.parametrize("approve", [True, False])
def test_what_is_allowed_already_stays(before: int, approve: bool, world: World) -> None:
    allow(world, before)
    sent = len(world.tools.outbox.sent)

    assert coins(world).ready(COIN, OWED, approve=approve) == before
    assert len(world.tools.outbox.sent) == sent


def test_nothing_is_allowed_unasked(world: World) -> None:
    allow(world, OWED - 1)

    with pytest.raises(AllowanceShortError, match=r"99 of the coin 0x0c.* 100 are owed"):
        coins(world).ready(COIN, OWED, approve=False)
    assert coins(world).allowance(COIN) == OWED - 1


@pytest.mark.parametrize("approve", [True, False])
def test_who_has_less_than_is_owed_allows_nothing(approve: bool, world: World) -> None:
    with pytest.raises(BalanceShortError, match=r"has 100 of the coin 0x0c.* 101 are owed"):
        coins(world).ready(COIN, OWED + 1, approve=approve)
    assert coins(world).allowance(COIN) == 0


def test_a_coin_is_a_contract(world: World) -> None:
    with pytest.raises(CoinMissingError):
        coins(world).ready(Address(b"\x0d" * 20), OWED, approve=True)


@pytest.mark.parametrize(("currency", "amount"), [(ZERO_ADDRESS, OWED), (COIN, 0)])
def test_the_chains_own_coin_and_nothing_need_no_allowance(
    currency: Address, amount: int, world: World
) -> None:
    assert coins(world).ready(currency, amount, approve=True) is None
    assert coins(world).allowance(COIN) == 0
