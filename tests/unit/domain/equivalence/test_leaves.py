from dataclasses import replace

import pytest

from guildmark.domain.equivalence.leaves import Opening, OpeningMismatchError, SaltedList
from guildmark.domain.identifiers import Bytes32, Digest

SECRET = Bytes32(bytes(range(32)))
LISTED = SaltedList(secret=SECRET, items=(b"19.98", b"20.01", b"20.03"))


def test_an_opening_shows_its_items_and_no_other() -> None:
    opening = LISTED.open([0, 2])

    assert opening.verify(LISTED.root()) == {0: b"19.98", 2: b"20.03"}
    assert b"20.01" not in {one.item for one in opening.shown}


def test_nothing_needs_to_be_shown() -> None:
    assert LISTED.open([]).verify(LISTED.root()) == {}


def test_each_item_has_a_salt_of_its_own() -> None:
    twins = SaltedList(secret=SECRET, items=(b"20.00", b"20.00")).open([0, 1])

    assert twins.leaves[0] != twins.leaves[1]
    assert twins.shown[0].salt != twins.shown[1].salt


def test_another_secret_gives_another_root() -> None:
    other = replace(LISTED, secret=Bytes32(bytes(32)))

    assert other.root() != LISTED.root()


@pytest.mark.parametrize(
    "change", [{"item": b"19.99"}, {"number": 1}, {"number": 3}, {"number": -1}]
)
def test_an_item_that_is_not_its_leaf_is_refused(change: dict[str, object]) -> None:
    opening = LISTED.open([0])
    changed = replace(opening, shown=(replace(opening.shown[0], **change),))  # type: ignore[arg-type]

    with pytest.raises(OpeningMismatchError, match="not number"):
        changed.verify(LISTED.root())


@pytest.mark.parametrize("leaves", [(), (Digest(bytes(32)),)])
def test_leaves_that_lead_elsewhere_are_refused(leaves: tuple[Digest, ...]) -> None:
    with pytest.raises(OpeningMismatchError, match="do not lead"):
        Opening(leaves=leaves, shown=()).verify(LISTED.root())
