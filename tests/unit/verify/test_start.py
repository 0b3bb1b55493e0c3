"""What `guildmark verify` imports: whoever checks one file waits for no more than its check."""

import json
import subprocess
import sys
from pathlib import Path

from fakes.simulator import Simulator
from guildmark.domain import bundle
from guildmark.domain import trust as trust_file

HONEST = Simulator()
_FOREIGN = (
    "alembic",
    "anyio",
    "asyncio",
    "eth_account",
    "fastapi",
    "http",
    "httpx",
    "jinja2",
    "numpy",
    "orjson",
    "pydantic",
    "rich",
    "scipy",
    "socket",
    "sqlalchemy",
    "sqlite3",
    "ssl",
    "starlette",
    "tomllib",
    "uvicorn",
    "web3",
)
_OWN = (
    "guildmark.adapters.evidence_http",
    "guildmark.adapters.labels",
    "guildmark.adapters.store",
    "guildmark.api",
    "guildmark.bootstrap",
    "guildmark.domain.audit",
    "guildmark.domain.chain.facts",
    "guildmark.domain.equivalence.engine",
    "guildmark.domain.recipes.gcode",
    "guildmark.domain.shopfloor",
    "guildmark.ports",
    "guildmark.services",
    "guildmark.settings",
)
_COMMAND = """
import json, sys
before = set(sys.modules)
from guildmark.cli import main
try:
    main(sys.argv[1:])
except SystemExit as left:
    code = left.code
print(json.dumps({"code": code, "modules": sorted(set(sys.modules) - before)}), file=sys.stderr)
"""


def test_a_file_is_checked_without_what_asks_keeps_or_serves(tmp_path: Path) -> None:
    (tmp_path / "part.zip").write_bytes(bundle.write(HONEST.evidence()))
    (tmp_path / "trust.json").write_bytes(trust_file.serialise(HONEST.trust()))
    words = ["verify", "part.zip", "--trust", "trust.json", "--offline"]
    command = [sys.executable, "-c", _COMMAND, *words]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "(0) ok" in done.stdout
    told = json.loads(done.stderr)
    assert "guildmark.verify" in told["modules"]
    heavy = [name for name in told["modules"] if _is_below(name, _FOREIGN + _OWN)]
    assert heavy == []


def _is_below(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)
