"""`guildmark up` in an empty home: a node with a chain of its own, which outlives a kill."""

import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import chains
from e2e.embedded import Node
from guildmark.adapters.chain.head import HeadFile
from guildmark.adapters.chain.journal import Journal
from guildmark.settings import load
from stages import until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    started = Node(tmp_path / "home")
    yield started
    started.process.kill()
    started.process.wait()


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_first_start_makes_chain_contracts_operator_and_log(node: Node) -> None:
    until(node.is_ready)

    settings = load(node.home)
    shown = httpx.get(f"{node.url}/v1/chain").json()
    assert shown["chainId"] == settings.chain.chain_id
    assert settings.own_node().log == 1
    assert settings.own_node().public_url == node.url
    assert httpx.get(f"{node.url}/v1/beacon").status_code == 200
    assert "Maker Lab" in httpx.get(f"{node.url}/").text


def test_node_with_a_certificate_answers_those_who_trust_its_authority(node: Node) -> None:
    until(node.is_ready)
    said = _guildmark(node.home, "certificate", "127.0.0.1", "shop.local")
    node.kill(signal.SIGTERM)
    node.restart()
    until((node.home / "node.json").exists)
    trusting = ssl.create_default_context(cafile=node.home / "tls" / "authority.crt")
    until(lambda: _answers(f"{node.url}/readyz", trusting))

    assert node.url.startswith("https://127.0.0.1:")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{node.url}/readyz")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(node.url.replace("https:", "http:"))
    assert "shop.local" in said
    told = _guildmark(node.home, "doctor")
    assert "certificate" in told
    assert f"{node.url}, no alarm" in told


def _answers(url: str, trusting: ssl.SSLContext) -> bool:
    try:
        return httpx.get(url, verify=trusting).status_code == 200
    except httpx.ConnectError:
        return False


def _guildmark(home: Path, *words: str) -> str:
    command = [sys.executable, "-m", "guildmark", *words, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_killed_node_comes_back_with_the_same_chain(node: Node) -> None:
    until(node.is_ready)
    keeper, before = node.keeper(), httpx.get(f"{node.url}/v1/beacon").json()
    assert keeper is not None

    node.kill(signal.SIGKILL)
    until(lambda: not is_running(keeper))
    node.restart()
    until(node.is_ready)

    assert httpx.get(f"{node.url}/v1/beacon").json() == before


def test_ended_node_leaves_no_process(node: Node) -> None:
    until(node.is_ready)
    keeper = node.keeper()
    assert keeper is not None

    assert node.kill(signal.SIGTERM) == 0

    assert not is_running(keeper)


def said_by_up(home: Path, *, limit: int | None = None) -> tuple[int, str]:
    """Start a node that must not come up; return its exit code and what it said."""

    def bound() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-m", "guildmark", "up", "--home", home],
        env={key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=bound,
    )
    assert done.stdout == "", "the address of a node that does not run"
    assert "Traceback" not in done.stderr
    assert "Fatal Python error" not in done.stderr
    assert done.stderr.count("  code  ") == 1, done.stderr
    return done.returncode, done.stderr


def test_newcomer_is_told_where_to_look_and_what_is_next(node: Node) -> None:
    until(node.is_ready)

    log = (node.home / "log").read_text()

    assert f"Pages: {node.url}/ " in log
    assert f"guildmark doctor --home {node.home}" in log
    assert f"--deployment {node.home}/chain/deployment.json" in log
    assert "WARNING" not in log


def test_second_node_of_a_home_is_refused_and_the_first_named(node: Node) -> None:
    until(node.is_ready)

    code, said = said_by_up(node.home)

    assert (code, "node.running" in said) == (1, True)
    assert f"runs already at {node.url}, as process {node.process.pid}." in said
    assert node.is_ready()


@pytest.fixture
def ended(node: Node) -> Path:
    """Return a home whose node has ended in order."""
    until(node.is_ready)
    node.kill(signal.SIGTERM)
    return node.home


def test_what_keeps_a_node_from_starting_is_said_once(ended: Path) -> None:
    settings = (ended / "guildmark.toml").read_text()
    port = load(ended).own_node().port

    with socket.create_server(("127.0.0.1", port)):
        taken = said_by_up(ended)
    (ended / "guildmark.toml").write_text(settings + "x = [")
    damaged = said_by_up(ended)
    (ended / "guildmark.toml").write_text(settings)
    full = said_by_up(ended, limit=16 << 10)
    path = ended / "chain" / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    lost = said_by_up(ended)

    assert (taken[0], "node.portTaken" in taken[1]) == (3, True)
    assert (damaged[0], "settings.malformed" in damaged[1]) == (2, True)
    assert (full[0], "  next  " in full[1]) == (2, True), full
    assert (lost[0], "chain.journalLost" in lost[1]) == (14, True)


@pytest.mark.parametrize("place", ["file", "file/home"])
def test_home_that_cannot_be_made_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    code, said = said_by_up(tmp_path / place)

    assert (code, "cli.fileAccess" in said) == (2, True)
    assert str(tmp_path / place) in said


@pytest.mark.parametrize("limit", [60, 100, 200])
def test_full_disk_at_the_first_start_is_named(tmp_path: Path, limit: int) -> None:
    code, said = said_by_up(tmp_path / "home", limit=limit << 10)

    assert code in {2, 3}
    assert "unexpected.failure" not in said


def rolled_back(folder: Path) -> None:
    """Make a chain's folder as an older backup had it: whole, and one block shorter."""
    path, head = folder / "journal.jsonl", HeadFile(folder / "head.json")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    head.create()
    head.move(list(Journal(path=path).blocks())[-1])
    (folder / "state.json").unlink(missing_ok=True)


def test_node_ends_loudly_where_its_chain_lost_blocks(tmp_path: Path) -> None:
    home = tmp_path / "home"
    chain = chains.start_keeper(home)
    node = Node(home)
    until(node.is_ready)
    last = list(Journal(path=home / "chain" / "journal.jsonl").blocks())[-1].number
    # What the node has not read yet is nothing that it would miss.
    until(lambda: httpx.get(f"{node.url}/readyz").json()["block"] == last)

    chains.stop(chain.process, signal.SIGKILL)
    rolled_back(home / "chain")
    chain = chains.start_keeper(home, int(chain.url.rpartition(":")[2]))
    said = (node.process.wait(30), (home / "log").read_text())
    (home / "log").unlink()
    node.restart()
    said_again = (node.process.wait(30), (home / "log").read_text())
    chains.stop(chain.process)

    for code, log in (said, said_again):
        assert code == 16
        assert log.count("chain.historyLost") == 2
        assert "Have the chain's keeper restore its folder from a backup" in log
        assert "Traceback" not in log
