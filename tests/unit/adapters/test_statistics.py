import subprocess
import sys

import pytest

import comparing
from guildmark.adapters import statistics
from guildmark.adapters.statistics import (
    StatisticsSupportError,
    draw,
    drift,
    evaluate,
    is_installed,
    required_replicates,
)
from guildmark.domain.equivalence.engine import run

DATA = comparing.dataset(
    comparing.drawn(comparing.REFERENCE, 1), comparing.drawn(comparing.SITE, 2)
)


def test_the_edge_gives_what_the_engine_gives() -> None:
    assert is_installed()
    assert evaluate(comparing.plan(), DATA) == run(comparing.plan(), DATA)


def test_the_edge_draws_plans_and_watches() -> None:
    plan = comparing.plan()
    steady, moved = [20.0, 20.01, 19.99], [20.0, 20.5, 20.5]

    drawn = draw(plan, DATA, evaluate(plan, DATA), {})

    assert set(drawn) > {"intervals.svg", "operating-1.svg"}
    assert required_replicates(margin=1, deviations=(1, 1), alpha=0.05, power=0.8) == 18
    assert drift(plan, DATA, comparing.SITE, {comparing.WIDTH: steady}) is None
    reason = drift(plan, DATA, comparing.SITE, {comparing.WIDTH: moved})
    assert reason is not None
    assert reason.endswith("at build 2 (/tolerance/width).")


def test_what_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statistics, "_NEEDED", ("numpy", "no_such_package"))

    with pytest.raises(StatisticsSupportError) as caught:
        evaluate(comparing.plan(), DATA)

    assert caught.value.next_step == "pip install 'guildmark[equivalence]'"


def test_importing_the_edge_loads_no_statistics() -> None:
    code = "import sys, guildmark.adapters.statistics; print({'numpy', 'scipy'} & {*sys.modules})"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
