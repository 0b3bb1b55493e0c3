import json
from pathlib import Path
from typing import Any

import pytest

import check_coverage


def summary(percent: float, files: dict[str, Any]) -> str:
    return json.dumps({"totals": {"percent_covered": percent}, "files": files})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Reports in which everything is covered."""
    monkeypatch.setattr(check_coverage, "_REPORTS", tmp_path)
    (tmp_path / "coverage.json").write_text(summary(95.0, {}))
    (tmp_path / "contracts.info").write_text("SF:contracts/A.sol\nDA:3,1\nBRDA:3,0,0,2\n")
    return tmp_path


@pytest.mark.parametrize(("percent", "code"), [(95.0, 0), (94.9, 1)])
def test_the_whole_is_covered_to_95_percent(folder: Path, percent: float, code: int) -> None:
    (folder / "coverage.json").write_text(summary(percent, {}))

    assert check_coverage.main() == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("backend/guildmark/domain/part.py", 1),
        ("backend/guildmark/services/builds/parts.py", 1),
        ("ipfs/guildmark_ipfs/cid.py", 1),
        ("backend/guildmark/cli/up.py", 0),
    ],
)
@pytest.mark.parametrize("kind", ["missing_lines", "missing_branches"])
def test_core_and_library_are_covered_whole(folder: Path, name: str, code: int, kind: str) -> None:
    file = {"missing_lines": [], "missing_branches": [], kind: [3]}
    (folder / "coverage.json").write_text(summary(99.0, {name: file}))

    assert check_coverage.main() == code


@pytest.mark.parametrize("record", ["DA:7,0", "BRDA:7,0,1,0", "BRDA:7,0,1,-"])
def test_contracts_are_covered_by_line_and_branch(
    folder: Path, record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "contracts.info").write_text(f"SF:contracts/A.sol\n{record}\n")

    assert check_coverage.main() == 1
    assert "contracts/A.sol" in capsys.readouterr().err


def test_what_is_no_contract_of_ours_is_left_out(folder: Path) -> None:
    (folder / "contracts.info").write_text("SF:tests/contracts/support/A.sol\nDA:7,0\n")

    assert check_coverage.main() == 0
