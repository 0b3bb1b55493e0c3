"""Cases for causes that several checks share."""

from fakes.cases.draft import Draft, breaks, word
from fakes.cases.record import BEACON


@breaks(3, "statementUnread", 12, decides=False)
def nothing_can_be_read(draft: Draft) -> None:
    draft.simulator.envelope = b"\xff"


@breaks(2, "windowUnknown", 19, decides=False)
def time_of_the_build_is_not_known(draft: Draft) -> None:
    word(BEACON, 0)(draft)
