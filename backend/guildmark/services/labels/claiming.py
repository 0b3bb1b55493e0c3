"""First claims: who shows the code under a part's scratch field, once.

The node of the part's log alone takes claims, so that there is one first. It keeps no code, no
name and no address: only a digest of a token that the claimant drew, and the time.
"""

import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Digest, Index, LogNumber
from guildmark.domain.labels.activation import (
    CODE,
    ActivationCode,
    ClaimedBeforeError,
    CodeNotNamedError,
    CodeWrongError,
    FirstClaim,
    PartNotHereError,
    TriedTooOftenError,
    committed,
)
from guildmark.domain.log.note import Note, sign
from guildmark.domain.verification.times import as_time
from guildmark.ports.clock import Clock, Entropy
from guildmark.ports.store import Claims, KeptClaim
from guildmark.services.log.publishing import NOTE_KEY, Publishing

TRIES, TRIES_SECONDS = 10, 60
"""How many claims one network may try at once, and in how many seconds one more is allowed."""

NETWORKS_MAX = 10_000

_TOKEN_SIZE = 32


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each network may try: a bucket of ``TRIES`` that fills up again; in memory alone.

    Args:
        clock: Tells the time.
    """

    clock: Clock
    _left: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict, repr=False)
    _lock: Lock = field(default_factory=Lock)

    def take(self, network: str) -> None:
        """Take one try of a network.

        Raises:
            TriedTooOftenError: It has none left.
        """
        now = self.clock.now()
        with self._lock:
            left, since = self._left.pop(network, (float(TRIES), now))
            left = min(float(TRIES), left + (now - since) / TRIES_SECONDS)
            is_allowed = left >= 1
            self._left[network] = (left - 1 if is_allowed else left, now)
            if len(self._left) > NETWORKS_MAX:
                self._left.popitem(last=False)
        if not is_allowed:
            message = "Too many claims were tried from this network."
            raise TriedTooOftenError(message, seconds=TRIES_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claiming:
    """Use cases around first claims.

    Args:
        publishing: Knows the own log, and signs in its name.
    """

    claims: Claims
    publishing: Publishing
    clock: Clock
    entropy: Entropy
    pace: Pace

    def offer(
        self, place: tuple[LogNumber, Index], code: ActivationCode, *, network: str
    ) -> Bytes32:
        """Return a new token for who shows the code of a part that nobody claimed yet.

        Nothing is claimed by it: a browser that loses the next answer sends the same token again.

        Raises:
            TriedTooOftenError: From there too much was tried.
            PartNotHereError: The own log has no such part.
            CodeNotNamedError: Its statement commits to no code.
            CodeWrongError: It commits to another one.
            ClaimedBeforeError: Somebody was first.
            StoreUnavailableError: The database does not answer.
        """
        self.pace.take(network)
        self._commitment(place, code)
        first = self.claims.kept(*place)
        if first is not None:
            raise _claimed_before(place, first)
        return Bytes32(self.entropy.token(_TOKEN_SIZE))

    def first(self, place: tuple[LogNumber, Index]) -> int | None:
        """Return when a part was claimed, None where it was not.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        kept = self.claims.kept(*place)
        return None if kept is None else kept.time

    def claim(
        self,
        place: tuple[LogNumber, Index],
        code: ActivationCode,
        token: Bytes32,
        *,
        network: str,
    ) -> Note:
        """Claim a part; whoever asks again with his own token gets the same receipt.

        Args:
            place: The part.
            code: The code under the scratch field.
            token: 32 random bytes that the claimant keeps.
            network: From where he asks; it is forgotten.

        Raises:
            TriedTooOftenError: From there too much was tried.
            PartNotHereError: The own log has no such part.
            CodeNotNamedError: Its statement commits to no code.
            CodeWrongError: It commits to another one.
            ClaimedBeforeError: Somebody else was first.
            StoreUnavailableError: The database does not answer.
        """
        self.pace.take(network)
        commitment = self._commitment(place, code)
        mine = KeptClaim(claimant=Digest(sha256(token)), time=self.clock.now())
        first = self.claims.first(*place, mine)
        if not hmac.compare_digest(first.claimant, mine.claimant):
            raise _claimed_before(place, first)
        return self._receipt(place, commitment, first)

    def _commitment(self, place: tuple[LogNumber, Index], code: ActivationCode) -> Digest:
        log, index = place
        with self.publishing.store.reading() as view:
            logged = view.log.logged(log, index) if log == self.publishing.own_log else None
        if logged is None or not logged.queued.entry.kind.is_of_a_part:
            message = f"This node's log has no part {log}.{index}."
            raise PartNotHereError(message)
        statement = BuildStatement.parse(Envelope.parse(logged.queued.envelope).payload)
        named = committed(statement, CODE)
        if not named:
            message = f"The statement about part {log}.{index} names no hidden code."
            raise CodeNotNamedError(message)
        if len(named) > 1 or not hmac.compare_digest(code.digest(statement.label), named[0]):
            message = f"The code is not that of part {log}.{index}."
            raise CodeWrongError(message)
        return named[0]

    def _receipt(
        self, place: tuple[LogNumber, Index], commitment: Digest, first: KeptClaim
    ) -> Note:
        log, index = place
        key, keys = self.publishing.key(log), self.publishing.keys
        text = FirstClaim(
            origin=key.name,
            log=log,
            index=index,
            commitment=commitment,
            claimant=first.claimant,
            time=first.time,
        ).text()
        signature = sign(text, key, lambda data: keys.sign_payload(NOTE_KEY, data))
        return Note(text=text, signatures=(signature,))


def _claimed_before(place: tuple[LogNumber, Index], first: KeptClaim) -> ClaimedBeforeError:
    message = f"Part {place[0]}.{place[1]} was claimed before, at {as_time(first.time)}."
    return ClaimedBeforeError(message, first=first.time)
