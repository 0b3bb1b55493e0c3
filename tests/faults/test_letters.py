"""What the family of letters plays really happens: recalls are told early and taken back."""

from collections import Counter

import pytest

from faults import letters
from faults import rig as rigs
from faults.families import chance_of

pytestmark = [pytest.mark.needs("anvil")]


def test_lives_hold_letters_of_every_kind(rig: rigs.Rig) -> None:
    told = Counter[str]()
    for case in range(2):
        verdict, kinds = letters.play(rig, chance_of("F14", 1, case))
        told += kinds

        assert verdict.is_clean, verdict

    assert set(told) == {"recall.issued", "recall.retracted", "recall.closed"}


def test_the_oracle_sees_letters_that_are_lost_and_recalls_that_are_gone(
    rig: rigs.Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Receivers that believe nothing, then receivers that believe in what the chain has not.
    for believed in ({}, {"a ghost": "issued"}):
        with monkeypatch.context() as patch:
            patch.setattr(letters.Receiver, "recalls", lambda _self, told=believed: told)

            verdict, _ = letters.play(rig, chance_of("F14", 1, 0))

        assert verdict.lost > 0
        assert verdict.differences == tuple(
            f"{name} is gone and was not taken back" for name in believed
        )
