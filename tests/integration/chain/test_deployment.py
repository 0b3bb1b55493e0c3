"""Deployments: put up once, whatever breaks, and refused where anything is otherwise."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import chains
from guildmark.adapters.chain import deployment
from guildmark.adapters.chain.carrier import Answer, HttpCarrier, NotCarriedError
from guildmark.adapters.chain.deploy import (
    DRAFT,
    Deployer,
    DeploymentFailedError,
    _compare_directory,
    predicted,
)
from guildmark.adapters.chain.opening import open_ledger, open_outbox, open_pinned
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.store.engine import open_database
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName, ContractPin
from guildmark.domain.chain.refusals import FundsMissingError
from guildmark.domain.identifiers import Address, ChainId, Digest, to_hex
from guildmark.ports.chain import (
    Call,
    CodeMismatchError,
    CodeMissingError,
    Finality,
    GenesisMismatchError,
    LedgerUnavailableError,
    WrongChainError,
)
from guildmark.ports.keys import KeyName

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

DIRECTORY = ContractName.DIRECTORY


@pytest.fixture(scope="module")
def chain() -> Iterator[chains.Chain]:
    with chains.bare_anvil() as found:
        yield found


@pytest.fixture(scope="module")
def pin(chain: chains.Chain, tmp_path_factory: pytest.TempPathFactory) -> ChainPin:
    return chain.deploy(tmp_path_factory.mktemp("deployment"))


def discover(chain: chains.Chain, pin: ChainPin, **changes: Any) -> ChainPin:
    named = {
        "chain_id": pin.chain_id,
        "genesis": pin.genesis,
        "chain_class": pin.chain_class,
        "directory": pin.contracts[DIRECTORY].address,
        **changes,
    }
    ledger = open_ledger(chain.url, **named)
    ledger.rpc.close()
    return ledger.pin()


def test_a_deployment_is_found_by_its_directory(chain: chains.Chain, pin: ChainPin) -> None:
    assert discover(chain, pin) == pin


def test_another_chain_id_is_refused(chain: chains.Chain, pin: ChainPin) -> None:
    with pytest.raises(WrongChainError) as caught:
        discover(chain, pin, chain_id=ChainId(1))

    assert caught.value.detail == {"expected": 1, "found": pin.chain_id}


def test_another_genesis_is_refused(chain: chains.Chain, pin: ChainPin) -> None:
    with pytest.raises(GenesisMismatchError):
        discover(chain, pin, genesis=Digest(bytes(32)))


def test_an_address_without_code_is_refused(chain: chains.Chain, pin: ChainPin) -> None:
    with pytest.raises(CodeMissingError) as caught:
        discover(chain, pin, directory=Address(b"\x11" * 20))

    assert caught.value.detail == {"contract": "directory", "address": "0x" + "11" * 20}


def test_another_contract_in_the_directorys_place_is_refused(
    chain: chains.Chain, pin: ChainPin
) -> None:
    with pytest.raises(CodeMismatchError):
        discover(chain, pin, directory=pin.contracts[ContractName.LOG].address)


def test_a_pin_of_other_code_is_refused(chain: chains.Chain, pin: ChainPin) -> None:
    real = pin.contracts[ContractName.LOG]
    other = ContractPin(address=real.address, code_hash=Digest(bytes(32)))

    with pytest.raises(CodeMismatchError) as caught:
        open_pinned(chain.url, replace(pin, contracts={**pin.contracts, ContractName.LOG: other}))

    assert caught.value.detail["contract"] == "log"


def test_a_pin_is_opened_and_served(chain: chains.Chain, pin: ChainPin, tmp_path: Path) -> None:
    ledger = open_pinned(chain.url, pin)
    keys = chains.MemoryKeys()
    chain.fund(KeyName("opened"))
    engine = open_database(tmp_path / "node.db")
    outbox = open_outbox(engine, ledger=ledger, keys=keys, clock=SystemClock())

    sent = outbox.submit(
        Call(contract=ContractName.IDENTITIES, function="register", args=(1, bytes(32), bytes(32))),
        key=KeyName("opened"),
        idempotency="opened",
    )

    assert outbox.wait(sent, finality=Finality.INCLUDED, timeout=10).block is not None
    engine.dispose()
    ledger.rpc.close()


def test_a_node_that_is_away_is_named(pin: ChainPin) -> None:
    with pytest.raises(LedgerUnavailableError):
        open_pinned("http://127.0.0.1:9", pin)


def test_a_saved_deployment_is_read_back(pin: ChainPin, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"

    deployment.save(path, pin)

    assert deployment.load(path) == pin


def test_no_deployment_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(deployment.DeploymentMissingError):
        deployment.load(tmp_path / "deployment.json")


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document.pop("genesis"),
        lambda document: document.update(chainId="1"),
        lambda document: document.update({"class": "private"}),
        lambda document: document.update(genesis="0x00"),
        lambda document: document["contracts"].pop("log"),
        lambda document: document["contracts"]["log"].update(address="0x00"),
        lambda document: document.update(contracts=[]),
    ],
)
def test_a_damaged_deployment_file_is_refused(
    pin: ChainPin, tmp_path: Path, damage: Callable[[dict[str, Any]], object]
) -> None:
    path = tmp_path / "deployment.json"
    deployment.save(path, pin)
    document = json.loads(path.read_bytes())
    damage(document)
    path.write_text(json.dumps(document))

    with pytest.raises(deployment.DeploymentMalformedError):
        deployment.load(path)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    path.write_text("{")

    with pytest.raises(deployment.DeploymentMalformedError):
        deployment.load(path)


class Counted(HttpCarrier):
    """The network to one node, which ends after so many requests."""

    def __init__(self, url: str, requests: int) -> None:
        super().__init__(url)
        self.left = requests

    def post(self, body: bytes, *, timeout: float) -> Answer:
        if self.left == 0:
            raise NotCarriedError("gone")
        self.left -= 1
        return super().post(body, timeout=timeout)


def deployer(rpc: Rpc, folder: Path, key: str, pause: Callable[[], None]) -> Deployer:
    return Deployer(
        rpc=rpc,
        keys=chains.MemoryKeys(),
        key=KeyName(key),
        folder=folder,
        chain_class=ChainClass.LOCAL,
        pause=pause,
    )


def no_pause() -> None:
    """Go on at once."""


@pytest.mark.parametrize("requests", range(16))
def test_a_deployment_that_was_cut_goes_on_with_the_same_addresses(
    chain: chains.Chain, tmp_path: Path, requests: int
) -> None:
    key = f"deployer-{requests}"
    chain.fund(KeyName(key))
    with (
        Rpc(url=chain.url, carrier=Counted(chain.url, requests)) as rpc,
        contextlib.suppress(LedgerUnavailableError),
    ):
        deployer(rpc, tmp_path, key, no_pause).deploy()
    first_nonce = len(ContractName) if (tmp_path / deployment.FILE_NAME).exists() else 0

    with chain.rpc() as rpc:
        found = deployer(rpc, tmp_path, key, no_pause).deploy()

    sender = chain.keys.address(KeyName(key))
    addresses = {name: pinned.address for name, pinned in found.contracts.items()}
    assert addresses == predicted(sender, first_nonce)
    assert not (tmp_path / DRAFT).exists()


def test_a_deployer_without_coin_is_named(chain: chains.Chain, tmp_path: Path) -> None:
    with chain.rpc() as rpc, pytest.raises(FundsMissingError):
        deployer(rpc, tmp_path, "poor-deployer", no_pause).deploy()

    assert (tmp_path / DRAFT).exists()


def test_a_deployment_begun_on_another_chain_is_not_sent_to_this_one(
    chain: chains.Chain, tmp_path: Path
) -> None:
    draft = {"chainId": 1, "genesis": "0x" + "00" * 32, "raw": {}}
    (tmp_path / DRAFT).write_text(json.dumps(draft))

    with chain.rpc() as rpc, pytest.raises(WrongChainError):
        deployer(rpc, tmp_path, "deployer", no_pause).deploy()


def test_a_nonce_that_another_transaction_took_is_told(chain: chains.Chain, tmp_path: Path) -> None:
    key = "robbed-deployer"
    chain.fund(KeyName(key))
    with (
        Rpc(url=chain.url, carrier=Counted(chain.url, 3)) as rpc,
        pytest.raises(LedgerUnavailableError),
    ):
        deployer(rpc, tmp_path / "cut", key, no_pause).deploy()
    with chain.rpc() as rpc:
        rpc.call("anvil_setNextBlockBaseFeePerGas", hex(3 * 10**9))
        rpc.call("evm_mine")
        deployer(rpc, tmp_path / "rival", key, no_pause).deploy()

        with pytest.raises(DeploymentFailedError, match="another transaction took a nonce"):
            deployer(rpc, tmp_path / "cut", key, no_pause).deploy()


def test_a_directory_that_names_another_contract_is_refused(
    chain: chains.Chain, pin: ChainPin
) -> None:
    addresses = {name: found.address for name, found in pin.contracts.items()}
    other = {**addresses, ContractName.LOG: Address(bytes(20))}

    with chain.rpc() as rpc:
        _compare_directory(rpc, pin, addresses)
        with pytest.raises(CodeMismatchError) as caught:
            _compare_directory(rpc, pin, other)

    assert caught.value.detail["contract"] == "log"


def test_a_creation_that_fails_is_told(chain: chains.Chain, tmp_path: Path) -> None:
    key = "failing-deployer"
    chain.fund(KeyName(key))
    with chain.rpc() as rpc:
        # Code where the first contract would go: its creation must fail (EIP-684).
        taken = predicted(chain.keys.address(KeyName(key)), 0)[ContractName.IDENTITIES]
        rpc.call("anvil_setCode", to_hex(taken), "0x00")

        with pytest.raises(DeploymentFailedError) as caught:
            deployer(rpc, tmp_path, key, no_pause).deploy()

    assert caught.value.detail == {"contract": "identities"}
