"""Plans, readings and sites for tests of equivalence: drawn by seeds, exact in their decimals."""

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.dataset import Dataset, GaugeStudy, Trial
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    engine_digest,
)
from guildmark.domain.identifiers import Bytes32, RecipeId
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath

WIDTH = ClausePath("/tolerance/width")
HEIGHT = ClausePath("/tolerance/height")
REFERENCE, SITE, OTHER = "0x" + "aa" * 32, "0x" + "bb" * 32, "0x" + "cc" * 32
GAUGE = "0x" + "99" * 32
SALT = Bytes32(bytes(range(32)))


def characteristic(**changes: Any) -> CharacteristicPlan:
    """Return the plan of a width, changed where a test says so."""
    members: dict[str, Any] = {"path": WIDTH, "unit": "mm", "margin": "0.1", "max_gauge": None}
    return CharacteristicPlan(**{**members, **changes})


def plan(**changes: Any) -> EquivalencePlan:
    """Return a plan of one site and one width: twelve builds of three parts."""
    members: dict[str, Any] = {
        "recipe": RecipeId(bytes(32)),
        "reference": REFERENCE,
        "sites": (SITE,),
        "characteristics": (characteristic(),),
        "evaluator": "0x" + "ee" * 32,
        "engine": engine_digest(),
        "units": 36,
        "replicates": 12,
        "commit_by": 1_000,
        "reveal_by": 2_000,
        "salt": SALT,
    }
    return EquivalencePlan(**{**members, **changes})


def reading(site: str, build: int, part: int, value: str, **changes: Any) -> Reading:
    """Return a reading of a width whose raw file is its own."""
    name = f"{build}-{part}"
    first = Reading(
        part=f"{site[2:6]}.{name}",
        build=f"{site[2:6]}/{build}",
        site=site,
        characteristic=WIDTH,
        value=Decimal(value),
        unit="mm",
        instrument=GAUGE,
        raw=sha256(f"{site} {name} {changes.get('characteristic')}".encode()),
    )
    return replace(first, **changes)


def drawn(
    site: str,
    seed: int,
    *,
    mean: float = 20.0,
    spread: tuple[float, float] = (0.02, 0.02),
    size: tuple[int, int] = (12, 3),
    **changes: Any,
) -> tuple[Reading, ...]:
    """Return readings of parts in builds, both normal with deviations between and within."""
    (between, within), (builds, parts) = spread, size
    source = random.Random(seed)
    found: list[Reading] = []
    for build in range(1, builds + 1):
        level = source.gauss(mean, between)
        for part in range(1, parts + 1):
            value = f"{source.gauss(level, within):.5f}"
            found.append(reading(site, build, part, value, **changes))
    return tuple(found)


def study(
    *, parts: float = 0.1, appraisers: float = 0.002, noise: float = 0.002, seed: int = 1
) -> GaugeStudy:
    """Return a crossed study: ten parts, three appraisers, twice each."""
    source = random.Random(seed)
    bias = {name: source.gauss(0, appraisers) for name in "ABC"}
    trials = []
    for part in range(10):
        size = source.gauss(20, parts)
        for name in "ABC":
            for _ in range(2):
                value = Decimal(f"{size + bias[name] + source.gauss(0, noise):.5f}")
                trials.append(Trial(part=str(part), appraiser=name, value=value))
    return GaugeStudy(instrument=GAUGE, characteristic=WIDTH, trials=tuple(trials))


def dataset(*groups: Sequence[Reading], **changes: Any) -> Dataset:
    """Return what the sites opened, by one registered instrument."""
    readings = tuple(one for group in groups for one in group)
    return replace(Dataset(readings=readings, instruments=frozenset({GAUGE})), **changes)
