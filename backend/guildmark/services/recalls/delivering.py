"""Bringing letters to who wants to hear of recalls: at least once, in order, for three days."""

import contextlib
import logging
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Thread

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.letters import (
    WAITS,
    Letter,
    LetterState,
    RecallWatch,
    WatchId,
    signed_headers,
)
from guildmark.ports.clock import Clock
from guildmark.ports.letters import AddressGoneError, Courier, UndeliveredError
from guildmark.ports.store import DocumentKind, NodeStore, StoreUnavailableError

_logger = logging.getLogger(__name__)

LEASE = 120
"""Seconds for which a letter is one process's to send: longer than a try takes."""

_SPREAD = 10


LANES = 8
"""How many receivers are served side by side."""

ROUND = 10
"""Seconds after which no receiver gets a further letter in the same round."""

LETTER_DAYS = 90
_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """Use cases around letters that wait.

    Args:
        days: For how many days a letter is kept that was delivered.
    """

    store: NodeStore
    clock: Clock
    courier: Courier
    days: int = LETTER_DAYS

    def round(self) -> int:
        """Send what is due, and return how many letters were taken.

        Receivers are served side by side, each his letters one after the other. One that fails is
        left alone until the next round; one that is slow holds up nobody for longer than a try.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        began = self.clock.now()
        with self.store.reading_letters() as letters:
            due = letters.due(began)
        waiting: SimpleQueue[WatchId] = SimpleQueue()
        for watch in due:
            waiting.put(watch)
        taken: list[int] = []
        # Threads that end with the process: it does not wait for a receiver.
        lanes = [
            Thread(target=self._lane, args=(waiting, began + ROUND, taken), daemon=True)
            for _ in range(min(LANES, len(due)))
        ]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        return sum(taken)

    def prune(self) -> int:
        """Forget what was delivered long ago; return how many letters that were.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        with self.store.writing() as work:
            return work.letters.prune(self.clock.now() - self.days * _DAY)

    def _lane(self, waiting: SimpleQueue[WatchId], end: int, taken: list[int]) -> None:
        """Serve one receiver after the other."""
        with contextlib.suppress(Empty):
            while True:
                watch = waiting.get_nowait()
                try:
                    taken.append(self._serve(watch, end))
                except StoreUnavailableError as error:
                    _logger.warning("letters: %s: %s", error.code, error.message)

    def _serve(self, watch: WatchId, end: int) -> int:
        """Send a receiver what is due, until he fails or the round is old."""
        count = 0
        while (found := self._claim(watch)) is not None:
            letter = self._try(*found)
            with self.store.writing() as work:
                work.letters.settle(letter)
            if letter.state is not LetterState.DELIVERED:
                break
            count += 1
            if self.clock.now() >= end:
                break
        return count

    def _claim(self, watch: WatchId) -> tuple[Letter, RecallWatch, bytes] | None:
        now = self.clock.now()
        with self.store.writing() as work:
            letter = work.letters.claim(watch, now, now + LEASE)
            if letter is None:
                return None
            (own,) = (one for one in work.letters.watches() if one.id == watch)
            secret = work.documents.get(DocumentKind.WATCH_SECRET, watch.encode())
        return letter, own, secret or b""

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
        tries, now = letter.tries + 1, self.clock.now()
        return replace(letter, state=LetterState.DELIVERED, tries=tries, due=now, code="")

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
