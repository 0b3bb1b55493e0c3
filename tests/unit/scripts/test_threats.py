"""docs/threats.md names tests; each of them exists."""

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_NAMED = re.compile(r"`([\w/]+\.(?:py|t\.sol))::(\w+)`")


def test_every_threat_names_a_test_that_exists() -> None:
    lines = (_ROOT / "docs" / "threats.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| attack")]

    unproven = [row for row in rows if not _NAMED.search(row)]
    missing = [
        f"{path}::{name}"
        for row in rows
        for path, name in _NAMED.findall(row)
        if not _defines(_ROOT / "tests" / path, name)
    ]

    assert len(rows) > 40
    assert (unproven, missing) == ([], [])


def _defines(path: Path, name: str) -> bool:
    keyword = "def" if path.suffix == ".py" else "function"
    return path.is_file() and f"{keyword} {name}(" in path.read_text(encoding="utf-8")
