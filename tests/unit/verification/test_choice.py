"""Whom an asker lists: so many of a kind as one bundle answers for."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.simulator import Simulator, identity
from guildmark.domain.trust import Listed, Trust
from guildmark.domain.verification.choice import ANYBODY, CHOSEN_MAX, Choice, ChoiceTooLongError

MANY = tuple(Listed(id=identity(f"listed {number}")) for number in range(CHOSEN_MAX + 1))
KINDS = ("authorities", "issuers", "inspectors")


def listing(kind: str, listed: tuple[Listed, ...]) -> Trust:
    changes: dict[str, Any] = {kind: listed}
    return replace(Simulator().trust(), **changes)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_taken_up_to_its_bound(kind: str) -> None:
    most, beyond = listing(kind, MANY[:-1]), listing(kind, MANY)

    assert getattr(Choice.of(most), kind) == tuple(one.id for one in MANY[:-1])
    with pytest.raises(ChoiceTooLongError, match=f"17 {kind} are named") as caught:
        Choice.of(beyond)
    assert (caught.value.code, caught.value.detail) == (
        "bundle.choiceTooLong",
        {"found": CHOSEN_MAX + 1, "limit": CHOSEN_MAX},
    )


def test_who_is_listed_for_several_times_is_named_once() -> None:
    twice = (Listed(id=MANY[0].id, until=5), Listed(id=MANY[0].id, since=9))

    assert Choice.of(replace(Simulator().trust(), authorities=twice)).authorities == (MANY[0].id,)


def test_a_verifier_asks_for_as_many_as_there_is_room_for() -> None:
    trust = replace(Simulator().trust(), authorities=MANY, inspectors=MANY)

    asked = Choice.of_notices_and_inspections(trust)

    assert (len(asked.authorities), len(asked.inspectors)) == (CHOSEN_MAX, CHOSEN_MAX)
    assert asked.issuers == ()
    assert Choice.of_notices_and_inspections(None) == ANYBODY
