"""What is published of logs: only what is final, never two histories, the same at any node."""

import pytest

from fakes.records import grow, record
from fakes.world import World, make_world
from guildmark.domain.chain.refusals import RecordUnknownError
from guildmark.domain.identifiers import LogNumber
from guildmark.domain.log.checkpoint import Checkpoint, Tile, open_checkpoint, read_entries
from guildmark.domain.log.merkle import MerkleTree, verify_consistency
from guildmark.domain.log.note import Note
from guildmark.services.log.publishing import (
    NOTE_KEY,
    CheckpointMissingError,
    Publishing,
    TileUnknownError,
    make_note_key,
)

OTHER = LogNumber(9)


@pytest.fixture
def world() -> World:
    return make_world()


def publishing(world: World, *, own: bool = True) -> Publishing:
    make_note_key(world.tools.keys)
    return Publishing(
        ledger=world.tools.chain,
        store=world.tools.store,
        keys=world.tools.keys,
        own_log=world.log if own else None,
    )


def head(service: Publishing, log: LogNumber) -> Checkpoint:
    note = Note.parse(service.checkpoint(log))
    return open_checkpoint(note, origin=service.origin(log), keys=[service.key(log)])


def test_nothing_is_published_before_a_record_is_final(world: World) -> None:
    service = publishing(world)

    assert service.advance() is None
    with pytest.raises(CheckpointMissingError) as caught:
        service.checkpoint(world.log)
    assert caught.value.code == "checkpoint.missing"


def test_a_home_without_a_log_signs_nothing(world: World) -> None:
    service = publishing(world, own=False)
    grow(world.tools.store, world.log, 3)

    assert service.advance() is None
    with pytest.raises(CheckpointMissingError):
        service.key(world.log)


def test_the_key_of_notes_is_made_once(world: World) -> None:
    make_note_key(world.tools.keys)
    first = world.tools.keys.public_key(NOTE_KEY)

    make_note_key(world.tools.keys)

    assert world.tools.keys.public_key(NOTE_KEY) == first


def test_a_checkpoint_counts_the_final_records_and_grows_with_them(world: World) -> None:
    service = publishing(world)
    made = grow(world.tools.store, world.log, 3)
    service.advance()
    first = head(service, world.log)
    made += grow(world.tools.store, world.log, 5, since=3)
    service.advance()
    second = head(service, world.log)

    tree = MerkleTree(one.digest() for one in made)
    assert [(one.size, one.root) for one in (first, second)] == [
        (3, tree.root(3)),
        (5, tree.root(5)),
    ]
    verify_consistency(
        old=3,
        new=5,
        proof=service.consistency(world.log, 3, 5),
        old_root=first.root,
        new_root=second.root,
    )


def test_a_checkpoint_stays_while_the_log_does(world: World) -> None:
    service = publishing(world)
    grow(world.tools.store, world.log, 3)
    service.advance()
    before = service.checkpoint(world.log)

    service.advance()

    assert service.checkpoint(world.log) == before


def test_an_index_that_is_read_again_signs_no_smaller_tree(world: World) -> None:
    service = publishing(world)
    grow(world.tools.store, world.log, 3)
    service.advance()
    with world.tools.store.writing() as work:
        work.facts.forget()
    grow(world.tools.store, world.log, 2)

    publishing(world).advance()

    assert head(publishing(world), world.log).size == 3


def test_tiles_of_any_log_are_those_of_its_records(world: World) -> None:
    service = publishing(world)
    made = grow(world.tools.store, OTHER, 300)
    tree = MerkleTree(one.digest() for one in made)

    full, rest = Tile(level=0, index=0), Tile(level=0, index=1, width=44)

    assert [service.tile(OTHER, full), service.tile(OTHER, rest)] == [full.of(tree), rest.of(tree)]
    assert service.tile(OTHER, Tile(level=1, index=0, width=1)) == tree.root(256)
    assert read_entries(service.entries(OTHER, rest)) == tuple(one.digest() for one in made[256:])
    assert service.size(OTHER) == 300


@pytest.mark.parametrize("log", [OTHER, LogNumber(77)])
def test_what_the_tree_does_not_have_is_unknown(world: World, log: LogNumber) -> None:
    service = publishing(world)
    grow(world.tools.store, OTHER, 4)
    beyond = Tile(level=0, index=0, width=5)

    for ask in (service.tile, service.entries):
        with pytest.raises(TileUnknownError) as caught:
            ask(log, beyond)
        assert caught.value.code == "tile.unknown"


def test_a_leaf_that_an_index_lost_is_told(world: World) -> None:
    service = publishing(world)
    grow(world.tools.store, OTHER, 4)
    assert service.size(OTHER) == 4
    with world.tools.store.writing() as work:
        work.facts.forget()

    with pytest.raises(RecordUnknownError):
        service.entries(OTHER, Tile(level=0, index=0, width=4))


def test_every_record_is_proven_against_the_newest_checkpoint(world: World) -> None:
    service = publishing(world)
    made = grow(world.tools.store, world.log, 6)
    service.advance()
    made += grow(world.tools.store, world.log, 7, since=6)

    for seq in range(6):
        proof = service.prove(world.log, seq)
        proof.verify(
            made[seq].digest(), origin=service.origin(world.log), keys=[service.key(world.log)]
        )
    with pytest.raises(RecordUnknownError):
        service.prove(world.log, 6)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (3, 2), (1, 5)])
def test_no_consistency_of_trees_that_never_were(world: World, old: int, new: int) -> None:
    service = publishing(world)
    grow(world.tools.store, OTHER, 4)

    with pytest.raises(RecordUnknownError):
        service.consistency(OTHER, old, new)


def test_files_are_all_that_a_reader_needs_the_checkpoint_last(world: World) -> None:
    service = publishing(world)
    grow(world.tools.store, world.log, 257)
    service.advance()

    paths = [path for path, _ in service.files(world.log)]

    assert paths == [
        "tile/0/000",
        "tile/entries/000",
        "tile/0/001.p/1",
        "tile/entries/001.p/1",
        "tile/1/000.p/1",
        "checkpoint",
    ]
    assert [path for path, _ in service.files(world.log, since=256)] == [
        "tile/0/001.p/1",
        "tile/entries/001.p/1",
        "checkpoint",
    ]


def test_another_record_gives_another_leaf() -> None:
    assert record(1, 1).digest() != record(1, 1, mark=b"x").digest()
