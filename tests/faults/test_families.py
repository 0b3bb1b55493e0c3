"""Every family of faults, seeded cases each: nothing lost, nothing doubled, all agrees."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults import rig as rigs
from faults.families import FAMILIES, chance_of

pytestmark = [pytest.mark.needs("anvil")]

SEED = int(os.environ.get("SEED", "1"))
_ROOT = Path(__file__).resolve().parents[2]
_TEST = re.compile(r"`([\w/]+\.(?:py|t\.sol))::(\w+)`")


@pytest.fixture(scope="module")
def rig_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], rigs.Rig]]:
    """Return chains whose blocks are final that deep."""
    with rigs.Rigs(lambda: tmp_path_factory.mktemp("rig")) as found:
        yield found.of


def _named(name: str) -> Any:
    needs = FAMILIES[name].needs
    return pytest.param(name, marks=[pytest.mark.needs(needs)] if needs else [])


@pytest.mark.parametrize("name", [_named(name) for name in FAMILIES])
def test_nothing_is_lost_or_doubled(
    rig_of: Callable[[int], rigs.Rig], name: str, volume: Callable[[int, int, int], int]
) -> None:
    family = FAMILIES[name]

    for case in range(volume(*family.volumes)):
        verdict = family.case(rig_of(family.depth), chance_of(name, SEED, case))

        assert verdict.is_clean, (name, SEED, case, verdict)


def test_the_oracle_sees_what_is_lost(rig_of: Callable[[int], rigs.Rig]) -> None:
    rig, chance = rig_of(3), chance_of("oracle", SEED, 0)
    database, sent = rig.reset("oracle"), rigs.entries(2, chance)

    # What was acknowledged was never stored.
    verdict = rigs.judge(rig, database, {sent[0].digest})

    assert verdict == rigs.Verdict(lost=1, doubled=0, differences=())


def test_the_oracle_sees_what_is_doubled(rig_of: Callable[[int], rigs.Rig]) -> None:
    rig, chance = rig_of(3), chance_of("oracle", SEED, 1)
    database, sent = rig.reset("oracle"), rigs.entries(1, chance)
    node = rig.node(database)
    rigs.live(rig, node, sent, lambda _digest: None)
    node.close()
    # The home forgets what it did, and takes the entry once more with another salt.
    again = rig.folder / "oracle" / "again.db"
    again.write_bytes(rig.template.read_bytes())
    forgetful = rig.node(again)
    forgetful.accept(rigs.resalted(sent[0]))
    forgetful.close()

    verdict = rigs.judge(rig, again, {sent[0].digest})

    assert (verdict.lost, verdict.doubled) == (0, 1)
    assert [found.partition(":")[0] for found in verdict.differences] == ["fsck.recordForeign"]


def test_reorganisations_undo_what_was_included(rig_of: Callable[[int], rigs.Rig]) -> None:
    rig = rig_of(66)
    database = rig.reset("undone")
    node = rig.node(database)
    node.accept(rigs.entries(1, chance_of("undone", SEED, 0))[0])
    rig.mark()
    for _ in range(3):
        node.step()
        rig.mine(20)
    included = [one.block_hash for one in node.outbox.table.newest(1)]

    depth = rig.undo(64, b"\x07" * 20)
    rig.mine(1)
    node.step()
    undone = [one.block_hash for one in node.outbox.table.newest(1)]
    node.close()

    assert depth == 60
    assert included != [None]
    assert undone == [None]


def test_every_fault_is_shown_by_tests_that_exist() -> None:
    page = (_ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| F\d\d", line)]
    named = [(row.split("|")[1].strip(), _TEST.findall(row)) for row in rows]

    missing = [
        f"{path}::{test}"
        for _, tests in named
        for path, test in tests
        if f" {test}(" not in (_ROOT / "tests" / path).read_text(encoding="utf-8")
    ]
    unproven = [name for name, tests in named if not tests]

    assert [name for name, _ in named] == [f"F{number:02}" for number in range(1, 25)]
    assert (missing, unproven) == ([], [])
