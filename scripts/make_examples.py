"""Make the example design anew: its solid, meshes, picture, G-code and facts.

Needs Debian's slic3r and cura-engine; the CAD kernel comes into an environment of its own.
"""

import subprocess
import sys

from environments import ENVIRONMENTS, ROOT


def main() -> int:
    """Fill the environment and run `example_design` in it."""
    scripts = ROOT / "scripts"
    subprocess.run([sys.executable, str(scripts / "setup.py"), "examples"], check=True)
    python = ROOT / ENVIRONMENTS["examples"].place / "bin" / "python"
    return subprocess.run(
        [str(python), "-m", "example_design"], cwd=scripts, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
