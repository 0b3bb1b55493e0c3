"""What a node refuses keeps its code, exit and next step, wherever the error is defined."""

import subprocess
import sys

import pytest

_ASK = """
import sys
from guildmark.cli.nodes import known_error
assert "guildmark.services.audit.auditing" not in sys.modules
found = known_error(sys.argv[1])
print(None if found is None else f"{found.__module__} {found.exit_code}")
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("recipe.countersignatureMissing", "guildmark.services.builds.countersigning 12"),
        ("activation.claimedBefore", "guildmark.domain.labels.activation 22"),
        ("no.suchCode", "None"),
    ],
)
def test_code_of_a_module_that_was_not_loaded_is_known(code: str, said: str) -> None:
    command = [sys.executable, "-c", _ASK, code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == said
