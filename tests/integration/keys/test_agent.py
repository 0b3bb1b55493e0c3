"""An agent whose key's device dies under it: its queue waits, nothing is lost or doubled (F23)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import cast

import pkcs11
import pytest

from devices import SoftToken, SoftTpm
from fakes.fieldwork import PRINTER, Field, make_field
from fakes.world import SITE, make_world, parsed
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.fieldwork.settings import BY_HAND, AgentSettings, Watch
from guildmark.adapters.keys.keystore import FileKeyStore
from guildmark.adapters.peers.client import NodeClient
from guildmark.agent.running import Runner
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.shopfloor.fieldwork import JobState, SignedState
from guildmark.domain.shopfloor.jobs import JobEvent, JobPhase
from guildmark.outfit import Agent
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.builds.builds import Builds, signing_key
from guildmark.services.shopfloor.attesting import Attesting
from guildmark.services.shopfloor.fieldreport import Standing, overview
from guildmark.services.shopfloor.sending import Sending

_MINUTES = 600.0


def no_password() -> str:
    raise AssertionError("no password opens a device")


@dataclass(frozen=True)
class Device:
    """What holds a key, and how it dies and comes back."""

    key: KeyName
    kill: Callable[[], None]
    start: Callable[[], None]


@dataclass
class FusedKeys(FileKeyStore):
    """Keys in a device that dies before one of its signatures."""

    fuse: int | None = None
    blow: Callable[[], None] = field(default=lambda: None, repr=False)

    def sign_payload(self, name: KeyName, payload: bytes) -> bytes:
        if self.fuse == 0:
            self.fuse = None
            self.blow()
        elif self.fuse is not None:
            self.fuse -= 1
        return super().sign_payload(name, payload)


@pytest.fixture(
    params=[
        pytest.param("tpm", marks=pytest.mark.needs("swtpm")),
        pytest.param("token", marks=pytest.mark.needs("softhsm2")),
    ]
)
def device(request: pytest.FixtureRequest) -> Device:
    found = request.getfixturevalue(request.param)
    return of_tpm(found) if isinstance(found, SoftTpm) else of_token(found)


def of_tpm(tpm: SoftTpm) -> Device:
    """Return the TPM: a process that is killed and started anew."""
    return Device(key=KeyName(tpm.uri(0x81010001)), kill=tpm.kill, start=tpm.start)


def of_token(token: SoftToken) -> Device:
    """Return the token: its sessions end and its folder is gone, as when it is unplugged."""
    here, away = token.folder / "tokens", token.folder / "unplugged"
    library = pkcs11.lib(str(token.module))
    library.reinitialize()

    def move(source: Path, target: Path) -> None:
        source.rename(target)
        here.mkdir(exist_ok=True)
        library.reinitialize()

    def start() -> None:
        here.rmdir()
        move(away, here)

    key = KeyName(token.uri("under-an-agent"))
    return Device(key=key, kill=lambda: move(here, away), start=start)


@dataclass
class Beside:
    """An agent that runs beside the world's machine, with its key in a device."""

    field: Field
    keys: FusedKeys
    runner: Runner
    seconds: list[float]

    def tell(self, job: str, pieces: int = 1) -> None:
        event = JobEvent(
            job=job,
            phase=JobPhase.FINISHED,
            at=self.field.clock.time,
            file=self.field.post.job,
            pieces=tuple(self.field.piece() for _ in range(pieces)),
        )
        self.field.watching.report(self.field.post, event)

    def turn(self) -> Standing:
        """Let the agent do a turn, some minutes after the last one, and return how it stands."""
        self.seconds[0] += _MINUTES
        self.runner.turn()
        field = self.field
        return overview(field.store, [field.post], now=field.clock.time)[0]


@pytest.fixture
def beside(device: Device, tmp_path: Path) -> Iterator[Beside]:
    world = make_world()
    world.disclose()
    keys = FusedKeys(tmp_path / "keys", no_password, blow=device.kill)
    keys.create(device.key, KeyAlgorithm.P256)
    public = signing_key(keys, device.key)
    world.tools.identities(SITE).add_key(world.machine, public)
    world.tools.logs("operator").tick()
    world.tools.indexing(world.log).follow()
    made = make_field(world, tmp_path, key=device.key, job=sha256(b"job"))
    made.clock.time = world.tools.chain.head(final=True).time + 30
    builds, seconds = Builds(keys=keys, entropy=world.tools.entropy), [0.0]
    agent = Agent(
        settings=AgentSettings(
            home=tmp_path,
            node="http://node.example",
            watches=(Watch(post=made.post, source=BY_HAND),),
        ),
        keys=keys,
        store=made.store,
        node=cast("NodeClient", made.node),
        clock=cast("SystemClock", made.clock),
        watching=made.watching,
        attesting=Attesting(store=made.store, builds=builds, clock=made.clock),
        sending=Sending(store=made.store, node=made.node, keys=keys, clock=made.clock),
        storing=made.storing,
    )
    runner = Runner(agent, Event(), clock=lambda: seconds[0])
    yield Beside(field=made, keys=keys, runner=runner, seconds=seconds)
    made.store.close()


def test_jobs_wait_while_the_device_of_the_key_is_dead_and_are_signed_once(
    beside: Beside, device: Device
) -> None:
    beside.turn()
    beside.tell("tray", pieces=2)
    beside.keys.fuse = 1
    dying = beside.turn()
    beside.tell("last")
    dead = [beside.turn() for _ in range(2)]
    with beside.field.store.reading() as view:
        waiting = [job.job for job in view.jobs(JobState.RELEASED)]
        signed = [(row.job, row.piece, row.counter) for row in view.signed()]
        counter = view.machine(PRINTER).counter

    device.start()
    beside.turn()
    beside.field.node.settle()
    well = beside.turn()

    problems = [one.problem or "" for one in (dying, *dead)]
    assert all(problem.startswith("key.") for problem in problems), problems
    assert (waiting, signed, counter) == (["tray", "last"], [("tray", 0, 1)], 1)
    assert (well.problem, well.final, well.waiting, well.state) == (None, 3, 0, "running")
    with beside.field.store.reading() as view:
        rows = view.signed()
        labels = {parsed(view.envelope(row.digest)).label for row in rows}
    found = [(row.state, row.job, row.piece, row.counter, row.granted) for row in rows]
    assert found == [
        (SignedState.FINAL, "tray", 0, 1, 1),
        (SignedState.FINAL, "tray", 1, 2, 2),
        (SignedState.FINAL, "last", 0, 3, 3),
    ]
    assert len(labels) == 3
