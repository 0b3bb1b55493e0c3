"""`python scripts/soak`, with COUNT= and HOURS= from the environment; `run.py` does it."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run by its folder, Python finds only what lies in it.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from soak.run import main

    sys.exit(main())
