"""OPC UA servers: what a machine does, counts and has in hand, by subscription (extra ``opcua``).

A server tells of changes while somebody is subscribed, and nothing of the time before: that is a
gap. Parts that the machine's own counter shows of such a time are told, as one run.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from datetime import datetime
from threading import Condition
from typing import Any, Self

from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.uaerrors import (
    BadNodeIdInvalid,
    BadNodeIdUnknown,
    UaError,
    UaStringParsingError,
)

from guildmark.adapters.machines.cursors import read_cursor, write_cursor
from guildmark.adapters.machines.signals import (
    WORDS,
    Counting,
    Doing,
    Program,
    Signal,
    Tracker,
    Work,
)
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.identifiers import UINT40_MAX
from guildmark.domain.shopfloor.jobs import PIECES_MAX, Gap, Observation
from guildmark.ports.shopfloor import MachineAnswerError, MachineUnavailableError

KIND = "opcua"
AT_ONCE = 1_000

_PROGRAM, _COUNT, _EXECUTION = _ORDER = ("program", "count", "execution")
# Server_ServerStatus_StartTime.
_STARTED = "i=2257"
_PERIOD = 100.0
_QUEUE = 1_000
_PATIENCE = 15.0
_MILLION = 1_000_000
_TEXT_MAX = 120
# A data value's status says that its queue was too short (OPC UA part 4, 7.39.1).
_OVERFLOW = 0x0480
_NO_SUCH = (BadNodeIdUnknown, BadNodeIdInvalid, UaStringParsingError)
_LOST = (OSError, UaError, CancelledError, RuntimeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """The ids of the variables that tell of jobs."""

    execution: str
    count: str | None = None
    program: str | None = None

    def items(self) -> Sequence[tuple[str, str]]:
        """Return what there is, by name."""
        named = ((name, getattr(self, name)) for name in _ORDER)
        return [(name, node) for name, node in named if node is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is, and as whom it is spoken to."""

    url: str
    nodes: Nodes
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value of a variable.

    Args:
        name: What it tells of.
        value: The value; None where the server has no good one.
        at: Microseconds since 1970, by the server.
        session: Which subscription told it.
        is_first: Whether it is what the variable was when the subscription began.
        is_behind_loss: Whether the server had to drop values before it.
    """

    name: str
    value: str | int | None
    at: int
    session: int
    is_first: bool = False
    is_behind_loss: bool = False

    @property
    def mark(self) -> str:
        """Return what tells it from another change of the variable."""
        return f"{self.at} {self.value}"


@dataclass(slots=True, kw_only=True)
class Subscription:
    """A subscription to a server: what it told and was not yet taken out.

    Args:
        server: The server.
        started: When the server was started, in microseconds since 1970.
    """

    server: Server
    started: int = field(default=0, init=False)
    changes: list[Change] = field(default_factory=list, init=False)
    _session: int = field(default=0, init=False)
    _names: dict[str, str] = field(default_factory=dict, init=False)
    _awaited: set[str] = field(default_factory=set, init=False)
    _client: Client | None = field(default=None, init=False, repr=False)
    _told: Condition = field(default_factory=Condition, init=False, repr=False)

    def fetch(self) -> None:
        """Be subscribed, and know what each variable was at first.

        Raises:
            MachineUnavailableError: The server does not answer, or not to us.
            MachineAnswerError: It has no such variable.
        """
        try:
            client = self._client or self._connect()
            self.started = _microseconds(client.get_node(_STARTED).read_value())
        except _NO_SUCH as error:
            self.close()
            message = "The server has none of the variables that are named, or not all."
            next_step = "Name them by their ids: ?execution=ns=2;s=Execution."
            raise MachineAnswerError(message, next_step=next_step) from error
        except _LOST as error:
            self.close()
            message = f"The server does not answer, or does not let us in: {type(error).__name__}."
            next_step = "Look at the server's address, and at user and secret."
            raise MachineUnavailableError(message, next_step=next_step) from error

    def seen(self) -> Sequence[Change]:
        """Return what was told, in the order in which it came to be."""
        with self._told:
            return sorted(self.changes, key=_place)[:AT_ONCE]

    def take_out(self, changes: Sequence[Change]) -> None:
        """Forget changes: what they say is stored."""
        with self._told:
            self.changes = [one for one in self.changes if one not in changes]

    def close(self) -> None:
        """End the session."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            client.disconnect()
        except _LOST:
            return

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        """Take in what the server tells; its library calls this, by this name, in its thread."""
        found = data.monitored_item.Value
        status = found.StatusCode
        with self._told:
            name = self._names[node.nodeid.to_string()]
            self.changes.append(
                Change(
                    name=name,
                    value=_plain(value) if status is None or status.is_good() else None,
                    at=_microseconds(found.SourceTimestamp or found.ServerTimestamp),
                    session=self._session,
                    is_first=name in self._awaited,
                    is_behind_loss=bool(
                        status is not None and status.value & _OVERFLOW == _OVERFLOW
                    ),
                )
            )
            self._awaited.discard(name)
            self._told.notify_all()

    def _connect(self) -> Client:
        client = self._client = Client(self.server.url)
        if self.server.user is not None:
            client.set_user(self.server.user)
            client.set_password(self.server.password or "")
        client.connect()
        nodes = {name: client.get_node(node) for name, node in self.server.nodes.items()}
        for node in nodes.values():
            node.read_data_value()
        with self._told:
            self._session += 1
            self._awaited = set(nodes)
            self._names = {node.nodeid.to_string(): name for name, node in nodes.items()}
        client.create_subscription(_PERIOD, self).subscribe_data_change(
            list(nodes.values()), queuesize=_QUEUE
        )
        with self._told:
            if not self._told.wait_for(lambda: not self._awaited, _PATIENCE):
                message = "no first values"
                raise TimeoutError(message)
        return client


@dataclass(slots=True, kw_only=True)
class _State:
    """What a cursor holds.

    Args:
        started: When the server was started that told last.
        told: How many changes were taken in.
        seen: The mark of each variable's last change: it comes again with each subscription.
        session: Which subscription told last; a cursor does not hold it.
    """

    started: int = 0
    told: int = 0
    seen: dict[str, str] = field(default_factory=dict)
    tracker: Tracker = field(default_factory=Tracker)
    session: int = 0

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the state that a cursor holds."""
        pairs = fields.objects("seen", lambda one: (one.text("n"), one.text("m")))
        return cls(
            started=fields.integer("started"),
            told=fields.integer("told"),
            seen=dict(pairs),
            tracker=fields.object("tracker", Tracker.read),
        )

    def to_cursor(self) -> bytes:
        """Return the cursor that holds the state."""
        seen = [{"n": name, "m": mark} for name, mark in self.seen.items()]
        return write_cursor(
            KIND,
            {
                "started": self.started,
                "told": self.told,
                "seen": seen,
                "tracker": self.tracker.to_json(),
            },
        )

    def take(self, change: Change, started: int) -> Iterator[Gap]:
        """Take a change in; yield the gap before it."""
        is_new = change.is_first and change.session != self.session and self.told > 0
        if is_new or change.is_behind_loss:
            yield Gap(instance=str(self.started), first=self.told, last=None)
        self.started, self.session = started, change.session
        if self.seen.get(change.name) == change.mark or change.value is None:
            return
        self.seen[change.name], self.told = change.mark, self.told + 1
        self.tracker.follow(self._signals(change, change.value))

    def _signals(self, change: Change, value: str | int) -> Iterator[Signal]:
        at = change.at // _MILLION
        if change.name == _PROGRAM:
            yield Program(name=str(value))
        elif change.name == _EXECUTION:
            yield Doing(work=WORDS.get(str(value), Work.WAITS), at=at, name=str(change.at))
        elif isinstance(value, int) and value >= 0:
            yield from self._counted(value, change)

    def _counted(self, count: int, change: Change) -> Iterator[Signal]:
        """Yield the counter, and the run that it shows of a time when nobody was subscribed."""
        at, before = change.at // _MILLION, self.tracker.count
        is_missed = change.is_first and self.tracker.job is None and before is not None
        if is_missed and 0 < count - (before or 0) <= PIECES_MAX:
            name = f"{change.at}-unseen"
            yield Doing(work=Work.RUNS, at=at, name=name)
            yield Counting(count=count, at=at)
            yield Doing(work=Work.ENDED, at=at, name=name)
            return
        yield Counting(count=count, at=at)


@dataclass(slots=True, kw_only=True)
class OpcUa:
    """A machine behind an OPC UA server.

    Args:
        subscription: What the server tells.
    """

    subscription: Subscription
    _given: tuple[bytes, Sequence[Change]] | None = field(default=None, init=False)

    def poll(self, cursor: bytes) -> Observation:
        """Return what the machine told since a cursor; what is in the cursor is forgotten."""
        if self._given is not None and self._given[0] == cursor:
            self.subscription.take_out(self._given[1])
        self._given = None
        self.subscription.fetch()
        state = _State() if cursor == b"" else read_cursor(KIND, cursor, _State.read)
        changes = self.subscription.seen()
        gaps = [gap for one in changes for gap in state.take(one, self.subscription.started)]
        observed = Observation(
            cursor=state.to_cursor(), events=tuple(state.tracker.events), gaps=tuple(gaps)
        )
        self._given = (observed.cursor, changes)
        return observed

    def close(self) -> None:
        """End the session; what changes meanwhile is a gap."""
        self.subscription.close()


def _place(change: Change) -> tuple[int, bool, int, int]:
    """Return a change's place: what was at first comes first, and a program before what it does."""
    at = 0 if change.is_first else change.at
    return change.session, not change.is_first, at, _ORDER.index(change.name)


def _plain(value: object) -> str | int | None:
    if isinstance(value, ua.LocalizedText):
        return (value.Text or "")[:_TEXT_MAX]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, int):
        return value
    return value[:_TEXT_MAX] if isinstance(value, str) else None


def _microseconds(time: datetime | None) -> int:
    if time is None:
        return 0
    # Whole numbers throughout: a float has too few digits for them.
    seconds, rest = int(time.replace(microsecond=0).timestamp()), time.microsecond
    return min(max(seconds, 0), UINT40_MAX) * _MILLION + rest
