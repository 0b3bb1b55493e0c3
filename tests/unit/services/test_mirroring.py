"""A mirror keeps what another node shows, and answers for it when that node is gone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from fakes.content import MemoryContent
from fakes.records import grow
from fakes.world import DESIGNER, Tools, World, make_world, parsed
from guildmark.domain import bundle
from guildmark.domain.identifiers import Cid, Index, LogNumber
from guildmark.domain.log.merkle import ProofMismatchError
from guildmark.domain.log.note import Note
from guildmark.ports import PeerUnavailableError
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.evidence.evidence import PartUnknownError
from guildmark.services.log.publishing import Publishing, make_note_key
from guildmark.services.neighbours.mirroring import Mirrored, Mirroring

OWN = LogNumber(9)
FIRST, SECOND = Index(0), Index(1)


@dataclass
class NearNode:
    """The other operator's node, asked by a call; fulfils ``MirrorPeer``."""

    bundles: Bundles
    publishing: Publishing
    content: MemoryContent
    is_gone: bool = False
    always: bytes | None = None
    spoiled: set[int] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        self._arrive()
        self.asked.append(index)
        try:
            data = self.bundles.bundle(log, index, ask_peers=False)
        except PartUnknownError:
            return None
        return self.always or (b"PK" if index in self.spoiled else data)

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        self._arrive()
        return self.bundles.positions(label)

    def log_checkpoint(self, log: LogNumber) -> bytes:
        self._arrive()
        return self.publishing.checkpoint(log)

    def get_content(self, cid: Cid) -> Iterator[bytes]:
        self._arrive()
        return self.content.get(cid)

    def _arrive(self) -> None:
        if self.is_gone:
            message = "The node does not answer."
            raise PeerUnavailableError(message)


@dataclass
class Scene:
    world: World
    near: NearNode
    tools: Tools
    content: MemoryContent
    mirroring: Mirroring


@pytest.fixture
def scene() -> Scene:
    world = make_world()
    world.disclose()
    for number in (1, 2):
        world.tools.ingest(world.log).receive([world.envelope(number)])
        line = world.tools.line(world.log)
        line.step()
        line.step()
    make_note_key(world.tools.keys)
    theirs = Publishing(
        ledger=world.tools.chain,
        store=world.tools.store,
        keys=world.tools.keys,
        own_log=world.log,
    )
    theirs.advance()
    bundles = Bundles(exporter=world.tools.exporter, store=world.tools.store, own_log=world.log)
    cid = world.tools.designs(DESIGNER).files(world.revision.design).cid
    stored = MemoryContent({cid: b"ciphertext"})
    near = NearNode(bundles=bundles, publishing=theirs, content=stored)
    tools = Tools(chain=world.tools.chain)
    tools.indexing().follow()
    content = NamedContent(cid=cid)
    return Scene(
        world=world,
        near=near,
        tools=tools,
        content=content,
        mirroring=mirror(world, near, tools, content),
    )


@dataclass
class NamedContent(MemoryContent):
    """Takes a file under the address that the chain has for it, which the vault's fake made."""

    cid: Cid | None = None

    def put(self, chunks: Iterable[bytes]) -> Cid:
        assert self.cid is not None
        self.files[self.cid] = b"".join(chunks)
        return self.cid


def mirror(world: World, near: NearNode, tools: Tools, content: MemoryContent) -> Mirroring:
    publishing = Publishing(ledger=tools.chain, store=tools.store, keys=tools.keys)
    return Mirroring(
        bundles=Bundles(exporter=tools.exporter, store=tools.store, own_log=OWN),
        publishing=publishing,
        store=tools.store,
        content=content,
        mirrored=[Mirrored(log=world.log, key=near.publishing.key(world.log), peer=near)],
    )


def test_what_is_mirrored_is_answered_for_when_its_node_is_gone(scene: Scene) -> None:
    (state,) = scene.mirroring.round()
    scene.near.is_gone = True
    log, bundles = scene.world.log, scene.mirroring.bundles

    assert (state.entries, state.kept, state.absent, state.code) == (2, 2, 0, None)
    for index in (FIRST, SECOND):
        found = bundle.read(bundles.bundle(log, index))
        label = parsed(found.core.envelope).label
        assert bundles.positions(label) == [(log, index)]
    theirs, ours = scene.near.publishing, scene.mirroring.publishing
    assert ours.checkpoint(log) == theirs.checkpoint(log)
    assert list(ours.files(log)) == list(theirs.files(log))
    assert list(scene.content.files.values()) == [b"ciphertext"]


def test_nothing_is_asked_for_twice(scene: Scene) -> None:
    scene.mirroring.round()
    asked = list(scene.near.asked)

    (state,) = scene.mirroring.round()

    assert (scene.near.asked, state.kept) == (asked, 2)


def test_a_node_that_is_away_is_told_and_what_is_kept_stays(scene: Scene) -> None:
    scene.mirroring.round()
    scene.near.is_gone = True

    (state,) = scene.mirroring.round()

    assert (state.kept, state.code) == (2, "peer.unavailable")
    assert [(one.entries, one.kept) for one in scene.mirroring.status()] == [(2, 2)]


def test_what_a_node_does_not_show_is_counted(scene: Scene) -> None:
    scene.near.spoiled = {1}

    (state,) = scene.mirroring.round()

    assert (state.kept, state.absent) == (1, 1)


def test_another_entrys_bundle_is_not_taken(scene: Scene) -> None:
    scene.near.always = scene.near.bundles.bundle(scene.world.log, FIRST)

    (state,) = scene.mirroring.round()

    assert (state.kept, state.absent) == (1, 1)


def test_an_envelope_that_cannot_be_read_names_no_files(scene: Scene) -> None:
    found = bundle.read(scene.near.bundles.bundle(scene.world.log, FIRST))
    unreadable = replace(found, core=replace(found.core, envelope=b"{}"))

    scene.mirroring._files(scene.near, unreadable)

    assert scene.content.files == {}


def test_an_entry_that_no_node_has_is_none(scene: Scene) -> None:
    found = scene.mirroring.bundles.fetch(scene.world.log, Index(7), peer=scene.near)

    assert found is None


def test_a_log_that_nobody_opened_has_nothing(scene: Scene) -> None:
    unknown = Mirrored(
        log=LogNumber(77), key=scene.near.publishing.key(scene.world.log), peer=scene.near
    )
    empty = mirror(scene.world, scene.near, scene.tools, scene.content)
    object.__setattr__(empty, "mirrored", [unknown])

    (state,) = empty.round()

    assert (state.entries, state.kept, state.code) == (0, 0, "checkpoint.missing")


def test_a_checkpoint_that_the_chain_contradicts_is_not_kept(scene: Scene) -> None:
    forged = make_world()
    make_note_key(forged.tools.keys)
    publishing = scene.mirroring.publishing
    key = scene.near.publishing.key(scene.world.log)
    other = Publishing(
        ledger=forged.tools.chain,
        store=forged.tools.store,
        keys=forged.tools.keys,
        own_log=forged.log,
    )
    grow(forged.tools.store, forged.log, 2)
    other.advance()

    with pytest.raises(ProofMismatchError):
        publishing.keep(scene.world.log, other.checkpoint(forged.log), key)


def test_an_older_checkpoint_takes_no_newer_ones_place(scene: Scene) -> None:
    theirs, ours, log = scene.near.publishing, scene.mirroring.publishing, scene.world.log
    key = theirs.key(log)
    newest = theirs.checkpoint(log)
    ours.keep(log, newest, key)
    older = theirs._signed(log, 1).encode()

    ours.keep(log, older, key)

    assert ours.checkpoint(log) == newest


def test_a_checkpoint_beyond_what_this_node_read_waits(scene: Scene) -> None:
    theirs, log = scene.near.publishing, scene.world.log
    young = Tools(chain=scene.world.tools.chain)
    publishing = Publishing(ledger=young.chain, store=young.store, keys=young.keys)

    publishing.keep(log, theirs.checkpoint(log), theirs.key(log))

    assert publishing.newest(log) is None
    assert Note.parse(theirs.checkpoint(log)).signatures
