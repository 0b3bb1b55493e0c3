"""Mirrors by command: a log added, how far the mirror is."""

from dataclasses import replace

import pytest

from fakes.node import MemoryNode
from fakes.notes import key
from fakes.world import WRITER, World
from guildmark.bootstrap import Home, open_node
from guildmark.ports.keys import KeyName
from guildmark.settings import NodeSettings, load, save, with_node
from unit.cli.speaking import Speak

URL = "http://127.0.0.1:9"


@pytest.fixture
def operator(world: World, home: Home, node: MemoryNode) -> None:
    """Let the home run the world's log; the other node says which key its log has."""
    own = NodeSettings(
        operator=world.operator, log=world.log, writer=KeyName(WRITER), public_url=URL
    )
    save(with_node(load(home.settings.home), own))
    node.note_key = key("example.org/log").encode()


@pytest.mark.usefixtures("operator")
def test_a_log_is_mirrored_from_a_peer(speak: Speak, home: Home) -> None:
    told = speak("mirror", "add", f"{URL}/", "--log", 7)
    again = speak("mirror", "add", URL, "--log", 7, "--key", key("renewed").encode())

    own = load(home.settings.home).own_node()
    assert (told.out, again.out) == (key("example.org/log").encode(), key("renewed").encode())
    assert own.mirrors == (f"7 {key('renewed').encode()} {URL}",)
    assert own.peers == (URL,)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize(("words", "room"), [((), 10240), (("--content-max", 1), 1)])
def test_encrypted_files_are_mirrored_up_to_a_size(
    speak: Speak, home: Home, words: tuple[object, ...], room: int
) -> None:
    speak("mirror", "add", URL, "--log", 7, "--content", *words)

    own = load(home.settings.home)
    assert own.own_node().mirrors == (f"7 {key('example.org/log').encode()} {URL} {room}",)
    assert open_node(replace(home, settings=own)).mirroring.mirrored[0].room == room << 20


@pytest.mark.usefixtures("operator")
def test_the_own_log_is_not_mirrored(speak: Speak, world: World) -> None:
    refused = speak("mirror", "add", URL, "--log", world.log)

    assert (refused.exit, "mirror.ownLog" in refused.err) == (2, True)


@pytest.mark.usefixtures("operator")
def test_a_mirror_says_how_far_it_is(speak: Speak) -> None:
    speak("mirror", "add", URL, "--log", 7)

    shown = speak("mirror", "status", "--json").json

    files = {"named": 0, "kept": 0, "unlisted": 0, "bytes": 0}
    told = {"log": 7, "entries": 0, "kept": 0, "absent": 0, "files": files, "code": None}
    assert shown["mirrors"] == [told]
