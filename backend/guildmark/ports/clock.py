"""Time and chance."""

from typing import Protocol


class Clock(Protocol):
    """Seconds since 1970; for deadlines and display, never for what the chain decides."""

    def now(self) -> int:
        """Return whole seconds since 1970 (UTC)."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes for salts and keys."""

    def token(self, size: int) -> bytes:
        """Return ``size`` random bytes."""
        ...
