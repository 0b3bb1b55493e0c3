"""A site sends builds to a real node, request after request; then the oracle counts."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.making import equip, fresh_beacon, license_design, send
from demo.scene import Scene, set_scene
from demo.stage import Stage
from demo.telling import Teller
from demo.workshop import Workshop
from guildmark.bootstrap import open_fsck
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import Digest
from guildmark.domain.log.record import Record
from guildmark.ports.chain import Call
from guildmark.settings import DATABASE_FILE
from soak.growth import Sample

_REQUEST = 100
_BATCH_SECONDS = 2.0
# A build names a young record of its network.
_BEACON_SECONDS = 600.0
_SETTLE_SECONDS, _PAUSE = 1_800.0, 1.0
_FILES = ("", "-wal", "-shm")


class NotSettledError(Exception):
    """A node that did not put on record what it had accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the oracle found at the end.

    Args:
        acknowledged: How many builds the node said that it took.
        lost: How many of them are not final.
        doubled: How many places of the log are held twice, or by what this node does not know.
        differences: What ``fsck`` names, which reads the whole chain anew and compares it.
    """

    acknowledged: int
    lost: int
    doubled: int
    differences: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Return whether nothing is lost, doubled or different."""
        return (self.lost, self.doubled, self.differences) == (0, 0, ())


@dataclass(slots=True, kw_only=True)
class Soak:
    """A site that builds, the node that logs it, and all that runs for it.

    Args:
        sent: The digests of what was acknowledged.
    """

    stage: Stage
    scene: Scene
    workshop: Workshop
    sent: set[Digest] = field(default_factory=set)
    samples: list[Sample] = field(default_factory=list)
    _beacon: Record | None = None
    _renewed: float = 0.0

    @classmethod
    def begin(cls, stage: Stage, *, units: int) -> "Soak":
        """Start chain and nodes, and license a site for so many units."""
        scene = set_scene(stage, Teller(), batch_seconds=_BATCH_SECONDS)
        package, lanes = license_design(scene, Teller(), units_a_site=units)
        workshops = equip(scene, package, lanes, Teller())
        return cls(stage=stage, scene=scene, workshop=workshops[0])

    def work(self, count: int, *, seconds: float, every: float) -> None:
        """Send builds until there are ``count`` or the time is over; sample every some seconds."""
        began, due = time.monotonic(), 0.0
        node = self.scene.node_of(self.workshop.operator)
        for first in range(1, count + 1, _REQUEST):
            passed = time.monotonic() - began
            if passed >= seconds:
                break
            if passed >= due:
                self.sample(passed)
                due = passed + every
            envelopes = self._built(range(first, min(first + _REQUEST, count + 1)))
            send(node, envelopes)
            self.sent |= {envelope_digest(each) for each in envelopes}
        self.sample(time.monotonic() - began)

    def sample(self, seconds: float) -> None:
        """Note what the processes and the database take now."""
        processes = self.stage.processes.items()
        self.samples.append(
            Sample(
                seconds=seconds,
                entries=len(self.sent),
                resident={name: _resident(process.pid) for name, process in processes},
                database=_size(self._home / DATABASE_FILE),
            )
        )

    def settle(self) -> None:
        """Wait until all that was accepted is final.

        Raises:
            NotSettledError: It takes too long.
        """
        deadline = time.monotonic() + _SETTLE_SECONDS
        while not self._is_idle():
            if time.monotonic() > deadline:
                message = "What was accepted is not on record."
                raise NotSettledError(message)
            time.sleep(_PAUSE)

    def judge(self) -> Verdict:
        """Compare what was acknowledged with database and chain, and all with a replay."""
        places = self._places()
        indexes = set(places.values())
        return Verdict(
            acknowledged=len(self.sent),
            lost=len(self.sent - places.keys()),
            doubled=len(places) - len(indexes) + abs(self._on_chain() - len(indexes)),
            differences=self._differences(),
        )

    @property
    def _home(self) -> Path:
        return self.workshop.operator.party.home.settings.home

    def _built(self, numbers: range) -> Sequence[bytes]:
        if self._beacon is None or time.monotonic() - self._renewed > _BEACON_SECONDS:
            self._beacon, self._renewed = fresh_beacon(self.scene), time.monotonic()
        return [self.workshop.build(number, self._beacon) for number in numbers]

    def _is_idle(self) -> bool:
        with self.workshop.operator.party.home.store.reading() as view:
            return view.log.waiting_count() == 0 and view.log.open_batch() is None

    def _places(self) -> Mapping[Digest, int]:
        operator, found = self.workshop.operator, dict[Digest, int]()
        with operator.party.home.store.reading() as view:
            for seq in view.log.settled(operator.log):
                for logged in view.log.entries(operator.log, seq):
                    found[logged.build.digest] = logged.build.index or 0
        return found

    def _on_chain(self) -> int:
        operator = self.workshop.operator
        call = Call(contract=ContractName.LOG, function="head", args=(operator.log,))
        return int(operator.party.home.ledger.read(call)["size"])

    def _differences(self) -> tuple[str, ...]:
        opened = open_fsck(self.workshop.operator.party.home.settings, open_seconds=600)
        try:
            return tuple(f"{one.code}: {one.message}" for one in opened.differences())
        finally:
            opened.close()


def _resident(process: int) -> int:
    """Return how many bytes a process holds in memory, with those that it started."""
    own = _status(process, "VmRSS:") << 10
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return own + sum(_resident(int(child)) for child in children)


def _status(process: int, name: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def _size(database: Path) -> int:
    files = [database.with_name(database.name + end) for end in _FILES]
    return sum(one.stat().st_size for one in files if one.exists())


Step = Callable[[str], None]


def play(soak: Soak, *, count: int, seconds: float, every: float, tell: Step) -> Verdict:
    """Let a soak live, and judge it."""
    tell(f"sends {count} builds, or for {seconds:.0f} s")
    soak.work(count, seconds=seconds, every=every)
    tell(f"{len(soak.sent)} acknowledged; waits until all are final")
    soak.settle()
    tell("reads the whole chain anew and compares")
    return soak.judge()
