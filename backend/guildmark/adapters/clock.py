"""The machine's clock and randomness."""

import os
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The operating system's clock."""

    def now(self) -> int:
        """Return whole seconds since 1970 (UTC)."""
        return int(time.time())


@dataclass(frozen=True, slots=True)
class SystemEntropy:
    """The operating system's random bytes."""

    def token(self, size: int) -> bytes:
        """Return ``size`` random bytes."""
        return os.urandom(size)
