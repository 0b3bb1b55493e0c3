"""Another key writes from now on, while the queue is full: each entry is final, once."""

import random
import shutil
from dataclasses import replace

import pytest

from faults import rig as rigs
from guildmark.adapters.store.outbox import State
from guildmark.domain.chain.contracts import ContractName
from guildmark.ports.chain import Call
from guildmark.ports.keys import KeyName

pytestmark = [pytest.mark.needs("anvil")]

NEXT = KeyName("writer-2")
ENTRIES = 8
LIMIT = 3
"""How many entries a record of these nodes has."""


def written_by(node: rigs.Node, key: KeyName) -> rigs.Node:
    """Return the node as it is after its settings name another key."""
    anchoring = node.line.anchoring
    assert anchoring is not None
    return replace(node, line=replace(node.line, anchoring=replace(anchoring, writer=key)))


def rotate(rig: rigs.Rig) -> None:
    """Let the log's operator name the other key; one block holds that and nothing else."""
    rig.control.call("anvil_dropAllTransactions")
    database = rig.folder / "operator.db"
    shutil.copyfile(rig.template, database)
    operator = rig.node(database, url=rig.chain.url)
    call = Call(
        contract=ContractName.LOG,
        function="setWriter",
        args=(rig.log, rig.chain.keys.address(NEXT)),
    )
    operator.outbox.submit(call, key=rigs.OPERATOR, idempotency="rotate")
    operator.outbox.advance()
    rig.mine(rig.depth + 1)
    operator.close()


@pytest.mark.parametrize("sent", [False, True], ids=["nothing-sent", "a-record-under-way"])
def test_what_waits_at_a_rotation_settles_under_the_new_key(rig: rigs.Rig, *, sent: bool) -> None:
    database = rig.reset("rotation")
    rig.chain.fund(NEXT)
    node = rig.node(database)
    digests = {node.accept(one) for one in rigs.entries(ENTRIES, random.Random(sent))}
    if sent:
        # A record of the first entries is on its way under the old key.
        node.step()
    opened = node.outbox.table.open(rig.pin.chain_id, ENTRIES)
    rotate(rig)

    node = written_by(node, NEXT)
    rigs.rest(rig, node)
    newest = [(one.request.key, one.state) for one in node.outbox.table.newest(ENTRIES)]
    node.close()

    assert [one.request.key for one in opened] == [rigs.WRITER] * sent
    # The record of the old key was refused, and its entries went out again.
    assert newest.count((rigs.WRITER, State.FAILED)) == sent
    assert newest.count((NEXT, State.FINAL)) == -(-ENTRIES // LIMIT)
    verdict = rigs.judge(rig, database, digests)
    assert verdict == rigs.Verdict(lost=0, doubled=0, differences=())
