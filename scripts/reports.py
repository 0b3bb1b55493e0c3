"""The machine-readable results below build/: each carries the commit that it was made from."""

import json
import subprocess
from typing import Any

from environments import ROOT


def commit() -> str:
    """Return the commit of the working tree, with `-dirty` where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def dump(content: object) -> str:
    """Return JSON as this repository writes it: readable, keys in the given order, one newline."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def write(name: str, content: dict[str, Any]) -> None:
    """Write `build/<name>.json` with the commit in front."""
    _write(name, {"commit": commit(), **content})


def write_rows(name: str, rows: list[dict[str, Any]]) -> None:
    """Write `build/<name>.json` as a list, each row with the commit."""
    made_from = commit()
    _write(name, [{"commit": made_from, **row} for row in rows])


def _write(name: str, content: object) -> None:
    target = ROOT / "build" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(dump(content))
