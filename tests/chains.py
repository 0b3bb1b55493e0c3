"""Real chains for tests: the keeper's, anvil, Hardhat's node, geth; each ends with its test."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import coincurve

from guildmark.adapters.chain import deployment, toolchain
from guildmark.adapters.chain.deploy import Deployer
from guildmark.adapters.chain.errors import receipts
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.look import Looker
from guildmark.adapters.chain.opening import ALL_CAPABILITIES, FEE_LIMIT
from guildmark.adapters.chain.outbox import Outbox, Patience
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.chain.signing import Signing
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.keys import signer
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.outbox import OutboxTable
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.chain.contracts import ChainClass, ChainPin
from guildmark.domain.chain.finality import FinalityRule
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import Address, to_hex
from guildmark.ports.chain import Capability
from guildmark.ports.keys import KeyName, PublicKey

_READY_SECONDS = 60.0
_PAUSE = 0.02
# The account that a developer's geth has open.
_GETH_ACCOUNT = "71562b71999873db5b286df957af199ec94617f7"
COIN = 10**18


@dataclass(frozen=True)
class MemoryKeys:
    """Account keys that follow from their names: fast, and the same in every process."""

    def names(self) -> Sequence[KeyName]:
        return []

    def create(self, name: KeyName, algorithm: object) -> PublicKey:
        raise NotImplementedError

    def public_key(self, name: KeyName) -> PublicKey:
        return self._signer(name).public_key

    def address(self, name: KeyName) -> Address:
        point = self._key(name).public_key.format(compressed=False)
        return Address(keccak256(point[1:])[12:])

    def holder(self, name: KeyName) -> KeyHolder:
        raise NotImplementedError

    def sign_digest(self, name: KeyName, digest: bytes) -> bytes:
        return self._signer(name).sign_digest(digest)

    def sign_payload(self, name: KeyName, payload: bytes) -> bytes:
        return self._signer(name).sign_payload(payload)

    def unseal(self, name: KeyName, sealed: bytes, *, info: bytes) -> bytes:
        return self._signer(name).unseal(sealed, info=info)

    def _signer(self, name: KeyName) -> signer.Signer:
        return signer.secp256k1(self._key(name))

    def _key(self, name: KeyName) -> coincurve.PrivateKey:
        return coincurve.PrivateKey(sha256(name.encode()))


@dataclass
class Chain:
    """A running chain, and how coin is made on it."""

    kind: str
    url: str
    process: subprocess.Popen[bytes]
    finality: FinalityRule
    chain_class: ChainClass = ChainClass.LOCAL
    capabilities: frozenset[Capability] = ALL_CAPABILITIES
    keys: MemoryKeys = field(default_factory=MemoryKeys)

    def rpc(self) -> Rpc:
        return Rpc(url=self.url, timeout=30.0)

    def fund(self, *names: KeyName) -> None:
        with self.rpc() as rpc:
            for name in names:
                account = to_hex(self.keys.address(name))
                if self.kind == "keeper":
                    rpc.call("guildmark_fund", account, 1_000)
                elif self.kind == "geth":
                    _give(rpc, account)
                else:
                    rpc.call(f"{self.kind}_setBalance", account, hex(1_000 * COIN))

    def deploy(self, folder: Path) -> ChainPin:
        self.fund(KeyName("deployer"))
        with self.rpc() as rpc:
            return Deployer(
                rpc=rpc,
                keys=self.keys,
                key=KeyName("deployer"),
                folder=folder,
                chain_class=self.chain_class,
                pause=lambda: time.sleep(_PAUSE),
            ).deploy()

    def ledger(self, pin: ChainPin) -> RpcLedger:
        found = self.unchecked_ledger(pin)
        deployment.check_pin(found.rpc, pin)
        return found

    def unchecked_ledger(self, pin: ChainPin) -> RpcLedger:
        return RpcLedger(
            rpc=self.rpc(), chain=pin, finality=self.finality, capabilities=self.capabilities
        )


@dataclass(frozen=True)
class Deployed:
    """A chain with its contracts."""

    chain: Chain
    pin: ChainPin

    def ledger(self) -> RpcLedger:
        return self.chain.ledger(self.pin)


def outbox_over(ledger: RpcLedger, database: Path, patience: Patience | None = None) -> Outbox:
    """Return an outbox as ``open_outbox`` makes it, with keys in memory."""
    table = OutboxTable(open_database(database))
    looker = Looker(rpc=ledger.rpc, chain=ledger.chain, finality=ledger.finality)
    keys, clock = MemoryKeys(), SystemClock()
    return Outbox(
        table=table,
        looker=looker,
        signing=Signing(table=table, looker=looker, keys=keys, clock=clock, fee_limit=FEE_LIMIT),
        keys=keys,
        clock=clock,
        patience=patience or Patience(),
    )


def start_keeper(home: Path, port: int = 0, *, is_measured: bool = True) -> Chain:
    """Start a keeper as its users do and wait until it answers.

    A keeper that must not write its own coverage, since the test takes its disk away, is not
    measured.
    """
    left_out = "COVERAGE_" if not is_measured else "\0"
    endpoint = home / "chain" / "endpoint.json"
    endpoint.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "guildmark", "chain", "run", "--home", home, "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if not key.startswith(left_out)},
    )
    _until(endpoint.exists, process)
    url = json.loads(endpoint.read_bytes())["url"]
    return Chain(kind="keeper", url=url, process=process, finality=FinalityRule())


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    """Send a signal and return the exit code."""
    process.send_signal(number)
    _, _ = process.communicate(timeout=30)
    return process.returncode


@contextlib.contextmanager
def keeper(home: Path) -> Iterator[Chain]:
    """Run a keeper."""
    chain = start_keeper(home)
    try:
        yield chain
    finally:
        _end(chain.process)


@contextlib.contextmanager
def bare_anvil(*options: str) -> Iterator[Chain]:
    """Run anvil without a keeper; it mines each transaction at once unless told otherwise."""
    port = _free_port()
    # States that it puts aside stay where it is killed: gigabytes in the home of who runs it.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as states:
        command: list[str | Path] = [
            *(toolchain.anvil(), "--quiet", "--port", str(port), "--hardfork", "osaka"),
            *("--accounts", "0", "--enable-tx-gas-limit", "--cache-path", states, *options),
        ]
        with _running(command, port) as process:
            yield Chain(
                kind="anvil",
                url=f"http://127.0.0.1:{port}",
                process=process,
                finality=FinalityRule(depth=0),
            )


@contextlib.contextmanager
def hardhat_node() -> Iterator[Chain]:
    """Run Hardhat's node under the Node of the wheel."""
    port, folder = _free_port(), toolchain.repository() / "hardhat-local"
    command: list[str | Path] = [
        *(toolchain.node(), folder / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"),
        *("node", "--network", "node", "--hostname", "127.0.0.1", "--port", str(port)),
    ]
    with _running(command, port, folder) as process:
        yield Chain(
            kind="hardhat",
            url=f"http://127.0.0.1:{port}",
            process=process,
            finality=FinalityRule(depth=0),
        )


@contextlib.contextmanager
def geth_node() -> Iterator[Chain]:
    """Run geth as its developers do, alone, a block for each transaction; by today's rules."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        _begin(Path(folder))
        command: list[str | Path] = [
            *(_geth(), "--dev", "--datadir", folder, "--verbosity", "1", "--ipcdisable"),
            *("--http", "--http.addr", "127.0.0.1", "--http.port", str(port)),
            *("--authrpc.port", "0", "--port", "0", "--nodiscover"),
        ]
        with _running(command, port) as process:
            yield _geth_chain(port, process)


def _geth_chain(port: int, process: subprocess.Popen[bytes]) -> Chain:
    return Chain(
        kind="geth",
        url=f"http://127.0.0.1:{port}",
        process=process,
        finality=FinalityRule(depth=0),
    )


def _begin(folder: Path) -> None:
    """Write a chain's beginning: the developers' own, without the rules that come after Osaka."""
    told = subprocess.run([_geth(), "--dev", "dumpgenesis"], capture_output=True, check=True)
    genesis = json.loads(told.stdout)
    for later in ("amsterdamTime", "bogotaTime"):
        genesis["config"].pop(later, None)
    genesis["gasLimit"] = hex(60_000_000)
    genesis["alloc"][_GETH_ACCOUNT] = {"balance": hex(10**9 * COIN)}
    path = folder / "genesis.json"
    path.write_text(json.dumps(genesis))
    init = [_geth(), "--datadir", str(folder), "--verbosity", "1", "init", str(path)]
    subprocess.run(init, capture_output=True, check=True)


def _geth() -> str:
    """Return the program that `make system` builds; elsewhere the path's may serve."""
    built = toolchain.repository() / "build" / "geth" / "geth"
    return str(built) if built.exists() else str(shutil.which("geth"))


def _give(rpc: Rpc, account: str) -> None:
    """Send coin of the account that only a developer's geth has open."""
    gift = {"from": f"0x{_GETH_ACCOUNT}", "to": account, "value": hex(1_000 * COIN)}
    sent = rpc.call("eth_sendTransaction", gift)
    deadline = time.monotonic() + _READY_SECONDS
    while receipts(rpc.attempt([("eth_getTransactionReceipt", [sent])])) == [None]:
        assert time.monotonic() < deadline, "no block in time"
        time.sleep(_PAUSE)


@contextlib.contextmanager
def _running(
    command: Sequence[str | Path], port: int, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
        cwd=folder,
    )
    try:
        _until(lambda: _answers(port), process)
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=10)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _until(ready: object, process: subprocess.Popen[bytes]) -> None:
    assert callable(ready)
    deadline = time.monotonic() + _READY_SECONDS
    while not ready():
        if process.poll() is not None:
            _, errors = process.communicate()
            message = f"ended with {process.returncode}: {(errors or b'').decode()}"
            raise RuntimeError(message)
        assert time.monotonic() < deadline, "not ready in time"
        time.sleep(_PAUSE)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
