"""A real broker keeps for us what an edge node says while nobody is there."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fakes.sparkplug import EdgeNode
from floor import MachineSuite, Stage, Watcher
from guildmark.adapters.machines.mqtt import MESSAGE_MAX
from guildmark.adapters.machines.registry import machine_source
from guildmark.adapters.machines.secrets import SecretFiles
from guildmark.domain.shopfloor.jobs import Gap
from guildmark.ports.shopfloor import Machine, MachineUnavailableError
from mosquitto_server import Mosquitto

pytestmark = pytest.mark.needs("mosquitto")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    yield broker
    broker.kill()


class BrokerStage:
    tells_beginnings = True
    spoilings: Sequence[str] = ()

    def __init__(self, broker: Mosquitto, secrets: Path, options: str = "") -> None:
        self.broker, self.node = broker, EdgeNode()
        self._place = f"127.0.0.1:{broker.port}/hall/edge/lathe{options}"
        self._secrets = SecretFiles(folder=secrets)
        self._unplugged: list[Machine] = []
        # The session begins with the first look.
        machine = self.open()
        machine.poll(b"")
        machine.close()
        broker.publish(*self.node.birth())

    def open(self) -> Machine:
        return machine_source(f"sparkplug:mqtt://{self._place}", self._secrets)

    def begin(self) -> None:
        self.broker.publish(*self.node.begin())

    def end(self) -> None:
        self.broker.publish(*self.node.end())

    def wait(self) -> None:
        self.node.milliseconds += 5_000

    def jump(self, seconds: int) -> None:
        self.node.milliseconds += seconds * 1_000 + 1

    def unplug(self) -> None:
        raise NotImplementedError

    def plug(self) -> None:
        raise NotImplementedError

    def spoil(self, how: str) -> None:
        raise NotImplementedError


@pytest.fixture
def watching(broker: Mosquitto, tmp_path: Path) -> Iterator[tuple[BrokerStage, Watcher]]:
    stage = BrokerStage(broker, tmp_path)
    watcher = Watcher(stage)
    watcher.keep()
    yield stage, watcher
    watcher.restart()


class TestSparkplugOverABrokerKeepsThePort(MachineSuite):
    @pytest.fixture
    def stage(self, broker: Mosquitto, tmp_path: Path) -> BrokerStage:
        return BrokerStage(broker, tmp_path)

    @pytest.mark.parametrize("seed", [3])
    def test_restarts_and_lost_answers_double_nothing_and_lose_nothing(
        self, stage: Stage, watcher: Watcher, seed: int
    ) -> None:
        super().test_restarts_and_lost_answers_double_nothing_and_lose_nothing(stage, watcher, seed)

    # The broker itself is killed below.
    test_unplugged_in_the_middle_of_a_job_it_is_told_once_afterwards = None  # type: ignore[assignment]


def test_what_is_said_while_nobody_is_there_is_kept(
    watching: tuple[BrokerStage, Watcher],
) -> None:
    stage, watcher = watching
    watcher.restart()
    for _ in range(40):
        stage.begin()
        stage.end()
    watcher.settle()

    assert [event.phase.value for event in watcher.events] == ["started", "finished"] * 40


def test_what_was_sent_without_a_receipt_and_is_lost_is_a_gap(
    watching: tuple[BrokerStage, Watcher],
) -> None:
    stage, watcher = watching
    watcher.restart()
    stage.broker.publish(*stage.node.begin(), quality=0)
    stage.end()
    seen = watcher.poll()

    assert seen.gaps == (Gap(instance="0", first=2, last=3),)


def test_a_broker_that_lost_its_sessions_leaves_a_gap(
    watching: tuple[BrokerStage, Watcher],
) -> None:
    stage, watcher = watching
    stage.broker.kill()
    with pytest.raises(MachineUnavailableError):
        watcher.poll()
    watcher.restart()
    port = stage.broker.port
    stage.broker.start()
    stage._place = stage._place.replace(str(port), str(stage.broker.port))
    seen = watcher.poll()

    assert seen.gaps == (Gap(instance="0", first=2, last=None),)


def test_a_message_that_is_too_large_does_not_come_in(
    watching: tuple[BrokerStage, Watcher],
) -> None:
    stage, watcher = watching
    stage.broker.publish(("spBv1.0/hall/DDATA/edge/lathe", bytes(MESSAGE_MAX + 1)))
    stage.begin()
    stage.end()
    watcher.settle()

    assert [event.phase.value for event in watcher.events] == ["started", "finished"]


def test_user_and_password_are_those_of_the_secret(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker", password="of-the-lathe")
    broker.start()
    for name, secret in (("lathe", "of-the-lathe"), ("wrong", "another")):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    stage = BrokerStage(broker, tmp_path, "?user=agent&secret=lathe")
    watcher = Watcher(stage)
    watcher.keep()
    watcher.restart()
    stage._place = stage._place.replace("lathe&", "").replace("secret=lathe", "secret=wrong")

    with pytest.raises(MachineUnavailableError, match="let us in"):
        watcher.poll()

    watcher.restart()
    broker.kill()
