"""The thread of challenges: it goes on after a fault, and tells what is amiss."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event

import pytest

from guildmark.adapters.clock import SystemClock
from guildmark.api.challenging import Challenger
from guildmark.domain.identifiers import Cid
from guildmark.ports import Availability, StoreAnswer, StoreUnavailableError
from guildmark.services.keeping import Keeping, StoreSummary


@dataclass
class Stores:
    """Stores that fail once, then answer."""

    state: Availability
    asked: int = 0
    done: Event = field(default_factory=Event)

    def round(self) -> Iterator[StoreAnswer]:
        self.asked += 1
        if self.asked == 1:
            message = "Away."
            raise StoreUnavailableError(message)
        yield StoreAnswer(store="own", cid=Cid("bafk"), state=self.state)
        if self.asked > 2:
            self.done.set()


def challenged(stores: Stores) -> Challenger:
    challenger = Challenger(keeping=Keeping(stores=stores, clock=SystemClock()), pause=0.001)
    assert challenger.latest is None
    challenger.start()
    assert stores.done.wait(10)
    challenger.stop()
    return challenger


def test_rounds_go_on_after_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    challenger = challenged(Stores(Availability.OK))

    assert challenger.latest is not None
    assert challenger.latest.stores == (StoreSummary(store="own", ok=1),)
    assert [each.getMessage() for each in caplog.records] == ["store.unavailable: Away."]


@pytest.mark.parametrize("state", [Availability.UNAVAILABLE, Availability.INVALID])
def test_what_is_amiss_is_logged(state: Availability, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    challenged(Stores(state))

    counts = (int(state is Availability.UNAVAILABLE), int(state is Availability.INVALID))
    expected = "content store own: {} files unavailable, {} invalid".format(*counts)
    assert expected in [each.getMessage() for each in caplog.records]
