"""Our statistics against pingouin's and statsmodels', which run in an environment of their own."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import comparing
from environments import ROOT, python
from guildmark.domain.equivalence.columns import Summary, summary, table
from guildmark.domain.equivalence.distribution import anderson_darling
from guildmark.domain.equivalence.engine import run
from guildmark.domain.equivalence.family import holm
from guildmark.domain.equivalence.gauge import variation
from guildmark.domain.equivalence.location import two_one_sided
from guildmark.domain.equivalence.plan import Replication, Transformation
from guildmark.domain.equivalence.verdict import Gate

_PROGRAM = Path(__file__).with_name("rivals.py")


def parts(site: str, seed: int, mean: float, spread: float, count: int) -> Summary:
    """Return single parts of a site."""
    plan = comparing.plan(replication=Replication.PART)
    readings = comparing.drawn(site, seed, mean=mean, spread=(0, spread), size=(count, 1))
    series = table(plan, comparing.dataset(readings)).series[site, comparing.WIDTH]
    return summary(series, Transformation.NONE)


def study(interaction: float) -> list[list[list[float]]]:
    """Return eight parts by three appraisers, three times each."""
    source = random.Random(4)
    mixed = [[source.gauss(0, interaction) for _ in range(3)] for _ in range(8)]
    return [
        [
            [10 * part + by + mixed[part][by] + source.gauss(0, 1) for _ in range(3)]
            for by in range(3)
        ]
        for part in range(8)
    ]


def bent(power: float) -> list[float]:
    """Return values that are less normal the greater the power is."""
    source = random.Random(5)
    return [abs(source.gauss(3, 1)) ** power for _ in range(40)]


PAIRS = {
    "alike": (parts(comparing.REFERENCE, 1, 20, 0.03, 14), parts(comparing.SITE, 2, 20, 0.02, 9)),
    "apart": (
        parts(comparing.REFERENCE, 1, 20, 0.03, 14),
        parts(comparing.SITE, 2, 20.04, 0.09, 9),
    ),
}
STUDIES = {"additive": study(0), "interacting": study(3)}
BENT = {"normal": bent(1), "bent": bent(1.5), "skewed": bent(3)}
CHANCES = [random.Random(seed).random() ** 4 for seed in range(30)]


def tasks() -> dict[str, dict[str, Any]]:
    """Return what the rivals are asked: all at once, since they take long to load."""
    asked: dict[str, dict[str, Any]] = {"holm": {"name": "holm", "p": CHANCES, "alpha": 0.05}}
    for name, (first, second) in PAIRS.items():
        values = {"first": first.means, "second": second.means}
        asked[name] = {"name": "tost", **values, "margin": 0.1, "alpha": 0.05}
    for name, cells in STUDIES.items():
        rows = [
            (str(part), str(by), value)
            for part, row in enumerate(cells)
            for by, cell in enumerate(row)
            for value in cell
        ]
        asked[name] = {"name": "anova", "rows": rows}
    for name, listed in BENT.items():
        asked[name] = {"name": "normality", "values": listed}
    return asked


@pytest.fixture(scope="module")
def rivals() -> dict[str, Any]:
    """Return the rivals' answers."""
    done = subprocess.run(
        [python("statistics"), _PROGRAM],
        input=json.dumps(tasks()),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.mark.needs("statistics")
@pytest.mark.parametrize("name", PAIRS)
def test_two_one_sided_tests_agree_with_both_rivals(name: str, rivals: dict[str, Any]) -> None:
    ours, theirs = two_one_sided(*PAIRS[name], 0.05, 0.1), rivals[name]

    assert ours.p == pytest.approx(theirs["p"], rel=1e-9)
    assert ours.p == pytest.approx(theirs["pingouin"], rel=1e-6)
    assert ours.low == pytest.approx(theirs["low"], rel=1e-9)
    assert ours.high == pytest.approx(theirs["high"], rel=1e-9)


@pytest.mark.needs("statistics")
@pytest.mark.parametrize("name", STUDIES)
def test_a_crossed_study_agrees_with_an_analysis_of_variance(
    name: str, rivals: dict[str, Any]
) -> None:
    ours, theirs = variation(STUDIES[name]), rivals[name]

    both, error = theirs["C(part):C(appraiser)"], theirs["Residual"]
    if theirs["p"] > 0.25:
        both = error = (both * 14 + error * 48) / 62
    between = max(0, both - error) / 3 + max(0, theirs["C(appraiser)"] - both) / 24
    assert (theirs["p"] > 0.25) is (name == "additive")
    assert ours.repeatability**2 == pytest.approx(error)
    assert ours.reproducibility**2 == pytest.approx(between)
    assert ours.parts**2 == pytest.approx((theirs["C(part)"] - both) / 9)


@pytest.mark.needs("statistics")
@pytest.mark.parametrize("name", BENT)
def test_normality_agrees_with_statsmodels(name: str, rivals: dict[str, Any]) -> None:
    values = np.array(BENT[name])

    statistic, p = anderson_darling(
        values.tolist(), float(values.mean()), float(values.var(ddof=1))
    )

    assert statistic == pytest.approx(rivals[name]["statistic"])
    assert p == pytest.approx(rivals[name]["p"])


@pytest.mark.needs("statistics")
def test_holms_rule_agrees_with_statsmodels(rivals: dict[str, Any]) -> None:
    stands = holm(CHANCES, 0.05)

    assert stands == rivals["holm"]
    assert any(stands)
    assert not all(stands)


def test_equal_bytes_under_any_number_of_threads() -> None:
    code = (
        "import comparing; from guildmark.domain.equivalence.engine import run;"
        "plan = comparing.plan(characteristics=(comparing.characteristic(spread_margin='2'),));"
        "data = comparing.dataset(comparing.drawn(comparing.REFERENCE, 1),"
        " comparing.drawn(comparing.SITE, 2)); print(run(plan, data).digest().hex())"
    )
    digests = set()
    for threads in ("1", "4"):
        found = subprocess.run(
            [python("dev"), "-c", code],
            env={
                "PYTHONPATH": f"{ROOT}/tests:{ROOT}/backend:{ROOT}/ipfs",
                "OMP_NUM_THREADS": threads,
                "OPENBLAS_NUM_THREADS": threads,
            },
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(found.stdout)
    wanted = comparing.characteristic(spread_margin="2")
    plan = comparing.plan(characteristics=(wanted,))
    sites = (comparing.drawn(comparing.REFERENCE, 1), comparing.drawn(comparing.SITE, 2))

    result = run(plan, comparing.dataset(*sites))

    assert digests == {result.digest().hex() + "\n"}
    assert any(one.gate is Gate.SPREAD for one in result.gates)
