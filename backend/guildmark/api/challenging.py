"""Rounds of challenges beside the server: do the content stores still hold what they were given?"""

import logging
from dataclasses import dataclass, field
from threading import Event, Thread

from guildmark.domain.errors import GuildmarkError
from guildmark.services.keeping import Keeping, Round

_logger = logging.getLogger(__name__)

_PATIENCE = 10.0


@dataclass(slots=True, kw_only=True)
class Challenger:
    """A thread that challenges the stores, the first time when the node starts.

    Args:
        pause: Seconds between two rounds.
        latest: What the newest round showed, None before the first one ended.
    """

    keeping: Keeping
    pause: float
    latest: Round | None = None
    _stopping: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin with a round."""
        thread = Thread(target=self._run, name="challenges", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Begin no further round; the present one is not waited for long."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.latest = self.keeping.round()
            except GuildmarkError as error:
                _logger.warning("%s: %s", error.code, error.message)
            else:
                self._tell(self.latest)
            self._stopping.wait(self.pause)

    def _tell(self, found: Round) -> None:
        for store in found.stores:
            if store.unavailable or store.invalid:
                _logger.warning(
                    "content store %s: %d files unavailable, %d invalid",
                    store.store,
                    store.unavailable,
                    store.invalid,
                )
