"""Pages that name tests: each of these exists."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_NAMED = re.compile(r"`([\w/]+\.(?:py|t\.sol))::(\w+)`")


@pytest.mark.parametrize(
    ("page", "row", "least"),
    [("threats.md", r"\| (?!attack)", 40), ("resolver.md", r"\| [23]", 15)],
)
def test_every_row_names_a_test_that_exists(page: str, row: str, least: int) -> None:
    lines = (_ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if re.match(row, line)]

    unproven = [row for row in rows if not _NAMED.search(row)]
    missing = [
        f"{path}::{name}"
        for row in rows
        for path, name in _NAMED.findall(row)
        if not _defines(_ROOT / "tests" / path, name)
    ]

    assert len(rows) > least
    assert (unproven, missing) == ([], [])


def _defines(path: Path, name: str) -> bool:
    keyword = "def" if path.suffix == ".py" else "function"
    return path.is_file() and f"{keyword} {name}(" in path.read_text(encoding="utf-8")
