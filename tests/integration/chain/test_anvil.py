"""The EVM under the keeper: what happens when it does not start, does not end, or lags."""

import asyncio
import sys
from pathlib import Path

import httpx
import pytest

from guildmark.adapters.chain import anvil
from guildmark.adapters.chain.anvil import Anvil, AnvilFailedError
from guildmark.adapters.chain.genesis import Beginning, load_or_draw
from guildmark.adapters.chain.journal import Journal
from guildmark.adapters.chain.local import Keeper
from guildmark.adapters.chain.statecache import StateCache
from guildmark.adapters.clock import SystemClock, SystemEntropy

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(1, flush=True)
time.sleep(60)
"""


@pytest.fixture
def beginning(tmp_path: Path) -> Beginning:
    return load_or_draw(tmp_path, clock=SystemClock(), entropy=SystemEntropy())


def program(folder: Path, script: str) -> Path:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("script", "reason"),
    [("exit 1", "it gave no reason"), ("echo no such option; exit 1", "no such option")],
)
def test_an_evm_that_does_not_start_is_told_with_its_own_words(
    tmp_path: Path, beginning: Beginning, script: str, reason: str
) -> None:
    broken = program(tmp_path, script)

    with pytest.raises(AnvilFailedError, match=reason):
        asyncio.run(anvil.start(broken, beginning.genesis, folder=tmp_path / "cache"))


def test_an_evm_that_ignores_its_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anvil, "_STOP_SECONDS", 0.1)

    async def run() -> int | None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STUBBORN, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await Anvil(process=process, url="", client=httpx.AsyncClient()).stop()
        return process.returncode

    assert asyncio.run(run()) == -9


def test_an_evm_that_is_gone_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        process = await asyncio.create_subprocess_exec("true")
        await process.wait()
        gone = Anvil(
            process=process, url="http://127.0.0.1:9", client=httpx.AsyncClient(trust_env=False)
        )
        try:
            await gone.call("eth_chainId")
        finally:
            await gone.stop()

    with pytest.raises(AnvilFailedError):
        asyncio.run(run())


@pytest.mark.parametrize(("lead", "waits"), [(120, 0), (121, 1)])
def test_the_chain_s_time_does_not_run_far_ahead(
    beginning: Beginning, tmp_path: Path, lead: int, waits: int
) -> None:
    async def run() -> float:
        process = await asyncio.create_subprocess_exec("true")
        await process.wait()
        evm = Anvil(process=process, url="", client=httpx.AsyncClient())
        clock = FixedClock()
        keeper = Keeper(
            beginning=beginning,
            evm=evm,
            journal=Journal(path=tmp_path / "j"),
            clock=clock,
            cache=StateCache(path=tmp_path / "s"),
        )
        keeper.head_time = clock.now() + lead - 1
        started = asyncio.get_running_loop().time()
        await keeper._hold_time_back()
        await evm.stop()
        return asyncio.get_running_loop().time() - started

    assert int(asyncio.run(run()) + 0.2) == waits


class FixedClock:
    def now(self) -> int:
        return 1_800_000_000
