"""The present second: nothing on chain is ever in the future."""

from fakes.releases import TickingClock
from guildmark.domain.encoding.hashing import sha256
from guildmark.ports.chain import Block
from guildmark.services.timing import present

NEWEST = Block(number=7, hash=sha256(b"a block"), time=1_700_000_000)


def test_the_newest_block_is_never_in_the_future() -> None:
    assert present(TickingClock(time=NEWEST.time - 1), NEWEST) == NEWEST.time
    assert present(TickingClock(time=NEWEST.time + 1), NEWEST) == NEWEST.time + 1


def test_without_a_block_the_clock_tells_the_time() -> None:
    assert present(TickingClock(time=7), None) == 7
