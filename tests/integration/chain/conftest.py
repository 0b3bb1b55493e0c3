"""Chains for the tests of the chain's adapters."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import chains
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.outbox import Outbox, Patience
from guildmark.ports.keys import KeyName

OWNER = KeyName("owner")
SITE = KeyName("site")
WRITER = KeyName("writer")


@pytest.fixture(scope="session")
def keeper_deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chains.Deployed]:
    with chains.keeper(tmp_path_factory.mktemp("keeper")) as chain:
        yield _deployed(chain, tmp_path_factory)


@pytest.fixture(scope="session")
def anvil_deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chains.Deployed]:
    with chains.bare_anvil() as chain:
        yield _deployed(chain, tmp_path_factory)


@pytest.fixture(scope="session")
def hardhat_deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chains.Deployed]:
    with chains.hardhat_node() as chain:
        yield _deployed(chain, tmp_path_factory)


@pytest.fixture(scope="session")
def geth_deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chains.Deployed]:
    with chains.geth_node() as chain:
        yield _deployed(chain, tmp_path_factory)


@pytest.fixture(
    params=[
        pytest.param("keeper", marks=pytest.mark.needs("anvil")),
        pytest.param("anvil", marks=pytest.mark.needs("anvil")),
        pytest.param("hardhat", marks=pytest.mark.needs("hardhat")),
        pytest.param("geth", marks=pytest.mark.needs("geth")),
    ]
)
def deployed(request: pytest.FixtureRequest) -> chains.Deployed:
    """Return each chain in turn: the suite of the ``Ledger`` port runs on all of them."""
    found: chains.Deployed = request.getfixturevalue(f"{request.param}_deployed")
    return found


@pytest.fixture
def ledger(deployed: chains.Deployed) -> Iterator[RpcLedger]:
    found = deployed.ledger()
    yield found
    found.rpc.close()


@pytest.fixture
def outbox(ledger: RpcLedger, open_outbox: Callable[..., Outbox]) -> Outbox:
    return open_outbox(ledger)


@pytest.fixture
def open_outbox(tmp_path: Path) -> Iterator[Callable[..., Outbox]]:
    """Return what opens an outbox in this test's folder; the engines are closed at its end."""
    opened: list[Outbox] = []

    def open_one(ledger: RpcLedger, patience: Patience | None = None) -> Outbox:
        found = chains.outbox_over(ledger, tmp_path / "node.db", patience)
        opened.append(found)
        return found

    yield open_one
    for found in opened:
        found.table.engine.dispose()


def _deployed(chain: chains.Chain, factory: pytest.TempPathFactory) -> chains.Deployed:
    pin = chain.deploy(factory.mktemp(chain.kind))
    chain.fund(OWNER, SITE, WRITER)
    return chains.Deployed(chain=chain, pin=pin)
