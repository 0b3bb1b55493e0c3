"""Transactions of the outbox signed: nothing before the node's chain was checked, a moment ago."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from guildmark.adapters.chain.eip1559 import Fees, Transaction, transaction_hash
from guildmark.adapters.chain.errors import translated
from guildmark.adapters.chain.fees import bumped, capped, suggested
from guildmark.adapters.chain.look import Looker, View
from guildmark.adapters.chain.rpc import RpcRefusedError, quantity
from guildmark.adapters.store.outbox import Attempt, OutboxTable, Outgoing, Request
from guildmark.domain.identifiers import Address, to_hex
from guildmark.ports.chain import WriterBusyError
from guildmark.ports.clock import Clock
from guildmark.ports.keys import KeyStore

_logger = logging.getLogger(__name__)

# EIP-7825: no transaction may use more.
GAS_MAX = 16_777_216
TRANSFER_GAS = 21_000

_GAS_MARGIN_NUMERATOR = 5
_GAS_MARGIN_DENOMINATOR = 4
_CHECK_SECONDS = 10.0
# Code changes only with the chain itself; this is for a node that was swapped under our feet.
_CODE_SECONDS = 300.0
# To take something back costs little gas, so that it may offer more for each unit of it.
_CANCEL_FACTOR = 2


@dataclass(slots=True, kw_only=True)
class Signing:
    """Signs with the keys of a home, one writer a nonce.

    Args:
        fee_limit: The most wei that a unit of gas may cost.
    """

    table: OutboxTable
    looker: Looker
    keys: KeyStore
    clock: Clock
    fee_limit: int
    monotonic: Callable[[], float] = time.monotonic
    _checked: float = field(default=float("-inf"), init=False)
    _compared: float = field(default=float("-inf"), init=False)
    _fees: Fees | None = field(default=None, init=False)
    _floors: dict[Address, int] = field(default_factory=dict, init=False)

    def saw(self, view: View) -> None:
        """Note that the node answered on the right chain, and what it says of fees and nonces."""
        self._checked, self._fees = self.monotonic(), view.fees
        for sender in view.spent:
            self._floors.pop(sender, None)

    def doubt(self) -> None:
        """Have the chain checked again before the next signature."""
        self._checked = self._compared = float("-inf")

    def enter(self, request: Request) -> Outgoing | None:
        """Store a request and its signature in one step, where nothing must be learned before.

        None where that cannot be, or its id is there already: the longer way says why.
        """
        gas, floor, fees = request.gas, self._floors.get(request.sender), self._fees
        if gas is None or floor is None or fees is None or not self._is_ready():
            return None
        offered = capped(fees, self.fee_limit)
        try:
            return self.table.enter(
                request,
                lambda nonce: self._attempt(request, nonce, gas, offered),
                floor=floor,
                at=self.clock.now(),
            )
        except WriterBusyError:
            return None

    def sign(self, outgoing: Outgoing) -> None:
        """Sign a requested transaction with the sender's next nonce and store it.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            WrongChainError: The node is on another chain id; nothing was signed.
            GenesisMismatchError: The chain has another beginning; nothing was signed.
            GuildmarkError: The error that the call's revert stands for.
        """
        request = outgoing.request
        learned, floor = self._learned(request.sender)
        gas = request.gas or self.try_out(request)
        fees = capped(learned, self.fee_limit)
        self.table.sign(
            outgoing,
            lambda nonce: self._attempt(request, nonce, gas, fees),
            floor=floor,
            at=self.clock.now(),
        )

    def sign_again(self, outgoing: Outgoing) -> bool:
        """Sign with the same nonce and a dearer offer; return whether the limit lets it.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            WrongChainError: The node is on another chain id; nothing was signed.
            GenesisMismatchError: The chain has another beginning; nothing was signed.
        """
        if outgoing.attempts[-1].cancels:
            return self.cancel(outgoing)
        return self._replace(outgoing, outgoing.request, limit=self.fee_limit)

    def cancel(self, outgoing: Outgoing) -> bool:
        """Sign nothing but the nonce, dearer; return whether twice the limit lets it.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            WrongChainError: The node is on another chain id; nothing was signed.
            GenesisMismatchError: The chain has another beginning; nothing was signed.
        """
        nonce = outgoing.attempts[-1].nonce
        empty = Request.empty(outgoing.request, nonce, gas=TRANSFER_GAS)
        return self._replace(outgoing, empty, limit=_CANCEL_FACTOR * self.fee_limit)

    def _replace(self, outgoing: Outgoing, request: Request, *, limit: int) -> bool:
        self._check()
        last = outgoing.attempts[-1]
        old = Fees(max_fee=last.max_fee, priority=last.priority)
        fees = capped(bumped(old, suggested(self.looker.rpc)), limit)
        if fees.max_fee <= old.max_fee:
            return False
        cancels = request.id != outgoing.request.id
        gas = TRANSFER_GAS if cancels else last.gas
        attempt = replace(self._attempt(request, last.nonce, gas, fees), cancels=cancels)
        self.table.replace(outgoing, attempt, at=self.clock.now())
        return True

    def fill_gaps(self, sender: Address, outgoings: Sequence[Outgoing]) -> None:
        """Use up nonces below those of ``outgoings`` that no transaction of ours has.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            WrongChainError: The node is on another chain id; nothing was signed.
            GenesisMismatchError: The chain has another beginning; nothing was signed.
        """
        self._check()
        used = {outgoing.nonce for outgoing in outgoings if outgoing.nonce is not None}
        count = self.looker.rpc.call("eth_getTransactionCount", to_hex(sender), "latest")
        for nonce in sorted(set(range(quantity(count), max(used, default=0))) - used):
            _logger.warning("filling nonce %d of %s", nonce, to_hex(sender))
            request = Request.empty(outgoings[0].request, nonce, gas=TRANSFER_GAS)
            fees = capped(suggested(self.looker.rpc), self.fee_limit)
            attempt = self._attempt(request, nonce, TRANSFER_GAS, fees)
            self.table.fill(request, attempt, at=self.clock.now())

    def try_out(self, request: Request) -> int:
        """Return a gas limit that suffices for the call as things are now.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            GuildmarkError: The error that the call's revert stands for.
        """
        call = {
            "from": to_hex(request.sender),
            "to": to_hex(request.target),
            "data": to_hex(request.data),
            "value": hex(request.value),
        }
        (answer,) = self.looker.rpc.attempt([("eth_estimateGas", [call, "pending"])])
        if isinstance(answer, RpcRefusedError):
            raise translated(answer)
        return min(GAS_MAX, quantity(answer) * _GAS_MARGIN_NUMERATOR // _GAS_MARGIN_DENOMINATOR)

    def _attempt(self, request: Request, nonce: int, gas: int, fees: Fees) -> Attempt:
        transaction = Transaction(
            chain_id=request.chain_id,
            nonce=nonce,
            fees=fees,
            gas=gas,
            to=request.target,
            value=request.value,
            data=request.data,
        )
        signature = self.keys.sign_digest(request.key, transaction.digest())
        raw = transaction.signed(signature)
        return Attempt(
            hash=transaction_hash(raw),
            raw=raw,
            nonce=nonce,
            gas=gas,
            max_fee=fees.max_fee,
            priority=fees.priority,
        )

    def _learned(self, sender: Address) -> tuple[Fees, int]:
        """Return today's offer and the sender's lowest free nonce, on a chain that was checked."""
        self._compare_code()
        floor = self._floors.get(sender)
        if floor is not None and self._fees is not None and self._is_fresh():
            return self._fees, floor
        fees, floor = self.looker.learn(sender)
        self._fees, self._floors[sender] = fees, floor
        self._checked = self.monotonic()
        return fees, floor

    def _check(self) -> None:
        self._compare_code()
        if not self._is_fresh():
            self.looker.check()
            self._checked = self.monotonic()

    def _compare_code(self) -> None:
        """Have the contracts' code checked in each session of signing, and again after a while."""
        if not self._is_compared():
            self.looker.check_contracts()
            self._compared = self.monotonic()

    def _is_ready(self) -> bool:
        return self._is_compared() and self._is_fresh()

    def _is_compared(self) -> bool:
        return self.monotonic() - self._compared < _CODE_SECONDS

    def _is_fresh(self) -> bool:
        return self.monotonic() - self._checked < _CHECK_SECONDS
