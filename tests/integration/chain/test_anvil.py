"""The EVM under the keeper: what happens when it does not start, does not end, or lags."""

import asyncio
import sys
from pathlib import Path

import pytest

from guildmark.adapters.chain import anvil
from guildmark.adapters.chain import upstream as upstream_module
from guildmark.adapters.chain.anvil import Anvil, AnvilFailedError
from guildmark.adapters.chain.genesis import Beginning, load_or_draw
from guildmark.adapters.chain.head import HeadFile
from guildmark.adapters.chain.journal import Journal
from guildmark.adapters.chain.local import Keeper
from guildmark.adapters.chain.statecache import StateCache
from guildmark.adapters.chain.upstream import Upstream, UpstreamError
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
        await Anvil(process=process, upstream=Upstream(9)).stop()
        return process.returncode

    assert asyncio.run(run()) == -9


def test_an_evm_that_is_gone_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        process = await asyncio.create_subprocess_exec("true")
        await process.wait()
        gone = Anvil(process=process, upstream=Upstream(9))
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
        evm = Anvil(process=process, upstream=Upstream(9))
        clock = FixedClock()
        keeper = Keeper(
            beginning=beginning,
            evm=evm,
            journal=Journal(path=tmp_path / "j"),
            head=HeadFile(tmp_path / "h"),
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


def answering(answer: bytes) -> bytes | str:
    """Return what the client makes of a server that answers every request so, then closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def run() -> bytes | str:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            upstream = Upstream(server.sockets[0].getsockname()[1])
            try:
                return await upstream.post(b"")
            except UpstreamError as error:
                return str(error)
            finally:
                await upstream.close()

    return asyncio.run(run())


def test_a_whole_body_is_read() -> None:
    assert answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef") == b"abc"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"\r\n\r\n",
    ],
)
def test_an_answer_that_is_cut_or_odd_is_told(answer: bytes) -> None:
    assert isinstance(answering(answer), str)


@pytest.mark.parametrize(("seconds", "connections"), [(60.0, 1), (0.0, 3)])
def test_a_connection_is_used_again_unless_it_idled_long(
    monkeypatch: pytest.MonkeyPatch, seconds: float, connections: int
) -> None:
    monkeypatch.setattr(upstream_module, "_IDLE_SECONDS", seconds)
    seen: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(1)
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            upstream = Upstream(server.sockets[0].getsockname()[1])
            for _ in range(3):
                await upstream.post(b"")
            await upstream.close()
            # The server's side reads the end and closes too.
            await asyncio.sleep(0.1)

    asyncio.run(run())

    assert len(seen) == connections


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def run() -> list[bytes]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            upstream = Upstream(server.sockets[0].getsockname()[1])
            first = await upstream.post(b"")
            await asyncio.sleep(0.1)
            second = await upstream.post(b"")
            await upstream.close()
            return [first, second]

    assert asyncio.run(run()) == [b"", b""]
