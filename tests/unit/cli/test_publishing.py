"""The tree of a log's records by command: published into a folder, proven, checked."""

from pathlib import Path

import pytest

from fakes.notes import key
from fakes.records import grow
from fakes.world import OPERATOR, WRITER, World
from guildmark.bootstrap import Home
from guildmark.ports.keys import KeyName
from guildmark.settings import NodeSettings, load, save, with_node
from unit.cli.speaking import Speak


@pytest.fixture
def operator(world: World, home: Home) -> None:
    """Let the home run the world's log."""
    url = "http://node.example"
    own = NodeSettings(
        operator=world.operator, log=world.log, writer=KeyName(WRITER), public_url=url
    )
    save(with_node(load(home.settings.home), own))
    grow(world.tools.store, world.log, 3)


def published(speak: Speak, folder: Path) -> dict[str, object]:
    answer = speak("log", "publish", folder, "--json")
    assert answer.exit == 0, answer.err
    return dict(answer.json)


@pytest.mark.usefixtures("operator")
def test_a_folder_gets_all_files_then_only_what_is_new(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    first = published(speak, tmp_path)
    grow(world.tools.store, world.log, 4, since=3)
    second = published(speak, tmp_path)
    third = published(speak, tmp_path)

    assert [one["files"] for one in (first, second, third)] == [3, 3, 1]
    assert second["records"] == 4
    assert (tmp_path / "checkpoint").read_text().split("\n")[:2] == [second["origin"], "4"]
    assert (tmp_path / "key").read_text() == f"{second['key']}\n"
    assert (tmp_path / "tile/entries/000.p/4").stat().st_size == 4 * 34


@pytest.mark.usefixtures("operator")
def test_a_folder_of_another_log_is_left_alone(speak: Speak, tmp_path: Path) -> None:
    published(speak, tmp_path)
    file = tmp_path / "checkpoint"
    file.write_text("other.example/log" + file.read_text()[file.read_text().index("\n") :])

    refused = speak("log", "publish", tmp_path)

    assert refused.exit == 2
    assert "checkpoint.malformed" in refused.err
    assert file.read_text().startswith("other.example/log\n")


def test_a_home_without_a_log_publishes_nothing(speak: Speak, home: Home, tmp_path: Path) -> None:
    assert home.settings.node is None
    assert "settings.valueMissing" in speak("log", "publish", tmp_path).err


@pytest.mark.usefixtures("operator")
def test_a_proof_is_written_and_checked(speak: Speak, world: World, tmp_path: Path) -> None:
    own = str(published(speak, tmp_path / "tree")["key"])
    file = tmp_path / "record.tlog-proof"

    assert speak("log", "prove", world.log, 1, "--out", file).exit == 0
    sound = speak("log", "check", file, world.log, "--key", own, "--json")
    assert speak("log", "prove", world.log, 1).out == file.read_text().rstrip("\n")
    file.write_text(file.read_text().replace("index 1", "index 0"))
    moved = speak("log", "check", file, world.log, "--key", own)

    assert (sound.exit, sound.json["seq"], sound.json["records"]) == (0, 1, 3)
    assert sound.json["signedBy"] == [own.partition("+")[0]]
    assert (moved.exit, "proof.rootMismatch" in moved.err) == (19, True)


@pytest.mark.usefixtures("operator")
def test_a_proof_that_a_stranger_signed_is_refused(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    own = str(published(speak, tmp_path / "tree")["key"])
    file = tmp_path / "proof"
    speak("log", "prove", world.log, 1, "--out", file)
    both = ("--key", own, "--key", key("stranger").encode())

    assert "note.signatureWrong" in speak("log", "check", file, world.log, *both).err
    assert speak("log", "check", file, world.log, *both, "--quorum", 1).exit == 0


@pytest.mark.usefixtures("operator")
def test_a_record_that_the_chain_does_not_have_is_refused(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    published(speak, tmp_path / "tree")
    file = tmp_path / "proof"
    speak("log", "prove", world.log, 1, "--out", file)
    file.write_text(file.read_text().replace("index 1", "index 9"))

    refused = speak("log", "check", file, world.log, "--key", key("a").encode())

    assert (refused.exit, "log.recordUnknown" in refused.err) == (19, True)


@pytest.mark.usefixtures("operator")
def test_growth_is_proven(speak: Speak, world: World) -> None:
    answer = speak("log", "consistency", world.log, 2, 3, "--json")

    assert (answer.json["old"], answer.json["new"], len(answer.json["proof"])) == (2, 3, 1)
    assert "log.recordUnknown" in speak("log", "consistency", world.log, 2, 9).err


@pytest.mark.usefixtures("operator")
def test_an_audit_names_what_was_drawn_for_nothing(speak: Speak, world: World) -> None:
    answer = speak("log", "audit", "--json").json

    assert (answer["log"], answer["records"], answer["drawn"], answer["burned"]) == (
        world.log,
        3,
        0,
        [],
    )


@pytest.mark.usefixtures("operator")
def test_a_log_is_closed_and_another_one_goes_on_from_it(
    speak: Speak, world: World, home: Home
) -> None:
    closed = speak("log", "close", world.log, "--as", OPERATOR)
    opened = speak(
        *("log", "open", f"0x{world.operator.hex()}", "--writer", WRITER, "--as", OPERATOR),
        *("--continues", world.log),
    )

    assert (closed.exit, opened.exit) == (0, 0), opened.err
    assert load(home.settings.home).own_node().log == int(opened.out) > world.log
    assert speak("log", "show", world.log, "--json").json["writer"] is None
