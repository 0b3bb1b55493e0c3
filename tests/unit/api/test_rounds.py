"""Rounds go on until they are stopped, whatever one of them met."""

from threading import Event

from guildmark.api.rounds import Rounds
from guildmark.ports.peers import PeerUnavailableError

LONG = 60.0


def test_a_round_that_fails_stops_no_other() -> None:
    seen: list[int] = []
    third = Event()

    def work() -> None:
        seen.append(len(seen))
        if len(seen) == 1:
            message = "The peer does not answer."
            raise PeerUnavailableError(message)
        if len(seen) == 3:
            third.set()

    rounds = Rounds(name="test", work=work, pause=0.0)
    rounds.start()

    assert third.wait(LONG)
    rounds.stop()
    assert len(seen) >= 3


def test_nothing_begins_where_there_is_nothing_to_do() -> None:
    begun = Event()
    rounds = Rounds(name="test", work=begun.set, pause=0.0, is_wanted=False)

    rounds.start()
    rounds.stop()

    assert not begun.is_set()
