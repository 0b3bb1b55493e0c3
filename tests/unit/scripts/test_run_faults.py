import json
from pathlib import Path

import pytest

import reports
import run_faults
from run_faults import Order, Row


def order(*names: str, seed: int = 1) -> Order:
    return Order(seed=seed, cases=None, volume=0, deadline=0.0, names=names)


def test_a_run_of_one_family_leaves_the_others_where_they_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_faults, "_STATE", tmp_path / "state.json")
    monkeypatch.setattr(reports, "commit", lambda: "one")

    rows = run_faults._kept(order("F01"))
    rows["F01"].cases = 7
    run_faults._keep(order("F01"), rows)
    rows = run_faults._kept(order("F03"))
    rows["F03"].cases = 9
    run_faults._keep(order("F03"), rows)

    found = run_faults._kept(order("F01", "F03", "F04"))
    assert {name: row.cases for name, row in found.items()} == {"F01": 7, "F03": 9, "F04": 0}
    # Other cases, and those of other code, begin anew.
    assert run_faults._kept(order("F01", seed=2))["F01"].cases == 0
    monkeypatch.setattr(reports, "commit", lambda: "two")
    assert run_faults._kept(order("F01")) == {"F01": Row(id="F01", kind="fork")}
    (tmp_path / "state.json").write_text(json.dumps({})[:1])
    assert run_faults._kept(order("F01"))["F01"].cases == 0
