"""What an import brings is what is used of it."""

import subprocess
import sys

import pytest

from guildmark.adapters.lean import without


def test_a_package_is_hidden_while_others_are_imported_and_not_longer() -> None:
    code = """
import sys
from guildmark.adapters.lean import httpx, without
assert httpx.Client
print(*(name for name in ("rich", "pygments") if name in sys.modules))
import rich
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "\n"


def test_what_is_imported_already_stays() -> None:
    before = sys.modules["pytest"]

    with without("pytest", "no_such_package"):
        during = sys.modules["pytest"]
        with pytest.raises(ModuleNotFoundError, match="no_such_package"):
            __import__("no_such_package")

    assert before is during is sys.modules["pytest"]
    assert "no_such_package" not in sys.modules
