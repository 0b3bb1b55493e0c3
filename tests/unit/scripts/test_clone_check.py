"""How the scan rules do where people scan otherwise than the rules assume."""

from dataclasses import replace

import pytest

import clone_check


@pytest.mark.parametrize(
    ("share", "recall", "precision"), [(1.0, 0.95, 0.6), (0.5, 0.6, 0.5), (0.05, 0.0, 0.0)]
)
def test_the_more_copies_are_scanned_the_more_are_found(
    share: float, recall: float, precision: float
) -> None:
    found = clone_check.row(share, 2_000, seed=3)

    assert found["copied"] == 20
    assert found["recall"] >= recall
    assert found["precision"] >= precision
    # One in 200 is too many for a note that frightens people.
    assert found["wrong"] <= 2_000 / 200


def test_copies_that_nobody_scans_are_not_found() -> None:
    people = replace(clone_check.PEOPLE, shown=0, away=0)

    found = clone_check.row(0.0, 1_000, seed=3, people=people)

    assert found["recall"] <= 0.1


def test_a_run_can_be_repeated_by_its_seed() -> None:
    assert clone_check.row(0.5, 300, seed=4) == clone_check.row(0.5, 300, seed=4)
    assert clone_check.row(0.5, 300, seed=4)["seed"] == 4
