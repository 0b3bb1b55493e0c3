"""The demo's stage for tests: a chain, two operators' nodes, three makers, parts good and bad.

Started once a run, however many rooms use it; real processes, as their users start them.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from rich.console import Console

from demo.actors import MACHINE, SITE, Maker, fund
from demo.design import grant_license
from demo.making import Part, equip, fresh_beacon, license_design, shown_by_site
from demo.qualifying import BORE, BUILDS, WIDTH, Round, publish
from demo.rogue import Rogue, turn_rogue
from demo.scene import Scene, set_scene
from demo.showing import label_link
from demo.stage import Stage
from demo.telling import Teller
from demo.workshop import Extra, Workshop, prepare
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.peers.client import NodeClient
from guildmark.bootstrap import Home
from guildmark.domain import bundle, trust
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.chain.facts import RevisionFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.identifiers import (
    Bytes32,
    EquivalencePlanId,
    IdentityId,
    Index,
    LogNumber,
    to_hex,
)
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.labels.activation import ActivationCode
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recall import OWNERS, RecallCause, RecallId, Severity, Thing
from guildmark.domain.signatures import PublicKey
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.evidence.evidence import Exporter
from guildmark.services.index.projection import known
from guildmark.services.recalls.recalling import Said
from guildmark.services.release.packages import Package

PATIENCE = 120.0
_PAUSE = 0.1
_PARTS = 3
_LANE = 20

RECALL_REASON = b"Cracks at the weld."
HIDDEN_CODE = ActivationCode.drawn(bytes(range(12)))

# A genuine label is seldom scanned from so many on one day.
_NETWORKS = 12


@dataclass(frozen=True, kw_only=True)
class Played:
    """What is there after the play.

    Args:
        parts: Three good parts of the first operator's log.
        bad: Positions in the second operator's log that a rogue with its writer key put on record,
            by what is wrong there; the first operator's node holds their evidence.
        envelopes: The signed envelopes of the first maker, by number.
    """

    stage: Stage
    scene: Scene
    workshops: Sequence[Workshop]
    package: Package
    parts: Sequence[Part]
    bad: Mapping[str, str]
    envelopes: Mapping[int, bytes]
    rogue: Rogue

    @property
    def node(self) -> NodeClient:
        """Return the first operator's node; its trust list names everybody."""
        return self.scene.nodes[0]

    @property
    def other(self) -> NodeClient:
        """Return the second operator's node; its trust list names its operator alone."""
        return self.scene.nodes[1]

    def end(self) -> None:
        """End every process, close every connection."""
        self.stage.end()
        scene = self.scene
        parties = [scene.authority, scene.designer, *(one.party for one in scene.operators)]
        homes = [party.home for party in parties]
        homes += [home for one in scene.makers for home in (one.party.home, one.machine_home)]
        for home in (*homes, self.rogue.node.home):
            assert isinstance(home.ledger, RpcLedger)
            home.ledger.rpc.close()
        for node in scene.nodes:
            node.__exit__(None, None, None)


_KEY = pytest.StashKey[Played]()


def played(config: pytest.Config, folder: Callable[[], Path]) -> Played:
    """Return the stage of this run; the first caller waits for the play."""
    if _KEY not in config.stash:
        stage = Stage(folder())
        (stage.folder / "logs").mkdir()
        config.add_cleanup(stage.end)
        config.stash[_KEY] = _play(stage)
        config.add_cleanup(config.stash[_KEY].end)
    return config.stash[_KEY]


def _play(stage: Stage) -> Played:
    teller = Teller(console=Console(quiet=True))
    scene = set_scene(stage, teller, lists_shared=False)
    package, lanes = license_design(scene, teller)
    workshops = equip(scene, package, lanes, teller)
    envelopes = _built(scene, workshops[0], _PARTS)
    parts = [_settled(scene, workshops[0], envelope) for envelope in envelopes]
    # The rogue gets no unit only where the lane is drawn whole.
    for envelope in _built(scene, workshops[-1], _LANE):
        _settled(scene, workshops[-1], envelope)
    rogue = _gone_rogue(scene, workshops[-1], package)
    bad = _kept_by_first_node(scene, rogue)
    _list_everybody(scene)
    restart(stage, "operator-1")
    return Played(
        stage=stage,
        scene=scene,
        workshops=workshops,
        package=package,
        parts=parts,
        bad=bad,
        envelopes=dict(enumerate(envelopes, start=1)),
        rogue=rogue,
    )


def reconciliation(played: Played) -> str:
    """Return the address of the license's reconciliation page, as its licensor gets it."""
    home, operator = played.scene.designer.home, played.scene.operators[0].party.id
    license_id = played.workshops[0].assignment.external.license
    query = home.reconciling.query(license_id, releaser=operator, key=KeyName("account"))
    return played.node.receipts(query)[1]


def design_path(played: Played) -> str:
    """Return the path of the design's page."""
    return f"/designs/{to_hex(played.package.revision.design)}"


def own_design(played: Played) -> str:
    """Return the address of the design's page as its owner gets it: from the reconciliation."""
    found = re.search(
        rf'href="({design_path(played)}[^"]+)"', httpx.get(reconciliation(played)).text
    )
    assert found
    return f"{played.node.url}{found[1]}"


def published_plan(played: Played) -> EquivalencePlanId:
    """Return a plan of two sites whose result and readings the first node publishes."""
    kept = played.stage.folder / "published-plan"
    if not kept.exists():
        kept.write_bytes(_publish(played))
    return EquivalencePlanId(kept.read_bytes())


@dataclass(frozen=True)
class Stated:
    """Readings that sites state of parts that no log knows: what plans without a draw take."""

    makers: Mapping[str, Maker]

    def asks(self) -> Mapping[str, Any]:
        return {"units": 2 * BUILDS}

    def build(self, builds: Mapping[str, int], name: str) -> None:
        """Build nothing: no log is asked."""

    def tick(self) -> None:
        """Draw nothing."""

    def data(self, plan: EquivalencePlanId, document: EquivalencePlan, letter: str) -> SiteData:
        assert document.drawn_from is None
        source = Random(letter)
        maker = self.makers[letter]
        levels = [source.gauss(0, 0.01) for _ in range(BUILDS)]
        return SiteData(
            readings=tuple(
                Reading(
                    part=f"{letter}.{part}",
                    build=f"{letter}/{part // 2}",
                    site=to_hex(maker.site),
                    characteristic=path,
                    value=Decimal(f"{middle + levels[part // 2] + source.gauss(0, 0.005):.4f}"),
                    unit="mm",
                    instrument=to_hex(maker.instrument),
                    raw=sha256(f"{plan.hex()} {letter} {part} {path}".encode()),
                )
                for part in range(2 * BUILDS)
                for path, middle in ((BORE, 22.2), (WIDTH, 16.0))
            )
        )


def _publish(played: Played) -> bytes:
    workshops = played.workshops[:2]
    builds = {one.maker.example.letter: BUILDS for one in workshops}
    recipe = played.package.recipe.id()
    one = Round(
        scene=played.scene,
        recipe=recipe,
        workshops=workshops,
        builds=builds,
        name="1",
        source=Stated({one.maker.example.letter: one.maker for one in workshops}),
    )
    made = one.play()
    (found,) = one.certify(made, workshops[1:])
    assert found.verdict == "EQUIVALENT"
    block = played.scene.designer.home.ledger.head(final=True).number
    until(lambda: all(indexed(node) >= block for node in played.scene.nodes))
    publish(played.scene, made)
    return made.report.id


def recalled(played: Played) -> str:
    """Return the id of an open recall of a machine that made nothing."""
    kept = played.stage.folder / "recalled"
    if not kept.exists():
        home = played.workshops[0].maker.party.home
        machine = home.identities(SITE).register(IdentityKind.MACHINE, {"name": "Recalled"})
        thing = Thing(cause=RecallCause.MACHINE, id=Bytes32(machine))
        home.indexing.follow()
        said = Said(severity=Severity.DANGER, reason=sha256(RECALL_REASON))
        number = home.recalling(SITE).issue(thing, said)
        block = home.ledger.head(final=True).number
        until(lambda: indexed(played.node) >= block)
        kept.write_text(RecallId(key=thing.key(), by=OWNERS, number=number).text())
    return kept.read_text()


def sold(played: Played) -> Mapping[str, str]:
    """Return the labels of parts that something befell after the sale, with what that is.

    One is recalled, the recall of another is closed. Three have hidden codes: the label of one was
    scanned from many networks, one was claimed, nothing befell the last.
    """
    kept = played.stage.folder / "sold.json"
    if not kept.exists():
        kept.write_text(json.dumps(_sell(played)))
    found: Mapping[str, str] = json.loads(kept.read_text())
    return found


def _sell(played: Played) -> Mapping[str, str]:
    recalled_one, closed_one, labelled = new_workshops(played, 3, units=3)
    coded = Extra(code=HIDDEN_CODE)
    labelled = replace(labelled, extras={1: coded, 2: coded, 3: coded})
    parts = [
        _settled(played.scene, workshop, envelope)
        for workshop, count in ((recalled_one, 1), (closed_one, 1), (labelled, 3))
        for envelope in _built(played.scene, workshop, count)
    ]
    home = recalled_one.maker.party.home
    said = Said(severity=Severity.WITHDRAW, reason=sha256(RECALL_REASON))
    things = [
        Thing(cause=RecallCause.MACHINE, id=Bytes32(workshop.maker.machine))
        for workshop in (recalled_one, closed_one)
    ]
    home.indexing.follow()
    numbers = [home.recalling(SITE).issue(thing, said) for thing in things]
    home.indexing.follow()
    home.recalling(SITE).close(things[1], numbers[1], sha256(b"Harmless."))
    read_by_nodes(played)
    labels = [label_link(played.scene, part) for part in parts]
    for number in range(_NETWORKS):
        with _somebody(number) as client:
            client.get(labels[2]).raise_for_status()
    with _somebody(_NETWORKS) as client:
        body = {"code": HIDDEN_CODE.text(), "token": to_hex(Bytes32(bytes(32)))}
        url = f"{played.node.url}/v1/parts/{parts[3].hint}/claims"
        client.post(url, json=body).raise_for_status()
    # The page is kept for a moment.
    until(lambda: "this label may be copied" in httpx.get(labels[2]).text)
    names = ("recalled", "closed", "copied", "claimed", "unclaimed")
    return dict(zip(names, labels, strict=True))


def _somebody(number: int) -> httpx.Client:
    """Return a person's client in a network of its own."""
    transport = httpx.HTTPTransport(local_address=f"127.0.{100 + number}.1")
    return httpx.Client(transport=transport, headers={"User-Agent": "Mozilla/5.0"}, timeout=30)


def restart(stage: Stage, name: str) -> None:
    """End a node as an operator does, and start it again."""
    process = stage.processes[name]
    process.terminate()
    assert process.wait(PATIENCE) == 0
    start(stage, name)


def start(stage: Stage, name: str) -> None:
    """Start a node that has ended, and wait until it is ready."""
    (stage.home(name) / "node.json").unlink()
    stage.start_node(name)
    with stage.node(name):
        # It is ready, and those who use it have clients of their own.
        return


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(_PAUSE)


def funded(home: Home, name: str) -> KeyName:
    """Return a new account of a home, with coin: what befalls it befalls no other identity."""
    key = KeyName(name)
    home.keys.create(key, KeyAlgorithm.SECP256K1)
    fund(home, key)
    return key


def new_machine(maker: Maker, key: PublicKey) -> IdentityId:
    """Return a new machine of a site: what it counts and what befalls it is its own."""
    own = maker.party.home.identities(SITE)
    machine = own.register(IdentityKind.MACHINE, {"name": "A machine of a test"})
    own.request_link(machine, maker.site)
    own.accept_link(machine, maker.site)
    own.add_key(machine, key)
    return machine


def new_workshops(played: Played, count: int, *, units: int) -> Sequence[Workshop]:
    """Return new machines of the first maker's site, each with a lane of a license of theirs."""
    owner, usual = played.scene.designer, played.workshops[0]
    key = signing_key(usual.maker.machine_home.keys, MACHINE)
    makers = [replace(usual.maker, machine=new_machine(usual.maker, key)) for _ in range(count)]
    revision = played.package.revision
    owner.home.indexing.follow()
    with owner.home.store.reading() as view:
        revealed = known(view.facts, RevisionFact, revision.design, revision.number)
    told = [(maker, usual.operator) for maker in makers]
    terms, members, lanes = grant_license(
        owner, revealed, played.package.recipe, told, units_a_site=units
    )
    package = replace(played.package, terms=terms, members=members)
    made = [
        prepare(maker, usual.operator, lane, package)
        for maker, lane in zip(makers, lanes, strict=True)
    ]
    fresh_beacon(played.scene)
    read_by_nodes(played)
    for workshop in made:
        for shown in shown_by_site(played.scene, workshop, package):
            if shown[0] in {DocumentKind.TERMS, DocumentKind.SITE_RECIPE}:
                played.node.disclose(*shown)
    return made


def read_by_nodes(played: Played) -> None:
    """Wait until both nodes have read what is final now."""
    block = played.scene.designer.home.ledger.head(final=True).number
    until(lambda: all(indexed(node) >= block for node in played.scene.nodes))


def indexed(node: NodeClient) -> int:
    """Return the block up to which a node has read the chain."""
    return int(httpx.get(f"{node.url}/readyz").json()["block"])


def _built(scene: Scene, workshop: Workshop, count: int) -> Sequence[bytes]:
    beacon, node = fresh_beacon(scene), scene.node_of(workshop.operator)
    block = scene.designer.home.ledger.head(final=True).number
    until(lambda: indexed(node) >= block)
    envelopes = [workshop.build(number, beacon) for number in range(1, count + 1)]
    answers = node.submit(envelopes)
    assert {answer["reception"] for answer in answers} == {"accepted"}, answers
    return envelopes


def _settled(scene: Scene, workshop: Workshop, envelope: bytes) -> Part:
    node, digest = scene.node_of(workshop.operator), envelope_digest(envelope)
    until(lambda: node.build(digest)["state"] == "final")
    found = node.build(digest)
    return Part(
        label=found["label"],
        log=LogNumber(found["log"]),
        index=Index(found["index"]),
        unit=found["unit"],
        workshop=workshop,
    )


@dataclass(frozen=True)
class _RoguePeer:
    """A peer that has the rogue's evidence."""

    bundles: Mapping[tuple[LogNumber, Index], bytes]

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        return self.bundles.get((log, index))

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        """Return nothing whatever the label: a rogue names no other entry."""
        del label
        return ()


def _gone_rogue(scene: Scene, workshop: Workshop, package: Package) -> Rogue:
    """Let a rogue with the second operator's writer key log bad parts."""
    shown = [*scene.shown_by_all(), *shown_by_site(scene, workshop, package)]
    rogue = turn_rogue(scene, workshop, fresh_beacon(scene), shown)
    rogue.log()
    return rogue


def _kept_by_first_node(scene: Scene, rogue: Rogue) -> Mapping[str, str]:
    """Let the first node fetch the rogue's evidence as from any peer; return the positions."""
    block = rogue.node.home.ledger.head(final=True).number
    evidence = dict(rogue.shown(block=block))
    peer = _RoguePeer(
        {(each.core.record.log, each.core.index): bundle.write(each) for each in evidence.values()}
    )
    until(lambda: indexed(scene.nodes[0]) >= block)
    operator = scene.operators[0]
    home = operator.party.home
    asking = Bundles(
        exporter=Exporter(ledger=home.ledger, store=home.store),
        store=home.store,
        own_log=operator.log,
        peers=(peer,),
    )
    for each in evidence.values():
        asking.bundle(each.core.record.log, each.core.index)
    rogue.node.home.close()
    return {case: f"{each.core.record.log}.{each.core.index}" for case, each in evidence.items()}


def _list_everybody(scene: Scene) -> None:
    home = scene.operators[0].party.home
    listed = Trust(
        version=VERSION,
        chain=home.ledger.pin(),
        operators=tuple(Listed(id=operator.party.id) for operator in scene.operators),
        issuers=(Listed(id=scene.authority.id),),
    )
    (home.settings.home / "trust.json").write_bytes(trust.serialise(listed))
