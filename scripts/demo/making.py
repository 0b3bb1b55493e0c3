"""How sixty parts come about: license, packages, recipes, builds, records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic, sleep
from typing import Any, TypeVar

from demo import cast
from demo.actors import ACCOUNT, Disclosed, profiles
from demo.design import (
    deposit_keys,
    grant_license,
    publish_recipe,
    register_design,
    release_places,
    send_package,
    store_files,
)
from demo.scene import Scene
from demo.stage import StageError
from demo.telling import Teller
from demo.workshop import Workshop, disclosures, open_package, prepare
from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.identifiers import Index, LaneNumber, LogNumber
from guildmark.domain.log.record import Record
from guildmark.ports.store import DocumentKind
from guildmark.services.recipes.disclosing import DisclosedThingUnknownError
from guildmark.services.release.packages import Package
from guildmark.settings import save

T = TypeVar("T")

SHOWN = ("/tolerance", "/post")
"""What makers show to everybody: results, and what a customer chose."""

_PATIENCE = 30.0
_PAUSE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part on record."""

    label: str
    log: LogNumber
    index: Index
    unit: int
    workshop: Workshop

    @property
    def number(self) -> int:
        """Return the part's number on its lane."""
        return self.unit - self.workshop.first_unit + 1

    @property
    def hint(self) -> str:
        """Return ``log.index``."""
        return f"{self.log}.{self.index}"


def license_design(
    scene: Scene,
    teller: Teller,
    *,
    units_a_site: int = cast.UNITS_A_SITE,
    asks_equivalence: bool = False,
) -> tuple[Package, Sequence[LaneNumber]]:
    """Register and encrypt the design, publish the recipe, grant units, a lane a site."""
    owner = scene.designer
    with teller.step("The design is encrypted, committed to, revealed; the nodes hold ciphertext"):
        revision = register_design(owner)
        store_files(owner, revision.revision.design, scene.nodes)
    with teller.step("The recipe is published as a salted tree of clauses"):
        recipe, document = publish_recipe(owner, revision, asks_equivalence=asks_equivalence)
    units = units_a_site * len(scene.sites)
    with teller.step(f"{units} units are licensed and cut into lanes of {units_a_site}"):
        terms, members, lanes = grant_license(
            owner, revision, recipe, scene.sites, units_a_site=units_a_site
        )
    package = Package(
        terms=terms,
        members=members,
        recipe=recipe,
        document=document,
        revision=revision.revision,
        manifest=owner.home.designs(ACCOUNT).files(revision.revision.design).manifest,
        releasers=release_places(scene.operators, scene.nodes),
    )
    with teller.step("Its keys are deposited at a node, and wrapped again for a second one"):
        deposit_keys(owner, package, scene.operators)
    return package, lanes


def equip(
    scene: Scene, package: Package, lanes: Sequence[LaneNumber], teller: Teller
) -> Sequence[Workshop]:
    """Let each site open its package, derive its recipe and show it to its operator."""
    workshops = []
    for (maker, operator), lane in zip(scene.sites, lanes, strict=True):
        with teller.step(f"{maker.party.name}, {maker.place}: files decrypted and compared"):
            node = scene.node_of(operator)
            cid = send_package(scene.designer, package, maker, node)
            opened, request = open_package(maker, cid, lane, node)
            workshop = prepare(maker, operator, lane, opened)
            workshops.append(replace(workshop, request=request))
    for workshop in workshops:
        _disclose(scene, workshop, package)
    return workshops


def _disclose(scene: Scene, workshop: Workshop, package: Package) -> None:
    node = scene.node_of(workshop.operator)
    for kind, key, body in [*scene.shown_by_all(), *shown_by_site(scene, workshop, package)]:
        disclose(node, kind, key, body)


def disclose(node: NodeClient, kind: DocumentKind, key: bytes, body: bytes) -> None:
    """Send a document to a node, once it has read of the thing that it opens."""
    patiently(partial(_disclosed, node, kind, key, body), bool)


def _disclosed(node: NodeClient, kind: DocumentKind, key: bytes, body: bytes) -> bool:
    """Send a document; return False where the node has not read of the thing yet."""
    try:
        node.disclose(kind, key, body)
    except PeerRefusedError as refused:
        if refused.detail["reason"] == DisclosedThingUnknownError.code:
            return False
        raise
    return True


def shown_by_site(scene: Scene, workshop: Workshop, package: Package) -> Sequence[Disclosed]:
    """Return what a site shows: terms, recipes, its name and what it is named by."""
    maker = workshop.maker
    identities = (maker.party.id, maker.site, maker.machine, maker.instrument)
    return [
        *disclosures(workshop, package),
        *scene.claims_of(maker.party),
        *profiles(maker.party, identities),
    ]


def keep_settings(workshops: Sequence[Workshop], teller: Teller) -> list[Workshop]:
    """Let the machines sign settings under salts, as `guildmark build values --show` has it."""
    with teller.step("Certified, the makers keep their process settings to themselves"):
        return [_closed(workshop) for workshop in workshops]


def _closed(workshop: Workshop) -> Workshop:
    home = workshop.maker.machine_home
    settings = replace(home.settings, shown=SHOWN)
    save(settings)
    return replace(
        workshop,
        maker=replace(workshop.maker, machine_home=replace(home, settings=settings)),
    )


def build_all(scene: Scene, workshops: Sequence[Workshop], teller: Teller) -> Sequence[Part]:
    """Build, measure and sign all sixty, send them, and wait until they are on record."""
    beacon = fresh_beacon(scene)
    with teller.step(f"{cast.UNITS} parts are built (simulated), each signed by its machine"):
        envelopes = [
            [workshop.build(number, beacon) for number in range(1, cast.UNITS_A_SITE + 1)]
            for workshop in workshops
        ]
    with teller.step("The nodes log, draw and anchor them, one transaction a batch"):
        for workshop, signed in zip(workshops, envelopes, strict=True):
            send(scene.node_of(workshop.operator), signed)
        parts = [
            await_part(scene.node_of(workshop.operator), envelope, workshop)
            for workshop, signed in zip(workshops, envelopes, strict=True)
            for envelope in signed
        ]
        for workshop, signed in zip(workshops, envelopes, strict=True):
            _show_declared(scene.node_of(workshop.operator), workshop, signed)
        return parts


def _show_declared(node: NodeClient, workshop: Workshop, envelopes: Sequence[bytes]) -> None:
    """Show a node which lots went into the parts of a lane."""
    for number, extra in workshop.extras.items():
        if extra.declared is not None:
            envelope = Delivery.parse(envelopes[number - 1]).digest
            disclose(node, DocumentKind.DEPENDENCIES, envelope, extra.declared.encode())


def fresh_beacon(scene: Scene) -> Record:
    """Write an empty record, so that what begins now has a young beacon."""
    return scene.operators[0].party.home.logs(ACCOUNT).tick()


def refused_at_the_door(scene: Scene, workshop: Workshop) -> str:
    """Send a build beyond the lane to the honest node and return the code of its refusal."""
    envelope = workshop.build(cast.UNITS_A_SITE + 1, fresh_beacon(scene))
    node = scene.node_of(workshop.operator)
    (answer,) = patiently(lambda: node.submit([envelope]), _is_about_quota)
    return str(answer["code"])


def _is_about_quota(answers: Sequence[Mapping[str, Any]]) -> bool:
    # The node may not have read the beacon's block yet.
    return _are_accepted(answers)


def send(node: NodeClient, envelopes: Sequence[bytes]) -> None:
    """Send envelopes to a node that takes all of them."""
    answers = patiently(lambda: node.submit(envelopes), _are_accepted)
    refused = [answer for answer in answers if answer["reception"] == "refused"]
    if refused:
        message = f"The node refused {len(refused)} builds: {refused[0]['reason']}"
        raise StageError(message)


def _are_accepted(answers: Sequence[Mapping[str, Any]]) -> bool:
    return all(answer["code"] != "beacon.unknown" for answer in answers)


def await_part(node: NodeClient, envelope: bytes, workshop: Workshop) -> Part:
    """Wait until a part is on record, and return it."""
    digest = Delivery.parse(envelope).digest
    build = patiently(lambda: node.build(digest), lambda found: found["state"] == "final")
    return Part(
        label=build["label"],
        log=LogNumber(build["log"]),
        index=Index(build["index"]),
        unit=build["unit"],
        workshop=workshop,
    )


def patiently(ask: Callable[[], T], is_enough: Callable[[T], bool]) -> T:
    """Ask again and again until an answer is enough, and return it."""
    deadline = monotonic() + _PATIENCE
    while not is_enough(answer := ask()):
        if monotonic() > deadline:
            message = f"A node did not get there in {_PATIENCE:.0f} s; its last word: {answer!r}"
            raise StageError(message)
        sleep(_PAUSE)
    return answer
