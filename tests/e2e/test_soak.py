"""F24 at a small volume: a node that works loses and doubles nothing, and its growth is told."""

from dataclasses import replace

import pytest

import stages
from guildmark.domain.identifiers import Bytes32, Digest
from soak.growth import database_a_million, memory_a_million, memory_an_hour
from soak.life import Soak, play
from stages import Played

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]

COUNT = 250


@pytest.fixture(scope="module")
def played(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return stages.played(pytestconfig, lambda: tmp_path_factory.mktemp("stage"))


def test_a_node_that_works_loses_and_doubles_nothing(played: Played) -> None:
    (workshop,) = stages.new_workshops(played, 1, units=COUNT)
    soak = Soak(stage=played.stage, scene=played.scene, workshop=workshop)
    # Others play on the same stage; what they left there is not this work's.
    before = soak.judge()

    verdict = play(soak, count=COUNT, seconds=600.0, every=0.0, tell=lambda _text: None)

    assert verdict == replace(before, acknowledged=COUNT)
    assert verdict.lost == 0
    names = {"chain", "operator-1", "operator-2"}
    assert [one.entries for one in soak.samples] == [0, 100, 200, 250]
    assert {name for one in soak.samples for name in one.resident} >= names
    assert all(size > 1 << 20 for one in soak.samples for size in one.resident.values())
    assert all(memory_an_hour(soak.samples, name) for name in names)
    assert all(memory_a_million(soak.samples, name) for name in names)
    grown = database_a_million(soak.samples)
    assert grown is not None
    # So few entries may lie in room that the files have already.
    assert grown.slope >= 0
    # The oracle sees what was acknowledged and never taken.
    soak.sent.add(Digest(Bytes32(bytes(32))))
    assert soak.judge() == replace(verdict, acknowledged=COUNT + 1, lost=1)
