"""Where the committed example is, and its documents as plain values."""

import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SITES = ("site-a", "site-b", "site-c")


def document(name: str) -> Any:
    """Return a JSON document of the example."""
    return json.loads((EXAMPLES / name).read_text())


def site(name: str) -> dict[str, Any]:
    """Return what one site says of itself."""
    found: dict[str, Any] = document(f"sites/{name}.json")
    return found
