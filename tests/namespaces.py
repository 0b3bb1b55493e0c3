"""A network of a process's own, with nothing in it."""

import os
import subprocess
from collections.abc import Sequence
from functools import cache


def without_network() -> Sequence[str]:
    """Return the words before a command that is to reach nothing, not even this machine."""
    own = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", *own, "--net", "--")


@cache
def may_be_apart() -> bool:
    """Return whether this machine lets a process have a network of its own."""
    try:
        return subprocess.run([*without_network(), "true"], check=False).returncode == 0
    except FileNotFoundError:
        return False
