"""A round of challenges is remembered, and what is amiss is told."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from guildmark.adapters.clock import SystemClock
from guildmark.api.challenging import Challenger
from guildmark.domain.identifiers import Cid
from guildmark.ports.content import Availability, StoreAnswer
from guildmark.ports.store import StoreUnavailableError
from guildmark.services.evidence.keeping import Keeping, StoreSummary


@dataclass
class Stores:
    """One store with one file in a state; None is a store that does not answer."""

    state: Availability | None

    def round(self) -> Iterator[StoreAnswer]:
        if self.state is None:
            message = "Away."
            raise StoreUnavailableError(message)
        yield StoreAnswer(store="own", cid=Cid("bafk"), state=self.state)


def challenger(state: Availability | None) -> Challenger:
    return Challenger(keeping=Keeping(stores=Stores(state), clock=SystemClock()))


def test_the_newest_round_is_remembered(caplog: pytest.LogCaptureFixture) -> None:
    challenging = challenger(Availability.OK)

    challenging.round()

    assert challenging.latest is not None
    assert challenging.latest.stores == (StoreSummary(store="own", ok=1),)
    assert caplog.records == []


def test_a_round_that_fails_is_not_remembered() -> None:
    challenging = challenger(None)

    with pytest.raises(StoreUnavailableError, match=r"Away\."):
        challenging.round()

    assert challenging.latest is None


@pytest.mark.parametrize("state", [Availability.UNAVAILABLE, Availability.INVALID])
def test_what_is_amiss_is_logged(state: Availability, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    challenger(state).round()

    counts = (int(state is Availability.UNAVAILABLE), int(state is Availability.INVALID))
    expected = "content store own: {} files unavailable, {} invalid".format(*counts)
    assert [each.getMessage() for each in caplog.records] == [expected]
