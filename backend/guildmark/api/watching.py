"""Watching beside the server: what rounds showed last, and which alarms follow from it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guildmark.domain.errors import GuildmarkError
from guildmark.services.neighbours.cosigning import WitnessState
from guildmark.services.neighbours.mirroring import MirrorState
from guildmark.services.watch.alarms import Alarms, Beside, Figures, Watch

_logger = logging.getLogger(__name__)


EMPTY = Watch(figures=Figures(), alarms=())
"""Before the first look."""


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Does the rounds beside the log, and remembers what they showed.

    Args:
        latest: The newest look, empty before the first one.
    """

    alarms: Alarms
    mirroring: Callable[[], Sequence[MirrorState]]
    cosigning: Callable[[], Sequence[WitnessState]]
    replay: Callable[[], GuildmarkError | None]
    latest: Watch = EMPTY
    _mirrors: Sequence[MirrorState] = ()
    _witnesses: Sequence[WitnessState] = ()
    _difference: GuildmarkError | None = None

    def mirror(self) -> None:
        """Bring mirrors up to date."""
        self._mirrors = self.mirroring()

    def cosign(self) -> None:
        """Ask the witnesses."""
        self._witnesses = self.cosigning()

    def compare(self) -> None:
        """Compare the index with the chain."""
        self._difference = self.replay()

    def look(self) -> None:
        """Look at everything, and log each alarm when it is raised and when it is over."""
        known = {_name(one) for one in self.latest.alarms}
        beside = Beside(mirrors=self._mirrors, witnesses=self._witnesses, replay=self._difference)
        self.latest = self.alarms.watch(beside)
        raised = {_name(one): one for one in self.latest.alarms}
        for name in sorted(raised.keys() - known):
            _logger.error("alarm: %s: %s", raised[name].code, raised[name].message)
        for code, _ in sorted(known - raised.keys()):
            _logger.warning("alarm is over: %s", code)


def _name(error: GuildmarkError) -> tuple[str, str]:
    """Return what tells alarms apart: two mirrors may fail at once."""
    about = error.detail.get("log") or error.detail.get("witness") or ""
    return error.code, str(about)
