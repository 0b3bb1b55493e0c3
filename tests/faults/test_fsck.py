"""``guildmark fsck`` over a real database, real content and a real chain: each difference named."""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from faults import rig as rigs
from guildmark import cli
from guildmark.adapters.clock import SystemEntropy
from guildmark.adapters.content.store import LocalContent
from guildmark.adapters.content.stores import open_stores
from guildmark.adapters.store.outbox import State
from guildmark.domain.chain.contracts import ChainClass, ContractName
from guildmark.settings import ChainSettings, NodeSettings, Settings, save

pytestmark = [pytest.mark.needs("anvil")]

Fsck = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def lived(rig: rigs.Rig) -> rigs.Rig:
    """Return the rig after a life: two records, four entries, all of it final."""
    database = rig.reset("lived")
    node = rig.node(database)
    rigs.live(rig, node, rigs.entries(4, random.Random(3)), lambda _digest: None)
    rig.mine(rig.depth)
    node.step()
    node.close()
    return rig


@pytest.fixture
def home(lived: rigs.Rig, tmp_path: Path) -> Path:
    """Return an operator's home that lived, with a file in its content store."""
    pin = lived.pin
    chain = ChainSettings(
        url=lived.chain.url,
        chain_id=pin.chain_id,
        genesis=pin.genesis,
        chain_class=ChainClass.LOCAL,
        directory=pin.contracts[ContractName.DIRECTORY].address,
    )
    node = NodeSettings(
        operator=rigs.entries(1, random.Random(1))[0].entry.maker,
        log=lived.log,
        writer=rigs.WRITER,
        public_url="http://127.0.0.1:1",
    )
    settings = Settings(home=tmp_path, chain=chain, node=node)
    save(settings)
    shutil.copyfile(lived.folder / "lived" / "node.db", tmp_path / "node.db")
    stores = open_stores(settings.content, (), copies=None, entropy=SystemEntropy())
    LocalContent(stores.blocks).put(iter([b"a part" * 100_000]))
    stores.close()
    return tmp_path


@pytest.fixture
def fsck(home: Path, capsys: pytest.CaptureFixture[str]) -> Fsck:
    def run(*words: str) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as left:
            cli.main(["fsck", "--home", str(home), "--json", *words])
        code = left.value.code
        assert isinstance(code, int)
        return code, json.loads(capsys.readouterr().out)

    return run


def change(home: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(home / "node.db") as connection:
        changed = connection.execute(statement, values).rowcount
    connection.close()
    assert changed > 0


def codes(answer: Any) -> list[str]:
    return [row["code"] for row in answer["differences"]]


def test_a_sound_home_is_clean_and_stays_as_it_is(fsck: Fsck, home: Path) -> None:
    before = (home / "node.db").read_bytes()

    code, answer = fsck("--open-seconds", "0")

    assert (code, answer) == (0, {"clean": True, "differences": []})
    assert (home / "node.db").read_bytes() == before


def test_people_read_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["fsck", "--home", str(home)])
    clean = capsys.readouterr().out
    change(home, "DELETE FROM queue WHERE log_index = 2")
    with pytest.raises(SystemExit) as broken:
        cli.main(["fsck", "--home", str(home)])
    said = capsys.readouterr().out

    assert (left.value.code, clean) == (0, "No difference.\n")
    assert broken.value.code == 19
    assert said.startswith("Entry 2, position ")
    assert "code  fsck.leafMissing" in said
    assert "next  " in said


@pytest.mark.parametrize(
    ("statement", "code", "exit_code"),
    [
        ("DELETE FROM queue WHERE log_index = 3", "fsck.leafMissing", 19),
        ("UPDATE queue SET salt = zeroblob(32) WHERE log_index = 1", "fsck.leafChanged", 19),
        ("UPDATE envelopes SET envelope = x'7b7d' WHERE number = 1", "fsck.leafChanged", 19),
        (
            "DELETE FROM envelopes WHERE number = (SELECT number FROM queue WHERE log_index = 3)",
            "fsck.leafMissing",
            19,
        ),
        ("UPDATE queue SET unit = 7 WHERE log_index = 1", "fsck.placeDiffers", 19),
        ("UPDATE queue SET log_index = 9 WHERE log_index = 1", "fsck.placeDiffers", 19),
        ("UPDATE batches SET state = 'open' WHERE seq = 0", "fsck.recordForeign", 19),
        ("UPDATE batches SET seq = 77 WHERE seq = 0", "fsck.recordMissing", 19),
        ("DELETE FROM facts WHERE kind = 'RecordFact'", "fsck.factDiffers", 16),
        ("UPDATE facts SET body = json_replace(body, '$.seq', 1) "
         "WHERE kind = 'RecordStartFact'", "fsck.factDiffers", 16),
        ("UPDATE cursor SET hash = zeroblob(32)", "chain.historyRewritten", 16),
        ("UPDATE cursor SET number = 1000000", "chain.historyLost", 16),
        ("UPDATE transactions SET block_hash = zeroblob(32) WHERE nonce = 0",
         "fsck.transactionMissing", 19),
        ("UPDATE transactions SET block_number = 1 WHERE nonce = 0",
         "fsck.transactionMissing", 19),
        ("UPDATE attempts SET raw = x'00'", "fsck.attemptChanged", 14),
        ("DELETE FROM attempts", "fsck.attemptChanged", 14),
        ("UPDATE nonces SET next = next + 2", "fsck.nonceGap", 1),
    ],
)  # fmt: skip
def test_each_difference_has_its_code(
    fsck: Fsck, home: Path, statement: str, code: str, exit_code: int
) -> None:
    change(home, statement)

    found, answer = fsck()

    assert (found, answer["clean"]) == (exit_code, False)
    (row,) = answer["differences"]
    assert (row["code"], row["exit"]) == (code, exit_code)
    assert row["reason"]
    assert row["nextStep"]


def test_every_difference_is_told_where_all_are_asked_for(fsck: Fsck, home: Path) -> None:
    change(home, "UPDATE nonces SET next = next + 2 WHERE next > 1")
    change(home, "DELETE FROM queue WHERE log_index = 3")

    _, answer = fsck("--all")

    assert codes(answer)[0] == "fsck.leafMissing"
    assert set(codes(answer)[1:]) == {"fsck.nonceGap"}


@pytest.mark.parametrize("state", [State.REQUESTED, State.SENT, State.INCLUDED])
def test_a_transaction_without_a_verdict_is_named_after_a_while(
    fsck: Fsck, home: Path, state: State
) -> None:
    change(home, "UPDATE transactions SET state = ? WHERE nonce = 1", state.value)

    found, answer = fsck()
    patient, _ = fsck("--open-seconds", "999999999999")

    assert (found, codes(answer)) == (17, ["fsck.transactionOpen"])
    assert patient == 0


def blocks(home: Path) -> list[Path]:
    return sorted(path for path in (home / "content" / "blocks").rglob("*") if path.is_file())


def test_a_missing_block_is_named(fsck: Fsck, home: Path) -> None:
    blocks(home)[0].unlink()

    found, answer = fsck()

    assert (found, codes(answer)) == (4, ["content.missing"])


def test_a_changed_block_is_named(fsck: Fsck, home: Path) -> None:
    path = blocks(home)[0]
    path.chmod(0o600)
    path.write_bytes(b"\0" + path.read_bytes()[1:])

    found, answer = fsck()

    assert (found, codes(answer)) == (14, ["content.hashMismatch"])


def test_a_damaged_database_is_named(fsck: Fsck, home: Path) -> None:
    path = home / "node.db"
    content = BytesIO(path.read_bytes())
    size = len(content.getvalue())
    for page in range(2, size // 4096):
        content.seek(page * 4096)
        content.write(b"\xff" * 64)
    path.write_bytes(content.getvalue())

    found, answer = fsck()

    assert found in {2, 14}
    assert (answer.get("code") or codes(answer)[0]) in {"store.damaged", "store.unreadable"}


def test_a_dangling_row_is_named(fsck: Fsck, home: Path) -> None:
    change(home, "DELETE FROM batches WHERE seq = 0")

    found, answer = fsck()

    assert (found, codes(answer)) == (14, ["store.damaged"])


def test_a_database_of_another_version_is_not_touched(fsck: Fsck, home: Path) -> None:
    change(home, "UPDATE alembic_version SET version_num = '0001'")

    found, answer = fsck()

    assert (found, answer["code"]) == (2, "store.outdated")


def test_a_home_without_a_database_is_named(fsck: Fsck, home: Path) -> None:
    (home / "node.db").unlink()

    found, answer = fsck()

    assert (found, answer["code"]) == (2, "store.unreadable")
    assert not (home / "node.db").exists()


def test_it_runs_beside_a_node_that_writes(fsck: Fsck, home: Path) -> None:
    connection = sqlite3.connect(home / "node.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE nonces SET next = next + 1")

    code, _ = fsck()
    connection.rollback()
    connection.close()

    assert code == 0
