"""Several stores as one: one of them collects, lies, dies or was never there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from guildmark_ipfs.blocks import BlockSource
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.errors import (
    BlockCorruptError,
    ContentError,
    HashMismatchError,
    NotFoundError,
    NotReplicatedError,
    UnavailableError,
)
from guildmark_ipfs.gateway import Gateway
from guildmark_ipfs.kubo import KuboBlockStore
from guildmark_ipfs.memory import MemoryBlockStore
from guildmark_ipfs.pinning import PinningService
from guildmark_ipfs.replicas import (
    Availability,
    BlockReplica,
    Challenge,
    KuboReplica,
    PinnedReplica,
    ReplicatedBlockStore,
)
from guildmark_ipfs.store import ContentStore
from guildmark_ipfs.unixfs import CHUNK
from ipfs.kubo_node import KuboNode
from ipfs.loopback import serving
from ipfs.pinning_double import PinningDouble

DATA = os.urandom(2 * CHUNK + 3)
LEAF = Cid.of(DATA[CHUNK : 2 * CHUNK], Codec.RAW)


@dataclass
class Moody:
    """A store in memory that can be away, or forget, or lie."""

    mood: ContentError | None = None
    asked: list[Cid] = field(default_factory=list)
    store: MemoryBlockStore = field(default_factory=MemoryBlockStore)

    @property
    def blocks(self) -> dict[Cid, bytes]:
        return self.store.blocks

    def put(self, block: Buffer, codec: Codec) -> Cid:
        return self.store.put(block, codec)

    def has(self, cid: Cid) -> bool:
        return self.store.has(cid)

    def pin(self, cid: Cid) -> None:
        self.store.pin(cid)

    def get(self, cid: Cid) -> bytes:
        self.asked.append(cid)
        if self.mood is not None:
            raise self.mood
        return self.store.get(cid)


@pytest.fixture
def own(tmp_path: Path) -> LocalBlockStore:
    return LocalBlockStore.open(tmp_path / "own")


@pytest.fixture
def other() -> Moody:
    return Moody()


def replicated(own: LocalBlockStore, *others: Moody, copies: int = 2) -> ReplicatedBlockStore:
    replicas = [
        BlockReplica(name=f"store {number}", blocks=each) for number, each in enumerate(others)
    ]
    return ReplicatedBlockStore(own=own, replicas=replicas, copies=copies)


def damage(own: LocalBlockStore, cid: Cid) -> None:
    (path,) = (own.root / "blocks").rglob(str(cid))
    path.write_bytes(b"other bytes")


def states(store: ReplicatedBlockStore) -> dict[str, tuple[Availability, str | None]]:
    return {each.store: (each.state, each.code) for each in store.challenge()}


def test_a_file_is_stored_when_two_stores_gave_it_back(own: LocalBlockStore, other: Moody) -> None:
    cid = ContentStore(replicated(own, other)).put([DATA]).cid

    for store in (own, other):
        assert b"".join(ContentStore(store).read(cid)) == DATA
    assert set(other.asked) == set(other.blocks)
    assert list(own.pins()) == [cid]


@pytest.mark.parametrize(
    "mood", [UnavailableError("Away."), HashMismatchError("Other."), NotFoundError("Gone.")]
)
def test_a_store_that_does_not_give_a_file_back_does_not_count(
    own: LocalBlockStore, other: Moody, mood: ContentError
) -> None:
    other.mood = mood
    files = ContentStore(replicated(own, other))

    with pytest.raises(NotReplicatedError, match="1 of 2 stores gave") as caught:
        files.put([DATA])

    assert caught.value.detail["held"] == 1
    assert f"store 0 {mood.code}" in str(caught.value)
    # Nothing is lost: the own store has it, and the next try succeeds.
    other.mood = None
    assert files.put([DATA]).size == len(DATA)


def test_a_folder_that_is_shared_lists_what_another_host_put_there(
    own: LocalBlockStore, other: Moody, tmp_path: Path
) -> None:
    folder = LocalBlockStore.open(tmp_path / "shared")
    replicas = [BlockReplica(name=f"{each}", blocks=each) for each in (other, folder)]
    there = LocalBlockStore.open(tmp_path / "there")
    stored = ContentStore(ReplicatedBlockStore(own=there, replicas=replicas[1:])).put([DATA])
    alone = ContentStore(there).put([DATA[:9]])

    here = ReplicatedBlockStore(own=own, replicas=replicas, folders=[folder])

    assert here.lists(stored.cid)
    assert not here.lists(alone.cid)
    # No store that would have to be asked over a network was.
    assert other.asked == []
    assert b"".join(ContentStore(here).read(stored.cid)) == DATA


def test_one_of_three_stores_may_be_away(own: LocalBlockStore, other: Moody) -> None:
    away = Moody(mood=UnavailableError("Away."))

    stored = ContentStore(replicated(own, away, other)).put([DATA])

    assert b"".join(ContentStore(other).read(stored.cid)) == DATA
    with pytest.raises(NotReplicatedError, match="2 of 3"):
        ContentStore(replicated(own, away, other, copies=3)).put([DATA])


def test_without_other_stores_the_own_one_is_enough_where_one_is_wanted(
    own: LocalBlockStore,
) -> None:
    assert ContentStore(replicated(own, copies=1)).put([DATA]).size == len(DATA)
    with pytest.raises(NotReplicatedError, match="no other is configured"):
        ContentStore(replicated(own, copies=2)).put([DATA])


def test_a_damaged_own_copy_is_not_spread(own: LocalBlockStore, other: Moody) -> None:
    cid = ContentStore(own).put([DATA]).cid
    damage(own, LEAF)

    with pytest.raises(BlockCorruptError):
        replicated(own, other).pin(cid)

    assert other.blocks == {}


def test_a_lost_or_damaged_block_comes_from_the_other_store_and_is_mended(
    own: LocalBlockStore, other: Moody
) -> None:
    store = replicated(own, other)
    cid = ContentStore(store).put([DATA]).cid
    own.remove(LEAF)
    damage(own, cid)

    assert b"".join(ContentStore(store).read(cid)) == DATA
    assert b"".join(ContentStore(own).read(cid)) == DATA


def test_what_every_store_lost_is_not_found(own: LocalBlockStore, other: Moody) -> None:
    store = replicated(own, other)
    cid = ContentStore(store).put([DATA]).cid
    own.remove(LEAF)
    del other.blocks[LEAF]

    with pytest.raises(NotFoundError):
        store.get(LEAF)
    assert not store.has(LEAF)
    assert not ContentStore(store).has(cid)


def test_a_store_that_is_away_may_still_have_it(own: LocalBlockStore, other: Moody) -> None:
    store = replicated(own, other)
    other.mood = UnavailableError("Away.")

    with pytest.raises(UnavailableError):
        store.get(LEAF)
    with pytest.raises(UnavailableError):
        store.has(LEAF)


def test_a_lie_says_nothing_of_the_content(own: LocalBlockStore, other: Moody) -> None:
    store = replicated(own, other)
    ContentStore(store).put([DATA])
    damage(own, LEAF)
    other.mood = HashMismatchError("Other.")

    with pytest.raises(BlockCorruptError):
        store.get(LEAF)

    own.remove(LEAF)
    with pytest.raises(NotFoundError):
        store.get(LEAF)


def test_sources_are_read_last_and_keep_nothing(own: LocalBlockStore, other: Moody) -> None:
    source = MemoryBlockStore()
    cid = ContentStore(source).put([DATA]).cid
    store = ReplicatedBlockStore(
        own=own, replicas=[BlockReplica(name="other", blocks=other)], sources=[source]
    )

    assert not own.has(cid)
    assert store.has(cid)
    assert b"".join(ContentStore(store).read(cid)) == DATA
    assert other.blocks == {}


def test_a_file_is_listed_once_it_was_put_and_no_other_store_is_asked(
    own: LocalBlockStore, other: Moody
) -> None:
    store = replicated(own, other)
    cid = ContentStore(store).put([DATA]).cid
    other.asked.clear()
    own_path = next((own.root / "blocks").rglob(str(cid)))
    own_path.unlink()

    assert store.lists(cid)
    assert not store.lists(Cid.of(b"never put", Codec.RAW))
    assert other.asked == []


def test_a_challenge_finds_who_is_well_away_and_wrong(own: LocalBlockStore, other: Moody) -> None:
    store = replicated(own, other)
    ContentStore(store).put([DATA])
    ContentStore(store).put([b""])
    ContentStore(store).put([b"short"])

    assert [each.state for each in store.challenge()] == [Availability.OK] * 6

    other.mood = UnavailableError("Away.")
    assert states(store)["own"] == (Availability.OK, None)
    assert states(store)["store 0"] == (Availability.UNAVAILABLE, "content.unavailable")

    other.mood = NotFoundError("Gone.")
    assert states(store)["store 0"] == (Availability.UNAVAILABLE, "content.notFound")

    other.mood = HashMismatchError("Other.")
    assert states(store)["store 0"] == (Availability.INVALID, "content.hashMismatch")


def test_a_challenge_asks_for_the_leaf_that_chance_names(
    own: LocalBlockStore, other: Moody
) -> None:
    store = replicated(own, other)
    ContentStore(store).put([DATA])
    damage(own, LEAF)

    def at(offset: int) -> Availability:
        found = store.challenge(entropy=lambda size: offset.to_bytes(size, "big"))
        return next(each.state for each in found if each.store == "own")

    assert at(CHUNK - 1) is Availability.OK
    assert at(CHUNK) is Availability.INVALID
    assert at(2 * CHUNK - 1) is Availability.INVALID
    assert at(2 * CHUNK) is Availability.OK


def test_what_failed_is_mended_from_the_other_side(own: LocalBlockStore, other: Moody) -> None:
    store = replicated(own, other)
    cid = ContentStore(store).put([DATA]).cid
    lost = Challenge(store="own", cid=cid, state=Availability.INVALID, code="x")
    damage(own, LEAF)

    assert store.mend(lost) == Challenge(store="own", cid=cid, state=Availability.OK)
    assert own.get(LEAF) == DATA[CHUNK : 2 * CHUNK]

    other.blocks.clear()
    gone = Challenge(store="store 0", cid=cid, state=Availability.UNAVAILABLE, code="x")

    assert store.mend(gone).state is Availability.OK
    assert b"".join(ContentStore(other).read(cid)) == DATA


def test_what_cannot_be_mended_says_why(own: LocalBlockStore, other: Moody) -> None:
    store = replicated(own, other)
    cid = ContentStore(store).put([DATA]).cid
    own.remove(LEAF)
    del other.blocks[LEAF]

    for name in ("own", "store 0"):
        lost = Challenge(store=name, cid=cid, state=Availability.UNAVAILABLE)
        assert store.mend(lost) == Challenge(
            store=name, cid=cid, state=Availability.UNAVAILABLE, code="content.notFound"
        )


@pytest.mark.needs("kubo")
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_garbage_collection_of_one_store_is_survived(own: LocalBlockStore, kubo: KuboNode) -> None:
    with KuboBlockStore(kubo.url) as node:
        store = ReplicatedBlockStore(
            own=own, replicas=[KuboReplica(name="kubo", node=node)], copies=2
        )
        cid = ContentStore(store).put([DATA]).cid
        assert b"".join(ContentStore(node).read(cid)) == DATA

        kubo.run("pin", "rm", str(cid))
        kubo.run("repo", "gc")

        kubos = next(each for each in store.challenge() if each.store == "kubo")
        assert kubos.state is Availability.UNAVAILABLE
        assert b"".join(ContentStore(store).read(cid)) == DATA
        assert store.mend(kubos).state is Availability.OK
        kubo.run("repo", "gc")
        # And the other way round: the own disk loses everything.
        for path in (own.root / "blocks").glob("??/*"):
            path.unlink()
        assert b"".join(ContentStore(store).read(cid)) == DATA
        assert [each.state for each in store.challenge()] == [Availability.OK] * 2


@pytest.mark.needs("kubo")
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_daemon_that_is_away_leaves_a_file_unstored_but_not_lost(
    own: LocalBlockStore, tmp_path: Path
) -> None:
    node = KuboNode(tmp_path / "kubo")
    with KuboBlockStore(node.url, timeout=5) as blocks:
        replica = KuboReplica(name="kubo", node=blocks)
        files = ContentStore(ReplicatedBlockStore(own=own, replicas=[replica], copies=2))
        with pytest.raises(NotReplicatedError, match=r"kubo content\.unavailable"):
            files.put([DATA])

        node.start()
        try:
            assert files.put([DATA]).size == len(DATA)
        finally:
            node.stop()


@pytest.fixture
def service() -> Iterator[PinningDouble]:
    found = PinningDouble()
    with serving(found.answer) as port:
        found.url = f"http://127.0.0.1:{port}"
        yield found


@pytest.mark.needs("kubo")
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_pinned_file_counts_when_the_gateway_gave_it_back(
    own: LocalBlockStore, kubo: KuboNode, service: PinningDouble
) -> None:
    data = os.urandom(CHUNK + 9)
    with (
        PinningService(service.url, service.token) as pinning,
        Gateway(kubo.gateway) as gateway,
        KuboBlockStore(kubo.url) as node,
    ):
        replica = PinnedReplica(
            name="pins", service=pinning, gateway=gateway, origins=("/ip4/127.0.0.1/tcp/9",)
        )
        store = ReplicatedBlockStore(own=own, replicas=[replica], copies=2)
        files = ContentStore(store)
        # The service says that it will; the gateway has nothing yet.
        with pytest.raises(NotReplicatedError):
            files.put([data])

        cid = node.add([data])

        assert files.put([data]).cid == cid
        (request,) = service.requests.values()
        assert request["pin"] == {"cid": str(cid), "origins": ["/ip4/127.0.0.1/tcp/9"]}
        assert all(each.state is Availability.OK for each in store.challenge())


def test_every_store_is_a_source(own: LocalBlockStore) -> None:
    source: BlockSource = replicated(own, copies=1)

    with pytest.raises(NotFoundError):
        source.get(LEAF)
