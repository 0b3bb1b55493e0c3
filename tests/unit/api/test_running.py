"""The thread beside the server: it goes on after a fault, and ends where the chain is another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import cast

import pytest

from guildmark.api.running import Runner
from guildmark.domain.errors import GuildmarkError
from guildmark.ports.chain import GenesisMismatchError, LedgerUnavailableError, WrongChainError
from guildmark.services.index.indexing import (
    HistoryLostError,
    HistoryRewrittenError,
    NodeBehindError,
)
from guildmark.services.log.line import Line


@dataclass
class Steps:
    """A line whose steps fail one after the other, then succeed."""

    errors: list[GuildmarkError]
    taken: int = 0
    done: Event = field(default_factory=Event)

    def step(self) -> None:
        self.taken += 1
        if self.errors:
            raise self.errors.pop(0)
        self.done.set()


def runner(steps: Steps, on_failure: Callable[[GuildmarkError], None]) -> Runner:
    return Runner(line=cast("Line", steps), pause=0.001, on_failure=on_failure)


def test_line_goes_on_after_a_fault() -> None:
    steps = Steps([LedgerUnavailableError("Away."), NodeBehindError("Behind.")])
    failures: list[GuildmarkError] = []
    running = runner(steps, failures.append)

    running.start()

    assert steps.done.wait(10)
    assert not running.is_ending()
    running.stop()
    assert failures == []
    assert steps.taken >= 3


@pytest.mark.parametrize(
    "kind", [WrongChainError, GenesisMismatchError, HistoryRewrittenError, HistoryLostError]
)
def test_line_ends_where_the_chain_is_another(kind: type[GuildmarkError]) -> None:
    steps = Steps([kind("Another chain.")])
    failures: list[GuildmarkError] = []
    failed = Event()

    def on_failure(error: GuildmarkError) -> None:
        failures.append(error)
        failed.set()

    running = runner(steps, on_failure)
    running.start()

    assert failed.wait(10)
    running.stop()
    assert [error.code for error in failures] == [kind.code]
    assert steps.taken == 1
