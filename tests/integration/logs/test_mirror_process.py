"""One node is stopped and its folder is gone: the other one answers for all that it mirrored."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.rights.fileset import EncryptedList
from guildmark.domain.trust import Trust, parse
from guildmark.ports.store import DocumentKind
from guildmark.verify import verify_bundle
from stages import PATIENCE, Played, restart, start, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

LOG = 1
PARTS = 3


def guildmark(*words: object) -> str:
    command = [sys.executable, "-m", "guildmark", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_mirror_answers_for_a_node_that_is_gone(played: Played) -> None:
    stage, home = played.stage, played.stage.home("operator-2")
    trust = parse(httpx.get(f"{played.node.url}/.well-known/guildmark-trust.json").content)
    settings = (home / "guildmark.toml").read_bytes()
    listed = disclosed_list(played)
    guildmark("mirror", "add", played.node.url, "--log", LOG, "--content", "--home", home)
    restart(stage, "operator-2")
    until(lambda: is_whole(home))

    gone = stage.processes["operator-1"]
    gone.terminate()
    assert gone.wait(PATIENCE) == 0
    folder = stage.home("operator-1")
    folder.rename(folder.with_name("gone"))
    try:
        check_answers(played, trust)
        check_files(played, listed)
    finally:
        folder.with_name("gone").rename(folder)
        start(stage, "operator-1")
        (home / "guildmark.toml").write_bytes(settings)
        restart(stage, "operator-2")


def is_whole(home: Path) -> bool:
    shown = json.loads(guildmark("mirror", "status", "--home", home, "--json"))
    (state,) = shown["mirrors"]
    # Receipts concern who asked for keys: no node shows them to others.
    files = state["files"]
    return bool(state["kept"] >= PARTS and files["kept"] == files["named"] > 1)


def disclosed_list(played: Played) -> EncryptedList:
    """Let the designer tell the first node where the encrypted files are, and return the list."""
    kind, design = DocumentKind.ENCRYPTED_FILES, played.package.revision.design
    home = played.scene.designer.home
    home.indexing.follow()
    body = home.disclosing.show(kind, design)
    played.node.disclose(kind, design, body)
    return EncryptedList.parse(body)


def check_files(played: Played, listed: EncryptedList) -> None:
    design = played.package.revision.design
    assert played.other.encrypted_files(design, listed.revision) == listed
    for file in listed.files:
        assert sha256(b"".join(played.other.get_content(file.cid))) == file.ciphertext


def check_answers(played: Played, trust: Trust) -> None:
    checkpoint = httpx.get(f"{played.other.url}/log/{LOG}/checkpoint")
    assert checkpoint.is_success
    for part in played.parts:
        log, _, index = part.hint.partition(".")
        data = played.other.bundle(LogNumber(int(log)), Index(int(index)))
        assert data is not None
        report = verify_bundle(data, trust)
        states = {check.number: check.state for check in report.checks}
        page = httpx.get(f"{played.other.url}/id/{part.label.split('/id/')[-1]}?p={part.hint}")

        assert {number for number, state in states.items() if state.value == "fail"} == set()
        assert page.status_code == 200
        assert part.label.rpartition("/")[2] in page.text
