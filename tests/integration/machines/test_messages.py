"""Job reports over a real broker, which keeps them while nobody is there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from floor import Watcher
from guildmark.adapters.machines.registry import machine_source
from guildmark.adapters.machines.secrets import SecretFiles
from guildmark.domain.shopfloor.jobs import JobPhase, MalformedReportError
from guildmark.ports.shopfloor import Machine
from mosquitto_server import Mosquitto
from unit.adapters.machines.test_messages import AT, MessageStage

pytestmark = pytest.mark.needs("mosquitto")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    yield broker
    broker.kill()


class BrokerStage(MessageStage):
    def __init__(self, broker: Mosquitto, secrets: Path) -> None:
        super().__init__()
        self.broker, self._secrets = broker, SecretFiles(folder=secrets)

    def open(self) -> Machine:
        place = f"127.0.0.1:{self.broker.port}/{self.template}"
        return machine_source(f"mqtt:mqtt://{place}", self._secrets)

    def publish(self, topic: str, **members: object) -> None:
        self.broker.publish((topic, json.dumps(members).encode()))


def test_reports_wait_at_the_broker_and_a_wrong_one_holds_up_no_other(
    broker: Mosquitto, tmp_path: Path
) -> None:
    stage = BrokerStage(broker, tmp_path)
    watcher = Watcher(stage)
    watcher.keep()
    watcher.restart()
    stage.begin()
    stage.publish("hall/lathe/run-1/ready", at=AT)
    stage.end()
    stage.publish("hall/drill/run-9/finished", at=AT)

    watcher.keep()
    with pytest.raises(MalformedReportError, match="no job report"):
        watcher.poll()
    watcher.restart()
    watcher.settle()
    watcher.restart()

    assert [(event.job, event.phase) for event in watcher.events] == [
        ("run-1", JobPhase.STARTED),
        ("run-1", JobPhase.FINISHED),
    ]
