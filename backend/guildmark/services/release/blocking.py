"""What an operator holds back: designs, recipes and machines for which his node releases no keys.

The node's answer to the question that a registry of recalls will be asked, too.
"""

from dataclasses import dataclass

from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import MalformedError, NotFoundError
from guildmark.domain.identifiers import to_hex
from guildmark.ports.clock import Clock
from guildmark.ports.store import DocumentKind, NodeStore

REASON_MAX = 500


class BlockReasonError(MalformedError):
    """A block without a reason, or with a long one."""

    code = "release.blockReason"
    hint = f"Say in up to {REASON_MAX} characters why; whoever asks reads it."


class NotBlockedError(NotFoundError):
    """Nothing of this id is held back."""

    code = "release.notBlocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why and since when something is held back; until when, 0 while it is.

    Args:
        since: Seconds since 1970 by this home's clock.
    """

    reason: str
    since: int
    until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    """Use cases around what is held back; fulfils ``RecallHook``."""

    store: NodeStore
    clock: Clock

    def block(self, thing: bytes, reason: str) -> Held:
        """Hold a design, recipe or machine back from now on.

        Raises:
            BlockReasonError: No reason, or too long a one.
        """
        if not 0 < len(reason.strip()) <= REASON_MAX or not reason.isprintable():
            message = f"A reason has 1 to {REASON_MAX} printable characters."
            raise BlockReasonError(message)
        return self._keep(thing, Held(reason=reason, since=self.clock.now()))

    def unblock(self, thing: bytes) -> Held:
        """Hold something back no longer; what was held back before stays on file.

        Raises:
            NotBlockedError: It is not held back.
        """
        held = self.held(thing)
        if held is None or held.until:
            message = f"Nothing with the id {to_hex(thing)} is held back."
            raise NotBlockedError(message, id=to_hex(thing))
        ended = Held(reason=held.reason, since=held.since, until=self.clock.now())
        return self._keep(thing, ended)

    def held(self, thing: bytes) -> Held | None:
        """Return what is on file about a thing."""
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.BLOCK, thing)
        return None if body is None else codec.load(Held, parse_object(body))

    def reason(self, *things: bytes) -> str | None:
        """Return why one of these is held back, None for none."""
        found = (self.held(thing) for thing in things)
        return next((held.reason for held in found if held and not held.until), None)

    def _keep(self, thing: bytes, held: Held) -> Held:
        with self.store.writing() as work:
            work.documents.put(DocumentKind.BLOCK, thing, canonical(codec.dump(held)))
        return held
