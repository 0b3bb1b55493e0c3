"""Erasure by command: ordered, applied at a node, and at home by file."""

from pathlib import Path

import pytest

from fakes.world import MAKER, Tools, World, make_world
from guildmark.adapters.envelopes import EnvelopeFolder
from guildmark.bootstrap import Home
from guildmark.domain.builds.delivery import RESULTS_ALONE, Delivery
from guildmark.domain.identifiers import Index, to_hex
from guildmark.ports.store import DocumentKind
from unit.cli.speaking import Speak


@pytest.fixture
def world() -> World:
    world = make_world(Tools(shown=RESULTS_ALONE))
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope()])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return world


def test_an_order_is_signed_and_applied(
    speak: Speak, world: World, home: Home, tmp_path: Path
) -> None:
    part, out = f"{world.log}.0", tmp_path / "order.json"
    words = ("--by", to_hex(world.maker), "--why", "request", "--as", MAKER, "--out", out)

    ordered = speak("erase", "order", part, *words, "--json").json
    applied = speak("erase", "apply", out, "--json").json
    again = speak("erase", "apply", out, "--json")

    assert (ordered["part"], ordered["file"]) == (part, str(out))
    assert (applied["part"], applied["why"]) == (part, "request")
    assert applied["by"] == to_hex(world.maker)
    assert (again.exit, again.json["code"]) == (1, "erasure.before")
    with world.tools.store.reading() as view:
        assert view.log.logged(world.log, Index(0)) is None


def test_a_signed_file_is_erased_with_what_it_declared(
    speak: Speak, world: World, home: Home, tmp_path: Path
) -> None:
    data = world.envelope(2)
    digest = Delivery.parse(data).digest
    folder = EnvelopeFolder(tmp_path)
    file = folder.keep(world.machine, 2, data)
    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.DEPENDENCIES, digest, b"{}")

    told = speak("erase", "file", file, "--json").json

    assert told == {"file": str(file), "erased": True}
    assert not file.exists()
    assert folder.next_counter(world.machine) == 3
    with world.tools.store.reading() as view:
        assert view.documents.get(DocumentKind.DEPENDENCIES, digest) is None
