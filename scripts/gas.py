"""Compare what calls cost with their budgets, and leave build/gas.json; `--pin` sets them anew.

A call fails when it costs over 2 % more than pinned, or over the limit that its design promises.
"""

import json
import sys
from typing import Any

import reports
from environments import ROOT

_MEASURED = ROOT / "build" / "forge" / "snapshots" / "gas.json"
_BUDGETS = ROOT / "tests" / "contracts" / "gas.json"
_TOLERANCE = 1.02

Budgets = dict[str, dict[str, int | None]]


def main() -> int:
    """Write the table and return 1 if a call is over its budget or has none."""
    measured = {name: int(gas) for name, gas in json.loads(_MEASURED.read_text()).items()}
    budgets: Budgets = json.loads(_BUDGETS.read_text()) if _BUDGETS.exists() else {}
    if "--pin" in sys.argv[1:]:
        budgets = {
            name: {"pinned": gas, "limit": budgets.get(name, {}).get("limit")}
            for name, gas in sorted(measured.items())
        }
        _BUDGETS.write_text(reports.dump(budgets))
    rows = [_row(name, gas, budgets.get(name)) for name, gas in sorted(measured.items())]
    reports.write("gas", {"calls": rows})
    for row in rows:
        state = "ok" if row["within"] else "OVER BUDGET"
        print(f"{row['call']:32} {row['gas']:>9,} of {row['budget'] or 0:>9,}  {state}")
    return 0 if all(row["within"] for row in rows) else 1


def _row(name: str, gas: int, budget: dict[str, int | None] | None) -> dict[str, Any]:
    """Return the line of one call; one without a budget is over it."""
    bounds = []
    if budget is not None and budget["pinned"] is not None:
        bounds = [int(budget["pinned"] * _TOLERANCE)]
        bounds += [budget["limit"]] if budget["limit"] is not None else []
    most = min(bounds, default=0)
    return {"call": name, "gas": gas, "budget": most, "within": gas <= most}


if __name__ == "__main__":
    sys.exit(main())
