"""Recalls from the command line: issued, asked for, closed, listed."""

from pathlib import Path

import pytest

from fakes.world import DESIGNER, ISSUER, SITE, World
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.recall import RecallCause, Thing
from unit.cli.speaking import Speak

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def why(tmp_path: Path) -> Path:
    path = tmp_path / "why.txt"
    path.write_bytes(b"cracks at the bore")
    return path


def test_a_recall_is_issued_closed_and_stays_on_record(
    speak: Speak, world: World, why: Path
) -> None:
    design = to_hex(world.revision.design)
    place = {"cause": "design", "thing": design}
    words = ("design", design, "--reason", why)

    issued = speak(
        *("recall", "issue", *words, "--severity", "danger", "--from", 5, "--to", 9),
        *("--as", DESIGNER, "--json"),
    ).json
    (open_,) = speak("recall", "list", "--open", "--json").json["recalls"]
    closed = speak(
        "recall", "close", "design", design, 1, "--reason", why, "--as", DESIGNER, "--json"
    ).json

    reason = to_hex(sha256(b"cracks at the bore"))
    said = {"by": "owner", "number": 1, "severity": "danger", "reason": reason}
    assert issued == {**place, **said}
    owner = to_hex(world.tools.account(DESIGNER).address)
    times = {"from": 5, "to": 9, "closedAt": None}
    assert open_ == {**place, **said, **times, "issuer": owner, "at": open_["at"]}
    assert closed == {**place, "by": "owner", "number": 1, "state": "closed"}
    assert speak("recall", "list", "--open", "--json").json["recalls"] == []
    (shown,) = speak("recall", "show", "design", design, "--json").json["recalls"]
    assert shown["closedAt"] == world.tools.chain.now


def test_an_authority_recalls_in_its_own_list(speak: Speak, world: World, why: Path) -> None:
    lot = f"{to_hex(world.maker)}:{to_hex(sha256(b'lot'))}"
    words = ("lot", lot, "--reason", why, "--authority", to_hex(world.issuer))

    number = speak("recall", "issue", *words, "--as", ISSUER).out

    assert number == "1"
    shown = speak("recall", "show", "lot", lot, "--json").json
    thing = Thing.parse(RecallCause.LOT, lot)
    assert (shown["key"], shown["asked"]) == (to_hex(thing.key()), [])
    (row,) = shown["recalls"]
    assert (row["by"], row["issuer"]) == (to_hex(world.issuer), to_hex(world.issuer))
    assert (row["from"], row["to"], row["severity"]) == (None, None, "withdraw")


def test_anybody_may_ask_and_nothing_is_recalled(speak: Speak, world: World, why: Path) -> None:
    asked = speak("recall", "ask", "part", "1.0", "--reason", why, "--as", SITE, "--json").json

    assert asked == {"cause": "part", "thing": "1.0", "reason": to_hex(sha256(why.read_bytes()))}
    shown = speak("recall", "show", "part", "1.0", "--json").json
    (row,) = shown["asked"]
    assert row["account"] == to_hex(world.tools.account(SITE).address)
    assert (row["severity"], shown["recalls"]) == ("withdraw", [])


def test_what_names_nothing_is_refused(speak: Speak, world: World) -> None:
    said = speak("recall", "show", "part", to_hex(Bytes32(bytes(32))))

    assert said.exit != 0
    assert "LOG.INDEX" in said.err
