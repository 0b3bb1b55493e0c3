"""Add up what the fuzzed invariants reached, and leave build/campaign.json.

`forge test` leaves a line a run, more of them with FOUNDRY_PROFILE=ci. A state that no run reached
is one that the campaign says nothing about, and fails.
"""

import json
import sys
from collections import Counter

import reports
from environments import ROOT

_LINES = ROOT / "build" / "forge" / "campaign.jsonl"


def main() -> int:
    """Print the sums and return 1 if one of them is zero."""
    runs = [json.loads(line) for line in _LINES.read_text().splitlines()]
    reached: Counter[str] = Counter()
    for run in runs:
        reached.update(run)
    reports.write("campaign", {"runs": len(runs), "reached": dict(reached)})
    print(f"{'runs':28} {len(runs):>9,}")
    for name, times in reached.items():
        print(f"{name:28} {times:>9,}  {'' if times else 'NEVER'}".rstrip())
    return 0 if runs and all(reached.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
