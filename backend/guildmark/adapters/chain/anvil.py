"""The EVM under the local chain: npm's native anvil, a child that never outlives its keeper."""

import asyncio
import ctypes
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from guildmark.adapters.chain.genesis import Genesis
from guildmark.adapters.chain.upstream import Upstream, UpstreamError
from guildmark.domain.errors import GuildmarkError

_PR_SET_PDEATHSIG = 1
_ATTEMPTS = 5
_READY_SECONDS = 20.0
_STOP_SECONDS = 5.0
_PAUSE = 0.02
_BASE_FEE = 10**9


class AnvilFailedError(GuildmarkError):
    """The EVM under the local chain did not start, or ended by itself."""

    code = "chain.evmFailed"
    hint = "Start the chain again: its journal has every block that was shown."


class EvmRefusedError(GuildmarkError):
    """The EVM answered a call of its keeper with an error."""

    code = "chain.evmRefused"


@dataclass(slots=True, kw_only=True)
class Anvil:
    """A running anvil, spoken to by its keeper only."""

    process: asyncio.subprocess.Process
    upstream: Upstream

    async def call(self, method: str, *params: Any) -> Any:
        """Return the result of one call.

        Raises:
            AnvilFailedError: anvil does not answer.
            EvmRefusedError: It answered with an error.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = await self.forward(orjson.dumps(body))
        if "error" in answer:
            reason = str(answer["error"].get("message"))
            message = f"The EVM refused {method}: {reason}."
            raise EvmRefusedError(message, method=method, reason=reason)
        return answer["result"]

    async def forward(self, body: bytes) -> Any:
        """Return the parsed answer to a JSON-RPC request or batch.

        Raises:
            AnvilFailedError: anvil does not answer.
        """
        try:
            answer = await self.upstream.post(body)
        except UpstreamError as exc:
            raise AnvilFailedError(f"The EVM does not answer: {exc}.") from exc
        return orjson.loads(answer)

    async def stop(self) -> None:
        """End the process and wait for it."""
        await self.upstream.close()
        if self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def start(program: Path, genesis: Genesis, *, folder: Path) -> Anvil:
    """Start anvil at the chain's genesis, on a free port of this machine.

    Args:
        program: The native binary; npm's launcher would leave it running when killed.
        genesis: How the chain begins.
        folder: A folder for what anvil writes; it is emptied, all in it can be made again.

    Raises:
        AnvilFailedError: It does not start.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    init = folder / "init.json"
    init.write_bytes(genesis.init_file())
    for _ in range(_ATTEMPTS):
        anvil = await _attempt(_command(program, genesis, init, port := _free_port()), port, folder)
        if await _is_ready(anvil, genesis):
            return anvil
        await anvil.stop()
    log = (folder / "anvil.log").read_text(errors="replace").strip()[-300:]
    raise AnvilFailedError(f"The EVM did not start: {log or 'it gave no reason'}.")


def _command(program: Path, genesis: Genesis, init: Path, port: int) -> Sequence[str]:
    # Whatever could differ between two runs is said here; the rest is in the transactions.
    return (
        *(str(program), "--quiet", "--host", "127.0.0.1", "--port", str(port)),
        *("--init", str(init), "--chain-id", str(genesis.chain_id)),
        *("--hardfork", "osaka", "--enable-tx-gas-limit"),
        *("--gas-limit", str(genesis.gas_limit), "--base-fee", str(_BASE_FEE)),
        *("--accounts", "0", "--no-mining", "--order", "fifo"),
        *("--cache-path", str(init.parent / "states")),
    )


async def _attempt(command: Sequence[str], port: int, folder: Path) -> Anvil:
    with (folder / "anvil.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            # A group of its own: a terminal's Ctrl-C reaches the keeper alone, which ends it.
            process_group=0,
            preexec_fn=_dying_with(os.getpid()) if sys.platform == "linux" else None,
        )
    return Anvil(process=process, upstream=Upstream(port))


async def _is_ready(anvil: Anvil, genesis: Genesis) -> bool:
    deadline = asyncio.get_running_loop().time() + _READY_SECONDS
    while asyncio.get_running_loop().time() < deadline and anvil.process.returncode is None:
        try:
            # Another program on that port would have another chain id: it is random.
            return bool(await anvil.call("eth_chainId") == hex(genesis.chain_id))
        except AnvilFailedError:
            await asyncio.sleep(_PAUSE)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _dying_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        # prctl(2): the kernel ends anvil when its keeper dies, kill -9 included.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare
