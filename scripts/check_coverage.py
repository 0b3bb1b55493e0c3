"""Hold the coverage that `make test` left against its bounds: Python's and the contracts'."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from environments import ROOT

_REPORTS = ROOT / "build" / "coverage"
_WHOLE = 95.0
_COMPLETE = (
    "backend/guildmark/domain/",
    "backend/guildmark/services/",
    "ipfs/guildmark_ipfs/",
)


def main() -> int:
    """Print every file that misses its bound and return 1 if there is one."""
    problems = [*_python_problems(), *_contract_problems()]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _python_problems() -> Iterator[str]:
    report: dict[str, Any] = json.loads((_REPORTS / "coverage.json").read_text())
    whole = report["totals"]["percent_covered"]
    print(f"Python: {whole:.1f} % of lines and branches")
    if whole < _WHOLE:
        yield f"Python: {whole:.1f} % is covered, at least {_WHOLE} % is asked for"
    for name, file in report["files"].items():
        missing = file["missing_lines"] or file.get("missing_branches")
        if name.startswith(_COMPLETE) and missing:
            yield f"{name}: not covered: {missing}"


def _contract_problems() -> Iterator[str]:
    """Read forge's lcov records: `DA:line,hits` and `BRDA:line,block,branch,hits`."""
    name = ""
    for line in (_REPORTS / "contracts.info").read_text().splitlines():
        kind, _, value = line.partition(":")
        if kind == "SF":
            name = value
        fields = value.split(",")
        is_missed = kind in {"DA", "BRDA"} and fields[-1] in {"0", "-"}
        if is_missed and name.startswith("contracts/"):
            what = "line" if kind == "DA" else "a branch of line"
            yield f"{name}: {what} {fields[0]} is not covered"


if __name__ == "__main__":
    sys.exit(main())
