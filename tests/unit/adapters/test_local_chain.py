"""The parts of a local chain that need no chain: journal, genesis, gate, transactions, headers."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from guildmark.adapters.chain.eip1559 import (
    Fees,
    Transaction,
    created_address,
    transaction_hash,
)
from guildmark.adapters.chain.endpoint import ChainNotRunningError, endpoint, preferred_ports
from guildmark.adapters.chain.fees import bumped, capped, offered
from guildmark.adapters.chain.genesis import GenesisMalformedError, load_or_draw
from guildmark.adapters.chain.head import HeadFile, HeadUnreadableError
from guildmark.adapters.chain.headers import header
from guildmark.adapters.chain.journal import (
    Journal,
    JournalBlock,
    JournalLostError,
    JournalMalformedError,
    JournalUnwritableError,
)
from guildmark.adapters.chain.local import Gate
from guildmark.adapters.keys import signer
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.identifiers import Address, ChainId, Digest, to_hex
from guildmark.ports.chain import LedgerAnswerError

NOW = 1_800_000_000


class FixedClock:
    def now(self) -> int:
        return NOW


class CountingEntropy:
    def __init__(self, start: int = 1) -> None:
        self._next = start

    def token(self, size: int) -> bytes:
        self._next += 1
        return bytes([self._next % 256]) * size


def block(number: int = 1, *transactions: bytes) -> JournalBlock:
    return JournalBlock(
        number=number,
        time=NOW + number,
        transactions=transactions,
        hash=Digest(bytes([number]) * 32),
    )


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal(path=tmp_path / "journal.jsonl")
    blocks = [block(1, b"\1", b"\2\3"), block(2), block(3, b"")]

    for found in blocks:
        journal.append(found)

    assert list(journal.blocks()) == blocks


def test_a_journal_that_is_not_there_has_no_blocks(tmp_path: Path) -> None:
    journal = Journal(path=tmp_path / "journal.jsonl")

    assert list(journal.blocks()) == []
    assert journal.repair(least=0) == 0


@pytest.mark.parametrize("left", [1, 5, 20])
def test_a_torn_line_is_cut_off_and_no_more(tmp_path: Path, left: int) -> None:
    journal = Journal(path=tmp_path / "journal.jsonl")
    journal.append(block(1))
    whole = journal.path.read_bytes()
    journal.append(block(2))
    journal.path.write_bytes(journal.path.read_bytes()[: len(whole) + left])

    torn = journal.repair(least=1)

    assert torn == left
    assert journal.path.read_bytes() == whole
    assert journal.repair(least=1) == 0


@pytest.mark.parametrize("torn", [b"", b'{"number":3'])
def test_a_journal_that_lost_what_was_shown_is_not_touched(tmp_path: Path, torn: bytes) -> None:
    journal = Journal(path=tmp_path / "journal.jsonl")
    journal.append(block(1))
    journal.append(block(2))
    journal.path.write_bytes(journal.path.read_bytes() + torn)
    before = journal.path.read_bytes()

    with pytest.raises(JournalLostError) as caught:
        journal.repair(least=3)

    assert caught.value.detail == {"path": str(journal.path), "found": 2, "expected": 3}
    assert journal.path.read_bytes() == before


def test_a_journal_that_is_gone_lost_what_was_shown(tmp_path: Path) -> None:
    with pytest.raises(JournalLostError):
        Journal(path=tmp_path / "journal.jsonl").repair(least=1)


def test_a_head_moves_with_the_blocks(tmp_path: Path) -> None:
    head = HeadFile(tmp_path / "head.json")
    head.create()
    seen = [head.read().number]

    for number in (1, 2, 3):
        head.move(block(number))
        seen.append(head.read().number)

    assert seen == [0, 1, 2, 3]
    assert head.read().hash == block(3).hash
    assert head.path.stat().st_size == 2 * 4096


@pytest.mark.parametrize("written", [0, 1, 60, 190, 4095])
def test_a_head_torn_while_it_moved_is_the_one_before(tmp_path: Path, written: int) -> None:
    head = HeadFile(tmp_path / "head.json")
    head.create()
    for number in (1, 2):
        head.move(block(number))
    before = head.path.read_bytes()
    head.move(block(3))
    moved = head.path.read_bytes()

    head.path.write_bytes(before[:4096] + moved[4096 : 4096 + written] + before[4096 + written :])

    assert head.read().number == (3 if written > 180 else 2)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"number":1,"hash":"0x00","digest":""}', b"\0" * 8192],
)
def test_a_damaged_head_is_named(tmp_path: Path, content: bytes) -> None:
    head = HeadFile(tmp_path / "head.json")
    head.path.write_bytes(content)

    with pytest.raises(HeadUnreadableError) as caught:
        head.read()

    assert caught.value.detail == {"path": str(head.path)}


def test_a_head_that_is_gone_is_neither_read_nor_made_anew(tmp_path: Path) -> None:
    head = HeadFile(tmp_path / "head.json")

    with pytest.raises(HeadUnreadableError):
        head.read()
    with pytest.raises(JournalUnwritableError):
        head.move(block(1))

    assert not head.path.exists()


def test_a_line_out_of_its_place_is_refused(tmp_path: Path) -> None:
    journal = Journal(path=tmp_path / "journal.jsonl")
    journal.append(block(2))

    with pytest.raises(JournalMalformedError) as caught:
        list(journal.blocks())

    assert caught.value.detail == {"line": 1, "block": 2}


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    journal = Journal(path=tmp_path / "missing" / "journal.jsonl")

    with pytest.raises(JournalUnwritableError) as caught:
        journal.append(block(1))

    assert caught.value.detail == {"path": str(journal.path)}


def test_a_genesis_is_drawn_once_and_kept(tmp_path: Path) -> None:
    first = load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy())

    second = load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy(9))

    assert second.genesis == first.genesis
    assert second.key.secret == first.key.secret
    assert (tmp_path / "keeper.key").stat().st_mode & 0o777 == 0o600


def test_two_chains_begin_differently(tmp_path: Path) -> None:
    geneses = []
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        entropy = CountingEntropy(number * 11)
        geneses.append(load_or_draw(folder, clock=FixedClock(), entropy=entropy).genesis)

    assert len({genesis.chain_id for genesis in geneses}) == 20
    assert len({(genesis.time, genesis.gas_limit) for genesis in geneses}) == 20
    for genesis in geneses:
        assert 2**32 <= genesis.chain_id < 2**53
        assert NOW - 2**25 <= genesis.time < NOW


def test_anvil_is_told_all_that_makes_the_chain(tmp_path: Path) -> None:
    genesis = load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy()).genesis

    init = json.loads(genesis.init_file())

    assert init["config"]["chainId"] == genesis.chain_id
    assert int(init["timestamp"], 16) == genesis.time
    assert list(init["alloc"]) == [to_hex(genesis.keeper)]


def damaged(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "genesis.json"
        document = json.loads(path.read_bytes())
        change(document)
        path.write_text(json.dumps(document))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "genesis.json").write_text("{"),
        lambda folder: (folder / "genesis.json").write_text("[]"),
        lambda folder: (folder / "keeper.key").write_text("zz"),
        lambda folder: (folder / "keeper.key").write_text("0x" + "00" * 31 + "05"),
        lambda folder: (folder / "keeper.key").unlink(),
        damaged(lambda document: document.pop("time")),
        damaged(lambda document: document.update(chainId="1")),
        damaged(lambda document: document.update(gasLimit=0)),
        damaged(lambda document: document.update(keeper="0x00")),
    ],
)
def test_a_damaged_genesis_is_refused(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy())
    damage(tmp_path)

    with pytest.raises(GenesisMalformedError):
        load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy())


@pytest.mark.parametrize("name", ["journal.jsonl", "state.json", "deployment.json"])
def test_a_chain_with_blocks_is_never_begun_anew(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")

    with pytest.raises(GenesisMalformedError, match="but the chain had blocks"):
        load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy())


def test_a_chain_that_showed_blocks_is_never_begun_anew(tmp_path: Path) -> None:
    load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy())
    HeadFile(tmp_path / "head.json").move(block(1))
    (tmp_path / "genesis.json").unlink()

    with pytest.raises(GenesisMalformedError, match="but the chain had blocks"):
        load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy())


@pytest.mark.parametrize("left", [(), ("keeper.key",), ("head.json",), ("head.json", "keeper.key")])
def test_a_beginning_that_was_not_complete_is_drawn_anew(
    tmp_path: Path, left: tuple[str, ...]
) -> None:
    load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy())
    for path in [found for found in tmp_path.iterdir() if found.name not in left]:
        path.unlink()

    found = load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy(9))

    assert found.genesis.chain_id >= 2**32
    assert HeadFile(tmp_path / "head.json").read().number == 0


def test_a_beginning_with_a_damaged_head_is_not_drawn_anew(tmp_path: Path) -> None:
    (tmp_path / "head.json").write_text("{")

    with pytest.raises(HeadUnreadableError):
        load_or_draw(tmp_path, clock=FixedClock(), entropy=CountingEntropy())


def test_a_chain_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChainNotRunningError):
        endpoint(tmp_path)


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_damaged_endpoint_is_no_endpoint(tmp_path: Path, content: str) -> None:
    (tmp_path / "endpoint.json").write_text(content)

    with pytest.raises(ChainNotRunningError):
        endpoint(tmp_path)


def test_the_endpoint_is_read(tmp_path: Path) -> None:
    (tmp_path / "endpoint.json").write_text('{"url": "http://127.0.0.1:1"}')

    assert endpoint(tmp_path) == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("last", "asked", "ports"),
    [
        (None, None, (8545,)),
        (None, 0, (0,)),
        (None, 7, (7,)),
        ("9000", None, (9000,)),
        ("9000", 0, (9000, 0)),
        ("9000", 7, (7,)),
        ("65535", None, (65_535,)),
        ("65536", None, (8545,)),
        ("0", None, (8545,)),
        ("x", 0, (0,)),
    ],
)
def test_a_chain_keeps_its_port(
    tmp_path: Path, last: str | None, asked: int | None, ports: tuple[int, ...]
) -> None:
    if last is not None:
        (tmp_path / "port").write_text(last)

    assert preferred_ports(tmp_path, asked) == ports


@pytest.mark.enable_socket
def test_readers_share_the_gate_and_a_writer_has_it_alone() -> None:
    events: list[str] = []

    async def read(gate: Gate, name: str, pause: float) -> None:
        async with gate.reading():
            events.append(f"{name}+")
            await asyncio.sleep(pause)
            events.append(f"{name}-")

    async def write(gate: Gate) -> None:
        async with gate.writing():
            events.append("w+")
            await asyncio.sleep(0.02)
            events.append("w-")

    async def run() -> None:
        gate = Gate()
        tasks = [asyncio.create_task(read(gate, name, 0.05)) for name in "ab"]
        await asyncio.sleep(0.01)
        tasks.append(asyncio.create_task(write(gate)))
        await asyncio.sleep(0.01)
        # A reader that comes while a writer waits waits behind it.
        tasks.append(asyncio.create_task(read(gate, "c", 0)))
        tasks.append(asyncio.create_task(write(gate)))
        await asyncio.gather(*tasks)

    asyncio.run(run())

    assert events[:4] == ["a+", "b+", "a-", "b-"]
    assert events[4:6] == ["w+", "w-"]
    rest = "".join(events[6:])
    assert rest in {"c+c-w+w-", "w+w-c+c-"}


numbers = st.integers(min_value=0, max_value=2**64 - 1)


transactions = st.builds(
    Transaction,
    chain_id=st.just(ChainId(4711)),
    nonce=numbers,
    fees=st.builds(Fees, max_fee=numbers, priority=numbers),
    gas=numbers,
    to=st.none() | st.binary(min_size=20, max_size=20).map(Address),
    value=numbers,
    data=st.binary(max_size=100),
)


@given(
    key=st.integers(min_value=1, max_value=2**255).map(lambda number: number.to_bytes(32, "big")),
    transaction=transactions,
)
def test_transactions_are_signed_as_eth_account_signs_them(
    key: bytes, transaction: Transaction
) -> None:
    own = signer.secp256k1(PrivateKey(key))

    raw = transaction.signed(own.sign_digest(transaction.digest()))

    expected = Account.from_key(key).sign_transaction(
        {
            "type": 2,
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "maxFeePerGas": transaction.fees.max_fee,
            "maxPriorityFeePerGas": transaction.fees.priority,
            "gas": transaction.gas,
            "to": b"" if transaction.to is None else to_checksum_address(transaction.to),
            "value": transaction.value,
            "data": transaction.data,
        }
    )
    assert raw == expected.raw_transaction
    assert transaction_hash(raw) == expected.hash


def test_created_addresses_are_those_of_the_yellow_paper() -> None:
    sender = Address(bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"))

    found = [created_address(sender, nonce).hex() for nonce in range(3)]

    assert found == [
        "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d",
        "343c43a37d37dff08ae8c4a11544c718abb4fcf8",
        "f778b86fa74e846c4f0a1fbd1335fe81c00a0c91",
    ]


@given(old=st.tuples(numbers, numbers), base=numbers, priority=numbers)
def test_a_dearer_offer_is_an_eighth_dearer_in_both_and_what_is_asked_today(
    old: tuple[int, int], base: int, priority: int
) -> None:
    before, now = Fees(max_fee=old[0], priority=old[1]), offered(base, priority)

    found = bumped(before, now)

    assert 8 * found.max_fee >= 9 * before.max_fee
    assert 8 * found.priority >= 9 * before.priority
    assert found.max_fee >= now.max_fee
    assert found.priority >= now.priority


@given(fee=numbers, limit=numbers)
def test_no_offer_is_above_the_limit(fee: int, limit: int) -> None:
    found = capped(Fees(max_fee=fee, priority=fee), limit)

    assert found.max_fee == found.priority == min(fee, limit)


# The first block of a chain of this repository's keeper, as anvil showed it.
BLOCK = {
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x0",
    "number": "0x0",
    "gasLimit": "0x3938700",
    "gasUsed": "0x0",
    "timestamp": "0x6553f100",
    "extraData": "0x",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000000",
    "baseFeePerGas": "0x3b9aca00",
    "withdrawalsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "blobGasUsed": "0x0",
    "excessBlobGas": "0x0",
    "parentBeaconBlockRoot": "0x" + "00" * 32,
    "requestsHash": "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "hash": "0xdd969253a4eaf0ae0383c65083d221cd04374eca4a9d050e9a452b7c3132c01b",
}


def test_a_header_is_rebuilt_to_the_bytes_that_its_hash_is_of() -> None:
    found = decode_header(header(BLOCK))

    assert to_hex(found.hash) == BLOCK["hash"]
    assert (found.number, found.time) == (0, 0x6553F100)


@pytest.mark.parametrize("name", sorted(set(BLOCK) - {"hash"}))
def test_a_header_with_another_or_no_field_is_refused(name: str) -> None:
    value = BLOCK[name]
    other = value[:-1] + ("1" if value[-1] == "0" else "0") if len(value) > 2 else "0x01"

    with pytest.raises(LedgerAnswerError):
        header({**BLOCK, name: other})
    with pytest.raises(LedgerAnswerError):
        header({key: found for key, found in BLOCK.items() if key != name})
