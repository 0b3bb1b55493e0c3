"""Erasure over PostgreSQL: ordered, applied, and not to be found in its tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psycopg
import pytest
from sqlalchemy import Engine

from fakes.store import MemoryNodeStore
from fakes.world import OPERATOR, Tools
from guildmark.adapters.store import postgres
from guildmark.adapters.store.engine import open_database, reading
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.domain.builds.delivery import RESULTS_ALONE
from guildmark.domain.log.erasure import ErasureOrder, entry_key
from guildmark.ports.store import DocumentKind, RowsHeldError
from guildmark.services.log.erased import PartErasedError
from guildmark.services.log.erasing import ErasedBeforeError
from postgres_server import Postgres
from unit.services.test_erasing import ERASED, OTHER, PSEUDONYM, Stage, first_seq, play, secrets

pytestmark = [pytest.mark.needs("postgresql")]


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A log with two parts, the first of which has to go, over a database on a server."""

    stage: Stage
    engine: Engine
    server: Postgres

    def tables(self) -> bytes:
        """Return all files of the database, as the server wrote them."""
        with reading(self.engine) as connection:
            oid = connection.exec_driver_sql(
                "SELECT oid FROM pg_database WHERE datname = current_database()"
            ).scalar_one()
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        folder = Path(self.server.folder) / "data" / "base" / str(oid)
        return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


@pytest.fixture
def shared(postgres: Postgres) -> Iterator[Shared]:
    engine = open_database(postgres.fresh())
    store = cast("MemoryNodeStore", SqlNodeStore(engine))
    stage = play(Tools(shown=RESULTS_ALONE, store=store))
    yield Shared(stage=stage, engine=engine, server=postgres)
    engine.dispose()


def test_the_content_goes_and_32_bytes_and_the_order_stay(shared: Shared) -> None:
    stage, world = shared.stage, shared.stage.world
    with world.tools.store.reading() as view:
        leaves = view.log.leaves(world.log, first_seq(world))

    order = stage.erasing.erase(stage.order())

    with world.tools.store.reading() as view:
        assert view.log.leaves(world.log, first_seq(world)) == leaves
        assert view.log.logged(world.log, ERASED) is None
        kept = view.documents.get(DocumentKind.ERASURE, entry_key(world.log, ERASED))
    assert kept is not None
    assert ErasureOrder.signed(kept) == order
    with pytest.raises(PartErasedError):
        stage.bundles.bundle(world.log, ERASED)
    assert stage.bundles.bundle(world.log, OTHER)
    assert stage.checked() == []


def test_no_table_holds_it_afterwards(shared: Shared) -> None:
    """The planner's statistics quote values; a server analyses tables when it likes."""
    wanted = secrets(shared.stage)
    with shared.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    before = shared.tables()

    shared.stage.erasing.erase(shared.stage.order())

    after = shared.tables()
    assert PSEUDONYM.encode() in before
    assert sum(one in before for one in wanted) > 6
    assert [one for one in wanted if one in after] == []


def test_what_an_older_transaction_looks_at_is_told_and_goes_after_it(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "REWRITES", 2)
    stage, wanted = shared.stage, secrets(shared.stage)

    with reading(shared.engine) as connection:
        connection.exec_driver_sql("SELECT 1")
        with pytest.raises(RowsHeldError, match="holds 1 old rows"):
            stage.erasing.erase(stage.order())
    held = shared.tables()
    with pytest.raises(ErasedBeforeError):
        stage.erasing.erase(stage.order())

    after = shared.tables()
    assert [one for one in wanted if one in held] != []
    assert [one for one in wanted if one in after] == []


def test_it_is_erased_once_and_not_taken_in_again(shared: Shared) -> None:
    stage = shared.stage
    stage.erasing.erase(stage.order())

    (answer,) = stage.world.tools.ingest(stage.world.log).receive([stage.deliveries[0]])

    assert answer.error is not None
    assert answer.error.code == "machine.counterReused"
    with pytest.raises(ErasedBeforeError):
        stage.erasing.erase(stage.order(OPERATOR))


def test_a_whole_batch_may_be_erased(shared: Shared) -> None:
    for index in (ERASED, OTHER):
        shared.stage.erasing.erase(shared.stage.order(index=index))

    assert shared.stage.checked() == []
