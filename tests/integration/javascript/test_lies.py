"""A server that lies, in a small volume: both verifiers agree, and neither believes it."""

import pytest

import lie_check
from fakes.corpus.good import good_cases
from fakes.lies import KINDS, World, lies
from fakes.lying_node import HTTP_LIES
from guildmark.domain.verification.report import Verdict
from guildmark.verify import verify_bundle

# Another seed than that of the long run, so that both together see more.
SEED = 7
_EACH = 6
_OVER_HTTP = 14


@pytest.fixture(scope="module")
def world() -> World:
    """Return the bundles that are good."""
    return World(list(good_cases()))


def test_both_verifiers_agree_on_every_lie_and_believe_none(world: World) -> None:
    tally = lie_check.Tally()

    lie_check.judge(world, list(lies(world, seed=SEED, count=_EACH * len(KINDS))), tally)

    assert tally.told == []
    assert {row["kind"]: row["lies"] for row in tally.rows(SEED)} == dict.fromkeys(KINDS, _EACH)
    # Lies that no check looks into would prove nothing.
    assert sum(row["problem"] for row in tally.rows(SEED)) > _EACH * len(KINDS) // 2


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_command_believes_nothing_that_a_node_says_over_http(world: World) -> None:
    tally = lie_check.Tally()

    lie_check.ask(world, tally, seed=SEED, count=_OVER_HTTP)

    assert tally.told == []
    assert set(tally.counts) == set(HTTP_LIES)
    slow = [tally.counts[kind] for kind in ("dripping", "silence", "without an end")]
    assert all(set(found) == {"uncheckable"} for found in slow)


def test_a_lie_that_is_believed_is_told(world: World) -> None:
    (lie,) = lies(world, seed=SEED, count=1)
    honest = lie.truth.given
    report = verify_bundle(honest.bundle, honest.trust, honest.question)
    believing = type(lie)(kind=lie.kind, truth=lie.truth, given=honest)
    other_part = next(one for one in world.truths if one.place != lie.truth.place)

    assert report.verdict is Verdict.VERIFIED
    assert world.admits(believing, report)
    elsewhere = type(lie)(kind=lie.kind, truth=other_part, given=honest)
    assert not world.admits(elsewhere, report)


def test_the_table_adds_up() -> None:
    tally = lie_check.Tally()
    tally.add("a", "problem")
    tally.add("a", "accepted", "a 1.2")
    tally.add("b", "disagreed", "b 1.3: (2) says something else")

    rows = tally.rows(1)

    assert [(row["lies"], row["accepted"], row["disagreed"]) for row in rows] == [
        (2, 1, 0),
        (0, 0, 1),
    ]
    assert tally.told == ["a: accepted: a 1.2", "b: disagreed: b 1.3: (2) says something else"]
    assert lie_check.table(rows).splitlines()[-1] == "| all | 2 | 1 | 0 | 0 | 0 | 0 | 1 | 1 |"
