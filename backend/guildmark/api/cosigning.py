"""Rounds beside the server in which witnesses are asked for the newest checkpoint."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from guildmark.domain.errors import GuildmarkError
from guildmark.services.cosigning import Cosigning, WitnessState

_logger = logging.getLogger(__name__)

_PATIENCE = 10.0


@dataclass(slots=True, kw_only=True)
class Cosigner:
    """A thread that asks witnesses, where the node has any.

    Args:
        pause: Seconds between two rounds.
        latest: What came of the newest round.
    """

    cosigning: Cosigning
    pause: float
    latest: Sequence[WitnessState] = ()
    _stopping: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin with a round."""
        if self.cosigning.witnesses:
            thread = Thread(target=self._run, name="witnesses", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Begin no further round."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.latest = self.cosigning.round()
            except GuildmarkError as error:
                _logger.warning("%s: %s", error.code, error.message)
            self._stopping.wait(self.pause)
