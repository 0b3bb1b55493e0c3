"""Telemetry of builds for tests of equivalence: a chunk a layer, of one channel."""

from collections.abc import Sequence
from typing import Any

from guildmark.domain.builds.telemetry import (
    Chunk,
    disclose_chunks,
    telemetry_resource,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.plan import CharacteristicPlan, Kind, Trace
from guildmark.domain.equivalence.process.traces import BuildTrace
from guildmark.domain.identifiers import Bytes32
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.jobs import Gap, Sample

NOZZLE = ClausePath("/process/nozzle")
CHANNEL = "nozzle"


def window(trace: Trace | None = None, **changes: Any) -> CharacteristicPlan:
    """Return what a plan promises of a nozzle's heat: 205 to 215 Cel."""
    members: dict[str, Any] = {
        "path": NOZZLE,
        "unit": "Cel",
        "margin": "2",
        "lower": "205",
        "upper": "215",
        "max_gauge": None,
        "kind": Kind.PROCESS,
        "trace": trace or Trace(channel=CHANNEL),
    }
    return CharacteristicPlan(**{**members, **changes})


def chunks(
    job: str, values: Sequence[str], gaps: Sequence[Gap] = (), unit: str | None = "Cel"
) -> list[bytes]:
    """Return the chunks of a job, one a value."""
    return [
        Chunk(
            salt=Bytes32(sha256(f"{job} {number}".encode())),
            source="printer",
            instance="",
            samples=(
                Sample(channel=CHANNEL, at=number, value=value, unit=unit),
                Sample(channel="bed", at=number, value="60", unit="Cel"),
            ),
            gaps=tuple(gaps),
        ).encode()
        for number, value in enumerate(values)
    ]


def opened(part: str, build: str, told: Sequence[bytes], most: int, closed: int = 0) -> BuildTrace:
    """Return what a build opens of its chunks; the last few drawn ones stay closed."""
    nonce = Bytes32(sha256(f"nonce {build}".encode()))
    answer = disclose_chunks(told, nonce=nonce, most=most)
    return BuildTrace(
        part=part,
        build=build,
        root=telemetry_resource(told).digest,
        count=len(told),
        nonce=nonce,
        opened=answer.opened[: len(answer.opened) - closed],
    )
