"""`guildmark backup`, word by word; whether the chain is the backup's is asked of a real chain."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import chains
from guildmark import cli
from guildmark.adapters.chain import deployment
from guildmark.adapters.store.engine import open_database
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, ChainId, Digest
from guildmark.settings import ChainSettings, Settings, load, save

pytestmark = [pytest.mark.needs("anvil")]

Run = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def chain() -> Iterator[ChainSettings]:
    """Return the settings that name a chain which runs."""
    with chains.bare_anvil() as running, running.rpc() as rpc:
        chain_id, genesis = deployment.identify(rpc)
        yield settings(running.url, chain_id, genesis)


def settings(url: str, chain_id: ChainId, genesis: Digest) -> ChainSettings:
    return ChainSettings(
        url=url,
        chain_id=chain_id,
        genesis=genesis,
        chain_class=ChainClass.CONSORTIUM,
        directory=Address(bytes(20)),
    )


@pytest.fixture
def home(tmp_path: Path, chain: ChainSettings) -> Path:
    return make_home(tmp_path / "home", chain)


def make_home(folder: Path, chain: ChainSettings) -> Path:
    save(Settings(home=folder, chain=chain))
    open_database(folder / "node.db").dispose()
    (folder / "keys").mkdir()
    (folder / "keys" / "account.json").write_text("{}")
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def say(*words: object) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as left:
            cli.main(["backup", *map(str, words), "--json"])
        code = left.value.code
        assert isinstance(code, int)
        return code, json.loads(capsys.readouterr().out)

    return say


@pytest.fixture
def backup(run: Run, home: Path, tmp_path: Path) -> Path:
    target = tmp_path / "a.backup"
    code, made = run("create", target, "--home", home)
    assert (code, made["keys"], made["journal"]) == (0, False, None)
    return target


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse battery staple\n")
    return path


def test_a_backup_goes_round(
    run: Run, home: Path, tmp_path: Path, password: Path, chain: ChainSettings
) -> None:
    target, new = tmp_path / "a.backup", tmp_path / "new"

    made = run("create", target, "--with-keys", password, "--home", home)
    checked = run("verify", target, "--with-keys", password)
    code, restored = run("restore", target, "--with-keys", password, "--home", new)

    assert made == checked
    assert (code, restored["home"], restored["keys"]) == (0, str(new), True)
    assert load(new).chain == chain
    assert (new / "keys" / "account.json").read_text() == "{}"


def test_people_are_told_what_is_missing_and_next(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["backup", "restore", str(backup), "--home", str(tmp_path / "new")])

    said = capsys.readouterr()
    assert "The keys are not in it" in said.err
    assert f"guildmark fsck --home {tmp_path / 'new'}" in said.err
    assert "databases" in said.out


def test_a_backup_of_another_chain_is_refused(
    run: Run, tmp_path: Path, chain: ChainSettings
) -> None:
    other = settings(chain.url, chain.chain_id, Digest(sha256(b"another genesis")))
    run("create", tmp_path / "b", "--home", make_home(tmp_path / "other", other))

    code, refused = run("restore", tmp_path / "b", "--home", tmp_path / "new")

    assert (code, refused["code"]) == (16, "backup.chainOther")
    assert not (tmp_path / "new").exists()


def test_a_chain_that_does_not_answer_is_asked_unless_offline(
    run: Run, tmp_path: Path, chain: ChainSettings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    silent = settings(url, chain.chain_id, chain.genesis)
    run("create", tmp_path / "b", "--home", make_home(tmp_path / "silent", silent))

    code, refused = run("restore", tmp_path / "b", "--home", tmp_path / "new")
    offline, _ = run("restore", tmp_path / "b", "--offline", "--home", tmp_path / "new")

    assert (code, refused["code"]) == (3, "chain.unavailable")
    assert offline == 0


def test_refusals_have_codes(
    run: Run, backup: Path, home: Path, tmp_path: Path, password: Path
) -> None:
    short = tmp_path / "short"
    short.write_text("short\n")
    damaged, other = tmp_path / "damaged", tmp_path / "other"
    damaged.write_bytes(backup.read_bytes()[:-1])

    for code, exit_code, words in (
        ("cli.outputExists", 1, ("create", backup, "--home", home)),
        ("backup.insideHome", 2, ("create", home / "b", "--home", home)),
        ("backup.passwordShort", 2, ("create", other, "--with-keys", short, "--home", home)),
        ("settings.missing", 2, ("create", other, "--home", tmp_path / "none")),
        ("backup.damaged", 14, ("verify", damaged)),
        ("backup.withoutKeys", 2, ("verify", backup, "--with-keys", password)),
        ("backup.targetNotEmpty", 1, ("restore", backup, "--home", home)),
    ):  # fmt: skip
        found, refused = run(*words)
        assert (refused["code"], found) == (code, exit_code)
        assert refused["nextStep"]
