"""Compare what calls cost with their budgets, and leave build/gas.json; `--pin` sets them anew.

A call fails when it costs over 2 % more than pinned, or over the limit that its design promises.
The pinned figures are those of docs/gas.md.
"""

import json
import sys
from typing import Any

import reports
from environments import ROOT

_MEASURED = ROOT / "build" / "forge" / "snapshots" / "gas.json"
_BUDGETS = ROOT / "tests" / "contracts" / "gas.json"
_PAGE = ROOT / "docs" / "gas.md"
_TOLERANCE = 1.02
_INTRODUCTION = """\
# What each call costs

Gas of whole transactions, measured by `make test` and pinned: a call that costs over 2 % more than
here, or over its limit, fails the tests. `scripts/gas.py --pin` writes this page.

| call | gas | limit |
|---|---:|---:|
"""

Budgets = dict[str, dict[str, int | None]]


def main() -> int:
    """Write the table and return 1 if a call is over its budget or has none."""
    measured = {name: int(gas) for name, gas in json.loads(_MEASURED.read_text()).items()}
    if "--pin" in sys.argv[1:]:
        _pin(measured)
    budgets: Budgets = json.loads(_BUDGETS.read_text())
    rows = [_row(name, gas, budgets.get(name)) for name, gas in sorted(measured.items())]
    reports.write("gas", {"calls": rows})
    for row in rows:
        state = "ok" if row["within"] else "OVER BUDGET"
        print(f"{row['call']:32} {row['gas']:>9,} of {row['budget']:>9,}  {state}")
    is_page_fresh = _page(budgets) == _PAGE.read_text()
    if not is_page_fresh:
        print("docs/gas.md does not show the pinned figures: run scripts/gas.py --pin")
    return 0 if is_page_fresh and all(row["within"] for row in rows) else 1


def _pin(measured: dict[str, int]) -> None:
    """Take the measured figures as the new budgets, keep the limits."""
    old: Budgets = json.loads(_BUDGETS.read_text()) if _BUDGETS.exists() else {}
    budgets: Budgets = {
        name: {"pinned": gas, "limit": old.get(name, {}).get("limit")}
        for name, gas in sorted(measured.items())
    }
    _BUDGETS.write_text(reports.dump(budgets))
    _PAGE.write_text(_page(budgets))


def _row(name: str, gas: int, budget: dict[str, int | None] | None) -> dict[str, Any]:
    """Return the line of one call; one without a budget is over it."""
    bounds = []
    if budget is not None and budget["pinned"] is not None:
        bounds = [int(budget["pinned"] * _TOLERANCE)]
        bounds += [budget["limit"]] if budget["limit"] is not None else []
    most = min(bounds, default=0)
    return {"call": name, "gas": gas, "budget": most, "within": gas <= most}


def _page(budgets: Budgets) -> str:
    lines = [
        f"| {name} | {budget['pinned']:,} | {'' if limit is None else f'{limit:,}'} |\n"
        for name, budget in sorted(budgets.items())
        for limit in [budget["limit"]]
    ]
    return _INTRODUCTION + "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
