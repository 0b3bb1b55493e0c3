"""The keeper of a local chain: nothing that was shown is lost, nothing wrong is shown."""

import asyncio
import json
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coincurve
import httpx
import pytest

import chains
from guildmark.adapters.chain import local, toolchain
from guildmark.adapters.chain.eip1559 import Fees, Transaction, transaction_hash
from guildmark.adapters.chain.genesis import GenesisMalformedError
from guildmark.adapters.chain.head import HeadFile, HeadUnreadableError
from guildmark.adapters.chain.journal import (
    Journal,
    JournalBlock,
    JournalLostError,
    JournalMalformedError,
    JournalMismatchError,
    JournalUnwritableError,
)
from guildmark.adapters.chain.local import KeeperRunningError
from guildmark.adapters.chain.proxy import Proxy
from guildmark.adapters.chain.rpc import Rpc, RpcRefusedError
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.adapters.keys import signer
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import NetworkError
from guildmark.domain.identifiers import Address, ChainId, to_hex

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

GENEROUS = Fees(max_fee=10**11, priority=1)


class Account:
    """An account that sends coin."""

    def __init__(self) -> None:
        self._key = coincurve.PrivateKey()
        self._nonce = 0

    @property
    def address(self) -> Address:
        point = self._key.public_key.format(compressed=False)
        return Address(keccak256(point[1:])[12:])

    def transfer(self, chain_id: int, *, nonce: int | None = None) -> bytes:
        """Return the next raw transfer of one wei."""
        if nonce is None:
            nonce, self._nonce = self._nonce, self._nonce + 1
        transaction = Transaction(
            chain_id=ChainId(chain_id),
            nonce=nonce,
            fees=GENEROUS,
            gas=21_000,
            to=Address(bytes(19) + b"\x09"),
            value=1,
        )
        signature = signer.secp256k1(self._key).sign_digest(transaction.digest())
        return transaction.signed(signature)


def funded(rpc: Rpc) -> Account:
    account = Account()
    rpc.call("guildmark_fund", to_hex(account.address), 10)
    return account


def chain_id(rpc: Rpc) -> int:
    return int(rpc.call("eth_chainId"), 16)


def head(rpc: Rpc) -> int:
    return int(rpc.call("eth_blockNumber"), 16)


def blocks(rpc: Rpc) -> list[Any]:
    return [rpc.call("eth_getBlockByNumber", hex(n), True) for n in range(head(rpc) + 1)]


def journal(home: Path) -> list[dict[str, Any]]:
    lines = (home / "chain" / "journal.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def write_journal(home: Path, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (home / "chain" / "journal.jsonl").write_text(text)


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def refused_start(home: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Start a keeper that must not come up; return its exit code and what it said."""
    finished = subprocess.run(
        [sys.executable, "-m", "guildmark", "chain", "run", "--home", home, *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in finished.stderr
    assert not (home / "chain" / "endpoint.json").exists()
    lines = [line.split(maxsplit=1) for line in finished.stderr.splitlines() if line[:2] == "  "]
    return finished.returncode, {line[0]: line[1] for line in lines}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    with chains.keeper(folder) as chain, chain.rpc() as rpc:
        account = funded(rpc)
        rpc.call("eth_sendRawTransaction", to_hex(account.transfer(chain_id(rpc))))
        rpc.call("eth_sendRawTransaction", to_hex(account.transfer(chain_id(rpc))))
    return folder


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """Return a home whose chain has three blocks and does not run."""
    shutil.copytree(template, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chains.Chain]:
    """Return a chain that several tests use, so that none counts on an empty one."""
    with chains.keeper(tmp_path_factory.mktemp("running")) as chain:
        yield chain


def replay_in_process(home: Path) -> None:
    """Start anvil and replay the journal, without the process around it."""

    async def replay() -> None:
        folder, program = home / "chain", toolchain.anvil()
        async with local.keeping(folder, program, clock=SystemClock(), entropy=SystemEntropy()):
            pass

    asyncio.run(replay())


def test_a_replay_gives_the_same_blocks(home: Path) -> None:
    with chains.keeper(home) as chain, chain.rpc() as rpc:
        first = blocks(rpc)
    shutil.rmtree(home / "chain" / "cache")

    with chains.keeper(home) as chain, chain.rpc() as rpc:
        second = blocks(rpc)

    assert len(first) == 4
    assert first == second
    assert [line["hash"] for line in journal(home)] == [block["hash"] for block in first[1:]]


def test_kill_leaves_no_process_and_loses_nothing_acknowledged(
    tmp_path: Path, volume: Callable[[int, int, int], int]
) -> None:
    acknowledged: dict[str, str] = {}
    account, number = Account(), 0

    for round_number in range(volume(3, 20, 300)):
        chain = chains.start_keeper(tmp_path)
        with chain.rpc() as rpc:
            _check_receipts(rpc, acknowledged)
            if round_number == 0:
                rpc.call("guildmark_fund", to_hex(account.address), 10)
                number = chain_id(rpc)
            nonce = int(rpc.call("eth_getTransactionCount", to_hex(account.address), "latest"), 16)
            anvils = children(chain.process.pid)
            if round_number == 0:
                # A slow machine may acknowledge nothing before the kills of the other rounds.
                nonce = _send(rpc, account, number, nonce, acknowledged)
            timer = threading.Timer(secrets.randbelow(200) / 1_000, chain.process.kill)
            timer.start()
            _send_until_killed(rpc, account, number, nonce, acknowledged)
        chain.process.communicate()

        assert len(anvils) == 1
        until(lambda found=anvils[0]: not is_alive(found))  # type: ignore[misc]  # bound now

    with chains.keeper(tmp_path) as chain, chain.rpc() as rpc:
        _check_receipts(rpc, acknowledged)


def _check_receipts(rpc: Rpc, acknowledged: dict[str, str]) -> None:
    for found, block in acknowledged.items():
        assert rpc.call("eth_getTransactionReceipt", found)["blockHash"] == block


def _send_until_killed(
    rpc: Rpc, account: Account, number: int, nonce: int, acknowledged: dict[str, str]
) -> None:
    with suppress(NetworkError):
        while True:
            nonce = _send(rpc, account, number, nonce, acknowledged)


def _send(rpc: Rpc, account: Account, number: int, nonce: int, acknowledged: dict[str, str]) -> int:
    """Send a transaction, note the block that it is acknowledged in, and return the next nonce."""
    found = rpc.call("eth_sendRawTransaction", to_hex(account.transfer(number, nonce=nonce)))
    acknowledged[found] = rpc.call("eth_getTransactionReceipt", found)["blockHash"]
    return nonce + 1


def test_what_is_seen_is_in_the_journal(tmp_path: Path) -> None:
    stop, seen = threading.Event(), 0
    with chains.keeper(tmp_path) as chain, chain.rpc() as rpc:
        account, number = funded(rpc), chain_id(rpc)

        def send() -> None:
            for _ in range(60):
                rpc.call("eth_sendRawTransaction", to_hex(account.transfer(number)))
            stop.set()

        sender = threading.Thread(target=send)
        sender.start()
        while not stop.is_set():
            seen = head(rpc)
            assert len(journal(tmp_path)) >= seen
        sender.join()

    assert seen > 10


def test_a_torn_last_line_is_cut_off(home: Path) -> None:
    path = home / "chain" / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"number":4,"time":17')

    with chains.keeper(home) as chain, chain.rpc() as rpc:
        assert head(rpc) == 3
        assert path.read_bytes() == whole
        funded(rpc)

    assert [line["number"] for line in journal(home)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[1].update(time=lines[1]["time"] + 1),
        lambda lines: lines[1].update(transactions=[]),
        lambda lines: lines[2].update(hash="0x" + "00" * 32),
        lambda lines: lines[1].update(transactions=["0x02c0"]),
        lambda lines: lines[2].update(time=1),
    ],
)
def test_a_journal_that_gives_other_blocks_stops_the_keeper(
    home: Path, damage: Callable[[list[dict[str, Any]]], None]
) -> None:
    lines = journal(home)
    damage(lines)
    write_journal(home, lines)

    with pytest.raises(JournalMismatchError):
        replay_in_process(home)

    assert journal(home) == lines


def test_a_refused_journal_is_an_exit_code_and_a_next_step(home: Path) -> None:
    lines = journal(home)
    write_journal(home, [{**lines[0], "hash": lines[1]["hash"]}, *lines[1:]])

    exit_code, said = refused_start(home)

    assert (exit_code, said["code"]) == (14, "chain.journalMismatch")
    assert said["next"].startswith("Restore the chain's folder from a backup")


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines.insert(1, lines[0]),
        lambda lines: lines[1].pop("time"),
        lambda lines: lines[1].update(extra=1),
        lambda lines: lines[1].update(transactions=["zz"]),
        lambda lines: lines[1].update(hash="0x00"),
        lambda lines: lines[1].update(time=0),
        lambda lines: lines[1].update(time=2**40),
        lambda lines: lines[1].update(number="2"),
    ],
)
def test_a_damaged_line_stops_the_keeper(
    home: Path, damage: Callable[[list[dict[str, Any]]], None]
) -> None:
    lines = journal(home)
    damage(lines)
    write_journal(home, lines)

    with pytest.raises(JournalMalformedError):
        replay_in_process(home)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_journal_that_lost_blocks_stops_the_keeper(home: Path, left: int) -> None:
    lines = journal(home)[:left]
    write_journal(home, lines)

    exit_code, said = refused_start(home)

    assert (exit_code, said["code"]) == (14, "chain.journalLost")
    assert said["next"].startswith("Restore the chain's whole folder from a backup")
    assert journal(home) == lines


def test_a_lost_journal_stops_the_keeper(home: Path) -> None:
    (home / "chain" / "journal.jsonl").unlink()

    with pytest.raises(JournalLostError):
        replay_in_process(home)


def test_a_shown_line_that_was_torn_later_stops_the_keeper(home: Path) -> None:
    path = home / "chain" / "journal.jsonl"
    torn = path.read_bytes()[:-1]
    path.write_bytes(torn)

    with pytest.raises(JournalLostError):
        replay_in_process(home)

    assert path.read_bytes() == torn


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_lost_head_stops_the_keeper(home: Path, content: bytes | None) -> None:
    path = home / "chain" / "head.json"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)

    with pytest.raises(HeadUnreadableError):
        replay_in_process(home)


def test_another_chains_block_at_the_head_stops_the_keeper(home: Path, tmp_path: Path) -> None:
    for folder in (home, tmp_path / "other"):
        if folder != home:
            shutil.copytree(home, folder)
            older = HeadFile(folder / "chain" / "head.json")
            write_journal(folder, journal(folder)[:2])
            older.create()
            older.move(list(Journal(path=folder / "chain" / "journal.jsonl").blocks())[-1])
        with chains.keeper(folder) as chain, chain.rpc() as rpc:
            funded(rpc)
    # A journal of the same beginning that went on otherwise, beside the head of this one.
    write_journal(home, [*journal(home)[:2], *journal(tmp_path / "other")[2:]])

    with pytest.raises(JournalLostError):
        replay_in_process(home)


def test_a_head_behind_the_journal_is_moved_and_no_alarm(home: Path) -> None:
    blocks_ = list(Journal(path=home / "chain" / "journal.jsonl").blocks())
    for shown in (0, 1, 2, 3):
        head_file = HeadFile(home / "chain" / "head.json")
        head_file.create()
        for found in blocks_[:shown]:
            head_file.move(found)

        replay_in_process(home)

        assert (head_file.read().number, head_file.read().hash) == (3, blocks_[2].hash)


def test_contracts_that_the_journal_never_made_stop_the_keeper(home: Path) -> None:
    with chains.keeper(home) as chain:
        chain.deploy(home / "chain")
    replay_in_process(home)
    kept = list(Journal(path=home / "chain" / "journal.jsonl").blocks())[:3]
    write_journal(home, journal(home)[:3])
    older = HeadFile(home / "chain" / "head.json")
    older.create()
    older.move(kept[-1])

    with pytest.raises(JournalLostError, match="and the journal's chain has none"):
        replay_in_process(home)


@pytest.mark.parametrize("change", [{"chainId": 1}, {"chainId": "x"}])
def test_contracts_of_another_chain_stop_no_keeper(home: Path, change: dict[str, Any]) -> None:
    with chains.keeper(home) as chain:
        chain.deploy(home / "chain")
    path = home / "chain" / "deployment.json"
    document = {**json.loads(path.read_bytes()), "directory": "0x" + "11" * 20, **change}
    path.write_text(json.dumps(document))

    replay_in_process(home)


def test_a_keeper_whose_head_file_is_taken_away_shows_no_block(home: Path) -> None:
    chain = chains.start_keeper(home)
    (home / "chain" / "head.json").unlink()
    with chain.rpc() as rpc, pytest.raises(NetworkError):
        funded(rpc)
    _, errors = chain.process.communicate(timeout=30)

    assert b"chain.journalUnwritable" in errors
    assert not (home / "chain" / "head.json").exists()


@pytest.mark.parametrize("name", ["genesis.json", "keeper.key"])
def test_a_lost_beginning_stops_the_keeper(home: Path, name: str) -> None:
    (home / "chain" / name).unlink()

    with pytest.raises(GenesisMalformedError):
        replay_in_process(home)


def test_another_beginning_does_not_take_the_journal(home: Path) -> None:
    path = home / "chain" / "genesis.json"
    genesis = json.loads(path.read_bytes())
    path.write_text(json.dumps({**genesis, "time": genesis["time"] + 1}))

    with pytest.raises(JournalMismatchError):
        replay_in_process(home)


def test_a_home_has_one_keeper(tmp_path: Path) -> None:
    with (
        local.sole_keeper(tmp_path),
        pytest.raises(KeeperRunningError),
        local.sole_keeper(tmp_path),
    ):
        pass

    with local.sole_keeper(tmp_path):
        pass


def test_a_chain_that_starts_again_has_its_address_again(home: Path) -> None:
    with chains.keeper(home) as chain:
        first = chain.url

    with chains.keeper(home) as chain:
        again = chain.url

    assert again == first


def test_a_chain_whose_last_port_is_taken_takes_another(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = str(other.getsockname()[1])
        (home / "chain" / "port").write_text(taken)

        with chains.keeper(home) as chain:
            assert not chain.url.endswith(f":{taken}")


def test_a_taken_port_is_named(running: chains.Chain, home: Path) -> None:
    exit_code, said = refused_start(home, "--port", running.url.rpartition(":")[2])

    assert (exit_code, said["code"]) == (1, "chain.portTaken")


def test_two_chains_share_no_id_and_take_no_transaction_of_one_another(tmp_path: Path) -> None:
    with (
        chains.keeper(tmp_path / "one") as one,
        chains.keeper(tmp_path / "two") as two,
        one.rpc() as first,
        two.rpc() as second,
    ):
        account = funded(first)
        second.call("guildmark_fund", to_hex(account.address), 10)
        raw = account.transfer(chain_id(first))

        with pytest.raises(RpcRefusedError):
            second.call("eth_sendRawTransaction", to_hex(raw))

        assert chain_id(first) != chain_id(second)
        geneses = [rpc.call("eth_getBlockByNumber", "0x0", False) for rpc in (first, second)]
        assert geneses[0]["hash"] != geneses[1]["hash"]
        assert all(2**32 <= chain_id(rpc) < 2**53 for rpc in (first, second))


def test_terminating_is_clean(tmp_path: Path) -> None:
    chain = chains.start_keeper(tmp_path)
    anvils = children(chain.process.pid)

    exit_code = chains.stop(chain.process, signal.SIGTERM)

    assert exit_code == 0
    assert not (tmp_path / "chain" / "endpoint.json").exists()
    assert len(anvils) == 1
    assert not is_alive(anvils[0])


def test_the_keeper_ends_loudly_with_its_evm(tmp_path: Path) -> None:
    chain = chains.start_keeper(tmp_path)

    os.kill(children(chain.process.pid)[0], signal.SIGKILL)
    _, errors = chain.process.communicate(timeout=30)

    assert chain.process.returncode == 1
    assert b"chain.evmFailed" in errors


def test_a_full_disk_ends_the_keeper_and_shows_nothing(home: Path) -> None:
    chain = chains.start_keeper(home, is_measured=False)
    path = home / "chain" / "journal.jsonl"
    whole, limit = path.read_bytes(), path.stat().st_size + 40
    with chain.rpc() as rpc:
        account = Account()
        resource.prlimit(chain.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        with pytest.raises(NetworkError):
            rpc.call("guildmark_fund", to_hex(account.address), 10)
    _, errors = chain.process.communicate(timeout=30)

    with chains.keeper(home) as again, again.rpc() as rpc:
        assert b"chain.journalUnwritable" in errors
        assert b"Traceback" not in errors
        assert head(rpc) == 3
        assert rpc.call("eth_getBalance", to_hex(account.address), "latest") == "0x0"
    assert path.read_bytes() == whole


def test_a_block_that_could_not_be_written_is_shown_to_nobody(home: Path) -> None:
    @dataclass(frozen=True)
    class FullDisk(Journal):
        def append(self, block: JournalBlock) -> None:
            message = f"No room for block {block.number}."
            raise JournalUnwritableError(message)

    async def run() -> tuple[list[Any], int]:
        folder, program = home / "chain", toolchain.anvil()
        async with local.keeping(
            folder, program, clock=SystemClock(), entropy=SystemEntropy()
        ) as keeper:
            keeper.journal = FullDisk(path=keeper.journal.path)
            proxy = Proxy(keeper)
            making = asyncio.create_task(keeper.keep())
            calls = [{"method": "guildmark_fund", "params": ["0x" + "55" * 20], "id": 1}]
            reads = [{"method": "eth_blockNumber", "params": [], "id": 1}]
            sent = asyncio.create_task(proxy._answers(calls))
            while not keeper.gate._writing:
                await asyncio.sleep(0)
            waiting = asyncio.create_task(proxy._answers(reads))
            tasks = (sent, waiting, making)
            found: list[Any] = list(await asyncio.gather(*tasks, return_exceptions=True))
            found += await asyncio.gather(proxy._answers(calls), return_exceptions=True)
            made = int(await keeper.evm.call("eth_blockNumber"), 16)
            return found, made

    found, made = asyncio.run(run())

    assert [type(each) for each in found] == [JournalUnwritableError] * 4
    assert made == 4
    assert len(journal(home)) == 3


def test_transactions_that_come_together_share_a_block(running: chains.Chain) -> None:
    with running.rpc() as rpc:
        accounts = [funded(rpc) for _ in range(5)]
        number, before = chain_id(rpc), head(rpc)

        sent = rpc.batch(
            [
                ("eth_sendRawTransaction", [to_hex(account.transfer(number))])
                for account in accounts
                for _ in range(3)
            ]
        )

        receipts = [rpc.call("eth_getTransactionReceipt", found) for found in sent]
        assert {int(receipt["blockNumber"], 16) for receipt in receipts} == {before + 1}


def test_a_transaction_ahead_of_its_turn_waits_for_the_one_before(running: chains.Chain) -> None:
    with running.rpc() as rpc:
        account, number = funded(rpc), chain_id(rpc)
        first, second = account.transfer(number), account.transfer(number)
        before = head(rpc)

        rpc.call("eth_sendRawTransaction", to_hex(second))
        waiting = rpc.call("eth_getTransactionReceipt", to_hex(transaction_hash(second)))
        rpc.call("eth_sendRawTransaction", to_hex(first))

        receipt = rpc.call("eth_getTransactionReceipt", to_hex(transaction_hash(second)))
        assert waiting is None
        assert int(receipt["blockNumber"], 16) == before + 1


def test_block_times_rise_by_themselves(running: chains.Chain) -> None:
    with running.rpc() as rpc:
        for _ in range(4):
            funded(rpc)

        times = [int(block["timestamp"], 16) for block in blocks(rpc)]

    assert times == sorted(set(times))
    assert abs(times[-1] - time.time()) < 130


def test_final_tags_name_the_newest_block(running: chains.Chain) -> None:
    with running.rpc() as rpc:
        account = funded(rpc)
        number = head(rpc)

        tagged = [
            rpc.call("eth_getBlockByNumber", tag, False) for tag in ("latest", "safe", "finalized")
        ]

        assert [int(block["number"], 16) for block in tagged] == [number] * 3
        balance = rpc.call("eth_getBalance", to_hex(account.address), "finalized")
        assert int(balance, 16) == 10 * chains.COIN
        assert rpc.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "finalized"}) == []


@pytest.mark.parametrize(
    "method",
    [
        "anvil_setBalance",
        "anvil_reset",
        "debug_traceTransaction",
        "eth_sendTransaction",
        "eth_sign",
        "evm_mine",
        "evm_setNextBlockTimestamp",
        "evm_revert",
        "hardhat_setCode",
        "txpool_content",
    ],
)
def test_nothing_that_bends_the_chain_goes_through(running: chains.Chain, method: str) -> None:
    with running.rpc() as rpc, pytest.raises(RpcRefusedError) as caught:
        rpc.call(method)

    assert caught.value.rpc_code == -32601


def post(
    chain: chains.Chain,
    body: bytes,
    kind: str = "application/json; charset=utf-8",
    *,
    origin: str | None = None,
) -> httpx.Response:
    headers = {"content-type": kind} if origin is None else {"content-type": kind, "origin": origin}
    return httpx.post(chain.url, content=body, headers=headers, trust_env=False, timeout=30)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"method":1}', -32600),
        (b'{"method":"eth_call","params":{}}', -32602),
        (b'{"method":"eth_sendRawTransaction","params":[]}', -32602),
        (b'{"method":"eth_sendRawTransaction","params":["zz"]}', -32602),
        (b'{"method":"eth_sendRawTransaction"}', -32602),
        (b'{"method":"guildmark_fund","params":[]}', -32602),
        (b'{"method":"guildmark_fund","params":["0x00"]}', -32602),
        (b'{"method":"guildmark_fund","params":["0x' + b"11" * 20 + b'",0]}', -32602),
        (b'{"method":"guildmark_fund","params":["0x' + b"11" * 20 + b'",1000001]}', -32602),
        (b"[" + b",".join([b"{}"] * 2_001) + b"]", -32600),
    ],
)
def test_what_is_no_call_is_answered_with_its_code(
    running: chains.Chain, body: bytes, code: int
) -> None:
    answer = post(running, body)

    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_a_page_in_a_browser_cannot_send_without_asking(running: chains.Chain, kind: str) -> None:
    body = b'{"method":"guildmark_fund","params":["0x' + b"77" * 20 + b'"]}'

    answer = post(running, body, kind)

    with running.rpc() as rpc:
        balance = rpc.call("eth_getBalance", "0x" + "77" * 20, "latest")
    assert (answer.status_code, balance) == (415, "0x0")
    assert httpx.options(running.url, trust_env=False).status_code == 415


_OWN_PAGES = ["http://127.0.0.1:8480", "https://localhost", "http://[::1]:8480"]
_OTHERS = [
    "https://example.org",
    "http://127.0.0.1.example.org:8545",
    "http://localhost.example.org",
    "http://192.168.1.7",
    "null",
    "http://[",
]


@pytest.mark.parametrize("origin", _OWN_PAGES)
def test_a_page_of_this_machine_reads_and_sends_nothing(running: chains.Chain, origin: str) -> None:
    asking = {"origin": origin, "access-control-request-method": "POST"}
    fund = {"id": 2, "method": "guildmark_fund", "params": ["0x" + "78" * 20]}
    send = {"id": 3, "method": "eth_sendRawTransaction", "params": ["0x00"]}
    first = httpx.options(running.url, headers=asking, trust_env=False)
    answer = post(
        running,
        json.dumps([{"id": 1, "method": "eth_chainId"}, fund, send]).encode(),
        origin=origin,
    )

    with running.rpc() as rpc:
        balance = rpc.call("eth_getBalance", "0x" + "78" * 20, "latest")
        chain_id = rpc.call("eth_chainId")
    assert first.status_code == 204
    assert first.headers["access-control-allow-headers"] == "content-type"
    for each in (first, answer):
        assert each.headers["access-control-allow-origin"] == origin
        assert each.headers["vary"] == "Origin"
    read, *refused = answer.json()
    assert read["result"] == chain_id
    assert [one["error"]["code"] for one in refused] == [-32601, -32601]
    assert balance == "0x0"


@pytest.mark.parametrize("origin", _OTHERS)
def test_a_page_of_another_site_learns_nothing(running: chains.Chain, origin: str) -> None:
    first = httpx.options(running.url, headers={"origin": origin}, trust_env=False)
    answer = post(running, b'{"id":1,"method":"eth_chainId"}', origin=origin)

    for each in (first, answer):
        assert each.status_code == 403
        assert "access-control-allow-origin" not in each.headers
        assert "result" not in each.json()


def test_what_an_extension_asks_is_a_programs_question(running: chains.Chain) -> None:
    origin = "moz-extension://7a3f"
    answer = post(running, b'{"id":1,"method":"eth_chainId"}', origin=origin)

    assert "result" in answer.json()
    assert "access-control-allow-origin" not in answer.headers


def test_a_body_has_a_limit(running: chains.Chain) -> None:
    answer = post(running, b" " * (16 * 1024 * 1024 + 1))

    assert answer.status_code == 413


def test_answers_keep_the_order_and_ids_of_their_calls(running: chains.Chain) -> None:
    with running.rpc() as rpc:
        before = head(rpc)
    calls = [
        {"jsonrpc": "2.0", "id": "a", "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 7, "method": "evm_mine"},
        {"jsonrpc": "2.0", "id": None, "method": "guildmark_fund", "params": ["0x" + "11" * 20]},
        {"jsonrpc": "2.0", "id": [], "method": "eth_blockNumber", "params": []},
    ]

    answers = post(running, json.dumps(calls).encode()).json()

    assert [answer["id"] for answer in answers] == ["a", 7, None, []]
    assert answers[1]["error"]["code"] == -32601
    # What is sent is sent first, so that a read beside it sees it.
    assert answers[3]["result"] == hex(before + 1)
