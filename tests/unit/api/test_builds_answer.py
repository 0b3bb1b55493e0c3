"""The answers to a request's envelopes are written as the route's description says."""

from dataclasses import dataclass
from typing import Any, cast

from fakes.world import make_world
from guildmark.api.metrics import Metrics
from guildmark.api.routes.builds import BatchAnswer, _receive
from guildmark.api.serving import ServedNode
from guildmark.services.log.ingest import Ingest


@dataclass(frozen=True)
class Doorstep:
    ingest: Ingest
    metrics: Metrics


def test_each_answer_has_all_members_in_the_described_form() -> None:
    world = make_world()
    world.disclose()
    metrics = Metrics()
    node: Any = Doorstep(ingest=world.tools.ingest(world.log), metrics=metrics)
    good = [world.envelope(1), world.envelope(2)]

    written = _receive(cast("ServedNode", node), b"\n".join([*good, good[0], b"{}"]), None)

    described = BatchAnswer.model_validate_json(written)
    assert written == described.model_dump_json().encode()
    receptions = [answer.reception for answer in described.answers]
    assert receptions == ["accepted", "accepted", "duplicate", "refused"]
