"""What setup leaves: our own modules are compiled, as pip compiles all others."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

import setup
from environments import ROOT

PLACE = Path(sys.executable).parent.parent


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a module of a clone where nothing is written unless it is asked for."""
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "_SOURCES", ("room",))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    path = tmp_path / "room" / "inner" / "module.py"
    path.parent.mkdir(parents=True)
    path.write_text("ANSWER = 42\n")
    return path


def compiled(module: Path) -> Path:
    return Path(importlib.util.cache_from_source(module))


def test_modules_are_compiled_once_and_again_when_they_change(module: Path) -> None:
    assert not compiled(module).exists()

    setup._compile(PLACE)
    first = compiled(module).stat().st_mtime_ns
    setup._compile(PLACE)
    second = compiled(module).stat().st_mtime_ns
    module.write_text("ANSWER = 'another'\n")
    # Compiled modules tell their source by its second.
    os.utime(module, (0, 0))
    setup._compile(PLACE)

    assert first == second
    assert compiled(module).stat().st_mtime_ns > second
    assert b"another" in compiled(module).read_bytes()


def test_the_folders_that_are_compiled_are_there() -> None:
    assert all((ROOT / name).is_dir() for name in setup._SOURCES)
