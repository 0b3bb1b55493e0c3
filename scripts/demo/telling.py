"""What the audience sees: each step with its time, and at the end what came out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from rich.console import Console


@dataclass
class Teller:
    """Tells the story on the terminal."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    started: float = field(default_factory=monotonic)

    @property
    def seconds(self) -> float:
        """Return how long the story has taken."""
        return round(monotonic() - self.started, 1)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say a step when it is done, with its time."""
        began = monotonic()
        yield
        self.console.print(
            f"[green]✓[/] {text} [dim]{monotonic() - began:.1f} s[/]", soft_wrap=True
        )

    def say(self, text: str) -> None:
        """Say a line."""
        self.console.print(text, soft_wrap=True)
