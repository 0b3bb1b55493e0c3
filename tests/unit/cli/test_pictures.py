"""Pictures of designs, from the owner's files to the nodes that he names."""

from pathlib import Path

import pytest

from fakes.images import png
from fakes.meshes import binary_stl
from fakes.node import MemoryNode
from fakes.world import DESIGNER, World
from guildmark.domain.chain.facts import DesignFact
from guildmark.domain.identifiers import bytes32_from_hex, to_hex
from guildmark.domain.rights.picture import DesignPicture, check_image
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.rights.pictures import shown_picture
from unit.cli.speaking import Speak

pytestmark = pytest.mark.usefixtures("home")

NODE = "http://parts.example"


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    path = tmp_path / "cube.stl"
    path.write_bytes(binary_stl())
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(png(6, 2))
    return path


def shown(world: World, design: str) -> bytes:
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        return shown_picture(
            known(view.facts, DesignFact, bytes32_from_hex(design)), view.documents
        )


def size(image: bytes) -> tuple[int, int]:
    check_image(image)
    return int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")


def test_registering_shows_no_picture_unless_asked(
    speak: Speak, world: World, mesh: Path, photo: Path
) -> None:
    register = ("design", "register", "--as", DESIGNER, "--unmeasured")

    silent = speak(*register, mesh, photo).out
    drawn = speak(*register, mesh, "--picture").out
    pictured = speak(*register, mesh, photo, "--picture").out

    assert shown(world, silent) == b""
    assert size(shown(world, drawn)) == (256, 256)
    assert size(shown(world, pictured)) == (6, 2)


def test_a_revision_may_bring_another_picture(
    speak: Speak, world: World, mesh: Path, photo: Path
) -> None:
    design = speak("design", "register", mesh, "--unmeasured", "--picture", "--as", DESIGNER).out

    speak("design", "revise", design, mesh, "--unmeasured", "--as", DESIGNER)
    kept = shown(world, design)
    speak("design", "revise", design, photo, "--picture", "--as", DESIGNER)

    assert size(kept) == (256, 256)
    assert size(shown(world, design)) == (6, 2)


def test_a_set_without_image_or_mesh_is_registered_without_picture_only(
    speak: Speak, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"notes")

    refused = speak("design", "register", file, "--picture", "--as", DESIGNER, "--json")

    assert (refused.exit, refused.json["code"]) == (14, "shape.pictureRefused")


def test_a_picture_is_published_and_taken_back_at_nodes(
    speak: Speak, world: World, node: MemoryNode, photo: Path
) -> None:
    design = to_hex(world.revision.design)

    made = speak(
        *("design", "publish-picture", design, photo, "--node", NODE, "--as", DESIGNER, "--json")
    )
    told = speak("disclose", "design-picture", design, "--node", NODE)
    gone = speak("design", "withdraw-picture", design, "--node", NODE, "--as", DESIGNER, "--json")

    first, again, last = node.disclosed
    owner = world.tools.keys.address(KeyName(DESIGNER))
    assert (made.exit, told.exit, gone.exit) == (0, 0, 0)
    assert made.json["nodes"] == gone.json["nodes"] == [NODE]
    assert first == again
    assert first[:2] == (DocumentKind.DESIGN_PICTURE, world.revision.design)
    assert size(DesignPicture.of_owner(first[2], owner).image) == (6, 2)
    assert DesignPicture.of_owner(last[2], owner).image == b""
    assert shown(world, design) == b""
