"""P12: all gates of equivalence for 100 sites, 50 characteristics and 1,000 parts each.

Run by its path it is the process whose time and memory are measured.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.rows import Judged, Metric, Round, Row, Target
from guildmark.domain.equivalence.columns import Series, Table
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.engine import run_table
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    RunRule,
    engine_digest,
)
from guildmark.domain.equivalence.verdict import Verdict
from guildmark.domain.identifiers import Bytes32, RecipeId
from guildmark.domain.recipes.clause import ClausePath

_SITES, _CHARACTERISTICS, _PARTS, _BUILDS = 100, 50, 1_000, 200
_PLACES = 5
_GAUGE = "gauge"
_LIMIT = 5.0

_TIME = Metric(
    id="P12",
    text="all gates and the digest for 100 sites, 50 characteristics, 1,000 parts; one core",
    unit="s",
    against="limit",
    target=Target(of=Judged.OURS, bound=_LIMIT),
)
_MEMORY = Metric(
    id="P12.memory",
    text="peak memory of that process",
    unit="MiB",
    against="the same before it computes, its 5 million values in columns",
)


def measure(rounds: int) -> Sequence[Row]:
    """Judge made-up sites in a process of their own, in each round."""
    found = [_run() for _ in range(rounds)]
    same = [one["equivalent"] and one["digest"] == found[0]["digest"] for one in found]
    times = [
        Round(ours=one["seconds"], reference=_LIMIT, same_answer=is_same)
        for one, is_same in zip(found, same, strict=True)
    ]
    memory = [
        Round(ours=one["peak"], reference=one["before"], same_answer=is_same)
        for one, is_same in zip(found, same, strict=True)
    ]
    return [Row(metric=_TIME, rounds=times), Row(metric=_MEMORY, rounds=memory)]


def _run() -> dict[str, Any]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, __file__]
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _plan() -> EquivalencePlan:
    paths = [ClausePath(f"/tolerance/c{number:02}") for number in range(_CHARACTERISTICS)]
    characteristics = tuple(
        CharacteristicPlan(
            path=path,
            unit="mm",
            margin="0.1",
            spread_margin="1.5",
            lower="19",
            upper="21",
            min_cpk="1",
            max_gauge=None,
        )
        for path in paths
    )
    names = [f"site {number:03}" for number in range(_SITES)]
    return EquivalencePlan(
        recipe=RecipeId(bytes(32)),
        reference=names[0],
        sites=tuple(names[1:]),
        characteristics=characteristics,
        evaluator="evaluator",
        engine=engine_digest(),
        units=_PARTS,
        replicates=_BUILDS,
        commit_by=1,
        reveal_by=2,
        salt=Bytes32(bytes(32)),
        # Ten thousand charts at once: wider limits, and a level that chance does not reach.
        sigmas="7",
        rules=(RunRule.BEYOND_LIMITS,),
        normality="0.00000001",
    )


def _table(plan: EquivalencePlan) -> Table:
    generator = np.random.default_rng(1)
    size = _PARTS // _BUILDS
    starts = np.arange(0, _PARTS, size)
    series = {}
    for place, site in enumerate(plan.all_sites):
        parts: Any = np.arange(_PARTS) + place * _PARTS
        for wanted in plan.characteristics:
            levels: Any = np.repeat(generator.normal(20, 0.05, _BUILDS), size)
            values = levels + generator.normal(0, 0.05, _PARTS)
            series[site, wanted.path] = Series(
                values=np.rint(values * 10**_PLACES).astype(np.int64),
                places=_PLACES,
                starts=starts,
                parts=parts,
                raws=parts,
                instruments=frozenset({_GAUGE}),
                units=frozenset({"mm"}),
            )
    names = [f"part {number}" for number in range(_SITES * _PARTS)]
    return Table(series=series, part_names=names, excess={}, placed_twice={})


def _measured() -> dict[str, Any]:
    plan = _plan()
    data = _table(plan)
    known = Dataset(readings=(), instruments=frozenset({_GAUGE}))
    before = _peak()
    started = time.process_time()
    result = run_table(plan, known, data)
    digest = result.digest().hex()
    return {
        "seconds": time.process_time() - started,
        "digest": digest,
        "equivalent": all(one.verdict is Verdict.EQUIVALENT for one in result.verdicts),
        "before": before,
        "peak": _peak(),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(_measured()))
