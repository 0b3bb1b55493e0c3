"""Bringing letters to who wants to hear of recalls: at least once, in order, for three days."""

import logging
from dataclasses import dataclass, replace

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.letters import (
    WAITS,
    Letter,
    LetterState,
    RecallWatch,
    WatchId,
    signed_headers,
)
from guildmark.ports import (
    AddressGoneError,
    Clock,
    Courier,
    DocumentKind,
    NodeStore,
    UndeliveredError,
)

_logger = logging.getLogger(__name__)

LEASE = 120
"""Seconds for which a letter is one process's to send: longer than a try takes."""

_SPREAD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """Use cases around letters that wait."""

    store: NodeStore
    clock: Clock
    courier: Courier

    def round(self) -> int:
        """Send what is due, and return how many letters were taken.

        A receiver that fails once is left alone until the next round.
        """
        failed: set[WatchId] = set()
        count = 0
        while (found := self._claim(failed)) is not None:
            letter = self._try(*found)
            with self.store.writing() as work:
                work.letters.settle(letter)
            if letter.state is LetterState.DELIVERED:
                count += 1
            else:
                failed.add(letter.watch)
        return count

    def _claim(self, failed: set[WatchId]) -> tuple[Letter, RecallWatch, bytes] | None:
        now = self.clock.now()
        with self.store.writing() as work:
            letter = work.letters.claim(now, now + LEASE, failed)
            if letter is None:
                return None
            (watch,) = (one for one in work.letters.watches() if one.id == letter.watch)
            secret = work.documents.get(DocumentKind.WATCH_SECRET, watch.id.encode())
        return letter, watch, secret or b""

    def _try(self, letter: Letter, watch: RecallWatch, secret: bytes) -> Letter:
        headers = signed_headers(letter.id, letter.body, secret=secret, at=self.clock.now())
        try:
            self.courier.deliver(
                watch.url, letter.body, headers, allows_private=watch.allows_private
            )
        except AddressGoneError as error:
            return self._dead(letter, error.code)
        except UndeliveredError as error:
            return self._later(letter, error.code)
        tries = letter.tries + 1
        return replace(letter, state=LetterState.DELIVERED, tries=tries, code="")

    def _later(self, letter: Letter, code: str) -> Letter:
        if letter.tries >= len(WAITS):
            return self._dead(letter, code)
        wait = WAITS[letter.tries]
        # Letters that failed together do not come back together.
        spread = wait * (sha256(letter.id.encode())[0] % _SPREAD) // 100
        due = self.clock.now() + wait + spread
        return replace(letter, tries=letter.tries + 1, due=due, code=code)

    def _dead(self, letter: Letter, code: str) -> Letter:
        _logger.warning("the letter %s is dead: %s", letter.id, code)
        return replace(letter, state=LetterState.DEAD, tries=letter.tries + 1, code=code)
