"""Lots: named once, declared of a part under fresh salts, shown where the entry commits to them."""

import pytest

from fakes.world import World, make_world
from guildmark.domain.builds.dependencies import (
    DEPENDENCIES_MAX,
    NO_DEPENDENCIES,
    Declaration,
    DeclarationSizeError,
)
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.builds.lots import LOT_NAME_MAX, LotNameError
from guildmark.domain.encoding.fields import DocumentError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Index
from guildmark.domain.recall import RecallCause, lot_digest
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.lots import Lots
from guildmark.services.log.sequencing import Sequencing
from guildmark.services.recipes.disclosing import (
    DeclaredOtherwiseError,
    DisclosedThingUnknownError,
    DocumentUnknownError,
)


@pytest.fixture
def world() -> World:
    return make_world()


def lots(world: World) -> Lots:
    return Lots(store=world.tools.store, entropy=world.tools.entropy)


def declared(world: World, *names: str) -> Declaration:
    things = [lots(world).named(world.maker, name) for name in names]
    declaration = world.tools.builds.declare(things)
    assert declaration is not None
    return declaration


def logged(world: World, declaration: Declaration) -> bytes:
    """Log a part of some lots, and return its envelope."""
    world.disclose()
    envelope = world.sign(world.statement(declared=declaration))
    world.tools.ingest(world.log).receive([envelope])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return envelope


def test_a_lot_keeps_its_digest_and_is_another_one_of_another_maker(world: World) -> None:
    first = lots(world).named(world.maker, "PETG 4711")

    assert lots(world).named(world.maker, "PETG 4711") == first
    assert lots(world).named(world.maker, "PETG 4712") != first
    assert lots(world).named(world.designer, "PETG 4711").detail != first.detail
    assert first.cause is RecallCause.LOT
    assert bytes(first.id) == bytes(world.maker)


def test_a_lots_digest_is_not_found_by_trying_names(world: World) -> None:
    found = bytes(lots(world).named(world.maker, "PETG 4711").detail)

    assert found != sha256(b"PETG 4711")
    assert found != lot_digest("PETG 4711", Bytes32(bytes(32)))


@pytest.mark.parametrize("name", ["x", "x" * LOT_NAME_MAX])
def test_names_of_lots_have_a_length(world: World, name: str) -> None:
    assert lots(world).named(world.maker, name).cause is RecallCause.LOT


@pytest.mark.parametrize("name", ["", "x" * (LOT_NAME_MAX + 1), "a\nb"])
def test_other_names_of_lots_are_refused(world: World, name: str) -> None:
    with pytest.raises(LotNameError):
        lots(world).named(world.maker, name)


def test_parts_of_one_lot_have_different_roots(world: World) -> None:
    one, other = declared(world, "A", "A", "B"), declared(world, "A", "B")

    assert [each.thing for each in one.dependencies] == [each.thing for each in other.dependencies]
    assert one.root() != other.root()
    assert world.tools.builds.declare([]) is None


def test_no_more_is_declared_than_a_bundle_proves(world: World) -> None:
    names = [f"lot {number}" for number in range(DEPENDENCIES_MAX + 1)]

    whole = declared(world, *names[1:])
    assert Declaration.parse(whole.encode()) == whole
    with pytest.raises(DeclarationSizeError, match="1 to 32"):
        declared(world, *names)
    with pytest.raises(DocumentError):
        Declaration.parse(b'{"dependencies":[]}')


def test_what_was_declared_is_in_the_bundle_where_it_was_disclosed(world: World) -> None:
    declaration = declared(world, "A", "B")
    envelope = logged(world, declaration)
    exporter, key = world.tools.exporter, envelope_digest(envelope)

    assert exporter.evidence(world.log, Index(0)).disclosed.dependencies == ()
    world.tools.disclosing.receive(DocumentKind.DEPENDENCIES, key, declaration.encode())

    shown = exporter.evidence(world.log, Index(0))
    assert shown.disclosed.dependencies == declaration.dependencies
    assert shown.core.entry.dependencies == declaration.root()
    assert world.tools.disclosing.show(DocumentKind.DEPENDENCIES, key) == declaration.encode()


def test_another_list_than_the_entrys_is_refused(world: World) -> None:
    declaration = declared(world, "A", "B")
    key = envelope_digest(logged(world, declaration))
    receive = world.tools.disclosing.receive

    left_out = Declaration(dependencies=declaration.dependencies[:1])
    with pytest.raises(DeclaredOtherwiseError):
        receive(DocumentKind.DEPENDENCIES, key, left_out.encode())
    with pytest.raises(DisclosedThingUnknownError):
        receive(DocumentKind.DEPENDENCIES, sha256(b"none"), declaration.encode())
    with pytest.raises(DocumentUnknownError):
        world.tools.disclosing.show(DocumentKind.DEPENDENCIES, key)


def test_a_part_that_is_not_final_yet_is_not_known(world: World) -> None:
    declaration = declared(world, "A")
    world.disclose()
    envelope = world.sign(world.statement(declared=declaration))
    world.tools.ingest(world.log).receive([envelope])
    key, receive = envelope_digest(envelope), world.tools.disclosing.receive

    with pytest.raises(DisclosedThingUnknownError):
        receive(DocumentKind.DEPENDENCIES, key, declaration.encode())
    # In a batch it has a place, and is no more final than before.
    assert Sequencing(store=world.tools.store, log=world.log).close() is not None
    with pytest.raises(DisclosedThingUnknownError):
        receive(DocumentKind.DEPENDENCIES, key, declaration.encode())


def test_a_statement_commits_to_what_is_declared_and_scrap_to_nothing(world: World) -> None:
    declaration = declared(world, "A")
    said = world.statement(declared=declaration)

    assert said.dependencies == declaration.root()
    assert world.tools.builds.scrapped(said, "warped").dependencies == NO_DEPENDENCIES
    assert world.statement().dependencies == NO_DEPENDENCIES
