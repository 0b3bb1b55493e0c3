"""A node and its witnesses: cosignatures collected, forks told loudly, nobody waited for twice."""

import logging
from dataclasses import dataclass

import pytest

from fakes.notes import key
from fakes.records import grow, record
from fakes.witnesses import NearWitness, StillClock, chosen, witness
from fakes.world import World, make_world
from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.log.checkpoint import open_checkpoint
from guildmark.domain.log.note import Note, NoteKind
from guildmark.domain.log.witness import BlockNote, agreeing
from guildmark.services.log.publishing import Publishing, make_note_key
from guildmark.services.neighbours.cosigning import Chosen, Cosigning, Vouching


@dataclass
class Scene:
    world: World
    near: list[NearWitness]

    def publishing(self) -> Publishing:
        make_note_key(self.world.tools.keys)
        return Publishing(
            ledger=self.world.tools.chain,
            store=self.world.tools.store,
            keys=self.world.tools.keys,
            own_log=self.world.log,
        )

    def cosigning(self) -> Cosigning:
        return Cosigning(
            publishing=self.publishing(),
            witnesses=[chosen(one) for one in self.near],
            log=self.world.log,
        )

    def grow(self, size: int, since: int = 0) -> None:
        grow(self.world.tools.store, self.world.log, size, since=since)
        self.publishing().advance()


@pytest.fixture
def scene() -> Scene:
    world = make_world()
    near = [NearWitness(witness(world.tools.chain)) for _ in range(2)]
    scene = Scene(world=world, near=near)
    for one in near:
        one.witnessing.add_log(scene.publishing().key(world.log))
    return scene


def signers(scene: Scene) -> int:
    note = Note.parse(scene.publishing().checkpoint(scene.world.log))
    keys = {one.witnessing.key().of_kind(NoteKind.COSIGNATURE) for one in scene.near}
    origin = scene.publishing().origin(scene.world.log)
    open_checkpoint(note, origin=origin, keys=[scene.publishing().key(scene.world.log)])
    return len(note.signers(sorted(keys, key=lambda one: one.encode())))


def test_before_a_checkpoint_nobody_is_asked(scene: Scene) -> None:
    states = scene.cosigning().round()

    assert [(one.size, one.code) for one in states] == [(None, None)] * 2
    assert scene.near[0].asked == []


def test_checkpoints_get_the_cosignatures_of_all_witnesses(scene: Scene) -> None:
    service = scene.cosigning()
    scene.grow(3)
    service.round()
    scene.grow(5, since=3)

    states = service.round()

    assert [(one.size, one.code) for one in states] == [(5, None)] * 2
    # Both stand for one key where the witnesses' secrets are equal, as those of fakes are.
    assert signers(scene) == len({one.witnessing.key() for one in scene.near})
    assert scene.near[0].asked == ["cosign 0", "cosign 3"]


def test_a_checkpoint_that_has_its_cosignatures_is_not_sent_again(scene: Scene) -> None:
    service = scene.cosigning()
    scene.grow(3)
    service.round()
    asked = list(scene.near[0].asked)

    states = service.round()

    assert scene.near[0].asked == asked
    assert [one.code for one in states] == [None, None]


def test_a_node_that_starts_again_learns_what_the_witness_saw(scene: Scene) -> None:
    scene.near.pop()
    scene.grow(3)
    scene.cosigning().round()
    scene.grow(7, since=3)

    (state,) = scene.cosigning().round()

    assert (state.size, state.code) == (7, None)
    assert scene.near[0].asked == ["cosign 0", "cosign 0", "cosign 3"]


def test_a_witness_that_is_away_stops_no_other(scene: Scene) -> None:
    # The secrets of fakes are equal: the one that is away has a name of its own.
    scene.grow(3)
    away = NearWitness(scene.near[0].witnessing, is_away=True)
    service = Cosigning(
        publishing=scene.publishing(),
        witnesses=[Chosen(key=key("away"), peer=away), chosen(scene.near[1])],
        log=scene.world.log,
    )

    states = service.round()

    assert [(one.size, one.code) for one in states] == [(None, "peer.unavailable"), (3, None)]


def test_a_signature_that_does_not_hold_is_not_published(scene: Scene) -> None:
    scene.grow(3)
    stranger = Chosen(key=key("stranger"), peer=scene.near[0])
    service = Cosigning(publishing=scene.publishing(), witnesses=[stranger], log=scene.world.log)

    (state,) = service.round()

    assert state.code == "note.signatureWrong"
    assert len(Note.parse(scene.publishing().checkpoint(scene.world.log)).signatures) == 1


def test_another_history_is_refused_and_told_loudly(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.near.pop()
    scene.grow(3)
    scene.cosigning().round()
    elsewhere = make_world()
    fork = Scene(world=elsewhere, near=scene.near)
    with elsewhere.tools.store.writing() as work:
        for seq in range(3):
            forged = record(elsewhere.log, seq, mark=b"forged")
            work.facts.put(RecordFact(record=forged, block=seq))
    fork.publishing().advance()

    with caplog.at_level(logging.CRITICAL):
        (state,) = fork.cosigning().round()

    assert (state.size, state.code) == (None, "witness.forked")
    assert "witness.forked" in caplog.text


def test_a_log_that_went_back_is_told_loudly(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.near.pop()
    scene.grow(5)
    scene.cosigning().round()
    elsewhere = make_world()
    old = Scene(world=elsewhere, near=scene.near)
    old.grow(2)

    with caplog.at_level(logging.CRITICAL):
        (state,) = old.cosigning().round()

    assert state.code == "witness.forked"
    assert "went back" in caplog.text or "saw 5 records" in caplog.text


def test_a_cosignature_for_a_checkpoint_that_moved_on_is_left(scene: Scene) -> None:
    scene.grow(3)
    publishing = scene.publishing()
    before = publishing.newest(scene.world.log)
    assert before is not None
    scene.grow(4, since=3)

    publishing.add(scene.world.log, before.text, before.signatures[0])
    publishing.add(scene.world.log + 1, before.text, before.signatures[0])  # type: ignore[arg-type] # a log that has none

    assert publishing.newest(scene.world.log) != before


def vouching(scene: Scene, clock: StillClock) -> Vouching:
    return Vouching(
        ledger=scene.world.tools.chain,
        clock=clock,
        witnesses=[chosen(one) for one in scene.near],
    )


def test_a_block_gets_the_note_of_those_who_vouch_for_it(scene: Scene) -> None:
    chain = scene.world.tools.chain
    block = chain.blocks[-1]
    service = vouching(scene, StillClock())

    first, second = service.note(block), service.note(block)

    said = BlockNote(
        chain_id=chain.pin().chain_id, number=block.number, hash=block.hash, time=block.time
    )
    assert agreeing(first, said, (scene.near[0].witnessing.key(),)) == 1
    assert (second, scene.near[0].asked) == (first, [f"note {block.number}"])


def test_a_witness_that_is_away_is_asked_again_later_only(scene: Scene) -> None:
    scene.near.pop()
    (near,) = scene.near
    near.is_away = True
    clock = StillClock()
    service = vouching(scene, clock)
    block = scene.world.tools.chain.blocks[-1]

    assert service.note(block) == service.note(block) == b""
    assert len(near.asked) == 1
    near.is_away, clock.time = False, clock.time + 30
    assert service.note(block) != b""


def test_notes_of_many_blocks_are_not_kept_for_ever(scene: Scene) -> None:
    service = Vouching(ledger=scene.world.tools.chain, clock=StillClock(), witnesses=())
    block = scene.world.tools.chain.blocks[-1]

    for number in range(300):
        assert service.note(type(block)(number=number, hash=block.hash, time=0)) == b""

    assert len(service._notes) <= 256
