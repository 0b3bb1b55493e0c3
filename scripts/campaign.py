"""Add up what the fuzzed invariants reached, and leave build/campaign.json; `--pin` shows it.

`forge test` leaves a line a run, more of them with FOUNDRY_PROFILE=ci. A state that no run reached
is one that the campaign says nothing about, and fails; so does one that docs/fuzzing.md leaves out.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping

import reports
from environments import ROOT

_LINES = ROOT / "build" / "forge" / "campaign.jsonl"
_PAGE = ROOT / "docs" / "fuzzing.md"
_INTRODUCTION = """\
# What fuzzing reached

`make test` lets many actors grant, split, sublicense, reclaim, extend, pay, stop, sell, log, draw
and void in any order, with a fixed seed: {runs} runs of 100 calls. After every call the lanes of
each root and all below it are a partition of its units 1..N, no unit is in two grants, no child is
wider than what stands above it, a refused draw grants nothing and the rest of its batch lands, and
everything that was paid is somebody's (`tests/contracts/invariants`, I1 to I13). With
`FOUNDRY_PROFILE=ci` it is 1,000 runs of 200, and every 20th call. What the runs came to, added up;
a row that all runs leave at zero fails the tests. `scripts/campaign.py --pin` writes this page.

| what happened | times |
|---|---:|
"""


def main() -> int:
    """Print the sums and return 1 if one of them is zero or not on the page."""
    runs = [json.loads(line) for line in _LINES.read_text().splitlines()]
    reached: Counter[str] = Counter()
    for run in runs:
        reached.update(run)
    reports.write("campaign", {"runs": len(runs), "reached": dict(reached)})
    print(f"{'runs':28} {len(runs):>9,}")
    for name, times in reached.items():
        print(f"{name:28} {times:>9,}  {'' if times else 'NEVER'}".rstrip())
    if "--pin" in sys.argv[1:]:
        _PAGE.write_text(page(len(runs), reached))
    is_page_whole = names_on(_PAGE.read_text()) == list(reached)
    if not is_page_whole:
        print("docs/fuzzing.md names other states: run scripts/campaign.py --pin")
    return 0 if runs and all(reached.values()) and is_page_whole else 1


def page(runs: int, reached: Mapping[str, int]) -> str:
    """Return the page of what runs reached."""
    rows = [f"| {name} | {times:,} |" for name, times in reached.items()]
    return _INTRODUCTION.format(runs=runs) + "\n".join(rows) + "\n"


def names_on(text: str) -> list[str]:
    """Return the states that a page names, in its order."""
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


if __name__ == "__main__":
    sys.exit(main())
