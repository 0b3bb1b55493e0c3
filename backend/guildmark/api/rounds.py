"""Rounds beside the server: stores are challenged, witnesses asked, mirrors brought up to date."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread

from guildmark.domain.errors import GuildmarkError

_logger = logging.getLogger(__name__)

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """A thread that does the same again and again.

    Args:
        name: What people call it.
        work: One round.
        pause: Seconds between two rounds.
        is_wanted: Whether there is anything to do at all.
        begins_late: Whether the first round begins behind a pause, too.
    """

    name: str
    work: Callable[[], object]
    pause: float
    is_wanted: bool = True
    begins_late: bool = False
    _stopping: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin with a round."""
        if self.is_wanted:
            thread = Thread(target=self._run, name=self.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Begin no further round; the present one is not waited for long."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _run(self) -> None:
        if self.begins_late:
            self._stopping.wait(self.pause)
        while not self._stopping.is_set():
            try:
                self.work()
            except GuildmarkError as error:
                _logger.warning("%s: %s: %s", self.name, error.code, error.message)
            self._stopping.wait(self.pause)
