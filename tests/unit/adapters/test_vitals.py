"""What a process has open, counted by the system itself."""

import resource
from pathlib import Path

from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.chain.vitals import ChainVitals
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.outbox import OutboxTable
from guildmark.domain.identifiers import ChainId
from guildmark.ports.chain import Handles


def test_what_a_process_has_open_is_counted_also_where_no_more_can_be_opened(
    tmp_path: Path,
) -> None:
    engine = open_database(tmp_path / "node.db")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    vitals = ChainVitals(rpc=Rpc(url="http://node"), table=OutboxTable(engine), chain_id=ChainId(1))
    before = vitals.handles()

    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        during = vitals.handles()
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        full = vitals.handles()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    engine.dispose()

    assert (during.held - before.held, during.most) == (2, limits[0])
    assert full == Handles(held=3, most=3)
