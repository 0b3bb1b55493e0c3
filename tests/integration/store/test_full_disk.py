"""The disk is full (F16): each step says so, nothing is half-written, and with room it goes on."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from fakes.fieldwork import PRINTER, Field, opened_field
from fakes.store import MemoryNodeStore
from fakes.world import Tools, World, make_world
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.adapters.store.outbox import OutboxTable
from guildmark.domain.shopfloor.fieldwork import SignedState
from guildmark.ports.store import StoreUnavailableError
from guildmark.services.log.ingest import Reception
from integration.store.test_outbox_table import PIN, attempt, request


@contextmanager
def full(*databases: Path) -> Iterator[None]:
    """Let no file of this process grow beyond what the databases' journals have."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    sizes = [path.with_name(f"{path.name}-wal").stat().st_size for path in databases]
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def refuses(step: Callable[[], object]) -> None:
    with pytest.raises(StoreUnavailableError) as refused:
        step()
    assert refused.value.code == "store.unavailable"


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    with opened_field(tmp_path) as made:
        yield made


def test_an_agent_whose_disk_is_full_goes_on_at_each_step_when_there_is_room(
    field: Field,
) -> None:
    field.finish("one")
    sending, post = field.sending, field.post
    steps: list[Callable[[], object]] = [
        lambda: sending.inform(post),
        lambda: field.watching.observe(post, field.machine),
        lambda: field.attesting.sign(post),
        sending.send,
        sending.follow,
    ]
    for step in steps:
        if step == sending.follow:
            field.node.settle()
        with full(field.folder / "agent.db"):
            refuses(step)
            refuses(step)
            with field.store.reading() as view:
                held = (view.machine(PRINTER), list(view.jobs()), list(view.signed()))
        with field.store.reading() as view:
            assert held == (view.machine(PRINTER), list(view.jobs()), list(view.signed()))
        step()

    with field.store.reading() as view:
        (row,) = view.signed()
        counter = view.machine(PRINTER).counter
    assert (row.state, row.granted, row.counter, counter) == (SignedState.FINAL, 1, 1, 1)


def test_an_answer_that_finds_no_room_is_asked_for_again(field: Field) -> None:
    field.finish("one")
    field.sending.inform(field.post)
    field.watching.observe(field.post, field.machine)
    field.attesting.sign(field.post)
    limits, take = resource.getrlimit(resource.RLIMIT_FSIZE), field.node.submit

    def fill(envelopes: list[bytes]) -> object:
        wal = field.folder / "agent.db-wal"
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, limits[1]))
        return take(envelopes)

    field.node.__dict__["submit"] = fill
    try:
        refuses(field.sending.send)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    del field.node.__dict__["submit"]
    with field.store.reading() as view:
        assert [row.state for row in view.signed()] == [SignedState.SENT]

    assert field.sending.send() == 1
    field.node.settle()
    assert field.sending.follow() == 1


@pytest.fixture
def node(tmp_path: Path) -> Iterator[World]:
    engine = open_database(tmp_path / "node.db")
    world = make_world(Tools(store=cast("MemoryNodeStore", SqlNodeStore(engine))))
    world.disclose()
    yield world
    engine.dispose()


def test_a_node_whose_disk_is_full_takes_nothing_in_and_loses_nothing(
    node: World, tmp_path: Path
) -> None:
    door, first, second = node.tools.ingest(node.log), node.envelope(1), node.envelope(2)
    door.receive([first])

    with full(tmp_path / "node.db"):
        refuses(lambda: door.receive([second]))
        with node.tools.store.reading() as view:
            during = view.log.waiting(9)
    answers = door.receive([first, second])

    assert len(during) == 1
    assert [one.reception for one in answers] == [Reception.DUPLICATE, Reception.ACCEPTED]


def test_an_outbox_without_room_keeps_no_half_and_signs_no_nonce_twice(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")
    table = OutboxTable(engine)
    table.request(request("one"), at=1)
    one = table.find(request("one").id)
    assert one is not None

    with full(tmp_path / "node.db"):
        refuses(lambda: table.request(request("two"), at=1))
        refuses(lambda: table.sign(one, attempt, floor=0, at=2))
        assert table.find(request("two").id) is None
        assert table.find(request("one").id) == one
    table.request(request("two"), at=3)
    two = table.find(request("two").id)
    assert two is not None
    for each in (one, two):
        table.sign(each, attempt, floor=0, at=4)

    assert [each.nonce for each in table.open(PIN.chain_id, 10)] == [0, 1]
    engine.dispose()
