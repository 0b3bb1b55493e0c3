"""What an OPC UA server tells, as its library hands it on."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from asyncua import ua

from guildmark.adapters.machines.opcua import Nodes, OpcUa, Server, Subscription
from guildmark.domain.shopfloor.jobs import JobPhase

AT = datetime(2027, 1, 15, 8, tzinfo=UTC)
GOOD, BAD, OVERFLOWN = 0, 0x80000000, 0x00000480
NODES = Nodes(execution="ns=2;s=E", count="ns=2;s=C", program="ns=2;s=P")


class Told(Subscription):
    """A subscription whose server a test plays."""

    def fetch(self) -> None:
        self.started = 1_800_000_000_000_000

    def begin(self) -> None:
        self._session += 1
        self._names = {node: name for name, node in NODES.items()}
        self._awaited = set(self._names.values())

    def tell(self, node: str, value: Any, *, second: int = 0, status: int = GOOD) -> None:
        found = SimpleNamespace(
            StatusCode=ua.StatusCode(ua.UInt32(status)),
            SourceTimestamp=AT + timedelta(seconds=second),
            ServerTimestamp=None,
        )
        data = SimpleNamespace(monitored_item=SimpleNamespace(Value=found))
        name = SimpleNamespace(nodeid=ua.NodeId.from_string(f"ns=2;s={node}"))
        self.datachange_notification(name, value, data)


@pytest.fixture
def told() -> Told:
    told = Told(server=Server(url="opc.tcp://127.0.0.1", nodes=NODES))
    told.begin()
    for node, value in (("E", "READY"), ("C", 5), ("P", "O1")):
        told.tell(node, value)
    return told


def phases(machine: OpcUa, cursor: bytes) -> Sequence[tuple[JobPhase, int]]:
    return [(one.phase, len(one.pieces)) for one in machine.poll(cursor).events]


def test_changes_are_taken_in_their_order_whenever_they_come(told: Told) -> None:
    machine = OpcUa(subscription=told)
    first = machine.poll(b"").cursor
    told.tell("E", "PROGRAM_COMPLETED", second=9)
    told.tell("C", 6.0, second=9)
    told.tell("P", "O2", second=1)
    told.tell("E", True, second=1)

    seen = machine.poll(first)

    assert [(one.phase, one.file_name, one.at) for one in seen.events] == [
        (JobPhase.STARTED, "O2", int(AT.timestamp()) + 1),
        (JobPhase.FINISHED, "O2", int(AT.timestamp()) + 9),
    ]
    assert seen.gaps == ()


@pytest.mark.parametrize("value", [None, 1.5, b"bytes", -1, [1]])
def test_values_that_tell_nothing_change_nothing(told: Told, value: Any) -> None:
    machine = OpcUa(subscription=told)
    first = machine.poll(b"").cursor
    told.tell("C", value, second=1)
    told.tell("C", 9, second=2, status=BAD)
    told.tell("E", "ACTIVE", second=3)
    told.tell("C", 6, second=4)
    told.tell("E", "READY", second=5)

    assert phases(machine, first) == [(JobPhase.STARTED, 0), (JobPhase.FINISHED, 1)]


def test_values_that_the_server_dropped_are_a_gap(told: Told) -> None:
    machine = OpcUa(subscription=told)
    first = machine.poll(b"").cursor
    told.tell("C", 6, second=1, status=OVERFLOWN)

    (gap,) = machine.poll(first).gaps

    assert (gap.instance, gap.first, gap.last) == ("1800000000000000", 3, None)


def test_what_comes_again_with_a_new_subscription_is_told_once(told: Told) -> None:
    machine = OpcUa(subscription=told)
    told.tell("E", "ACTIVE", second=1)
    seen = machine.poll(b"")
    told.begin()
    told.tell("P", "O1")
    told.tell("C", 5)
    told.tell("E", "ACTIVE", second=1)

    again = machine.poll(seen.cursor)

    assert [one.phase for one in seen.events] == [JobPhase.STARTED]
    assert (again.events, len(again.gaps)) == ((), 1)


@pytest.mark.parametrize("risen", [0, -3, 1_001])
def test_a_counter_that_was_set_while_nobody_looked_gave_no_parts(told: Told, risen: int) -> None:
    machine = OpcUa(subscription=told)
    first = machine.poll(b"").cursor
    told.begin()
    told.tell("C", 5 + risen, second=60)

    assert phases(machine, first) == []
