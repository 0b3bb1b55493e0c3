"""Commands in this process, over a home whose chain, keys and store are in memory."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.chain import CHAIN_ID, MemoryVitals, address
from fakes.claims import MemoryClaims
from fakes.content import MemoryStores, MemoryUploads
from fakes.node import MemoryNode
from fakes.scans import MemoryScans
from fakes.world import Tools, World, make_world
from guildmark import cli
from guildmark.adapters.chain.gateway import Gateway
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.clock import SystemClock
from guildmark.bootstrap import Home
from guildmark.cli import nodes, opening
from guildmark.domain.chain.contracts import ChainClass, ContractName
from guildmark.settings import ChainSettings, Settings, save
from unit.cli.speaking import Speak, Spoken


class MemoryRequests:
    """No command answers requests."""

    def claim(self, name: str, body: bytes) -> None:
        raise NotImplementedError


@pytest.fixture
def speak(capsys: pytest.CaptureFixture[str]) -> Speak:
    """Return what runs a command and says how it ended."""

    def run(*words: object) -> Spoken:
        with pytest.raises(SystemExit) as left:
            cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        assert "Traceback" not in err
        return Spoken(exit=code, out=out.rstrip("\n"), err=err)

    return run


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> MemoryNode:
    """Return the node that every address leads to."""
    node = MemoryNode()
    monkeypatch.setattr(nodes, "NodeClient", node.at)
    return node


@pytest.fixture
def home(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return the home that commands enter: everybody's, over the world's chain."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GUILDMARK_HOME", str(folder))
    monkeypatch.delenv("GUILDMARK_PASSWORD_FILE", raising=False)
    save(Settings(home=folder, chain=chain_settings(world.tools)))
    opened = home_of(world.tools, folder)

    def open_home(
        settings: Settings, *, password: Callable[[], str], pin: Path | None = None
    ) -> Home:
        return replace(opened, settings=settings)

    monkeypatch.setattr(opening, "open_home", open_home)
    return opened


def chain_settings(tools: Tools) -> ChainSettings:
    """Return the settings that name the chain in memory."""
    return ChainSettings(
        url="http://127.0.0.1:8545",
        chain_id=CHAIN_ID,
        genesis=tools.chain.blocks[0].hash,
        chain_class=ChainClass.LOCAL,
        directory=address(ContractName.DIRECTORY),
    )


def home_of(tools: Tools, folder: Path) -> Home:
    """Return a home over fakes."""
    return Home(
        settings=Settings(home=folder, chain=chain_settings(tools)),
        ledger=tools.chain,
        transactions=tools.outbox,
        keys=tools.keys,
        store=tools.store,
        content=tools.vault.content,
        stores=MemoryStores(),
        uploads=MemoryUploads(tools.vault.content),
        vault=tools.vault,
        clock=SystemClock(),
        entropy=tools.entropy,
        requests=MemoryRequests(),
        scans=MemoryScans(),
        claims=MemoryClaims(),
        gateway=Gateway(Rpc(url="http://127.0.0.1:8545")),
        vitals=MemoryVitals(),
        close=lambda: None,
    )
