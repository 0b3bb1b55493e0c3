"""Links behind Digital Links: of parts by their labels, of their kind, of what is elsewhere."""

from dataclasses import replace

import pytest

from fakes.world import World, log_unasked, make_world
from guildmark.domain.identifiers import Index, to_hex
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.labels.linkset import LinkType
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.evidence.linking import Linking

BASE = "https://n.example"
GTIN = "09506000134352"
KIND = f"https://id.example.org/01/{GTIN}"
LABEL = f"{KIND}/21/17"


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world with one part under a GTIN and one under a label of the own form."""
    made = make_world()
    named = replace(made.statement(1), label=LABEL)
    log_unasked(made, made.sign(named), made.envelope(2))
    return made


@pytest.fixture
def linking(world: World) -> Linking:
    bundles = Bundles(exporter=world.tools.exporter, store=world.tools.store, own_log=world.log)
    return Linking(store=world.tools.store, locate=bundles.locate, base=BASE)


def test_a_part_has_its_page_its_evidence_its_recipe_and_its_kind(
    linking: Linking, world: World
) -> None:
    part, kind = linking.items(DigitalLink.parse(LABEL))

    assert (part.anchor, kind.anchor) == (LABEL, KIND)
    assert [(link.type, link.href) for link in part.links] == [
        (LinkType.PAGE, f"{BASE}/page/01/{GTIN}/21/17"),
        (LinkType.TRACEABILITY, f"{BASE}/evidence/{world.log}.0"),
        (LinkType.CERTIFICATION, f"{BASE}/recipes/{to_hex(world.recipe.id())}/sites"),
    ]
    assert kind.default.href == f"{BASE}/designs/{to_hex(world.revision.design)}"


def test_a_part_of_the_own_form_has_its_page_at_its_own_path(
    linking: Linking, world: World
) -> None:
    label = world.finished(2).label

    (part,) = linking.items(DigitalLink.parse(label))

    assert part.default.href == BASE + "/id/" + label.partition("/id/")[2]


def test_a_batch_beside_a_serial_is_left_out(linking: Linking) -> None:
    part, _ = linking.items(DigitalLink.parse(f"{KIND}/10/L1/21/17"))

    assert part.anchor == LABEL


@pytest.mark.parametrize("below", ["", "/10/L1", "/21/18"])
def test_what_is_not_on_record_has_the_links_of_its_kind(linking: Linking, below: str) -> None:
    (kind,) = linking.items(DigitalLink.parse(KIND + below))

    assert kind.anchor == KIND


@pytest.mark.parametrize(
    "link", ["https://id.example.org/01/04012345678901/21/17", f"https://x.example/01/{GTIN}/21/17"]
)
def test_an_unknown_kind_has_no_links(linking: Linking, link: str) -> None:
    assert linking.items(DigitalLink.parse(link)) == []


def test_a_part_that_is_kept_for_another_has_no_way_to_its_recipe(world: World) -> None:
    elsewhere = Linking(
        store=make_world().tools.store, locate=lambda _: (world.log, Index(0)), base=BASE
    )

    (part,) = elsewhere.items(DigitalLink.parse(LABEL))

    assert [link.type for link in part.links] == [LinkType.PAGE, LinkType.TRACEABILITY]
