"""Letters about recalls, and who brings them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from guildmark.domain.errors import (
    MalformedError,
    NetworkError,
)
from guildmark.domain.letters import (
    Letter,
    LetterId,
    LetterState,
    RecallWatch,
    Told,
    WatchId,
)
from guildmark.domain.recall import RecallId


class UndeliveredError(NetworkError):
    """A letter was not taken: nobody answers, in time or at all, or the answer is no 2xx."""

    code = "letter.undelivered"
    hint = "Look at the receiver; the node tries again for three days."


class WatchAddressError(MalformedError):
    """Letters cannot be sent to an address."""

    code = "recall.watchAddress"
    hint = "Give an https address without a user in it; http is for this machine alone."


class AddressForbiddenError(UndeliveredError):
    """The receiver's name leads to an address of a private network, or to none."""

    code = "letter.addressForbidden"
    hint = "Name a public host, or add the watch again with --private."


class AddressGoneError(UndeliveredError):
    """The receiver answers 410: it wants no more letters."""

    code = "letter.addressGone"
    hint = "Remove the watch, or add it again with the new address."


class LetterReader(Protocol):
    """What was told of recalls, as of one state: to whom, what, and what waits to go out."""

    def watches(self) -> Sequence[RecallWatch]:
        """Return who wants to hear of recalls."""
        ...

    def told(self, recall: RecallId) -> Told | None:
        """Return what was last told of a recall."""
        ...

    def early(self) -> Sequence[Told]:
        """Return what was told before it was final."""
        ...

    def holders(self, letter: LetterId) -> Collection[WatchId]:
        """Return the watches that have, or will get, a letter."""
        ...

    def due(self, now: int) -> Sequence[WatchId]:
        """Return whose letters can be claimed, the longest waiting first."""
        ...

    def letters(self, state: LetterState | None, most: int) -> Sequence[Letter]:
        """Return the newest letters, the newest first; all where no state is named."""
        ...

    def dead_count(self) -> int:
        """Return how many letters are not sent again."""
        ...


class Letters(LetterReader, Protocol):
    """The same inside one transaction."""

    def watch(self, watch: RecallWatch) -> None:
        """Keep a new watch."""
        ...

    def unwatch(self, watch: WatchId) -> bool:
        """Forget a watch and its letters; return whether there was one."""
        ...

    def keep(self, told: Told) -> None:
        """Keep what was told of a recall, instead of what was told before."""
        ...

    def post(self, letter: Letter) -> None:
        """Let a letter wait to be sent, unless its watch has that event already."""
        ...

    def claim(self, watch: WatchId, now: int, until: int) -> Letter | None:
        """Return the next letter of a watch that is due, and keep others from it for a while.

        A letter waits until all earlier ones of its watch and recall were sent, or are dead.

        Args:
            watch: Whose letter.
            now: The present.
            until: How long nobody else shall send it.
        """
        ...

    def settle(self, letter: Letter) -> None:
        """Keep what a try led to."""
        ...

    def revive(self, watch: WatchId) -> int:
        """Let the dead letters of a watch be sent as if they were new; return how many."""
        ...

    def prune(self, before: int) -> int:
        """Forget the letters that were delivered before a time; return how many."""
        ...


class Courier(Protocol):
    """What brings letters to their addresses."""

    def check(self, url: str) -> None:
        """Check that letters can be sent to an address.

        Raises:
            WatchAddressError: They cannot.
        """
        ...

    def deliver(
        self, url: str, body: bytes, headers: Mapping[str, str], *, allows_private: bool
    ) -> None:
        """Send a letter; it was taken where this returns.

        Raises:
            UndeliveredError: Nobody took it; another try may succeed.
            AddressGoneError: The receiver wants no more letters.
        """
        ...
