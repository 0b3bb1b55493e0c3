"""Where an actor's home is, and what the verifier looks for there.

Apart from the settings: a verifier reads none.
"""

from collections.abc import Mapping
from pathlib import Path

TRUST_FILE = "trust.json"
HOME_VARIABLE = "GUILDMARK_HOME"


def default_home(environment: Mapping[str, str]) -> Path:
    """Return the home that the environment names, else ``~/.guildmark``."""
    named = environment.get(HOME_VARIABLE)
    return Path(named) if named else Path("~/.guildmark").expanduser()
