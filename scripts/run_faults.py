"""The seeded fault harness: `make faults`, with SEED= for other cases, CASES= for their number.

Each family of faults (tests/faults/families.py) plays its cases against a real chain; the oracle
counts what is lost or doubled after each one and compares home and chain. Names of families may
follow the command. A run goes on where the last one with the same seed and commit ended, so that
long volumes may be played in parts: HOURS= ends one in between.
"""

import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import reports
from environments import ROOT

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend"), str(ROOT / "ipfs")]

from faults import rig as rigs  # noqa: E402 - found only now
from faults.families import FAMILIES, Chance, Family, chance_of  # noqa: E402 - found only now
from guildmark.domain.errors import GuildmarkError  # noqa: E402 - found only now

_STATE = ROOT / "build" / "faults-state.json"
_VOLUMES = ("test", "ci", "long")
_HOUR = 3_600
# Cases between two notes of how far a family is.
_SLICE = 50


@dataclass(kw_only=True)
class Row:
    """What came of one family's cases so far.

    Args:
        differing: Cases after which home and chain differed in another way.
    """

    id: str
    kind: str
    cases: int = 0
    lost: int = 0
    doubled: int = 0
    differing: int = 0
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Order:
    """What shall be played."""

    seed: int
    cases: int | None
    volume: int
    deadline: float
    names: tuple[str, ...]

    def count(self, family: Family) -> int:
        """Return how many cases a family plays."""
        return family.volumes[self.volume] if self.cases is None else self.cases


def main() -> int:
    """Play the families and return 1 if one case was not clean."""
    # Nodes tell of each fault that they meet; what comes of it is what counts here.
    logging.getLogger("guildmark").setLevel(logging.CRITICAL)
    order = _order()
    rows = _kept(order)
    with TemporaryDirectory() as folder, rigs.Rigs(lambda: Path(mkdtemp(dir=folder))) as chains:
        for name in order.names:
            for _ in _played(order, chains, name, rows):
                _keep(order, rows)
    reports.write_rows("faults", [asdict(rows[name]) for name in order.names])
    bad = [name for name in order.names if not _is_clean(rows[name])]
    print(f"not clean: {', '.join(bad)}" if bad else "nothing lost, nothing doubled")
    return 1 if bad else 0


def _order() -> Order:
    named = tuple(sys.argv[1:]) or tuple(filter(_can_be_tried, FAMILIES))
    hours = float(os.environ.get("HOURS", "inf"))
    cases = os.environ.get("CASES")
    return Order(
        seed=int(os.environ.get("SEED", "1")),
        cases=None if cases is None else int(cases),
        volume=_VOLUMES.index(os.environ.get("VOLUME", "test")),
        deadline=time.monotonic() + hours * _HOUR,
        names=named,
    )


def _can_be_tried(name: str) -> bool:
    needs = FAMILIES[name].needs
    if needs is None or shutil.which(needs):
        return True
    print(f"{name} is left out: it needs {needs}, run `make system`")
    return False


def _played(order: Order, chains: rigs.Rigs, name: str, rows: dict[str, Row]) -> Iterator[None]:
    family, row, began = FAMILIES[name], rows[name], time.monotonic()
    first, last = row.cases, order.count(family)
    for case in range(first, last):
        if time.monotonic() > order.deadline:
            break
        chance = chance_of(name, order.seed, case)
        _note(row, case, _verdict(family, chains.of(family.depth), chance))
        if case % _SLICE == _SLICE - 1:
            yield
    seconds = time.monotonic() - began
    print(
        f"{name:12} {family.kind:8} {row.cases:7} cases, {row.lost} lost, {row.doubled} doubled,"
        f" {row.differing} differing, seed {row.seed} ({seconds:.1f} s for {row.cases - first})",
        flush=True,
    )
    yield


def _verdict(family: Family, rig: rigs.Rig, chance: Chance) -> rigs.Verdict:
    """Play a case; one that does not come to rest is told, and the others follow."""
    try:
        return family.case(rig, chance)
    except (AssertionError, GuildmarkError) as error:
        told = f"{type(error).__name__}: {error}"
        return rigs.Verdict(lost=0, doubled=0, differences=(told,))


def _note(row: Row, case: int, verdict: rigs.Verdict) -> None:
    row.cases = case + 1
    row.lost += verdict.lost
    row.doubled += verdict.doubled
    row.differing += bool(verdict.differences)
    if not verdict.is_clean:
        print(f"{row.id}: seed {row.seed}, case {case}: {verdict}", flush=True)


def _is_clean(row: Row) -> bool:
    return (row.lost, row.doubled, row.differing) == (0, 0, 0)


def _kept(order: Order) -> dict[str, Row]:
    """Return the rows of earlier runs with this seed and commit, and new ones for the others."""
    rows = {name: Row(id=name, kind=FAMILIES[name].kind, seed=order.seed) for name in order.names}
    return rows | _known(order)


def _known(order: Order) -> dict[str, Row]:
    try:
        state = json.loads(_STATE.read_text())
    except (OSError, json.JSONDecodeError):
        return {}
    if (state["commit"], state["seed"]) != (reports.commit(), order.seed):
        return {}
    return {row["id"]: Row(**row) for row in state["rows"]}


def _keep(order: Order, rows: dict[str, Row]) -> None:
    state = {
        "commit": reports.commit(),
        "seed": order.seed,
        "rows": [asdict(row) for row in rows.values()],
    }
    _STATE.parent.mkdir(exist_ok=True)
    _STATE.write_text(reports.dump(state))


if __name__ == "__main__":
    sys.exit(main())
