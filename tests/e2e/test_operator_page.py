"""The operator's page: its commands are run as they are written, by a shell, in a fresh home."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.embedded import Node
from guildmark.adapters.keys.keystore import password_from
from guildmark.bootstrap import open_home
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.refusals import CallerRefusedError
from guildmark.ports.chain import Call
from guildmark.ports.keys import KeyName
from guildmark.settings import Settings, load
from stages import until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "operator.md"
# The node of the first section runs until the test ends; these are said to it, in this order.
SECTIONS = ("In one command", "Let another key write", "Back up and restore")
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(section: str) -> Iterator[str]:
    """Yield the commands of a section, as they are written."""
    (found,) = re.findall(
        rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    for block in _BLOCK.findall(found):
        lines = block.splitlines()
        assert all(line.startswith("$ ") for line in lines), block
        yield from (line.removeprefix("$ ") for line in lines)


def run(words: list[str], home: Path) -> str:
    """Run commands in one shell that stops at the first one that fails."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if name != "GUILDMARK_HOME"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(words)],
        env={**kept, "HOME": str(home), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(settings: Settings, key: KeyName) -> bool:
    """Return whether the chain refuses a record of the log by a key."""
    home = open_home(settings, password=password_from(settings.keys, os.environ))
    head = home.ledger.read(Call(contract=ContractName.LOG, function="head", args=(1,)))
    record = (1, head["seq"], 1, bytes(31) + b"\1", ())
    try:
        home.account(key).call(ContractName.LOG, "append", *record, once=f"thief:{key}")
    except CallerRefusedError:
        return True
    finally:
        home.close()
    return False


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    started = Node(tmp_path / "operator")
    yield started
    started.process.kill()
    started.process.wait()


def test_the_page_s_commands_do_what_it_says(node: Node, tmp_path: Path) -> None:
    first, *others = [word for section in SECTIONS for word in commands(section)]
    assert first.startswith("guildmark up --home ~/operator ")
    until(node.is_ready)

    said = run(others, tmp_path)

    assert said.rstrip().endswith("No difference.")
    assert (tmp_path / "restored" / "keys" / "password").exists()
    assert (tmp_path / "maker" / "guildmark.toml").exists()
    settings = load(node.home)
    assert settings.own_node().writer == "writer-2"
    assert refused(settings, KeyName("writer"))
    assert not refused(settings, KeyName("writer-2"))
