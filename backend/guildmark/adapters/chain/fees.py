"""What a transaction offers for its gas (EIP-1559), and how much more when it is stuck."""

from guildmark.adapters.chain.eip1559 import Fees
from guildmark.adapters.chain.rpc import Request, Rpc, quantity

# Full blocks raise the base fee by an eighth each: twice lasts for five of them.
_HEADROOM = 2
# Nodes take a replacement only from +10 % on both fees; 12.5 % is what most wallets offer.
_BUMP_NUMERATOR = 9
_BUMP_DENOMINATOR = 8


def fee_requests() -> list[Request]:
    """Return the calls whose answers ``suggested`` reads."""
    return [("eth_getBlockByNumber", ["latest", False]), ("eth_maxPriorityFeePerGas", [])]


def suggested(rpc: Rpc) -> Fees:
    """Return what gets a transaction into one of the next blocks.

    Raises:
        LedgerUnavailableError: The node cannot be reached in time.
        LedgerAnswerError: Its answers are no fees.
    """
    block, priority = rpc.batch(fee_requests())
    return offered(quantity(block["baseFeePerGas"]), quantity(priority))


def offered(base_fee: int, priority: int) -> Fees:
    """Return the offer at a base fee."""
    return Fees(max_fee=_HEADROOM * base_fee + priority, priority=priority)


def bumped(old: Fees, now: Fees) -> Fees:
    """Return what replaces a stuck transaction: at least an eighth more, at least today's offer."""
    return Fees(
        max_fee=max(_more(old.max_fee), now.max_fee),
        priority=max(_more(old.priority), now.priority),
    )


def capped(fees: Fees, limit: int) -> Fees:
    """Return the offer with nothing above ``limit``."""
    return Fees(max_fee=min(fees.max_fee, limit), priority=min(fees.priority, limit))


def _more(fee: int) -> int:
    return fee * _BUMP_NUMERATOR // _BUMP_DENOMINATOR + 1
