"""Every test that this machine can run: Python's with coverage, the contracts', Brownie's."""

import os
import sys

from environments import ROOT, native
from steps import Step, run

_PYTHON = [sys.executable, "-m"]
_COVERAGE = (
    *("--cov", "--cov-report=term:skip-covered", "--cov-report=json", "--cov-report=html"),
)


def main() -> int:
    """Run all suites and return 1 if one failed."""
    deep = os.environ.get("VOLUME", "test") != "test"
    forge = {"FOUNDRY_PROFILE": "ci" if deep else "default", "FORGE_SNAPSHOT_CHECK": "false"}
    return run(
        [
            Step(
                name="contracts: forge test",
                command=[native("forge"), "test", "--color", "never"],
                shown=True,
                environment=forge,
            ),
            Step(
                name="contracts: gas within its budgets",
                command=[sys.executable, "scripts/gas.py"],
                shown=True,
            ),
            Step(
                name="Brownie: deploy and smoke test",
                command=[
                    sys.executable,
                    "scripts/run_brownie.py",
                    "test",
                    "--network",
                    "guildmark",
                ],
                shown=True,
            ),
            Step(
                name="pytest",
                command=[*_PYTHON, "pytest", *_COVERAGE, *sys.argv[1:]],
                shown=True,
                environment={"GUILDMARK_TEST_REPORT": "1"},
            ),
        ]
    )


if __name__ == "__main__":
    (ROOT / "build" / "coverage").mkdir(parents=True, exist_ok=True)
    sys.exit(main())
