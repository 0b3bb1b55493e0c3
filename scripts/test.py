"""Every test that this machine can run; with VOLUME=ci or long, those that grow with it."""

import os
import sys
from collections.abc import Mapping

from environments import ROOT, native
from steps import Step, run

_COVERAGE = ("--cov", "--cov-report=term:skip-covered", "--cov-report=json", "--cov-report=html")
# A file's tests stay in one process; the order is random, but the same on every machine, and
# long files come first (tests/conftest.py).
_TOGETHER = (
    "--numprocesses=auto",
    "--maxprocesses=4",
    "--dist=loadfile",
    "--no-loadscope-reorder",
    "--randomly-seed=1",
)
_CONTRACTS_REPORT = ("--report", "lcov", "--report-file", "build/coverage/contracts.info")


def main() -> int:
    """Run the suites and return 1 if one failed."""
    (ROOT / "build" / "coverage").mkdir(parents=True, exist_ok=True)
    volume = os.environ.get("VOLUME", "test")
    if volume != "test":
        return run([_forge("test", FOUNDRY_PROFILE=volume), _pytest("-m", "deep")])
    return run(
        [
            *_contracts(),
            *(_brownie(), _rates(), _corpus()),
            _pytest(*_COVERAGE, GUILDMARK_TEST_REPORT="1"),
        ]
    )


def _contracts() -> list[Step]:
    gas = [sys.executable, "scripts/gas.py"]
    campaign = [sys.executable, "scripts/campaign.py"]
    return [
        _forge("test"),
        Step(name="gas within its budgets", command=gas, shown=True),
        Step(name="states that fuzzing reached", command=campaign, shown=True),
        # Coverage turns the optimizer off: costs mean nothing then, test contracts grow too big.
        _forge("coverage", "--skip", "Gas.t.sol", *_CONTRACTS_REPORT, FOUNDRY_DENY="never"),
    ]


def _forge(*arguments: str, **environment: str) -> Step:
    return Step(
        name=f"forge {arguments[0]}",
        command=[native("forge"), *arguments],
        has_summary=True,
        environment=environment,
    )


def _brownie() -> Step:
    command = [sys.executable, "scripts/run_brownie.py", "test", "--network", "guildmark"]
    return Step(name="Brownie: deploy and smoke test", command=command, shown=True)


def _rates() -> Step:
    command = [sys.executable, "scripts/equivalence_check.py"]
    return Step(name="error rates of equivalence", command=command, shown=True)


def _corpus() -> Step:
    command = [sys.executable, "scripts/corpus.py"]
    return Step(name="bundles that verifiers must refuse", command=command, shown=True)


def _pytest(*arguments: str, **environment: str) -> Step:
    variables: Mapping[str, str] = environment
    return Step(
        name="pytest",
        command=[sys.executable, "-m", "pytest", *_TOGETHER, *arguments, *sys.argv[1:]],
        shown=True,
        environment=variables,
    )


if __name__ == "__main__":
    sys.exit(main())
