"""The clock that processes read, moved by hand while they run: libfaketime before everything."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


def library() -> Path | None:
    """Return libfaketime for processes with threads, None where it is not installed."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@dataclass(frozen=True)
class FakeClock:
    """How far the clock of some processes is off, in a file that they read again and again."""

    path: Path

    def __post_init__(self) -> None:
        self.jump(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """Return what a process must be started with."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_NO_CACHE": "1",
            # The clock on the wall jumps; the one that only goes forward never does.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, seconds: int) -> None:
        """Set the clock so many seconds before or behind the right time."""
        draft = self.path.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self.path)
