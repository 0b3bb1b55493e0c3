"""What a node does beside answering: the line, step after step, until the process ends."""

import logging
import signal
from asyncio import get_running_loop
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread, current_thread, main_thread
from types import FrameType

from guildmark.domain.errors import GuildmarkError
from guildmark.services.log.line import OTHER_CHAIN, Line

_logger = logging.getLogger(__name__)

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A thread that steps the line.

    Args:
        pause: Seconds between two steps.
        on_failure: Called when no step may follow, because the chain is another one.
    """

    line: Line
    pause: float
    on_failure: Callable[[GuildmarkError], None]
    _ending: Event = field(default_factory=Event)
    _stopping: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def is_ending(self) -> bool:
        """Return whether the process is about to end."""
        return self._ending.is_set()

    def announce_end(self) -> None:
        """Say that the process is about to end; until then the line goes on."""
        self._ending.set()

    def start(self) -> None:
        """Begin stepping."""
        thread = Thread(target=self._run, name="line", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End after the present step; what is open goes on at the next start."""
        self._ending.set()
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.line.step()
            except OTHER_CHAIN as error:
                _logger.critical("%s: %s", error.code, error.message)
                self.on_failure(error)
                return
            except GuildmarkError as error:
                _logger.warning("%s: %s", error.code, error.message)
            self._stopping.wait(self.pause)


@contextmanager
def warned_of_end(announce: Callable[[], None], *, pause: float) -> Iterator[None]:
    """On SIGTERM call ``announce`` at once, and the server's own handler ``pause`` seconds later.

    In between, whoever spreads requests over several nodes sees that this one is not ready. A
    second signal ends the process at once.
    """
    server = signal.getsignal(signal.SIGTERM)
    if current_thread() is not main_thread() or not callable(server):
        yield
        return
    loop = get_running_loop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, server)
        announce()
        loop.call_soon_threadsafe(loop.call_later, pause, server, number, frame)

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server)
