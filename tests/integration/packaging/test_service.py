"""The service's unit: systemd reads all of it, and finds little that it leaves open."""

import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[3] / "packaging" / "guildmark.service"
PROGRAM = "/opt/guildmark/bin/guildmark"

pytestmark = pytest.mark.needs("systemd")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """Return the unit over a program that this machine has."""
    written = UNIT.read_text()
    assert f"ExecStart={PROGRAM} up\n" in written
    path = tmp_path / UNIT.name
    path.write_text(written.replace(PROGRAM, sys.executable))
    return path


def analyze(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_systemd_understands_every_line(unit: Path) -> None:
    done = analyze("verify", "--man=no", unit)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_line_that_systemd_does_not_know_would_show(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("ProtectClock=", "ProtectClocks="))

    done = analyze("verify", "--man=no", unit)

    assert "ProtectClocks" in done.stderr


def test_little_is_left_open(unit: Path) -> None:
    """Systemd's own measure: 100 is a service without any bounds."""
    assert analyze("security", "--offline=yes", "--threshold=30", unit).returncode == 0
    assert analyze("security", "--offline=yes", "--threshold=5", unit).returncode == 1
