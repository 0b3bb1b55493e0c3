"""A witness signs one history of a log, whatever it is asked and whenever it is killed."""

from dataclasses import replace

import pytest

from fakes.notes import key, signature
from fakes.store import MemoryNodeStore
from fakes.witnesses import witness
from fakes.world import World, make_world
from guildmark.domain.log.checkpoint import Addition, Checkpoint, CheckpointMalformedError
from guildmark.domain.log.merkle import MerkleTree, ProofError
from guildmark.domain.log.note import Note, NoteKey, NoteKind, NoteMalformedError
from guildmark.domain.log.witness import (
    BlockNote,
    ForkError,
    OriginUnknownError,
    WitnessBehindError,
)
from guildmark.ports.store import Work
from guildmark.services.neighbours.witnessing import (
    WITNESS_KEY,
    BlockUnsureError,
    Witnessing,
    make_witness_key,
)

LOG = key("example.org/log")
TREE = MerkleTree(bytes((number,)) for number in range(20))
FORKED = MerkleTree([b"other", *(bytes((number,)) for number in range(1, 20))])


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def service(world: World) -> Witnessing:
    service = witness(world.tools.chain)
    service.add_log(LOG)
    return service


def note(size: int, tree: MerkleTree = TREE, log: NoteKey = LOG) -> Note:
    text = Checkpoint(origin=log.name, size=size, root=tree.root(size)).text()
    return Note(text=text, signatures=(signature(log.name, text),))


def ask(old: int, size: int, tree: MerkleTree = TREE, log: NoteKey = LOG) -> bytes:
    proof = tree.consistency_proof(old, size) if old else ()
    return Addition(old=old, proof=proof, checkpoint=note(size, tree, log).encode()).encode()


def test_what_grew_is_cosigned(service: Witnessing) -> None:
    for old, size in ((0, 3), (3, 7), (7, 7), (7, 20)):
        made = service.cosign(ask(old, size))

        signed = note(size).signed(made)
        own = service.key().of_kind(NoteKind.COSIGNATURE)
        assert signed.signers([own, LOG]) == (own, LOG)
        assert made.time == 1_700_000_000
    assert [one.last and one.last.size for one in service.logs()] == [20]


@pytest.mark.parametrize("request_", [ask(7, 7, FORKED), ask(7, 20, FORKED)])
def test_another_history_is_refused_and_nothing_forgotten(
    service: Witnessing, request_: bytes
) -> None:
    service.cosign(ask(0, 7))

    with pytest.raises((ForkError, ProofError)):
        service.cosign(request_)

    service.cosign(ask(7, 9))


def test_no_log_is_rolled_back(service: Witnessing) -> None:
    service.cosign(ask(0, 9))

    with pytest.raises(WitnessBehindError) as caught:
        service.cosign(ask(0, 5))

    assert caught.value.detail["size"] == 9


@pytest.mark.parametrize("request_", [b"", b"old 0\n\nno checkpoint\n"])
def test_what_is_no_request_is_refused(service: Witnessing, request_: bytes) -> None:
    with pytest.raises((CheckpointMalformedError, NoteMalformedError)):
        service.cosign(request_)


def test_a_log_that_nobody_added_is_unknown(service: Witnessing) -> None:
    with pytest.raises(OriginUnknownError) as caught:
        service.cosign(ask(0, 3, log=key("another.example/log")))

    assert caught.value.code == "witness.logUnknown"


def test_a_log_added_again_keeps_its_history_under_its_new_key(service: Witnessing) -> None:
    service.cosign(ask(0, 7))
    service.add_log(key("second"))
    service.add_log(replace(LOG, public=key("renewed").public))

    logs = {one.key.name: one for one in service.logs()}

    assert set(logs) == {LOG.name, "second"}
    assert logs[LOG.name].last == Checkpoint.parse(note(7).text)
    assert logs[LOG.name].key.public == key("renewed").public
    assert logs["second"].last is None


class CrashError(Exception):
    """The process dies."""


def test_a_witness_that_dies_before_its_commit_saw_nothing(
    service: Witnessing, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.cosign(ask(0, 3))
    with monkeypatch.context() as patched:
        patched.setattr(type(service.store), "writing", dying)
        with pytest.raises(CrashError):
            service.cosign(ask(3, 7))

    replace(service).cosign(ask(3, 9))


def test_a_witness_that_dies_before_it_signs_keeps_to_what_it_stored(
    service: Witnessing, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.cosign(ask(0, 3))
    with monkeypatch.context() as patched:
        patched.setattr(type(service.keys), "sign_payload", dying)
        with pytest.raises(CrashError):
            service.cosign(ask(3, 7))

    again = replace(service)
    for fork in (ask(3, 9, FORKED), ask(7, 9, FORKED)):
        with pytest.raises((ProofError, WitnessBehindError)):
            again.cosign(fork)
    again.cosign(ask(7, 20))


def dying(*_: object, **__: object) -> Work:
    raise CrashError


def test_a_final_block_is_vouched_for(service: Witnessing, world: World) -> None:
    block = world.tools.chain.blocks[-1]

    made = service.note(block.number)

    assert made.signers([service.key()]) == (service.key(),)
    said = BlockNote.parse(made.text)
    assert (said.number, said.hash, said.time) == (block.number, block.hash, block.time)
    assert said.chain_id == world.tools.chain.pin().chain_id


def test_a_block_that_is_not_final_is_not(service: Witnessing, world: World) -> None:
    with pytest.raises(BlockUnsureError) as caught:
        service.note(world.tools.chain.blocks[-1].number + 1)

    assert caught.value.code == "witness.blockNotFinal"


def test_the_key_of_a_witness_is_made_once(service: Witnessing) -> None:
    before = service.key()

    make_witness_key(service.keys)

    assert service.key() == before
    assert service.keys.names() == [WITNESS_KEY]
    assert before.name.startswith("guildmark.org/witness/")


def test_stores_of_witnesses_are_their_own(world: World) -> None:
    assert isinstance(witness(world.tools.chain).store, MemoryNodeStore)
    assert witness(world.tools.chain).logs() == []
