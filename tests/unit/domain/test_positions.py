"""A node's answer to a label: where its entries are."""

import pytest

from guildmark.domain.errors import MalformedError
from guildmark.domain.log.positions import read_positions


def test_the_first_position_goes_before_the_others() -> None:
    data = b'{"log":1,"index":103,"others":[{"log":2,"index":0}]}'

    assert read_positions(data) == [(1, 103), (2, 0)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"log":1,"index":1}',
        b'{"log":1,"index":-1,"others":[]}',
        b'{"log":1,"index":1,"others":[{"log":1}]}',
        b'{"log":1,"index":1,"others":[],"more":1}',
    ],
)
def test_another_answer_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_positions(data)
