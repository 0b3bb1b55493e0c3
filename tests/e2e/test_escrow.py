"""A designer's own node releases keys; killed, an escrow agent's goes on; stopped, nobody does."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.cli_actors import Actor
from e2e.story import (
    DESIGN,
    PATIENCE,
    Licensed,
    Maker,
    Stage,
    a_license,
    a_maker,
    an_operator,
    wait_until_ready,
)

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]


@dataclass(frozen=True)
class Releaser:
    """A node that keeps a deposit."""

    actor: Actor
    org: str
    node: str

    @property
    def place(self) -> str:
        return f"{self.org}@{self.node}"


@dataclass(frozen=True)
class Site:
    """A maker with a package."""

    maker: Maker
    licensed: Licensed
    package: Path
    content: str

    def asks(self, folder: Path, *words: object) -> tuple[int, Mapping[str, Any]]:
        spoken = self.maker.actor.try_to(
            *("package", "open", self.package, "--site", self.maker.site, "--key", "packages"),
            *("--machine", self.maker.machine, "--as", "printer", "--lane", self.licensed.lane),
            *("--out", folder, "--node", self.content, *words, "--json"),
        )
        return spoken.exit, spoken.json


def deposited(licensed: Licensed, releaser: Releaser, file: Path) -> None:
    licensed.designer.say(
        *("release", "deposit", licensed.license, "--recipe", licensed.recipe),
        *("--operator", releaser.org, "--out", file),
        *("--recipient", releaser.actor.ask("keys", "show", "releases")["publicKey"]),
    )
    releaser.actor.say("release", "keep", file, "--key", "releases")


def proven(actor: Actor, request: str, node: str) -> Mapping[str, Any]:
    """Return the receipt once it is on record."""
    deadline = time.monotonic() + PATIENCE
    while True:
        spoken = actor.try_to("release", "proof", request, "--node", node, "--json")
        if spoken.exit == 0:
            found: Mapping[str, Any] = spoken.json
            return found
        assert (spoken.json["code"], time.monotonic() < deadline) == ("receipt.notFinal", True)


def test_escrow_agent_releases_while_the_designers_node_is_down(
    stage: Stage, tmp_path: Path
) -> None:
    operator, maker = an_operator(stage), a_maker(stage)
    licensed = a_license(stage, operator, maker, tmp_path)
    designer = licensed.designer
    becomes_operator(stage, licensed)

    with operator.actor.keeping("up", ready=operator.actor.home / "node.json") as endpoint:
        escrow = Releaser(actor=operator.actor, org=operator.org, node=endpoint["url"])
        with designer.keeping("up", ready=designer.home / "node.json") as own:
            first = Releaser(actor=designer, org=licensed.owner, node=own["url"])
            for releaser in (first, escrow):
                wait_until_ready(releaser.node)
                deposited(licensed, releaser, tmp_path / f"{releaser.org}.bin")
            site = packed(licensed, maker, (first, escrow), tmp_path)
            _, by_designer = site.asks(tmp_path / "one")
            receipt = proven(maker.actor, by_designer["request"], first.node)
            os.kill(own["pid"], signal.SIGKILL)
        _, by_escrow = site.asks(tmp_path / "two")
        proven(maker.actor, by_escrow["request"], escrow.node)
        reconciled = designer.ask(
            "license", "reconcile", licensed.license, "--release", escrow.place
        )

        designer.say("license", "stop", licensed.license, "--at", int(time.time()) + 9000)
        late = [site.asks(tmp_path / "three"), asked_of_designer(site, tmp_path / "four")]

    assert (by_designer["releasedBy"], receipt["releaser"]) == (first.node, licensed.owner)
    assert by_escrow["releasedBy"] == escrow.node
    assert same_files(tmp_path / "one")
    assert same_files(tmp_path / "two")
    (lane,) = reconciled["lanes"]
    assert (lane["released"], lane["releasers"], lane["drawn"]) == (2, 2, 0)
    assert (lane["differences"], reconciled["alerts"]) == ("releasedWithoutDraw", [])
    assert [(code, said["code"]) for code, said in late] == [(18, "license.stopped")] * 2
    assert not (tmp_path / "three").exists()


def becomes_operator(stage: Stage, licensed: Licensed) -> None:
    """Give the designer a log of his own, and a key for deposits."""
    designer = licensed.designer
    writer = designer.ask("keys", "new", "writer", "--algorithm", "secp256k1")
    stage.keeper.say("chain", "fund", writer["account"])
    designer.say("keys", "new", "releases", "--algorithm", "x25519")
    designer.say("log", "open", licensed.owner, "--writer", "writer", "--port", 0)


def asked_of_designer(site: Site, folder: Path) -> tuple[int, Mapping[str, Any]]:
    """Start the designer's node again and ask it."""
    designer = site.licensed.designer
    (designer.home / "node.json").unlink()
    with designer.keeping("up", ready=designer.home / "node.json") as own:
        wait_until_ready(own["url"])
        return site.asks(folder, "--release", f"{site.licensed.owner}@{own['url']}")


def same_files(folder: Path) -> bool:
    return all((folder / path.name).read_bytes() == path.read_bytes() for path in DESIGN)


def packed(licensed: Licensed, maker: Maker, places: tuple[Releaser, ...], folder: Path) -> Site:
    """Seal the package to the site, naming the designer's node first."""
    package, content = folder / "package.bin", places[-1].node
    licensed.designer.say(
        *("package", "seal", licensed.license, "--recipe", licensed.recipe),
        *("--site", maker.site, "--out", package),
        *("--recipient", maker.actor.ask("keys", "show", "packages")["publicKey"]),
        *(word for place in places for word in ("--release", place.place)),
    )
    licensed.designer.say("content", "send", "--design", licensed.design, "--node", content)
    return Site(maker=maker, licensed=licensed, package=package, content=content)
