"""What a witness may sign: only growth of what it saw; and what notes about blocks say."""

import hashlib
from dataclasses import replace

import pytest

from fakes.notes import key, signature
from guildmark.domain.identifiers import ChainId, Digest
from guildmark.domain.log.checkpoint import Addition, Checkpoint
from guildmark.domain.log.merkle import MerkleTree, ProofError
from guildmark.domain.log.note import Note, NoteMalformedError, NoteSignatureError
from guildmark.domain.log.witness import (
    AdditionError,
    BlockNote,
    BlockNoteError,
    ForkError,
    WitnessBehindError,
    agreeing,
    grown,
)

LOG = key("example.org/log")
TREE = MerkleTree(bytes((number,)) for number in range(20))
FORKED = MerkleTree([b"other", *(bytes((number,)) for number in range(1, 20))])


def head(size: int, tree: MerkleTree = TREE) -> Checkpoint:
    return Checkpoint(origin=LOG.name, size=size, root=tree.root(size))


def ask(old: int, size: int, *, tree: MerkleTree = TREE, by: str = LOG.name) -> Addition:
    text = head(size, tree).text()
    return Addition(
        old=old,
        proof=tree.consistency_proof(old, size) if 0 < old <= size else (),
        checkpoint=Note(text=text, signatures=(signature(by, text),)).encode(),
    )


@pytest.mark.parametrize(("old", "size"), [(0, 1), (0, 20), (1, 2), (7, 20), (20, 20)])
def test_growth_of_what_was_seen_may_be_signed(old: int, size: int) -> None:
    last = head(old) if old else None

    assert grown(ask(old, size), key=LOG, last=last) == head(size)


def test_an_empty_tree_was_no_tree() -> None:
    empty = Checkpoint(origin=LOG.name, size=0, root=Digest(hashlib.sha256().digest()))

    assert grown(ask(0, 3), key=LOG, last=empty) == head(3)


def test_another_tree_of_the_same_size_is_a_fork() -> None:
    with pytest.raises(ForkError) as caught:
        grown(ask(7, 7, tree=FORKED), key=LOG, last=head(7))

    assert caught.value.code == "witness.forked"


@pytest.mark.parametrize("addition", [ask(7, 20, tree=FORKED), replace(ask(7, 20), proof=())])
def test_what_did_not_grow_from_what_was_seen_is_refused(addition: Addition) -> None:
    with pytest.raises(ProofError):
        grown(addition, key=LOG, last=head(7))


@pytest.mark.parametrize(("old", "size"), [(0, 20), (3, 20), (3, 5), (20, 20)])
def test_another_old_size_is_told_the_right_one(old: int, size: int) -> None:
    with pytest.raises(WitnessBehindError) as caught:
        grown(ask(old, size), key=LOG, last=head(7))

    assert caught.value.detail == {"size": 7, "old": old}


def test_a_smaller_tree_is_no_growth() -> None:
    with pytest.raises(AdditionError) as caught:
        grown(ask(7, 5), key=LOG, last=head(7))

    assert caught.value.code == "witness.badRequest"


def test_growth_from_nothing_takes_no_proof() -> None:
    with pytest.raises(AdditionError):
        grown(replace(ask(0, 5), proof=(TREE.root(1),)), key=LOG, last=None)


def test_only_the_logs_own_key_counts() -> None:
    with pytest.raises(NoteSignatureError):
        grown(ask(0, 5, by="stranger"), key=LOG, last=None)


BLOCK = BlockNote(
    chain_id=ChainId(7), number=12, hash=Digest(hashlib.sha256(b"b").digest()), time=1_700_000_000
)


def noted(block: BlockNote, *names: str) -> bytes:
    text = block.text()
    return Note(text=text, signatures=tuple(signature(name, text) for name in names)).encode()


def test_a_blocks_note_is_read_as_it_was_written() -> None:
    assert BlockNote.parse(BLOCK.text()) == BLOCK


@pytest.mark.parametrize(
    "text",
    [
        "",
        BLOCK.text() + "more\n",
        BLOCK.text().replace("v1", "v2"),
        BLOCK.text().replace("\n12\n", "\n012\n"),
        BLOCK.text().replace("0x", ""),
    ],
)
def test_what_is_no_blocks_note_is_refused(text: str) -> None:
    with pytest.raises(BlockNoteError) as caught:
        BlockNote.parse(text)

    assert caught.value.code == "note.noBlock"


def test_a_checkpoint_is_no_blocks_note_and_a_blocks_note_no_checkpoint_of_a_log() -> None:
    with pytest.raises(BlockNoteError):
        BlockNote.parse(head(5).text())
    assert not BLOCK.text().startswith("cosignature/v1\n")


def test_keys_that_agree_are_counted_once() -> None:
    keys = (key("w1"), replace(key("w1"), name="also-w1"), key("w2"), key("w3"))
    text = BLOCK.text()
    again = replace(signature("w1", text), name="also-w1", key=keys[1].id)
    note = Note.parse(noted(BLOCK, "w1", "w2", "stranger")).signed(again)

    assert agreeing(note.encode(), BLOCK, keys) == 2


def test_a_note_about_another_block_is_told() -> None:
    elsewhere = noted(replace(BLOCK, number=13), "w1")

    with pytest.raises(BlockNoteError):
        agreeing(elsewhere, BLOCK, (key("w1"),))
    assert agreeing(elsewhere, BLOCK, (key("w2"),)) == 0
    with pytest.raises(NoteMalformedError):
        agreeing(b"", BLOCK, (key("w1"),))
