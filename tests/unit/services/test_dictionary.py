"""Who tries every serial on what is public of a log finds none: leaves, tiles, ids, calldata."""

from collections.abc import Callable

import pytest

from fakes.world import PREFIX, World, make_world
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import Bytes32, Index, Seq
from guildmark.domain.log.checkpoint import tiles_of
from guildmark.domain.log.entry import Entry
from guildmark.domain.log.merkle import leaf_hash
from guildmark.services.log.publishing import Publishing, make_note_key

NO_SALT = Bytes32(bytes(32))
SERIALS = 5_000


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope(number) for number in (1, 2, 3)])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return world


def public(world: World) -> bytes:
    """Return all that anybody can fetch of the log: batch files, tree, checkpoint, token ids."""
    make_note_key(world.tools.keys)
    publishing = Publishing(
        ledger=world.tools.chain,
        store=world.tools.store,
        keys=world.tools.keys,
        own_log=world.log,
    )
    publishing.advance()
    tree = b"".join(data for _, data in publishing.files(world.log))
    with world.tools.store.reading() as view:
        leaves = b"".join(view.log.leaves(world.log, Seq(0)))
        logged = [view.log.logged(world.log, Index(index)) for index in range(3)]
    tokens = b"".join((world.log << 64 | index).to_bytes(32, "big") for index in range(3))
    assert len(leaves) == 3 * 32
    assert list(tiles_of(publishing.size(world.log)))
    assert all(logged)
    return leaves + tree + tokens


def materialised(world: World) -> bytes:
    """Return what a maker publishes of its entry where it makes a token of a part."""
    with world.tools.store.reading() as view:
        logged = view.log.logged(world.log, Index(0))
    assert logged is not None
    entry = logged.queued.entry
    words = (entry.kind, entry.subject, entry.envelope, entry.site_recipe, entry.machine)
    rest = (entry.maker, entry.dependencies, entry.previous)
    return b"".join(
        word if isinstance(word, bytes) else int(word).to_bytes(32, "big")
        for word in (*words, *rest)
    )


def guesses(world: World) -> list[bytes]:
    """Return every label that the log's serials could have made, as text."""
    return [f"{PREFIX}{world.lane}-{number:05d}".encode() for number in range(1, SERIALS)]


TRIES: tuple[Callable[[bytes], bytes], ...] = (
    lambda label: label,
    sha256,
    keccak256,
    leaf_hash,
    lambda label: sha256(b"guildmark/subject/v1" + label),
    lambda label: sha256(b"guildmark/subject/v1" + NO_SALT + label),
    lambda label: leaf_hash(sha256(label)),
)


def hits(world: World, text: bytes) -> int:
    return sum(one(label) in text for label in guesses(world) for one in TRIES)


def test_a_dictionary_of_every_serial_finds_nothing_in_what_is_published(world: World) -> None:
    assert hits(world, public(world)) == 0


def test_a_dictionary_of_every_serial_finds_nothing_in_what_a_token_publishes(
    world: World,
) -> None:
    assert hits(world, materialised(world)) == 0


def test_without_salt_the_dictionary_finds_every_part(world: World) -> None:
    # The control: the same search, over leaves that no salt hides.
    labels = [world.statement(number).label.encode() for number in (1, 2, 3)]
    subjects = b"".join(sha256(b"guildmark/subject/v1" + NO_SALT + label) for label in labels)

    assert hits(world, subjects) == 3


def test_a_known_entry_without_its_salt_is_not_found_either(world: World) -> None:
    with world.tools.store.reading() as view:
        found = [view.log.logged(world.log, Index(index)) for index in range(3)]
    entries: list[Entry] = [one.queued.entry for one in found if one is not None]
    text = public(world)

    assert len(entries) == 3
    assert [text.find(entry.leaf_data(NO_SALT)) >= 0 for entry in entries] == [False] * 3
    salted = [one.queued.entry.leaf_data(one.queued.salt) for one in found if one is not None]
    assert [text.find(leaf) >= 0 for leaf in salted] == [True] * 3
