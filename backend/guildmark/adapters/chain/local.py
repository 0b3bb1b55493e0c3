"""The keeper of a local chain: makes blocks, journals them, and only then shows them.

A local block is final when it is in the journal. After a loss of anything but the journal the
same blocks come again, with their old times and hashes, or the keeper stops.
"""

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from guildmark.adapters.chain import anvil, deployment
from guildmark.adapters.chain.anvil import Anvil, EvmRefusedError
from guildmark.adapters.chain.eip1559 import Fees, Transaction, transaction_hash
from guildmark.adapters.chain.genesis import Beginning, load_or_draw
from guildmark.adapters.chain.head import FILE_NAME as HEAD
from guildmark.adapters.chain.head import Head, HeadFile
from guildmark.adapters.chain.journal import (
    Journal,
    JournalBlock,
    JournalLostError,
    JournalMismatchError,
)
from guildmark.adapters.chain.rpc import data, quantity
from guildmark.adapters.chain.statecache import EVERY, CachedState, StateCache
from guildmark.adapters.chain.statecache import FILE_NAME as STATE
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.errors import ConflictError, GuildmarkError
from guildmark.domain.identifiers import Address, Digest, to_hex
from guildmark.ports.clock import Clock, Entropy

_logger = logging.getLogger(__name__)

JOURNAL = "journal.jsonl"
COIN = 10**18

_GATHER_SECONDS = 0.003
_GATHER_MAX = 500
_LEAD_MAX = 120
_TRANSFER_GAS = 21_000


class KeeperRunningError(ConflictError):
    """Another process keeps this chain."""

    code = "chain.keeperRunning"
    hint = "Use the chain that runs: its address is in chain/endpoint.json."


@dataclass(frozen=True, slots=True)
class Accepted:
    """A raw transaction that the chain took."""

    hash: Digest


@dataclass(frozen=True, slots=True)
class Refused:
    """A raw transaction that the chain did not take, in the EVM's words."""

    reason: str


Waiting: TypeAlias = tuple[bytes, asyncio.Future[Accepted | Refused]]


@dataclass(slots=True)
class Gate:
    """Readers together, or one writer alone: nobody sees a block that is not in the journal."""

    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _readers: int = 0
    _writing: bool = False

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Hold off writers."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._writing)
            self._readers += 1
        try:
            yield
        finally:
            async with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Hold off everybody else, first those who want to begin reading."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._writing)
            self._writing = True
            await self._changed.wait_for(lambda: self._readers == 0)
        try:
            yield
        finally:
            async with self._changed:
                self._writing = False
                self._changed.notify_all()


@dataclass(slots=True, kw_only=True)
class Keeper:
    """The one process that makes blocks of a local chain."""

    beginning: Beginning
    evm: Anvil
    journal: Journal
    head: HeadFile
    clock: Clock
    cache: StateCache
    cached: int = 0
    gate: Gate = field(default_factory=Gate)
    head_number: int = 0
    head_time: int = 0
    _waiting: asyncio.Queue[Waiting] = field(default_factory=asyncio.Queue)
    _failure: GuildmarkError | None = None
    _pool: dict[Digest, bytes] = field(default_factory=dict)
    _funding: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def replay(self, kept: CachedState | None) -> int:
        """Make the journal's blocks again, those behind ``kept`` excepted; return how many.

        Raises:
            HeadUnreadableError: Nothing tells which block was shown last.
            JournalLostError: A block that was shown is not in the journal.
            JournalMalformedError: A line is not what was written.
            JournalMismatchError: A block came out with another hash.
        """
        shown = self.head.read()
        self.journal.repair(least=shown.number)
        self.head_time = self.beginning.genesis.time
        self.cached = 0 if kept is None else kept.number
        made = 0
        for block in self.journal.blocks():
            if kept is not None and block.number == kept.number:
                await self._restore(block, kept)
            elif block.number > self.cached:
                await self._again(block)
                made += 1
            _compare_head(block, shown)
        if self.head_number < self.cached:
            message = f"The journal ends before block {self.cached}, whose state was kept."
            raise JournalMismatchError(message, block=self.cached)
        if self.head_number > shown.number:
            # Killed between the journal and the head: nobody saw the block, yet it is there.
            self.head.move(block)
        return made

    async def check_deployment(self, path: Path) -> None:
        """Check that the contracts which were deployed on this chain are on it.

        Raises:
            JournalLostError: They are not.
        """
        try:
            pin = deployment.load(path)
        except deployment.DeploymentMissingError:
            return
        except deployment.DeploymentMalformedError as error:
            _logger.warning("%s", error.message)
            return
        if pin.chain_id != self.beginning.genesis.chain_id:
            # It was deployed on a chain that another home keeps.
            return
        directory = to_hex(pin.contracts[ContractName.DIRECTORY].address)
        if await self.evm.call("eth_getCode", directory, "latest") == "0x":
            message = f"{path} names contracts at {directory}, and the journal's chain has none."
            raise JournalLostError(message, path=str(path), directory=directory)

    async def keep(self) -> None:
        """Make blocks of what is submitted until cancelled.

        Raises:
            JournalUnwritableError: The journal cannot be written; no block was shown.
            AnvilFailedError: The EVM does not answer.
        """
        while True:
            group = [await self._waiting.get()]
            await asyncio.sleep(_GATHER_SECONDS)
            while not self._waiting.empty() and len(group) < _GATHER_MAX:
                group.append(self._waiting.get_nowait())
            await self._hold_time_back()
            async with self.gate.writing():
                try:
                    answers = await self._answers([raw for raw, _ in group])
                except GuildmarkError as error:
                    # Behind the gate: afterwards nobody may see what is not in the journal.
                    self._give_up([*group, *self._left()], error)
                    raise
            for (_, future), answer in zip(group, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    def check(self) -> None:
        """Check that blocks can still be made.

        Raises:
            JournalUnwritableError: The journal could not be written.
            AnvilFailedError: The EVM did not answer.
        """
        if self._failure is not None:
            raise self._failure

    async def submit(self, raw: bytes) -> Accepted | Refused:
        """Take a raw transaction; when it is accepted and can be included, it is final.

        Raises:
            JournalUnwritableError: The chain ends, since it cannot be written.
            AnvilFailedError: The chain ends, since the EVM does not answer.
        """
        self.check()
        future: asyncio.Future[Accepted | Refused] = asyncio.get_running_loop().create_future()
        await self._waiting.put((raw, future))
        return await future

    async def fund(self, account: Address, coins: int) -> Accepted | Refused:
        """Send coin of the keeper to an account."""
        async with self._funding:
            return await self.submit(await self._transfer(account, coins * COIN))

    async def _answers(self, raws: Sequence[bytes]) -> Sequence[Accepted | Refused]:
        answers = [await self._taken(raw) for raw in raws]
        await self._mine_pool({answer.hash for answer in answers if isinstance(answer, Accepted)})
        return answers

    def _left(self) -> Iterator[Waiting]:
        while not self._waiting.empty():
            yield self._waiting.get_nowait()

    def _give_up(self, waiting: Sequence[Waiting], error: GuildmarkError) -> None:
        """Answer those who wait: nothing that they sent was shown."""
        self._failure = error
        for _, future in waiting:
            if not future.done():
                future.set_exception(error)
                # Whoever sent it may be gone: then nobody asks.
                future.exception()

    async def _transfer(self, account: Address, value: int) -> bytes:
        keeper = to_hex(self.beginning.genesis.keeper)
        nonce = quantity(await self.evm.call("eth_getTransactionCount", keeper, "latest"))
        block = await self.evm.call("eth_getBlockByNumber", "latest", False)
        transaction = Transaction(
            chain_id=self.beginning.genesis.chain_id,
            nonce=nonce,
            fees=Fees(max_fee=2 * quantity(block["baseFeePerGas"]) + 1, priority=1),
            gas=_TRANSFER_GAS,
            to=account,
            value=value,
        )
        signature = self.beginning.key.sign_recoverable(transaction.digest(), hasher=None)
        return transaction.signed(signature[:64] + bytes([27 + signature[64]]))

    async def _restore(self, block: JournalBlock, kept: CachedState) -> None:
        try:
            await self.evm.call("anvil_loadState", kept.state)
            found = await self.evm.call("eth_getBlockByNumber", "latest", False)
        except EvmRefusedError as error:
            raise _mismatch(block, error.message) from error
        if found["hash"] != to_hex(block.hash) or kept.hash != found["hash"]:
            raise _mismatch(block, f"the kept state is of {found['hash']}")
        self.head_number, self.head_time = block.number, block.time

    async def _keep_state(self, made: JournalBlock) -> None:
        if made.number - self.cached >= self.cache.every:
            state = await self.evm.call("anvil_dumpState", False)
            await asyncio.to_thread(self.cache.save, made, state)
            self.cached = made.number

    async def _hold_time_back(self) -> None:
        # More than one block a second moves the chain's time ahead of the clock, but not far.
        lead = self.head_time + 1 - self.clock.now()
        if lead > _LEAD_MAX:
            await asyncio.sleep(lead - _LEAD_MAX)

    async def _taken(self, raw: bytes) -> Accepted | Refused:
        try:
            await self.evm.call("eth_sendRawTransaction", to_hex(raw))
        except EvmRefusedError as error:
            return Refused(str(error.detail["reason"]))
        found = transaction_hash(raw)
        self._pool[found] = raw
        return Accepted(found)

    async def _mine_pool(self, taken: set[Digest]) -> None:
        """Make blocks until none of what was taken, nor what it set free, can be included."""
        while taken & self._pool.keys() and await self._is_ready() and await self._mine():
            pass

    async def _is_ready(self) -> bool:
        status = await self.evm.call("txpool_status")
        return quantity(status["pending"]) > 0

    async def _mine(self) -> bool:
        """Make and journal one block; return whether it holds a transaction."""
        time = max(self.clock.now(), self.head_time + 1)
        block = await self._made(time)
        hashes = [Digest(data(found["hash"], 32)) for found in block["transactions"]]
        made = JournalBlock(
            number=quantity(block["number"]),
            time=time,
            transactions=tuple(self._pool[found] for found in hashes),
            hash=Digest(data(block["hash"], 32)),
        )
        # Readers wait at the gate until this returns: seen means durable.
        await asyncio.to_thread(self._write_down, made)
        self.head_number, self.head_time = made.number, made.time
        for found in hashes:
            del self._pool[found]
        await self._keep_state(made)
        return bool(hashes)

    def _write_down(self, block: JournalBlock) -> None:
        self.journal.append(block)
        self.head.move(block)

    async def _made(self, time: int) -> dict[str, Any]:
        (block,) = await self.evm.call("evm_mine_detailed", {"timestamp": time})
        return dict(block)

    async def _again(self, block: JournalBlock) -> None:
        try:
            for raw in block.transactions:
                await self.evm.call("eth_sendRawTransaction", to_hex(raw))
            found = await self._made(block.time)
        except EvmRefusedError as error:
            raise _mismatch(block, error.message) from error
        if data(found["hash"], 32) != block.hash:
            raise _mismatch(block, f"its hash is now {found['hash']}")
        self.head_number, self.head_time = block.number, block.time


def _compare_head(block: JournalBlock, shown: Head) -> None:
    if block.number == shown.number and block.hash != shown.hash:
        message = f"Block {block.number} of the journal is not the one that was shown."
        raise JournalLostError(
            message, block=block.number, found=to_hex(block.hash), expected=to_hex(shown.hash)
        )


def _mismatch(block: JournalBlock, reason: str) -> JournalMismatchError:
    message = f"Block {block.number} of the journal does not come out as it was: {reason}"
    return JournalMismatchError(message, block=block.number, expected=to_hex(block.hash))


@contextmanager
def sole_keeper(folder: Path) -> Iterator[None]:
    """Hold the chain's folder for one process.

    Raises:
        KeeperRunningError: Another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            message = f"Another process keeps the chain in {folder}."
            raise KeeperRunningError(message, folder=str(folder)) from exc
        yield


@asynccontextmanager
async def keeping(
    folder: Path, program: Path, *, clock: Clock, entropy: Entropy, every: int = EVERY
) -> AsyncIterator[Keeper]:
    """Start the chain in ``folder`` and replay its journal; end it on leaving.

    Args:
        folder: The chain's folder.
        program: The native anvil.
        clock: Gives blocks their times.
        entropy: Draws how a new chain begins.
        every: After how many blocks the state is kept, to begin from at the next start.

    Raises:
        GenesisMalformedError: The folder does not say how the chain began.
        HeadUnreadableError: The folder does not say which block was shown last.
        JournalLostError: Blocks that were shown, or the contracts, are not in the journal.
        JournalMalformedError: A line of the journal is not what was written.
        JournalMismatchError: A block came out with another hash.
        AnvilFailedError: The EVM does not start.
    """
    beginning = load_or_draw(folder, clock=clock, entropy=entropy)
    cache = StateCache(path=folder / STATE, every=every)

    async def started(kept: CachedState | None) -> Keeper:
        evm = await anvil.start(program, beginning.genesis, folder=folder / "cache")
        journal = Journal(path=folder / JOURNAL)
        keeper = Keeper(
            beginning=beginning,
            evm=evm,
            journal=journal,
            head=HeadFile(folder / HEAD),
            clock=clock,
            cache=cache,
        )
        try:
            _logger.info("made %d blocks again", await keeper.replay(kept))
            await keeper.check_deployment(folder / deployment.FILE_NAME)
        except GuildmarkError:
            await evm.stop()
            raise
        return keeper

    keeper = await _at_head(started, cache)
    try:
        yield keeper
    finally:
        await keeper.evm.stop()


async def _at_head(
    started: Callable[[CachedState | None], Awaitable[Keeper]], cache: StateCache
) -> Keeper:
    """Return a keeper at the journal's head: from the kept state if it fits, else from genesis."""
    kept = cache.load()
    if kept is not None:
        try:
            return await started(kept)
        except JournalMismatchError as error:
            _logger.warning("the kept state does not fit: %s", error.message)
            cache.drop()
    return await started(None)
