"""The agent at work: machine after machine, turn after turn, until the process ends."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from guildmark.adapters.fieldwork.settings import Watch
from guildmark.agent.local import Door, listen, server
from guildmark.agent.pages import Pages
from guildmark.domain.errors import GuildmarkError, NetworkError
from guildmark.domain.shopfloor.fieldwork import backoff
from guildmark.outfit import Agent
from guildmark.ports.shopfloor import Machine
from guildmark.services.log.ingest import UnitMismatchError
from guildmark.services.shopfloor.sending import ForeignUnitError

_logger = logging.getLogger(__name__)


class AgentMemoryShortError(NetworkError):
    """The agent has no memory left for a step; it is tried again at the next turn."""

    code = "agent.memoryShort"
    hint = "Give the agent's process more memory, or watch fewer machines with it."


@dataclass(slots=True)
class Runner:
    """Does an agent's work in one thread.

    Time between two tries is that of a clock that nobody sets: a jump of the day's clock neither
    wakes nor delays anything.

    Args:
        agent: The agent.
        stopping: Set when the process is to end.
        clock: Seconds of a clock that only goes forward.
    """

    agent: Agent
    stopping: Event
    clock: Callable[[], float] = time.monotonic
    _sources: dict[str, Machine] = field(init=False, default_factory=dict)
    _told: dict[str, str | None] = field(init=False, default_factory=dict)
    _asked: dict[str, GuildmarkError | None] = field(init=False, default_factory=dict)
    _failures: int = field(init=False, default=0)
    _ask_at: float = field(init=False, default=0.0)

    def run(self) -> None:
        """Work until told to stop; what is in the middle of a step ends it."""
        try:
            while not self.stopping.is_set():
                self.turn()
                self.stopping.wait(self.agent.settings.poll_seconds)
        finally:
            for source in self._sources.values():
                source.close()

    def turn(self) -> None:
        """Look at each machine once, then at the node where it is time to."""
        asks = self.clock() >= self._ask_at
        errors: dict[str, GuildmarkError | None] = {}
        for watch in self.agent.settings.watches:
            errors[watch.post.name] = self._machine(watch, asks=asks)
        if asks:
            self._node(errors)
            self._asked = dict(errors)
        for name, error in errors.items():
            # Until the node is asked again, what it said last stands.
            self._remember(name, error or self._asked.get(name))

    def _machine(self, watch: Watch, *, asks: bool) -> GuildmarkError | None:
        """Return what went wrong first with a machine; one that fails holds up no other."""
        agent, post = self.agent, watch.post
        steps: list[Callable[[], object]] = [
            lambda: agent.watching.observe(post, self._source(watch)),
            *self._measuring(watch),
            lambda: agent.attesting.sign(post),
        ]
        if asks:
            # Before the machine is looked at: a job that begins now gets the newest beacon.
            steps = [lambda: agent.sending.inform(post), *steps]
            steps.insert(-1, lambda: self._mend(watch))
        found = [error for step in steps if (error := _failure(step)) is not None]
        return found[0] if found else None

    def _measuring(self, watch: Watch) -> Sequence[Callable[[], object]]:
        gauge, watching = watch.gauge, self.agent.watching
        if gauge is None:
            return ()
        return (
            lambda: watching.observe(gauge.post, self._source(gauge)),
            lambda: watching.measure(watch.post),
        )

    def _mend(self, watch: Watch) -> None:
        try:
            self.agent.attesting.mend(watch.post)
        except UnitMismatchError as error:
            self.agent.sending.pause(
                watch.post.name, code=ForeignUnitError.code, reason=error.message
            )

    def _node(self, errors: dict[str, GuildmarkError | None]) -> None:
        agent = self.agent
        sending = agent.sending
        steps = (sending.send, sending.follow, agent.storing.deliver, sending.show)
        failed = next((error for step in steps if (error := _failure(step)) is not None), None)
        self._failures = 0 if failed is None else self._failures + 1
        pause = agent.settings.ask_seconds
        if failed is not None:
            # Chance spreads agents over time; nothing secret depends on it.
            pause = max(pause, backoff(self._failures, random.random()))  # noqa: S311 - see above
            for name, error in errors.items():
                errors[name] = error or failed
        self._ask_at = self.clock() + pause

    def _source(self, watch: Watch) -> Machine:
        name = watch.post.name
        if name not in self._sources:
            self._sources[name] = self.agent.source(watch)
        return self._sources[name]

    def _remember(self, name: str, error: GuildmarkError | None) -> None:
        if error is not None and self._told.get(name) != error.code:
            _logger.warning("%s: %s: %s", name, error.code, error.message)
        self._told[name] = None if error is None else error.code
        failed = _failure(lambda: self.agent.sending.fail(name, error))
        if failed is not None:
            _logger.critical("%s: %s", failed.code, failed.message)


def work(agent: Agent, *, once: bool, announce: Callable[[str], None]) -> None:
    """Run an agent and its page until SIGTERM or Ctrl-C, or the agent for one turn.

    Args:
        agent: The agent.
        once: Whether one turn is enough.
        announce: Hears the page's address.

    Raises:
        PagePortError: The page's port is taken.
        Exception: The work met something that nobody foresaw; a process that does no work ends,
            so that whoever supervises it starts it anew.
    """
    stopping = Event()
    runner = Runner(agent, stopping)
    if once:
        runner.turn()
        stopping.set()
        runner.run()
        return
    listener, hosts = listen(agent.settings.port)
    with listener:
        application = Pages(agent=agent, door=Door(hosts=hosts)).application()
        announce(f"http://127.0.0.1:{listener.getsockname()[1]}")
        page = server(application)
        with ThreadPoolExecutor(1, "agent") as threads:
            working = threads.submit(runner.run)
            working.add_done_callback(lambda _: setattr(page, "should_exit", True))
            try:
                page.run(sockets=[listener])
            finally:
                stopping.set()
            working.result()


def _failure(step: Callable[[], object]) -> GuildmarkError | None:
    try:
        step()
    except GuildmarkError as error:
        return error
    except MemoryError:
        return AgentMemoryShortError("The agent has no memory left for this step.")
    return None
