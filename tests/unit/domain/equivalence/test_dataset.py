import random

import pytest

import comparing
from guildmark.domain.encoding.fields import MemberMissingError
from guildmark.domain.equivalence.dataset import opened_readings, ordered, reading_list
from guildmark.domain.identifiers import Bytes32

SECRET = Bytes32(bytes(32))
READINGS = comparing.drawn(comparing.SITE, 1)


def test_the_root_of_data_does_not_depend_on_the_order_it_came_in() -> None:
    mixed = random.Random(1).sample(READINGS, len(READINGS))

    assert mixed != list(READINGS)
    assert reading_list(mixed, SECRET).root() == reading_list(READINGS, SECRET).root()


def test_one_digit_more_is_another_root() -> None:
    changed = comparing.reading(comparing.SITE, 1, 1, str(READINGS[0].value) + "0")

    assert reading_list((changed, *READINGS[1:]), SECRET) != reading_list(READINGS, SECRET)


def test_opened_leaves_are_the_readings() -> None:
    listed = reading_list(READINGS, SECRET)

    shown = listed.open([0, 5]).verify(listed.root())

    assert opened_readings(shown.values()) == (ordered(READINGS)[0], ordered(READINGS)[5])


def test_a_reading_without_a_raw_file_has_its_place_too() -> None:
    bare = comparing.reading(comparing.SITE, 1, 1, "20", raw=None)

    assert ordered([READINGS[1], bare])[0] is bare


def test_a_leaf_that_holds_no_reading_is_refused() -> None:
    with pytest.raises(MemberMissingError):
        opened_readings([b"{}"])
