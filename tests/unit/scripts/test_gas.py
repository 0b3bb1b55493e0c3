import json
from pathlib import Path

import pytest

import gas
import reports


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A measured table with one call of 10,000 gas, pinned."""
    for name in ("_MEASURED", "_BUDGETS", "_PAGE"):
        monkeypatch.setattr(gas, name, tmp_path / name)
    monkeypatch.setattr(reports, "ROOT", tmp_path)
    monkeypatch.setattr(reports, "commit", lambda: "c0ffee")
    measure(tmp_path, 10_000)
    monkeypatch.setattr("sys.argv", ["gas.py", "--pin"])
    gas.main()
    monkeypatch.setattr("sys.argv", ["gas.py"])
    return tmp_path


def measure(folder: Path, cost: int) -> None:
    (folder / "_MEASURED").write_text(json.dumps({"Log.append": str(cost)}))


@pytest.mark.parametrize(("cost", "code"), [(10_200, 0), (10_201, 1)])
def test_a_call_may_cost_two_percent_more_than_pinned(table: Path, cost: int, code: int) -> None:
    measure(table, cost)

    assert gas.main() == code


@pytest.mark.parametrize(("cost", "code"), [(10_100, 0), (10_101, 1)])
def test_a_limit_holds_whatever_is_pinned(table: Path, cost: int, code: int) -> None:
    budgets: gas.Budgets = {"Log.append": {"pinned": 10_000, "limit": 10_100}}
    (table / "_BUDGETS").write_text(json.dumps(budgets))
    (table / "_PAGE").write_text(gas._page(budgets))
    measure(table, cost)

    assert gas.main() == code


def test_a_call_without_a_budget_is_over_it(table: Path) -> None:
    (table / "_BUDGETS").write_text("{}")
    (table / "_PAGE").write_text(gas._page({}))

    assert gas.main() == 1


def test_the_page_shows_what_is_pinned(table: Path) -> None:
    (table / "_PAGE").write_text("old")

    assert gas.main() == 1


def test_the_report_carries_the_commit(table: Path) -> None:
    gas.main()

    assert json.loads((table / "build" / "gas.json").read_text()) == {
        "commit": "c0ffee",
        "calls": [{"call": "Log.append", "gas": 10_000, "budget": 10_200, "within": True}],
    }
