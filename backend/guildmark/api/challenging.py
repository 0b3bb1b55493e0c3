"""Challenges beside the server: do the content stores still hold what they were given?"""

import logging
from dataclasses import dataclass

from guildmark.services.evidence.keeping import Keeping, Round

_logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Challenger:
    """Challenges the stores, and remembers what they answered.

    Args:
        latest: What the newest round showed, None before the first one ended.
    """

    keeping: Keeping
    latest: Round | None = None

    def round(self) -> None:
        """Challenge every store, and log what is amiss.

        Raises:
            GuildmarkError: A store does not answer.
        """
        self.latest = self.keeping.round()
        for store in self.latest.stores:
            if store.unavailable or store.invalid:
                _logger.warning(
                    "content store %s: %d files unavailable, %d invalid",
                    store.store,
                    store.unavailable,
                    store.invalid,
                )
