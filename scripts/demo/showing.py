"""What a buyer gets of each part: a bundle, a code to scan, a label to print."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from demo.actors import SITE, Maker
from demo.making import Part
from demo.scene import Scene
from demo.stage import StageError, write
from guildmark.adapters.labels import pictures
from guildmark.adapters.peers.client import NodeClient
from guildmark.domain import bundle
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import Address, PartId
from guildmark.domain.labels.qr import link_text
from guildmark.domain.verification.evidence import Evidence
from guildmark.ports.chain import TransactionStatus

BUYER = Address(bytes.fromhex("00000000000000000000000000000000000b0b0b"))


def materialise(scene: Scene, part: Part) -> TransactionStatus:
    """Make a part a token of its buyer, as the site that holds its lane."""
    maker: Maker = part.workshop.maker
    core = read_bundle(scene.node_of(part.workshop.operator), part).core
    return maker.party.home.parts(SITE).materialise(core, to=BUYER)


def read_bundle(node: NodeClient, part: Part, *, block: int | None = None) -> Evidence:
    """Return the evidence that a node has for a part."""
    return bundle.read(fetch(node, part, block=block))


def fetch(node: NodeClient, part: Part, *, block: int | None = None) -> bytes:
    """Return the bundle that a node has for a part."""
    data = node.bundle(part.log, part.index, block=block)
    if data is None:
        message = f"The node has no bundle of part {part.hint}."
        raise StageError(message)
    return data


def show(scene: Scene, parts: Sequence[Part], *, block: int) -> None:
    """Write the bundle and the labels of every part."""
    _write_all(parts, lambda part: _write_bundle(scene, part, block))
    _write_all(parts, lambda part: _write_labels(scene, part))


def bundle_path(scene: Scene, part: Part) -> Path:
    """Return where the bundle of a part is written."""
    return scene.stage.folder / "bundles" / f"{part.hint}.zip"


def label_link(scene: Scene, part: Part) -> str:
    """Return what the code of a part's label holds: its page on the node that logged it.

    The label's own host is invented, so that no browser would find it.
    """
    pin = scene.designer.home.ledger.pin()
    place = PartId(
        chain_id=pin.chain_id,
        build_log=pin.contracts[ContractName.LOG].address,
        log=part.log,
        index=part.index,
    )
    return link_text(part.label, place, base=scene.node_of(part.workshop.operator).url)


def _write_all(parts: Sequence[Part], each: Callable[[Part], None]) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(each, parts))


def _write_bundle(scene: Scene, part: Part, block: int) -> None:
    data = fetch(scene.node_of(part.workshop.operator), part, block=block)
    write(bundle_path(scene, part), data)


def _write_labels(scene: Scene, part: Part) -> None:
    text = label_link(scene, part)
    folder = scene.stage.folder / "labels"
    write(folder / f"{part.hint}.svg", pictures.svg(text, caption=part.label.rsplit("/", 1)[-1]))
    write(folder / f"{part.hint}.png", pictures.png(text))
