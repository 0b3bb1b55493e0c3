"""The README's example runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "ipfs" / "README.md"


def test_the_example_encrypts_and_opens_a_file(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "part.stl").write_bytes(b"solid part\nendsolid part\n")

    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True)

    assert (tmp_path / "copy.stl").read_bytes() == b"solid part\nendsolid part\n"


def test_the_map_names_every_module() -> None:
    rows = " ".join(line for line in README.read_text().splitlines() if line.startswith("| `"))
    modules = {path.stem for path in (README.parent / "guildmark_ipfs").glob("*.py")}

    assert modules - {"__init__"} <= set(re.findall(r"`(\w+)`", rows))
