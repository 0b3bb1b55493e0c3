"""``guildmark chain`` as its users call it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import chains
from guildmark.adapters.chain.rpc import Rpc

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

ACCOUNT = "0x" + "5a" * 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    (folder / "keys").mkdir()
    (folder / "keys" / "password").write_text("secret\n")
    with chains.keeper(folder):
        yield folder


def guildmark(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "guildmark", "chain", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_deploy_makes_its_key_and_info_shows_what_was_checked(home: Path) -> None:
    deployed = guildmark("deploy", "--home", home)
    shown = guildmark("info", "--home", home)

    written = json.loads((home / "chain" / "deployment.json").read_bytes())
    found = json.loads(shown.stdout)
    assert (deployed.returncode, shown.returncode) == (0, 0)
    assert deployed.stdout.strip() == written["directory"] == found["contracts"]["directory"]
    assert (found["chainId"], found["genesis"]) == (written["chainId"], written["genesis"])
    assert (home / "keys" / "deployer.json").exists()


def test_fund_sends_coin(home: Path) -> None:
    finished = guildmark("fund", "--home", home, "--coins", "3", ACCOUNT)

    endpoint = json.loads((home / "chain" / "endpoint.json").read_bytes())
    with Rpc(url=endpoint["url"]) as rpc:
        balance = int(rpc.call("eth_getBalance", ACCOUNT, "latest"), 16)
    assert finished.returncode == 0
    assert balance == 3 * chains.COIN


@pytest.mark.parametrize("account", ["0x00", "somebody", "0x" + "zz" * 20])
def test_an_account_that_is_none_is_refused(home: Path, account: str) -> None:
    finished = guildmark("fund", "--home", home, account)

    assert finished.returncode == 2
    assert "id.malformedHex" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("words", [("info",), ("deploy",), ("fund", ACCOUNT)])
def test_a_chain_that_does_not_run_is_named(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "password").write_text("secret\n")

    finished = guildmark(*words, "--home", tmp_path)

    assert finished.returncode == 4
    assert "chain.notRunning" in finished.stderr
    assert "guildmark chain run" in finished.stderr


def test_a_wrong_password_is_named_with_its_file(home: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "password").write_text("first\n")
    chain = json.loads((home / "chain" / "endpoint.json").read_bytes())["url"]
    (tmp_path / "chain").mkdir()
    first = guildmark("deploy", "--home", tmp_path, "--url", chain)
    (keys / "password").write_text("second\n")

    second = guildmark("deploy", "--home", tmp_path, "--url", chain)

    assert first.returncode == 0
    assert second.returncode == 5
    assert "key.passwordWrong" in second.stderr
    assert str(keys / "deployer.json") in second.stderr


def test_a_node_that_is_away_is_exit_3(home: Path) -> None:
    finished = guildmark("info", "--home", home, "--url", "http://127.0.0.1:9")

    assert finished.returncode == 3
    assert "chain.unavailable" in finished.stderr


def test_info_refuses_contracts_of_another_chain(home: Path, tmp_path: Path) -> None:
    with chains.keeper(tmp_path) as other:
        guildmark("deploy", "--home", home)

        finished = guildmark("info", "--home", home, "--url", other.url)

    assert finished.returncode == 2
    assert "chain.wrongChain" in finished.stderr
