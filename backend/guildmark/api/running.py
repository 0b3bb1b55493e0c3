"""What a node does beside answering: the line, step after step, until the process ends."""

import logging
from dataclasses import dataclass, field
from threading import Event, Thread

from guildmark.domain.errors import GuildmarkError
from guildmark.services.line import Line

_logger = logging.getLogger(__name__)

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A thread that steps the line.

    Args:
        pause: Seconds between two steps.
    """

    line: Line
    pause: float
    _stopping: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def is_stopping(self) -> bool:
        """Return whether the process is about to end."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin stepping."""
        thread = Thread(target=self._run, name="line", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End after the present step; what is open goes on at the next start."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.line.step()
            except GuildmarkError as error:
                _logger.warning("%s: %s", error.code, error.message)
            self._stopping.wait(self.pause)
