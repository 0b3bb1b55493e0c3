"""The present second, by which expiries are judged."""

from guildmark.ports.chain import Block
from guildmark.ports.clock import Clock


def present(clock: Clock, newest: Block | None) -> int:
    """Return the present second: that of the newest block where it is ahead of the clock.

    Args:
        clock: This machine's clock.
        newest: The newest block that is known, None where none is.
    """
    return max(clock.now(), 0 if newest is None else newest.time)
