"""Who wants to hear of recalls: watches are added, listed and removed by the home's owner."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from guildmark.domain.errors import NotFoundError
from guildmark.domain.letters import SECRET_SIZE, Letter, LetterState, RecallWatch, WatchId
from guildmark.ports.chain import Ledger
from guildmark.ports.clock import Entropy
from guildmark.ports.letters import Courier
from guildmark.ports.store import DocumentKind, NodeStore

_ID_SIZE = 8


class WatchUnknownError(NotFoundError):
    """There is no watch of this id."""

    code = "recall.watchUnknown"
    hint = "List them with `guildmark recall watch list`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches:
    """Use cases around who wants to hear of recalls."""

    ledger: Ledger
    store: NodeStore
    entropy: Entropy
    courier: Courier

    def add(self, wanted: RecallWatch) -> tuple[RecallWatch, bytes]:
        """Keep a new watch, from the newest block on; return it, and its secret.

        The secret is shown to nobody again.

        Args:
            wanted: The watch; it gets an id and a time.

        Raises:
            WatchAddressError: Letters cannot be sent there.
            LedgerUnavailableError: The chain cannot be asked for its time.
        """
        self.courier.check(wanted.url)
        watch = replace(
            wanted,
            id=WatchId(self.entropy.token(_ID_SIZE).hex()),
            since=self.ledger.head(final=False).time,
        )
        secret = self.entropy.token(SECRET_SIZE)
        with self.store.writing() as work:
            work.letters.watch(watch)
            work.documents.put(DocumentKind.WATCH_SECRET, watch.id.encode(), secret)
        return watch, secret

    def remove(self, watch: WatchId) -> None:
        """Forget a watch, its secret, and what waits for it.

        Raises:
            WatchUnknownError: There is none of this id.
        """
        with self.store.writing() as work:
            if not work.letters.unwatch(watch):
                raise _unknown(watch)
            work.documents.put(DocumentKind.WATCH_SECRET, watch.encode(), b"")

    def resend(self, watch: WatchId) -> int:
        """Let the dead letters of a watch be sent anew; return how many there are.

        Raises:
            WatchUnknownError: There is none of this id.
        """
        with self.store.writing() as work:
            if watch not in {one.id for one in work.letters.watches()}:
                raise _unknown(watch)
            return work.letters.revive(watch)

    def all(self) -> Sequence[RecallWatch]:
        """Return every watch."""
        with self.store.reading_letters() as letters:
            return letters.watches()

    def letters(self, state: LetterState | None, most: int) -> Sequence[Letter]:
        """Return the newest letters, the newest first; all where no state is named."""
        with self.store.reading_letters() as letters:
            return letters.letters(state, most)


def _unknown(watch: WatchId) -> WatchUnknownError:
    message = f"There is no watch {watch[:40]!r}."
    return WatchUnknownError(message, watch=watch[:40])
