"""Witnesses by command: keys shown and added, a node told whom to ask, readers whom to believe."""

from pathlib import Path

import pytest

from fakes.notes import key
from fakes.world import WRITER, World
from guildmark.adapters.peers.witness import WitnessClient
from guildmark.bootstrap import Home
from guildmark.domain import trust
from guildmark.domain.log.note import NoteKey
from guildmark.domain.trust import VERSION, Trust
from guildmark.ports.keys import KeyName
from guildmark.settings import NodeSettings, load, save, with_node
from unit.cli.speaking import Speak

URL = "http://witness.example"


@pytest.mark.usefixtures("home")
def test_a_witness_shows_its_key_and_its_logs(speak: Speak) -> None:
    first = speak("witness", "show", "--json").json
    added = speak("witness", "add", key("example.org/log").encode())
    second = speak("witness", "show", "--json").json

    assert NoteKey.parse(first["key"]).encode() == second["key"]
    assert (first["logs"], added.out) == ([], "example.org/log")
    assert second["logs"] == [{"log": "example.org/log", "records": 0, "root": None}]


@pytest.mark.usefixtures("home")
def test_what_is_no_key_is_not_added(speak: Speak) -> None:
    assert "note.malformed" in speak("witness", "add", "log").err


def test_a_node_asks_a_witness_whose_key_is_the_named_one(
    speak: Speak, world: World, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = NodeSettings(
        operator=world.operator, log=world.log, writer=KeyName(WRITER), public_url=URL
    )
    save(with_node(load(home.settings.home), own))
    monkeypatch.setattr(WitnessClient, "key", lambda _: key("w"))

    refused = speak("witness", "use", URL, "--key", key("other").encode())
    first = speak("witness", "use", f"{URL}/", "--key", key("w").encode())
    again = speak("witness", "use", f"{URL}:81", "--key", key("w").encode())

    assert (refused.exit, "witness.otherKey" in refused.err) == (16, True)
    assert (first.out, again.out) == ("w", "w")
    assert load(home.settings.home).own_node().witnesses == (f"{key('w').encode()} {URL}:81",)


@pytest.fixture
def file(world: World, tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    made = Trust(version=VERSION, chain=world.tools.chain.pin())
    path.write_bytes(trust.serialise(made))
    return path


def test_a_reader_pins_witnesses(speak: Speak, file: Path) -> None:
    keys = [key(name).encode() for name in ("a", "b")]

    told = speak("trust", "witness", *keys, "--quorum", 2, "--trust", file)
    shown = speak("trust", "show", "--trust", file, "--json").json

    assert (told.exit, "2 of 2 witnesses" in told.err) == (0, True)
    assert (shown["witnesses"], shown["quorum"]) == (keys, 2)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--quorum", 2), "trust.malformed"),
        (("--quorum", 1, "--from", 9, "--to", 9), "trust.timesReversed"),
    ],
)
def test_what_cannot_be_is_not_pinned(
    speak: Speak, file: Path, words: tuple[object, ...], code: str
) -> None:
    before = file.read_bytes()

    refused = speak("trust", "witness", key("a").encode(), *words, "--trust", file)

    assert code in refused.err
    assert file.read_bytes() == before
