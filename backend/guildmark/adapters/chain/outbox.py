"""The ``Transactions`` port: signed, stored, sent, seen, final; each step once, whatever breaks.

REQUESTED -> SIGNED -> SENT -> INCLUDED -> FINAL; FAILED when final with a revert; back to SENT
when its block is undone, back to REQUESTED when its nonce is proven to be spent by another.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import orjson

from guildmark.adapters.chain import progress
from guildmark.adapters.chain.codec import function
from guildmark.adapters.chain.ledger import decoded_event
from guildmark.adapters.chain.look import Looker
from guildmark.adapters.chain.rpc import RpcRefusedError
from guildmark.adapters.chain.signing import Signing
from guildmark.adapters.store.outbox import OutboxTable, Outgoing, Request, State
from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.chain.refusals import CallRefusedError
from guildmark.domain.errors import GuildmarkError, NetworkError, SettingsError, error_of
from guildmark.domain.identifiers import Digest
from guildmark.ports.chain import (
    Block,
    Call,
    FeeLimitError,
    Finality,
    IdempotencyMismatchError,
    LedgerUnavailableError,
    NotFinalInTimeError,
    TransactionId,
    TransactionSettledError,
    TransactionState,
    TransactionStatus,
    TransactionUnknownError,
    WriterBusyError,
)
from guildmark.ports.clock import Clock
from guildmark.ports.keys import KeyName, KeyStore

_logger = logging.getLogger(__name__)

_PAUSE_MIN = 0.02
_PAUSE_MAX = 1.0
_ROUND = 200

_STATES: Mapping[State, TransactionState] = MappingProxyType(
    {
        State.REQUESTED: TransactionState.PENDING,
        State.SIGNED: TransactionState.PENDING,
        State.SENT: TransactionState.PENDING,
        State.INCLUDED: TransactionState.INCLUDED,
        State.FINAL: TransactionState.FINAL,
        State.FAILED: TransactionState.FAILED,
    }
)

_ENOUGH: Mapping[Finality, frozenset[TransactionState]] = MappingProxyType(
    {
        Finality.PENDING: frozenset(TransactionState),
        Finality.INCLUDED: frozenset({TransactionState.INCLUDED, TransactionState.FINAL}),
        Finality.FINAL: frozenset({TransactionState.FINAL}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When the outbox does more than look.

    Args:
        stuck_seconds: After how long without a block a transaction gets a dearer attempt.
        again_seconds: After how long the same bytes are sent again.
        cancel_seconds: After how long at the fee limit a transaction is taken back.
    """

    stuck_seconds: int = 60
    again_seconds: int = 15
    cancel_seconds: int = 3_600


def _go_on(_step: str) -> None:
    """Go on after a step."""


@dataclass(slots=True, kw_only=True)
class Outbox:
    """The outbox of a home over one node of its chain.

    Args:
        on_step: Called between any two steps that a crash could part; tests end the process there.
    """

    table: OutboxTable
    looker: Looker
    signing: Signing
    keys: KeyStore
    clock: Clock
    patience: Patience = Patience()
    on_step: Callable[[str], None] = _go_on
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _sent: dict[Digest, int] = field(default_factory=dict, init=False)

    @property
    def chain(self) -> ChainPin:
        """Return the chain that everything is signed for."""
        return self.looker.chain

    def submit(
        self, call: Call, *, key: KeyName, idempotency: str, former: str | None = None
    ) -> TransactionId:
        """Sign, store and send a call; the same ``idempotency`` gives the same id."""
        request = self._request(call, key, idempotency)
        known = self._before(request, former)
        try:
            signed = self.signing.enter(request) if known is None else None
            if signed is not None:
                self.on_step("signed")
                self._round([signed])
                return request.id
            known = known or self.table.find(request.id)
            if known is not None:
                return _same(known, request)
            if request.gas is None:
                request = replace(request, gas=self.signing.try_out(request))
            self._store(request)
            self._push(self._found(request.id))
        except LedgerUnavailableError as error:
            self._store(request)
            _logger.warning("%s is stored and not sent: %s", request.id, error.message)
        return request.id

    def status(self, transaction: TransactionId) -> TransactionStatus:
        """Return what became of a transaction, as far as it was seen."""
        return self._status(self._found(transaction))

    def wait(
        self, transaction: TransactionId, *, finality: Finality, timeout: float
    ) -> TransactionStatus:
        """Return the status once it is at least that settled."""
        deadline, pause = self.monotonic() + timeout, _PAUSE_MIN
        while True:
            status = self.status(transaction)
            if _has_failed(status, finality):
                raise _failure(status)
            if status.state in _ENOUGH[finality]:
                return status
            if self.monotonic() >= deadline:
                raise _late(status, finality, timeout)
            self._push(self._found(transaction))
            if self.status(transaction) == status:
                self._push_earlier(self._found(transaction))
                self.sleep(pause)
                pause = min(2 * pause, _PAUSE_MAX)

    def bump(self, transaction: TransactionId) -> TransactionStatus:
        """Offer more for a transaction that no block has, and send it."""
        outgoing = self._unsettled(transaction)
        if outgoing.attempts and not self.signing.sign_again(outgoing):
            message = f"The offer for {outgoing.request.id} is at the fee limit."
            raise FeeLimitError(message, transaction=outgoing.request.id)
        self._push(self._found(transaction))
        return self.status(transaction)

    def cancel(self, transaction: TransactionId) -> TransactionStatus:
        """Take a transaction back that no block has; which of the two lands the chain decides."""
        outgoing = self._unsettled(transaction)
        if not outgoing.attempts:
            self.table.apply([progress.cancelled(outgoing)], at=self.clock.now())
        elif not self.signing.cancel(outgoing):
            message = f"The offer to take {outgoing.request.id} back is at its limit."
            raise FeeLimitError(message, transaction=outgoing.request.id)
        else:
            self._push(self._found(transaction))
        return self.status(transaction)

    def _unsettled(self, transaction: TransactionId) -> Outgoing:
        outgoing = self._found(transaction)
        if outgoing.state in {State.REQUESTED, State.SIGNED, State.SENT}:
            return outgoing
        message = f"The transaction {transaction} is {_STATES[outgoing.state]}."
        raise TransactionSettledError(message, transaction=transaction)

    def advance(self) -> int:
        """Send, look and bump whatever is open, once; return how many transactions are open."""
        outgoings = self._open()
        stuck = [item for item in outgoings if self._is_stuck(item)]
        for outgoing in outgoings:
            self._prepare(outgoing)
        if outgoings:
            self._round(self._open())
            self._fill_gaps(stuck)
        return len(self._open())

    def _open(self) -> Sequence[Outgoing]:
        return self.table.open(self.chain.chain_id, _ROUND)

    def _store(self, request: Request) -> None:
        self.table.request(request, at=self.clock.now())
        self.on_step("requested")

    def _push(self, outgoing: Outgoing) -> None:
        self._prepare(outgoing)
        self._round([self._found(outgoing.request.id)])

    def _push_earlier(self, outgoing: Outgoing) -> None:
        """Send again what its sender signed before: no block takes it without these.

        Where no node runs nobody else does, and one that could not be paid for may be paid for now.
        """
        if not outgoing.attempts:
            return
        earlier = [item for item in self._open() if _precedes(item, outgoing)]
        if any(map(self._is_due, earlier)):
            self._round(earlier)

    def _prepare(self, outgoing: Outgoing) -> None:
        """Sign what is requested; sign again, dearer, what is stuck; take back what never lands."""
        try:
            if outgoing.state is State.REQUESTED:
                self._sign(outgoing)
            elif self._is_stuck(outgoing):
                self._hurry(outgoing)
            else:
                return
        except WriterBusyError as busy:
            self._note(outgoing, busy)
        self.on_step("signed")

    def _hurry(self, outgoing: Outgoing) -> None:
        waited = self.clock.now() - outgoing.changed
        if not self.signing.sign_again(outgoing) and waited >= self.patience.cancel_seconds:
            _logger.warning("%s is taken back: it did not land", outgoing.request.id)
            self.signing.cancel(outgoing)

    def _note(self, outgoing: Outgoing, busy: WriterBusyError) -> None:
        _logger.info("%s waits: %s", outgoing.request.id, busy.message)
        change = progress.noted(outgoing, busy)
        if change is not None and outgoing.state is State.REQUESTED:
            self.table.apply([change], at=self.clock.now())

    def _sign(self, outgoing: Outgoing) -> None:
        try:
            self.signing.sign(outgoing)
        except (NetworkError, SettingsError, WriterBusyError):
            raise
        except GuildmarkError as error:
            # Tried out only now, since the node was away before: the contract refuses it.
            self.table.apply([progress.failed(outgoing, error)], at=self.clock.now())

    def _is_stuck(self, outgoing: Outgoing) -> bool:
        waited = self.clock.now() - outgoing.changed
        # What the node refuses to take at this price is as stuck as what no block takes.
        is_refused = outgoing.state is State.SIGNED and outgoing.code == RpcRefusedError.code
        is_waiting = outgoing.state is State.SENT or is_refused
        return is_waiting and waited >= self.patience.stuck_seconds

    def _round(self, outgoings: Sequence[Outgoing]) -> None:
        """Exchange once with the node and write what follows."""
        watched = [outgoing for outgoing in outgoings if outgoing.attempts]
        sending = [outgoing.attempts[-1] for outgoing in watched if self._is_due(outgoing)]
        self.on_step("sending")
        try:
            view = self.looker.exchange(sending, watched)
        except GuildmarkError:
            self.signing.doubt()
            raise
        self.on_step("sent")
        self.signing.saw(view)
        self._sent |= dict.fromkeys(view.sent, self.clock.now())
        changes = [progress.change(item, view, self.looker.reason) for item in watched]
        found = [change for change in changes if change is not None]
        self.table.apply(found, at=self.clock.now())
        self._forget({change.number for change in found if change.is_settled}, watched)
        self.on_step("seen")

    def _forget(self, settled: set[int], watched: Sequence[Outgoing]) -> None:
        for item in watched:
            if item.number in settled:
                for attempt in item.attempts:
                    self._sent.pop(attempt.hash, None)

    def _is_due(self, outgoing: Outgoing) -> bool:
        """Return whether its newest bytes shall be sent now: new, undone, or not seen for long."""
        newest = outgoing.attempts[-1].hash
        if outgoing.state is State.INCLUDED:
            # Should its block be undone, the same bytes are sent again at once.
            self._sent.pop(newest, None)
            return False
        last = self._sent.get(newest)
        return last is None or self.clock.now() - last >= self.patience.again_seconds

    def _fill_gaps(self, stuck: Sequence[Outgoing]) -> None:
        """Use up left-out nonces, which stop everything above them."""
        for sender in sorted({item.request.sender for item in stuck}):
            mine = [item for item in self._open() if item.request.sender == sender]
            try:
                self.signing.fill_gaps(sender, mine)
            except WriterBusyError as busy:
                _logger.info("gaps are left to another process: %s", busy.message)

    def _request(self, call: Call, key: KeyName, idempotency: str) -> Request:
        return Request.of_call(
            self.chain,
            call,
            data=function(call).encode(call.args),
            key=key,
            sender=self.keys.address(key),
            idempotency=idempotency,
        )

    def _before(self, request: Request, former: str | None) -> Outgoing | None:
        """Return what the sender has on record under the name that was usual before."""
        if former is None:
            return None
        known = self.table.find(request.named(former).id)
        # The former names are everybody's: another sender's call is another effect.
        return known if known is not None and known.request.sender == request.sender else None

    def _found(self, transaction: TransactionId) -> Outgoing:
        found = self.table.find(transaction)
        if found is None:
            message = f"The outbox holds no transaction {transaction[:80]}."
            raise TransactionUnknownError(message, transaction=transaction[:80])
        return found

    def _status(self, outgoing: Outgoing) -> TransactionStatus:
        logs = orjson.loads(outgoing.logs) if outgoing.logs else []
        events = (decoded_event(self.chain, log) for log in logs)
        return TransactionStatus(
            id=outgoing.request.id,
            state=_STATES[outgoing.state],
            hash=outgoing.hash,
            block=_block(outgoing),
            gas_used=outgoing.gas_used,
            code=outgoing.code,
            reason=outgoing.reason,
            events=tuple(event for event in events if event is not None),
        )


def _same(known: Outgoing, request: Request) -> TransactionId:
    if known.request.digest != request.digest:
        message = f"{request.idempotency!r} named another call before."
        raise IdempotencyMismatchError(message, idempotency=request.idempotency)
    return known.request.id


def _precedes(item: Outgoing, outgoing: Outgoing) -> bool:
    """Return whether another transaction of the sender stands before one, in no block yet."""
    is_waiting = item.state in {State.SIGNED, State.SENT} and bool(item.attempts)
    is_senders = item.request.sender == outgoing.request.sender
    return is_waiting and is_senders and item.attempts[-1].nonce < outgoing.attempts[-1].nonce


def _block(outgoing: Outgoing) -> Block | None:
    number, found, seconds = outgoing.block_number, outgoing.block_hash, outgoing.block_time
    if number is None or found is None or seconds is None:
        return None
    return Block(number=number, hash=found, time=seconds)


def _has_failed(status: TransactionStatus, finality: Finality) -> bool:
    # A failed inclusion can be undone as a good one can: who waits for finality learns it then.
    is_refused = status.state is TransactionState.INCLUDED and status.code is not None
    return status.state is TransactionState.FAILED or (is_refused and finality is Finality.INCLUDED)


def _failure(status: TransactionStatus) -> GuildmarkError:
    """Return the error whose code was stored with a failed transaction."""
    kind = error_of(status.code or "") or CallRefusedError
    return kind(status.reason or "The transaction failed.", transaction=status.id)


def _late(status: TransactionStatus, finality: Finality, timeout: float) -> NotFinalInTimeError:
    because = f" {status.reason}" if status.reason else ""
    message = f"The transaction is {status.state}, not {finality}, after {timeout:g} s.{because}"
    return NotFinalInTimeError(message, transaction=status.id, state=status.state.value)
