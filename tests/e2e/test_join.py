"""A shop joins by a hub's invitation: its account signs, the hub pays, its agent builds."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.cli_actors import Actor
from e2e.embedded import Node
from e2e.story import EXAMPLES, SITE_A, report
from guildmark.settings import load
from stages import until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]

UNITS = 20


@dataclass
class Hub:
    """A hub's node on a chain of its own, with a license that it holds itself."""

    node: Node
    actor: Actor
    lane: int
    recipe: str
    license: str
    org: str

    def invite(self, *options: object) -> str:
        return self.actor.say("invite", "new", *options)

    def verdict(self, shop: str, part: str, folder: Path) -> str:
        """Return the verdict of who lists the hub, which vouches for the shop and itself."""
        chain = load(self.actor.home).chain
        for organization in (shop, self.org):
            self.actor.say("claim", "make", self.org, organization, "NAME", organization[:20])
        bundle, trust = folder / "part.zip", folder / "trust.json"
        self.actor.say(
            *("trust", "init", "--rpc", chain.url, "--directory", "0x" + chain.directory.hex()),
            *("--operator", self.org, "--issuer", self.org, "--trust", trust),
        )
        self.actor.say("bundle", "export", part, "--out", bundle, "--node", self.node.url)
        found = self.actor.try_to("verify", bundle, "--trust", trust, "--rpc", chain.url, "--json")
        return str(found.json["verdict"])

    def share(self) -> tuple[object, ...]:
        return ("--lane", self.lane, "--units", 3, "--recipe", self.recipe)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    node = Node(folder / "home")
    try:
        until(node.is_ready)
        yield licensed(node, folder)
    finally:
        node.kill(signal.SIGTERM)


def licensed(node: Node, folder: Path) -> Hub:
    """Let the hub design a part, and license itself."""
    actor = Actor(node.home)
    org = "0x" + load(node.home).own_node().operator.hex()
    (folder / "part.gcode").write_text("a part")
    design = actor.say("design", "register", folder / "part.gcode")
    recipe = actor.say(
        *("recipe", "publish", EXAMPLES / "recipe.json"),
        *("--design", design, "--status", "qualified"),
    )
    offer = folder / "offer.json"
    signed = actor.say(
        *("license", "sign", "--design", design, "--units", UNITS, "--holder", org),
        *("--recipe", recipe, "--out", offer),
    )
    lane = actor.ask("license", "grant", offer)["lane"]
    return Hub(node=node, actor=actor, lane=lane, recipe=recipe, license=signed, org=org)


def words(url: str, spool: Path) -> tuple[object, ...]:
    return (
        *("join", url, "--name", "Oficina Mondego", "--country", "PT", "--site", "Coimbra"),
        *("--machine", "Trellis M2", "--instrument", "Caliper", "--settings", SITE_A),
        *("--source", f"folder:{spool}"),
    )


def settled(actor: Actor, job: str) -> Any:
    def is_final() -> bool:
        shown = actor.try_to("agent", "show", job, "--json")
        rows = shown.json["envelopes"] if shown.exit == 0 else []
        return bool(rows) and all(row["state"] == "final" for row in rows)

    try:
        until(is_final)
    except AssertionError:
        raise AssertionError(actor.say("agent", "log")) from None
    return actor.ask("agent", "show", job)["envelopes"]


def test_shop_without_coin_is_on_line_in_two_commands(hub: Hub, tmp_path: Path) -> None:
    shop, spool = Actor(tmp_path / "shop"), tmp_path / "spool"
    spool.mkdir()
    url = hub.invite(*hub.share())

    began = time.monotonic()
    # Killed in the middle, wherever that is, then given again.
    with subprocess.Popen(
        [sys.executable, "-m", "guildmark", *map(str, words(url, spool))],
        env={**os.environ, "GUILDMARK_HOME": str(shop.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as first:
        until((shop.home / "node.db").exists)
        time.sleep(1)
        first.kill()
    joined = shop.ask(*words(url, spool))
    again = shop.ask(*words(url, spool))
    text = (shop.home / "agent.toml").read_text()
    fast = text.replace("poll_seconds = 2.0", "poll_seconds = 0.1")
    (shop.home / "agent.toml").write_text(fast.replace("ask_seconds = 15.0", "ask_seconds = 0.2"))
    with shop.keeping("agent", "run", ready=shop.home / "page.json"):
        measured = report("", joined["instruments"][0])["measurements"]
        document = {
            "format": "guildmark/job/v1",
            "job": "job-1",
            "at": int(time.time()),
            "file": "0x" + "5a" * 32,
            "pieces": [
                {
                    "measurements": [
                        {"characteristic": path, **value} for path, value in measured.items()
                    ]
                }
            ],
        }
        draft = spool / ".1.json"
        draft.write_text(json.dumps(document))
        draft.rename(spool / "1.json")
        (row,) = settled(shop, "job-1")
    took = time.monotonic() - began

    assert again == joined
    assert took < 600
    assert (row["unit"], row["state"]) == (UNITS - 2, "final")
    assert hub.verdict(joined["organization"], f"{joined['log']}.0", tmp_path) == "verified"
    invited = hub.actor.ask("invite", "list")["invitations"]
    states = {one["site"]: (one["state"], one["lane"]) for one in invited}
    assert states[joined["site"]] == ("joined", joined["lane"])


def test_invitation_is_for_one_shop_on_the_hub_s_chain(hub: Hub, tmp_path: Path) -> None:
    first, other, foreign = (Actor(tmp_path / name) for name in ("first", "other", "foreign"))
    made = hub.actor.ask("invite", "new", "--hours", 1, "--coin", "0.01")
    url = made["url"]
    foreign.say("init")
    toml = (hub.node.home / "guildmark.toml").read_text()
    pinned = f"chain_id = {load(hub.node.home).chain.chain_id}"
    (foreign.home / "guildmark.toml").write_text(toml.replace(pinned, "chain_id = 5"))

    joined = first.ask("join", url, "--name", "First")
    spoken = {
        "used": other.try_to("join", url, "--name", "Other", "--json"),
        "renamed": first.try_to("join", url, "--name", "Renamed", "--json"),
        "chain": foreign.try_to("join", url, "--name", "Foreign", "--json"),
        "unknown": other.try_to("join", url[:-32] + "0" * 32, "--name", "Other", "--json"),
        "address": other.try_to("join", hub.node.url, "--name", "Other", "--json"),
    }
    hub.actor.say("invite", "withdraw", made["id"])
    spoken["withdrawn"] = first.try_to("join", url, "--name", "First", "--json")

    assert joined["lane"] is None
    assert not (first.home / "agent.toml").exists()
    assert {name: one.json["code"] for name, one in spoken.items()} == {
        "used": "invitation.used",
        "renamed": "join.changed",
        "chain": "chain.wrongChain",
        "unknown": "invitation.unknown",
        "address": "cli.invitationMalformed",
        "withdrawn": "invitation.unknown",
    }
    assert not (other.home / "node.db").exists()
