"""Rounds of challenges, summed up store by store."""

from dataclasses import dataclass

import pytest

from fakes.content import MemoryStores
from guildmark.domain.identifiers import Cid
from guildmark.ports.content import Availability, StoreAnswer
from guildmark.services.evidence.keeping import Keeping, Round, StoreSummary


@dataclass
class Noon:
    """A clock that stands."""

    def now(self) -> int:
        return 43_200


def answer(store: str, state: Availability, *, mended: bool = False) -> StoreAnswer:
    return StoreAnswer(store=store, cid=Cid("bafk"), state=state, mended=mended)


def summed(*answers: StoreAnswer) -> Round:
    return Keeping(stores=MemoryStores(list(answers)), clock=Noon()).round()


def test_answers_are_counted_store_by_store() -> None:
    found = summed(
        answer("own", Availability.OK),
        answer("kubo 1", Availability.UNAVAILABLE),
        answer("own", Availability.OK, mended=True),
        answer("kubo 1", Availability.INVALID),
    )

    assert found == Round(
        at=43_200,
        stores=(
            StoreSummary(store="own", ok=2, mended=1),
            StoreSummary(store="kubo 1", unavailable=1, invalid=1),
        ),
    )
    assert [found.stores[1].count(state) for state in Availability] == [0, 1, 1]


@pytest.mark.parametrize(
    ("state", "whole"),
    [
        (Availability.OK, True),
        (Availability.UNAVAILABLE, False),
        (Availability.INVALID, False),
    ],
)
def test_a_round_is_whole_where_every_store_holds_every_file(
    state: Availability, whole: bool
) -> None:
    assert summed(answer("own", Availability.OK), answer("own", state)).is_whole is whole


def test_nothing_to_keep_is_whole() -> None:
    assert summed() == Round(at=43_200, stores=())
    assert summed().is_whole
