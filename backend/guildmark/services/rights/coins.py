"""Coins of others (ERC-20): what an account has of one, and what the meter may take of it."""

from dataclasses import dataclass

from guildmark.domain.chain.contracts import Coin, ContractName
from guildmark.domain.errors import ConflictError, NotFoundError
from guildmark.domain.identifiers import ZERO_ADDRESS, Address, to_hex
from guildmark.ports.chain import Call, Ledger
from guildmark.services.identity.accounts import Account


class AllowanceShortError(ConflictError):
    """The license registry may not take as much of a coin as is owed."""

    code = "payment.allowanceShort"
    hint = "Give the command again with --approve, which allows exactly what is owed."


class BalanceShortError(ConflictError):
    """The account has less of a coin than is owed."""

    code = "payment.balanceShort"
    hint = "Let somebody send the coin to this account."


class CoinMissingError(NotFoundError):
    """At a coin's address is no contract."""

    code = "payment.coinMissing"
    hint = "Ask the licensor for other terms: in this currency nothing can be paid on this chain."


@dataclass(frozen=True, slots=True, kw_only=True)
class Coins:
    """Use cases around coins, in the name of an account; at the newest block."""

    ledger: Ledger
    account: Account

    def allowance(self, currency: Address) -> int:
        """Return how much of a coin the license registry may take from the account.

        Raises:
            CoinMissingError: There is no such coin.
        """
        if not self.ledger.has_code(currency):
            message = f"No contract is at {to_hex(currency)}."
            raise CoinMissingError(message, currency=to_hex(currency))
        return self._read(currency, "allowance", self.account.address, self._registry())

    def ready(self, currency: Address, amount: int, *, approve: bool) -> int | None:
        """See to it that an amount can be taken, and return the allowance that stands then.

        Args:
            currency: The coin; that of the chain itself needs no allowance.
            amount: What is owed.
            approve: Whether to allow exactly the amount, where less is allowed.

        Returns:
            None for the chain's own coin, or where nothing is owed.

        Raises:
            CoinMissingError: There is no such coin.
            BalanceShortError: The account has less of it.
            AllowanceShortError: Less is allowed, and nobody said that more shall be.
        """
        if currency == ZERO_ADDRESS or not amount:
            return None
        allowed = self.allowance(currency)
        has = self._read(currency, "balanceOf", self.account.address)
        if has < amount:
            message = f"The account has {has} of the coin {to_hex(currency)}, {amount} are owed."
            raise BalanceShortError(message, balance=str(has), owed=str(amount))
        if allowed >= amount:
            return allowed
        if not approve:
            message = f"{allowed} of the coin {to_hex(currency)} are allowed, {amount} are owed."
            raise AllowanceShortError(message, allowance=str(allowed), owed=str(amount))
        self._approve(currency, amount)
        return self.allowance(currency)

    def _approve(self, currency: Address, amount: int) -> None:
        # What was allowed before may be used up meanwhile, so that each block has its own effect.
        head = self.ledger.head(final=False).number
        self.account.call(
            *(Coin(address=currency), "approve", self._registry(), amount),
            once=f"{amount}:{head}",
        )

    def _registry(self) -> Address:
        return self.ledger.pin().contracts[ContractName.LICENSES].address

    def _read(self, currency: Address, function: str, *args: Address) -> int:
        call = Call(contract=Coin(address=currency), function=function, args=args)
        found: int = self.ledger.read(call)
        return found
