"""What actors of a story do and have: each step one or more `guildmark` commands."""

import json
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.cli_actors import Actor
from guildmark.adapters.peers.client import NodeClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DESIGN = (EXAMPLES / "part.step", EXAMPLES / "part.3mf")
SITE_A = EXAMPLES / "sites" / "site-a.json"
LEI = "529900T8BM49AURSDO55"
HOST = "id.example.org"
PATIENCE = 60.0


@dataclass(frozen=True)
class Stage:
    """A running local chain with its contracts."""

    keeper: Actor
    url: str
    folder: Path

    @property
    def deployment(self) -> Path:
        return self.keeper.home / "chain" / "deployment.json"

    @property
    def directory(self) -> str:
        return str(json.loads(self.deployment.read_text())["directory"])

    def actor(self, name: str, *keys: tuple[str, str]) -> Actor:
        """Return a new home with coin on its accounts and further keys."""
        actor = Actor(self.folder / name)
        self.keeper.say("chain", "fund", actor.say("init", "--deployment", self.deployment))
        for key, algorithm in keys:
            made = actor.ask("keys", "new", key, "--algorithm", algorithm)
            if algorithm == "secp256k1":
                self.keeper.say("chain", "fund", made["account"])
        return actor


@dataclass(frozen=True)
class Maker:
    """An organization with a site, a machine and an instrument."""

    actor: Actor
    org: str
    site: str
    machine: str
    caliper: str


@dataclass(frozen=True)
class Operator:
    """Who runs a log, and, in this story, vouches for the others."""

    actor: Actor
    org: str
    authority: str
    log: str


@dataclass(frozen=True)
class Licensed:
    """A design with its recipe, a license, and a lane of one unit for a site."""

    designer: Actor
    owner: str
    design: str
    recipe: str
    license: str
    lane: str
    operator: str
    """Who runs the lane's log."""


def an_operator(stage: Stage) -> Operator:
    actor = stage.actor("operator", ("writer", "secp256k1"), ("releases", "x25519"))
    org = actor.say("org", "register", "Tagus Records")
    log = actor.say("log", "open", org, "--writer", "writer", "--port", 0)
    authority = actor.say("authority", "register", "Register of Examples")
    return Operator(actor=actor, org=org, authority=authority, log=log)


def a_maker(stage: Stage) -> Maker:
    actor = stage.actor("maker", ("packages", "x25519-mlkem768"), ("printer", "p256"))
    org = actor.say("org", "register", "Oficina Mondego", "--country", "PT")
    site = actor.say("site", "register", "Coimbra", "--detail", "place=Coimbra")
    machine = actor.say("machine", "register", "Trellis M2")
    caliper = actor.say("machine", "register", "Caliper")
    for child, parent in [(site, org), (machine, site)]:
        actor.say("link", "request", child, parent)
        actor.say("link", "accept", child, parent)
    actor.say("machine", "key", "add", machine, "printer")
    return Maker(actor=actor, org=org, site=site, machine=machine, caliper=caliper)


def a_license(
    stage: Stage, operator: Operator, maker: Maker, folder: Path, *, units: int = 1
) -> Licensed:
    """License one unit more than the lane of the maker's site gets."""
    actor = stage.actor("designer")
    owner = actor.say("org", "register", "Rohrhalter Werkstatt", "--country", "DE")
    design = actor.say("design", "register", *DESIGN)
    recipe = actor.say(
        *("recipe", "publish", EXAMPLES / "recipe.json"),
        *("--design", design, "--status", "qualified"),
    )
    offer = folder / "offer.json"
    signed = actor.say(
        *("license", "sign", "--design", design, "--units", units + 1, "--holder", owner),
        *("--recipe", recipe, "--site", maker.site, "--labels", f"https://{HOST}/"),
        *("--text", "Two brackets, for this test.", "--out", offer),
    )
    assert stat.S_IMODE(offer.stat().st_mode) == 0o600
    granted = actor.ask("license", "grant", offer)
    assert granted["id"] == signed
    lane = actor.say(
        *("license", "split", granted["lane"], units),
        *("--log", operator.log, "--to", maker.site),
    )
    return Licensed(
        designer=actor,
        owner=owner,
        design=design,
        recipe=recipe,
        license=signed,
        lane=lane,
        operator=operator.org,
    )


def names(operator: Operator, identifiers: Mapping[str, tuple[str, str]]) -> list[str]:
    """Let the authority vouch for identifiers, and return its claims."""
    return [
        operator.actor.say("claim", "make", operator.authority, subject, *identifier)
        for subject, identifier in identifiers.items()
    ]


def hand_over(
    licensed: Licensed, maker: Maker, operator: Operator, node: str, folder: Path
) -> None:
    """Deposit the keys at the node, seal the package to the site, and open it there."""
    package, files, deposit = folder / "package.bin", folder / "files", folder / "deposit.bin"
    what = (licensed.license, "--recipe", licensed.recipe)
    licensed.designer.say(
        *("release", "deposit", *what, "--operator", operator.org, "--out", deposit),
        *("--recipient", operator.actor.ask("keys", "show", "releases")["publicKey"]),
    )
    operator.actor.say("release", "keep", deposit, "--key", "releases")
    licensed.designer.say(
        *("package", "seal", *what, "--site", maker.site, "--out", package),
        *("--recipient", maker.actor.ask("keys", "show", "packages")["publicKey"]),
        *("--release", f"{operator.org}@{node}"),
    )
    licensed.designer.say("content", "send", "--design", licensed.design, "--node", node)
    opened = maker.actor.ask(
        *("package", "open", package, "--site", maker.site, "--key", "packages"),
        *("--machine", maker.machine, "--as", "printer", "--lane", licensed.lane),
        *("--out", files, "--node", node),
    )
    assert (opened["license"], opened["releasedBy"]) == (licensed.license, node)
    for path in DESIGN:
        assert (files / path.name).read_bytes() == path.read_bytes()


def equip(licensed: Licensed, maker: Maker, node: str) -> str:
    """Publish the site's recipe, show the node what it must see, and return the recipe's id."""
    site_recipe = maker.actor.say(
        *("recipe", "site", licensed.recipe, "--site", maker.site),
        *("--settings", SITE_A, "--model", "Trellis M2"),
    )
    for kind, thing in [
        ("terms", licensed.license),
        ("recipe", licensed.recipe),
        ("site-recipe", site_recipe),
        ("profile", maker.org),
    ]:
        maker.actor.say("disclose", kind, thing, "--node", node)
    return site_recipe


def build(
    maker: Maker,
    licensed: Licensed,
    site_recipe: str,
    written: Path,
    *,
    machine: str | None = None,
    key: str = "printer",
) -> Path:
    """Attest one part and return its envelope."""
    label = maker.actor.say(
        *("label", "new", f"{licensed.lane}-{written.stem}"),
        *("--host", HOST, "--operator", licensed.operator),
    )
    written.write_text(json.dumps(report(label, maker.caliper)))
    envelope = maker.actor.say(
        *("build", "attest", written, "--machine", machine or maker.machine, "--key", key),
        *("--lane", licensed.lane, "--site-recipe", site_recipe),
        *("--job", EXAMPLES / "gcode" / "site-a.gcode", "--settings", SITE_A),
    )
    return Path(envelope)


def report(label: str, instrument: str) -> Mapping[str, Any]:
    """Return what a technician writes about a part whose values are at their least."""
    clauses = json.loads((EXAMPLES / "recipe.json").read_text())["clauses"]
    tolerances = [clause for clause in clauses if clause["path"].startswith("/tolerance/")]
    now = int(time.time())
    return {
        "label": label,
        "startedOn": now - 1020,
        "finishedOn": now,
        "simulated": True,
        "measurements": {
            clause["path"]: {
                "value": clause["min"],
                "unit": clause["unit"],
                "instrument": instrument,
            }
            for clause in tolerances
        },
    }


def judge(
    stage: Stage, operator: Operator, part: str, bundle: Path, node: str
) -> Mapping[str, Any]:
    """Let a customer export a part's evidence and verify it by his own list."""
    customer, trust = Actor(stage.folder / "customer"), bundle.with_suffix(".trust.json")
    customer.say(
        *("trust", "init", "--rpc", stage.url, "--directory", stage.directory),
        *("--operator", operator.org, "--issuer", operator.authority, "--trust", trust),
    )
    customer.say("bundle", "export", part, "--out", bundle, "--node", node)
    found: Mapping[str, Any] = customer.ask("verify", bundle, "--trust", trust, "--rpc", stage.url)
    return found


def wait_until_ready(node: str) -> None:
    """Wait until a node has read the chain."""
    deadline = time.monotonic() + PATIENCE
    with NodeClient(node) as client:
        while not client.is_ready():
            assert time.monotonic() < deadline, f"{node} is not ready in time"
            time.sleep(0.2)


def settled(maker: Maker, envelope: Path, node: str) -> Mapping[str, Any]:
    """Return the build once it is final or refused."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found: Mapping[str, Any] = maker.actor.ask("build", "status", envelope, "--node", node)
        if found["state"] in {"final", "refused"}:
            return found
        assert time.monotonic() < deadline, found
