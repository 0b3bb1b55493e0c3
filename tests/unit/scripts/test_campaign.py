"""What fuzzing reached: added up, nothing at zero, every state on docs/fuzzing.md."""

import json
import re
from pathlib import Path

import pytest

import campaign
import reports
from environments import ROOT

PEOPLE = ROOT / "tests" / "contracts" / "invariants" / "BuildPeople.sol"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs, whose sums are on the page."""
    for name in ("_LINES", "_PAGE"):
        monkeypatch.setattr(campaign, name, tmp_path / name)
    monkeypatch.setattr(reports, "ROOT", tmp_path)
    monkeypatch.setattr(reports, "commit", lambda: "c0ffee")
    reach(tmp_path, {"passed": 1_200, "draws": 0}, {"passed": 34, "draws": 2})
    monkeypatch.setattr("sys.argv", ["campaign.py", "--pin"])
    campaign.main()
    monkeypatch.setattr("sys.argv", ["campaign.py"])
    return tmp_path


def reach(folder: Path, *runs: dict[str, int]) -> None:
    (folder / "_LINES").write_text("".join(json.dumps(run) + "\n" for run in runs))


def test_the_page_has_the_sums_of_all_runs(folder: Path) -> None:
    text = (folder / "_PAGE").read_text()

    assert "| passed | 1,234 |\n| draws | 2 |\n" in text
    assert "2 runs" in text
    assert campaign.main() == 0


def test_a_state_that_no_run_reached_fails(folder: Path) -> None:
    reach(folder, {"passed": 1, "draws": 0})

    assert campaign.main() == 1


def test_a_state_that_the_page_leaves_out_fails(folder: Path) -> None:
    reach(folder, {"passed": 1, "draws": 1, "voids": 1})

    assert campaign.main() == 1


def test_no_run_at_all_fails(folder: Path) -> None:
    reach(folder)

    assert campaign.main() == 1


def test_the_page_of_this_repository_names_what_is_counted() -> None:
    counted = PEOPLE.read_text().partition("function statistics()")[2].partition("];")[0]
    named = re.findall(r'"([^"]+)"', counted)

    assert campaign.names_on((ROOT / "docs" / "fuzzing.md").read_text()) == named
