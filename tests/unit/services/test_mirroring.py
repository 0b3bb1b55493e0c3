"""A mirror keeps what another node shows, and answers for it when that node is gone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from fakes.content import MemoryContent
from fakes.records import grow
from fakes.world import DESIGNER, Tools, World, make_world, parsed
from guildmark.domain import bundle
from guildmark.domain.chain.facts import RevisionFact
from guildmark.domain.identifiers import Cid, DesignId, Digest, Index, LogNumber
from guildmark.domain.log.merkle import ProofMismatchError
from guildmark.domain.log.note import Note
from guildmark.domain.rights.fileset import EncryptedList
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.evidence.evidence import PartUnknownError
from guildmark.services.log.publishing import Publishing, make_note_key
from guildmark.services.neighbours.contents import (
    MANIFEST_MAX,
    NO_FILES,
    FilesState,
    MirroredContents,
)
from guildmark.services.neighbours.mirroring import Mirrored, Mirroring
from guildmark.services.recipes.disclosing import shown_list

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
    lists: int = 0
    files: list[Cid] = field(default_factory=list)
    sending: list[bytes] | None = None
    listing: EncryptedList | None = None

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
        self.files.append(cid)
        yield from self.sending or self.content.get(cid)

    def encrypted_files(self, design: DesignId, revision: int) -> EncryptedList | None:
        self._arrive()
        self.lists += 1
        with self.bundles.store.reading() as view:
            fact = view.facts.get(RevisionFact, design, revision)
            assert fact is not None
            return self.listing or shown_list(view.documents, fact.revision)

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
    near = NearNode(bundles=bundles, publishing=theirs, content=world.tools.vault.content)
    tools = Tools(chain=world.tools.chain)
    tools.indexing().follow()
    content = MemoryContent()
    return Scene(
        world=world,
        near=near,
        tools=tools,
        content=content,
        mirroring=mirror(world, near, tools, content),
    )


def mirror(
    world: World, near: NearNode, tools: Tools, content: MemoryContent, room: int = 0
) -> Mirroring:
    publishing = Publishing(ledger=tools.chain, store=tools.store, keys=tools.keys)
    return Mirroring(
        bundles=Bundles(exporter=tools.exporter, store=tools.store, own_log=OWN),
        publishing=publishing,
        store=tools.store,
        contents=MirroredContents(store=tools.store, content=content, disclosing=tools.disclosing),
        mirrored=[
            Mirrored(log=world.log, key=near.publishing.key(world.log), peer=near, room=room)
        ],
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
    (manifest,) = scene.content.files
    assert manifest == scene.world.tools.designs(DESIGNER).files(scene.world.revision.design).cid


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


def test_a_revision_that_the_index_does_not_know_has_no_files(scene: Scene) -> None:
    scene.tools.store.forget(RevisionFact)

    (state,) = scene.mirroring.round()

    assert (state.kept, state.code, scene.content.files) == (2, None, {})


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


ROOM = 1 << 20


def with_files(scene: Scene, room: int = ROOM) -> Mirroring:
    """Return what mirrors the log with its encrypted files."""
    return mirror(scene.world, scene.near, scene.tools, scene.content, room)


def list_files(scene: Scene) -> EncryptedList:
    """Let the designer tell the other node where the design's encrypted files are."""
    design = scene.world.revision.design
    body = scene.world.tools.disclosing.show(DocumentKind.ENCRYPTED_FILES, design)
    scene.world.tools.disclosing.receive(DocumentKind.ENCRYPTED_FILES, design, body)
    return EncryptedList.parse(body)


def test_encrypted_files_come_with_the_evidence_and_are_listed_here_too(scene: Scene) -> None:
    listed = list_files(scene)
    (state,) = with_files(scene).round()
    scene.near.is_gone = True

    sealed = scene.world.tools.designs(DESIGNER).files(scene.world.revision.design)
    theirs = scene.world.tools.vault.content.files
    wanted = {sealed.cid, *(file.cid for file in listed.files)}
    size = sum(len(theirs[file.cid]) for file in listed.files)
    assert (state.code, state.kept) == (None, 2)
    assert state.files == FilesState(named=len(wanted), kept=len(wanted), unlisted=0, size=size)
    assert scene.content.files == {cid: theirs[cid] for cid in wanted}
    with scene.tools.store.reading() as view:
        assert shown_list(view.documents, scene.world.revision) == listed
    (again,) = with_files(scene).status()
    assert again.files == state.files


def test_without_a_list_no_file_is_asked_for_and_the_list_once(scene: Scene) -> None:
    mirroring = with_files(scene)

    states = [mirroring.round()[0] for _ in range(2)]

    assert [state.files for state in states] == [FilesState(unlisted=1)] * 2
    assert (scene.near.lists, len(scene.near.files)) == (1, 1)


def test_a_mirror_of_evidence_alone_asks_for_no_list(scene: Scene) -> None:
    list_files(scene)

    (state,) = scene.mirroring.round()

    assert (state.files, scene.near.lists, len(scene.content.files)) == (NO_FILES, 0, 1)


def test_a_broken_round_goes_on_where_it_ended(scene: Scene) -> None:
    listed = list_files(scene)
    wanted = listed.files[-1].cid
    kept = scene.near.content.files.pop(wanted)
    mirroring = with_files(scene)
    (broken,) = mirroring.round()
    scene.near.content.files[wanted] = kept
    before = list(scene.near.files)

    (whole,) = mirroring.round()

    assert (broken.code, broken.files.kept) == ("content.missing", broken.files.named - 1)
    assert (whole.code, whole.files.kept) == (None, whole.files.named)
    assert scene.near.files[len(before) :] == [wanted]


def test_a_list_that_the_chain_does_not_commit_to_is_not_kept(scene: Scene) -> None:
    honest = list_files(scene)
    scene.near.listing = replace(
        honest, files=(replace(honest.files[0], ciphertext=Digest(bytes(32))),)
    )

    (state,) = with_files(scene).round()

    assert (state.code, state.files) == ("design.fileMismatch", FilesState(unlisted=1))


def test_other_bytes_are_refused_once_and_need_room(scene: Scene) -> None:
    list_files(scene)
    mirroring = with_files(scene)
    scene.mirroring.round()
    scene.near.sending = [b"other"]
    (first,) = mirroring.round()
    asked = list(scene.near.files)

    (again,) = mirroring.round()

    missing = first.files.named - first.files.kept
    assert missing > 0
    assert (first.code, first.files.size) == ("content.hashMismatch", missing * len(b"other"))
    assert (again, scene.near.files) == (first, asked)


def test_an_address_with_another_digest_is_refused(scene: Scene) -> None:
    honest = list_files(scene)
    elsewhere = scene.near.content.put([b"elsewhere"])
    scene.near.listing = replace(
        honest, files=(replace(honest.files[0], cid=elsewhere), *honest.files[1:])
    )

    (state,) = with_files(scene).round()

    assert state.code == "content.hashMismatch"


def test_files_beyond_the_room_are_not_kept(scene: Scene) -> None:
    listed = list_files(scene)
    theirs = scene.near.content.files
    sizes = [len(theirs[file.cid]) for file in listed.files]
    scene.mirroring.round()

    (short,) = with_files(scene, sum(sizes) - 1).round()
    (enough,) = with_files(scene, sum(sizes)).round()

    assert (short.code, short.files.kept) == ("mirror.contentFull", short.files.named - 1)
    assert (enough.code, enough.files.kept) == (None, enough.files.named)
    assert enough.files.size == sum(sizes)


def test_a_manifest_of_no_end_is_given_up(scene: Scene) -> None:
    scene.near.sending = [bytes(MANIFEST_MAX), b"x"]

    (state,) = scene.mirroring.round()

    assert (state.code, scene.content.files) == ("mirror.contentFull", {})


def test_another_manifest_is_told(scene: Scene) -> None:
    scene.near.sending = [b"other"]

    (state,) = scene.mirroring.round()

    assert state.code == "content.hashMismatch"


def test_a_node_that_goes_away_between_files_ends_the_round(scene: Scene) -> None:
    list_files(scene)
    scene.mirroring.round()
    contents = with_files(scene).contents
    contents._ask(scene.world.log, scene.near, contents._revisions(scene.world.log)[0])
    scene.near.is_gone = True

    with pytest.raises(PeerUnavailableError):
        contents.round(scene.world.log, scene.near, room=ROOM)
