"""Content that has to go: by whose order, what stays, and that nothing else does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from fakes.scans import MemoryScans
from fakes.store import MemoryNodeStore
from fakes.world import (
    DESIGNER,
    MAKER,
    OPERATOR,
    Tools,
    World,
    log_unasked,
    make_world,
    parsed,
)
from guildmark.adapters.lookalikes import UnicodeNames
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.adapters.store.scratch import ScratchStore
from guildmark.domain import bundle
from guildmark.domain.builds.delivery import RESULTS_ALONE, Delivery
from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.chain.facts import NO_LANE
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, ChainId, IdentityId, Index, LogNumber, Seq
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.erasure import (
    ERASURE_PAYLOAD_TYPE,
    ErasureOrder,
    ErasureReason,
    MalformedErasureError,
    entry_key,
)
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.recall import RecallCause, Thing
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind, Documents, NodeStore, Scans
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.identity.naming import Naming
from guildmark.services.index.checking import Checking
from guildmark.services.log.erased import PartErasedError
from guildmark.services.log.erasing import (
    ErasedBeforeError,
    Erasing,
    ErasureNotAllowedError,
    ErasureUnknownError,
)
from guildmark.services.release.releasing import sign_as_account

ERASED, OTHER = Index(0), Index(1)
WHY = ErasureReason.REQUEST
PSEUDONYM = "Technician Ada Lovelace"
RAW = sha256(b"the instrument's file")


class Clock:
    """A clock that stands."""

    def now(self) -> int:
        return 7


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A log of two parts, the first of which holds what has to go."""

    world: World
    deliveries: tuple[bytes, ...]
    files: Path | None = None

    @property
    def erasing(self) -> Erasing:
        tools = self.world.tools
        return Erasing(
            ledger=tools.chain,
            keys=tools.keys,
            store=tools.store,
            scans=cast("Scans", MemoryScans()),
            clock=Clock(),
        )

    @property
    def bundles(self) -> Bundles:
        tools = self.world.tools
        return Bundles(exporter=tools.exporter, store=tools.store, own_log=self.world.log)

    def order(self, by: str = MAKER, index: Index = ERASED) -> bytes:
        ids = {MAKER: self.world.maker, OPERATOR: self.world.operator}
        return self.erasing.order(self.world.log, index, by=ids[by], why=WHY, key=KeyName(by))

    def signed(self, key: str = MAKER, /, **changes: object) -> bytes:
        """Return an order as somebody signed it who asked nobody."""
        order = replace(ErasureOrder.signed(self.order()), **changes)  # type: ignore[arg-type]
        keys = self.world.tools.keys
        return sign_as_account(
            order.encode(), payload_type=ERASURE_PAYLOAD_TYPE, keys=keys, key=KeyName(key)
        )

    def checked(self) -> list[str]:
        tools = self.world.tools

        def scratch(documents: Documents) -> NodeStore:
            return cast("NodeStore", ScratchStore(documents))

        checking = Checking(
            ledger=tools.chain,
            store=tools.store,
            scratch=scratch,
            naming=Naming(names=UnicodeNames()),
            own_log=self.world.log,
        )
        return [found.code for found in checking.differences()]


def first_seq(world: World) -> Seq:
    """Return the record of both parts."""
    with world.tools.store.reading() as view:
        return view.log.settled(world.log)[0]


def settle(world: World) -> None:
    line = world.tools.line(world.log)
    for _ in range(3):
        line.step()


def play(tools: Tools, files: Path | None = None) -> Stage:
    """Log a part that somebody named in it wants to have gone, and another one."""
    world = make_world(tools)
    world.disclose()
    lot = Thing(cause=RecallCause.LOT, id=Bytes32(world.maker), detail=Bytes32(sha256(b"a lot")))
    declared = tools.builds.declare([lot])
    statement = world.statement(1, declared)
    bore = replace(statement.measurements[0], raw_data=RAW, operator=PSEUDONYM)
    named = replace(statement.run, technician=PSEUDONYM)
    first = world.sign(replace(statement, run=named, measurements=(bore,)))
    deliveries = (first, world.envelope(2))
    answers = tools.ingest(world.log).receive(deliveries)
    assert [one.error for one in answers] == [None, None]
    settle(world)
    assert declared is not None
    digest = Delivery.parse(first).digest
    tools.disclosing.receive(DocumentKind.DEPENDENCIES, digest, declared.encode())
    return Stage(world=world, deliveries=deliveries, files=files)


@pytest.fixture
def stage() -> Stage:
    return play(Tools(shown=RESULTS_ALONE))


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Stage]:
    """Return the same over a database in a file."""
    folder = tmp_path / "home"
    folder.mkdir()
    engine = open_database(folder / "node.db")
    store = cast("MemoryNodeStore", SqlNodeStore(engine))
    yield play(Tools(shown=RESULTS_ALONE, store=store), folder)
    engine.dispose()


def test_the_content_goes_and_32_bytes_stay(stage: Stage) -> None:
    world = stage.world
    with world.tools.store.reading() as view:
        leaves = view.log.leaves(world.log, first_seq(world))

    order = stage.erasing.erase(stage.order())

    with world.tools.store.reading() as view:
        kept = view.documents.get(DocumentKind.ERASURE, entry_key(world.log, ERASED))
        assert view.log.leaves(world.log, first_seq(world)) == leaves
        assert list(view.log.erased(world.log, first_seq(world))) == [0]
        assert [one.position for one in view.log.entries(world.log, first_seq(world))] == [1]
        assert view.log.logged(world.log, ERASED) is None
        assert view.log.labelled(parsed(stage.deliveries[0]).label) == []
    assert kept is not None
    assert ErasureOrder.signed(kept) == order
    assert (order.by, order.at, order.why) == (world.maker, 7, WHY)


def test_an_erased_part_is_withheld_and_the_others_verify(stage: Stage) -> None:
    stage.erasing.erase(stage.order())

    with pytest.raises(PartErasedError, match=r"withheld \(erased\)"):
        stage.bundles.bundle(stage.world.log, ERASED)
    with pytest.raises(PartErasedError):
        stage.world.tools.exporter.evidence(stage.world.log, ERASED)
    other = bundle.read(stage.bundles.bundle(stage.world.log, OTHER))
    assert other.core.index == OTHER


def test_an_erased_entry_is_no_difference_to_the_chain(on_disk: Stage) -> None:
    on_disk.erasing.erase(on_disk.order())

    assert on_disk.checked() == []


def test_an_erased_entry_without_an_order_is_one(on_disk: Stage) -> None:
    on_disk.erasing.erase(on_disk.order())
    with on_disk.world.tools.store.writing() as work:
        work.documents.drop(DocumentKind.ERASURE, entry_key(on_disk.world.log, ERASED))

    assert on_disk.checked() == ["fsck.erasureMissing"]


def test_a_whole_batch_may_be_erased(on_disk: Stage) -> None:
    for index in (ERASED, OTHER):
        on_disk.erasing.erase(on_disk.order(index=index))

    assert on_disk.checked() == []


def test_what_was_erased_is_not_taken_in_again(on_disk: Stage) -> None:
    on_disk.erasing.erase(on_disk.order())

    (answer,) = on_disk.world.tools.ingest(on_disk.world.log).receive([on_disk.deliveries[0]])

    assert answer.error is not None
    assert answer.error.code == "machine.counterReused"


def test_its_raw_data_stay_taken(stage: Stage) -> None:
    stage.erasing.erase(stage.order())
    statement = stage.world.statement(3)
    bore = replace(statement.measurements[0], raw_data=RAW)

    (answer,) = stage.world.tools.ingest(stage.world.log).receive(
        [stage.world.sign(replace(statement, measurements=(bore,)))]
    )

    assert answer.error is not None
    assert answer.error.code == "measurement.rawDataReused"


def secrets(stage: Stage) -> list[bytes]:
    """Return what has to go, in each form in which a database may hold it."""
    delivery = Delivery.parse(stage.deliveries[0])
    statement, values = delivery.statement(), delivery.values
    assert values is not None
    assert values.settings is not None
    assert values.measurements is not None
    salts = [one.salt for one in values.settings.opened]
    salts += [one.salt for one in values.measurements.opened]
    with stage.world.tools.store.reading() as view:
        logged = view.log.logged(stage.world.log, ERASED)
        body = view.documents.get(DocumentKind.DEPENDENCIES, delivery.digest)
    assert logged is not None
    assert body is not None
    salts += [one.salt for one in Declaration.parse(body).dependencies]
    raw = [*salts, statement.salt, logged.queued.salt, delivery.digest]
    raw += [logged.queued.entry.subject, logged.queued.payload]
    words = [PSEUDONYM.encode(), statement.label.encode()]
    return [*words, *raw, *(one.hex().encode() for one in raw)]


def found(stage: Stage, wanted: list[bytes]) -> set[bytes]:
    """Search all files of the home, what the database wrote beside it too."""
    assert stage.files is not None
    held = b"".join(path.read_bytes() for path in sorted(stage.files.rglob("*")))
    return {one for one in wanted if one in held}


def test_a_search_finds_nothing_of_it_afterwards(on_disk: Stage) -> None:
    wanted = secrets(on_disk)
    before = found(on_disk, wanted)

    on_disk.erasing.erase(on_disk.order())

    assert {PSEUDONYM.encode(), parsed(on_disk.deliveries[0]).label.encode()} <= before
    assert len(before) > 6
    assert found(on_disk, wanted) == set()


def test_a_dictionary_finds_nothing_of_it_afterwards(on_disk: Stage) -> None:
    """Who knows everything but the salts tries all labels and all likely values."""
    world = on_disk.world
    statement = parsed(on_disk.deliveries[0])
    stem = statement.label[:-5]
    tried = [f"{stem}{number:05d}".encode() for number in range(200)]
    tried += [f"{value / 100:.2f}".encode() for value in range(2200, 2241)]
    on_disk.erasing.erase(on_disk.order())
    with world.tools.store.reading() as view:
        (leaf, _) = view.log.leaves(world.log, first_seq(world))

    guesses = {digest for word in tried for digest in (sha256(word), sha256(leaf + word))}
    content = world.tools.vault.content

    assert found(on_disk, [guess for guess in guesses if guess]) == set()
    assert leaf not in guesses
    assert statement.label.encode() not in repr(content).encode()
    assert MerkleTree([leaf]).root() not in guesses


@pytest.mark.parametrize("by", [MAKER, OPERATOR])
def test_the_maker_and_the_logs_operator_may_order_it(by: str, stage: Stage) -> None:
    assert stage.erasing.erase(stage.order(by)).why is WHY


def test_nobody_else_may(stage: Stage) -> None:
    world = stage.world
    refused = [
        stage.signed(DESIGNER),
        stage.signed(DESIGNER, by=world.designer),
        stage.signed(MAKER, chain_id=ChainId(5)),
        stage.signed(MAKER, by=IdentityId(bytes(32))),
    ]

    for body in refused:
        with pytest.raises(ErasureNotAllowedError):
            stage.erasing.erase(body)
    assert stage.bundles.bundle(world.log, ERASED)


def test_nobody_orders_in_anothers_name(stage: Stage) -> None:
    for identity in (stage.world.operator, IdentityId(bytes(32))):
        with pytest.raises(ErasureNotAllowedError):
            stage.erasing.order(stage.world.log, ERASED, by=identity, why=WHY, key=KeyName(MAKER))


def test_an_entry_is_erased_once(stage: Stage) -> None:
    stage.erasing.erase(stage.order())

    with pytest.raises(ErasedBeforeError):
        stage.erasing.erase(stage.order(OPERATOR))


@pytest.mark.parametrize("place", [(None, Index(9)), (LogNumber(9), ERASED)])
def test_what_is_not_here_is_not_erased(
    place: tuple[LogNumber | None, Index], stage: Stage
) -> None:
    log, index = place
    body = stage.signed(log=log or stage.world.log, index=index)

    with pytest.raises(ErasureUnknownError):
        stage.erasing.erase(body)


def test_what_is_no_order_erases_nothing(stage: Stage) -> None:
    body = sign_as_account(
        b"{}", payload_type="application/json", keys=stage.world.tools.keys, key=KeyName(MAKER)
    )

    with pytest.raises(MalformedErasureError):
        stage.erasing.erase(body)


def test_a_receipt_is_no_part(stage: Stage) -> None:
    world = stage.world
    with world.tools.store.writing() as work:
        logged = work.log.logged(world.log, OTHER)
        assert logged is not None
        receipt = replace(
            logged.queued,
            number=0,
            lane=NO_LANE,
            digest=sha256(b"receipt"),
            payload=sha256(b"its request"),
            entry=replace(logged.queued.entry, kind=EntryKind.RECEIPT, envelope=sha256(b"receipt")),
        )
        work.log.accept(receipt)
    settle(world)

    with pytest.raises(ErasureUnknownError):
        stage.erasing.erase(stage.order(OPERATOR, Index(2)))


def test_what_nobody_can_read_is_erased_too(stage: Stage) -> None:
    log_unasked(stage.world, b"no envelope")

    assert stage.erasing.erase(stage.order(OPERATOR, Index(2))).index == 2


class Peer:
    """A node that goes on showing what another one erased; fulfils ``Peer``."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        core = bundle.read(self.body).core
        return self.body if (core.record.log, core.index) == (log, index) else None

    def positions(self, label: str) -> list[tuple[LogNumber, Index]]:
        raise NotImplementedError


def mirror(stage: Stage) -> tuple[Erasing, Bundles, MemoryNodeStore]:
    """Return a mirror's erasing and bundles over an index like the log's own node has it."""
    store = MemoryNodeStore()
    tools = replace(stage.world.tools, store=store)
    tools.indexing().follow()
    bundles = Bundles(exporter=tools.exporter, store=store, own_log=LogNumber(99))
    return replace(stage.erasing, store=store), bundles, store


@pytest.mark.parametrize("others", [b"", b"7.7"])
def test_a_mirrors_copy_goes_and_does_not_come_back(others: bytes, stage: Stage) -> None:
    log = stage.world.log
    erasing, bundles, store = mirror(stage)
    peer = Peer(stage.bundles.bundle(log, ERASED))
    assert bundles.fetch(log, ERASED, peer=peer) is not None
    label = sha256(parsed(stage.deliveries[0]).label.encode())
    with store.writing() as work:
        hints = work.documents.get(DocumentKind.LABEL, label)
        assert hints is not None
        work.documents.put(DocumentKind.LABEL, label, b"\n".join(filter(None, [hints, others])))

    erasing.erase(stage.order())

    with store.reading() as view:
        assert view.documents.get(DocumentKind.LABEL, label) == (others or None)
    assert not bundles.keeps(log, ERASED)
    assert bundles.fetch(log, ERASED, peer=peer) is None
    with pytest.raises(PartErasedError):
        bundles.bundle(log, ERASED)


def test_a_copy_of_a_log_that_the_mirror_does_not_know_goes_by_its_maker(stage: Stage) -> None:
    log = stage.world.log
    erasing, bundles, _ = mirror(stage)
    assert bundles.fetch(log, ERASED, peer=Peer(stage.bundles.bundle(log, ERASED))) is not None

    with pytest.raises(ErasureNotAllowedError):
        erasing.erase(stage.signed(DESIGNER))
    assert bundles.keeps(log, ERASED)
    erasing.erase(stage.order(MAKER))
    assert not bundles.keeps(log, ERASED)


def test_a_copy_that_cannot_be_read_goes_too(stage: Stage) -> None:
    log = stage.world.log
    erasing, bundles, store = mirror(stage)
    body = stage.bundles.bundle(log, ERASED)
    assert body is not None
    known = bundle.read(body)
    unread = bundle.write(replace(known, core=replace(known.core, envelope=b"{}")))
    with store.writing() as work:
        work.documents.put(DocumentKind.PART, entry_key(log, ERASED), unread)

    erasing.erase(stage.order())

    assert not bundles.keeps(log, ERASED)
