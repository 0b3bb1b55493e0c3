"""The kept state of a long chain: a shorter way up, never another chain."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guildmark.adapters.chain import local, toolchain
from guildmark.adapters.chain.head import HeadFile
from guildmark.adapters.chain.journal import (
    Journal,
    JournalBlock,
    JournalLostError,
    JournalMismatchError,
)
from guildmark.adapters.chain.local import Accepted, Keeper
from guildmark.adapters.chain.statecache import StateCache
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.domain.identifiers import Address, Digest

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

EVERY = 4
BLOCKS = 10


def keeping(folder: Path, use: Callable[[Keeper], Any]) -> Any:
    """Run a keeper in this process and return what ``use`` finds."""

    async def run() -> Any:
        async with local.keeping(
            folder,
            toolchain.anvil(),
            clock=SystemClock(),
            entropy=SystemEntropy(),
            every=EVERY,
        ) as keeper:
            making = asyncio.create_task(keeper.keep())
            found = await use(keeper)
            making.cancel()
            return found

    return asyncio.run(run())


async def grow(keeper: Keeper) -> None:
    for number in range(BLOCKS):
        assert isinstance(await keeper.fund(Address(bytes([number + 1]) * 20), 1), Accepted)


async def seen(keeper: Keeper) -> tuple[int, list[str], list[str]]:
    """Return from which block on it replayed, all hashes, and all balances."""
    hashes = [
        (await keeper.evm.call("eth_getBlockByNumber", hex(number), False))["hash"]
        for number in range(keeper.head_number + 1)
    ]
    balances = [
        await keeper.evm.call("eth_getBalance", "0x" + bytes([number + 1]).hex() * 20, "latest")
        for number in range(BLOCKS)
    ]
    return keeper.cached, hashes, balances


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keeping(tmp_path, grow)
    return tmp_path


def rewritten(folder: Path, **changes: Any) -> None:
    path = folder / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))


def test_a_start_from_the_kept_state_gives_the_same_chain(folder: Path) -> None:
    short = keeping(folder, seen)
    (folder / "state.json").unlink()
    whole = keeping(folder, seen)

    assert (short[0], whole[0]) == (8, 0)
    assert short[1:] == whole[1:]


def test_a_chain_goes_on_from_the_kept_state_as_from_its_journal(folder: Path) -> None:
    keeping(folder, grow)
    short = keeping(folder, seen)
    (folder / "state.json").unlink()

    assert keeping(folder, seen)[1:] == short[1:]
    assert short[0] == 20


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "state.json").write_text("{"),
        lambda folder: (folder / "state.json").write_text("[]"),
        lambda folder: rewritten(folder, state="0x00"),
        lambda folder: rewritten(folder, number="x"),
        lambda folder: rewritten(folder, number=7),
        lambda folder: StateCache(path=folder / "state.json").drop(),
    ],
)
def test_a_damaged_state_is_passed_over(folder: Path, damage: Callable[[Path], Any]) -> None:
    good = keeping(folder, seen)
    damage(folder)

    found = keeping(folder, seen)

    assert found[0] == 0
    assert found[1:] == good[1:]


@pytest.mark.parametrize("state", ["0x00", "0x"])
def test_a_state_that_anvil_does_not_take_is_dropped(folder: Path, state: str) -> None:
    good = keeping(folder, seen)
    last = _last(folder)
    StateCache(path=folder / "state.json").save(last, state)

    found = keeping(folder, seen)

    assert found[0] == 0
    assert found[1:] == good[1:]
    assert not (folder / "state.json").exists()


def test_a_state_of_another_block_is_dropped(folder: Path) -> None:
    good = keeping(folder, seen)
    kept = StateCache(path=folder / "state.json").load()
    assert kept is not None
    StateCache(path=folder / "state.json").save(_last(folder), kept.state)

    found = keeping(folder, seen)

    assert found[0] == 0
    assert found[1:] == good[1:]


def test_an_older_journal_with_its_head_is_believed_before_the_kept_state(folder: Path) -> None:
    path, head = folder / "journal.jsonl", HeadFile(folder / "head.json")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    head.create()
    head.move(_last(folder))

    cached, hashes, _ = keeping(folder, seen)

    assert (cached, len(hashes)) == (0, 4)


@pytest.mark.parametrize("left", [0, 3, 8, 9])
def test_a_journal_that_ends_before_the_head_is_not_believed(folder: Path, left: int) -> None:
    path = folder / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:left]))
    before = path.read_bytes()

    with pytest.raises(JournalLostError):
        keeping(folder, seen)

    assert path.read_bytes() == before
    assert (folder / "state.json").exists()


def test_a_wrong_journal_stops_with_and_without_the_kept_state(folder: Path) -> None:
    path = folder / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    lines[9]["hash"] = lines[0]["hash"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    with pytest.raises(JournalMismatchError):
        keeping(folder, seen)


def test_a_disk_that_does_not_take_the_state_stops_nothing(tmp_path: Path) -> None:
    cache = StateCache(path=tmp_path / "missing" / "state.json")

    cache.save(JournalBlock(number=1, time=1, transactions=(), hash=Digest(bytes(32))), "0x")

    assert cache.load() is None


def _last(folder: Path) -> JournalBlock:
    return list(Journal(path=folder / "journal.jsonl").blocks())[-1]
