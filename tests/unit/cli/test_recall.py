"""Recalls from the command line: issued, asked for, closed, listed."""

from pathlib import Path

import pytest

from fakes.world import DESIGNER, ISSUER, SITE, World
from guildmark.cli import recall
from guildmark.domain.chain.facts import NO_DIGEST
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.recall import RecallCause, Severity, Thing
from guildmark.ports.store import DocumentKind
from guildmark.services.recalls.recalling import Said
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


class Shown:
    """A node that keeps what it is shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[list[str], DocumentKind, bytes, bytes]] = []
        monkeypatch.setattr(recall, "show_to", self)

    def __call__(self, nodes: list[str], kind: DocumentKind, key: bytes, body: bytes) -> None:
        self.sent.append((nodes, kind, key, body))


def test_a_reason_is_published_as_the_file_has_it(
    speak: Speak, world: World, why: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown, design = Shown(monkeypatch), to_hex(world.revision.design)
    over = tmp_path / "over.txt"
    over.write_text("a mark on the camera")
    speak("recall", "issue", "design", design, "--reason", why, "--as", DESIGNER)
    place = ("design", design, 1, "--node", "http://127.0.0.1:1")

    said = speak("recall", "publish", *place, "--reason", why, "--json").json
    early = speak("recall", "publish", *place, "--reason", over)
    speak("recall", "close", "design", design, 1, "--reason", over, "--as", DESIGNER)
    speak("recall", "publish", *place, "--reason", over)
    unknown = speak(
        *("recall", "publish", "design", design, 2, "--node", "http://127.0.0.1:1"),
        *("--reason", why),
    )

    digest = sha256(why.read_bytes())
    assert (said["reason"], said["nodes"]) == (to_hex(digest), ["http://127.0.0.1:1"])
    assert "recall.reasonMismatch" in early.err
    assert "recall.unknown" in unknown.err
    kind = DocumentKind.RECALL_REASON
    assert [(one[1], one[2]) for one in shown.sent] == [
        (kind, digest),
        (kind, sha256(b"a mark on the camera")),
    ]
    assert shown.sent[0][3] == b'{"reason":"cracks at the bore"}'


def test_a_watch_is_added_listed_and_removed(speak: Speak, world: World) -> None:
    design = to_hex(world.revision.design)
    license_id = to_hex(world.license)

    added = speak(
        *("recall", "watch", "add", "https://example.org/hook", "--cause", "lot", "--private"),
        *("--thing", f"design:{design}", "--part", "1.0", "--license", license_id, "--json"),
    ).json
    (listed,) = speak("recall", "watch", "list", "--json").json["watches"]
    world.tools.recalling(DESIGNER).issue(
        Thing.parse(RecallCause.DESIGN, design), Said(severity=Severity.INSPECT, reason=NO_DIGEST)
    )
    speak("recall", "list")
    (letter,) = speak("recall", "watch", "letters", "--json").json["letters"]
    dead = speak("recall", "watch", "letters", "--dead", "--json").json["letters"]
    resent = speak("recall", "watch", "resend", added["id"], "--json").json
    removed = speak("recall", "watch", "remove", added["id"], "--json").json

    assert added.pop("secret").startswith("whsec_")
    assert added == listed
    assert (listed["causes"], listed["parts"], listed["private"]) == (["lot"], ["1.0"], True)
    assert (listed["things"], listed["licenses"]) == ([f"design:{design}"], [license_id])
    assert (letter["watch"], letter["state"], letter["tries"]) == (added["id"], "waiting", 0)
    assert (dead, resent["letters"], removed["state"]) == ([], 0, "removed")
    assert "recall.watchUnknown" in speak("recall", "watch", "resend", added["id"]).err
    assert "recall.watchUnknown" in speak("recall", "watch", "remove", added["id"]).err


def test_letters_go_to_servers_over_https(speak: Speak) -> None:
    assert "recall.watchAddress" in speak("recall", "watch", "add", "http://example.org").err
