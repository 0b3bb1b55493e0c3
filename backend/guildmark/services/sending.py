"""One account's calls: each is stored, sent once, and answered when it is final."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from guildmark.domain.contracts import ContractName
from guildmark.domain.hashing import sha256
from guildmark.ports import Call, Finality, KeyName, Transactions, TransactionStatus

_PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """An actor's account and its outbox.

    Args:
        key: The name of the account's key.
        patience: Seconds to wait for finality.
    """

    transactions: Transactions
    key: KeyName
    patience: float = _PATIENCE

    def send(
        self, contract: ContractName, function: str, *args: Any, state: Hashable = ""
    ) -> TransactionStatus:
        """Return the final status of a call.

        Args:
            contract: The contract that is called.
            function: Its function.
            args: The call's arguments.
            state: What the call builds on, where equal arguments can be meant twice.

        Raises:
            NotFinalInTimeError: It is not final in time; it stays in the outbox.
            GuildmarkError: The error that its revert stands for.
        """
        call = Call(contract=contract, function=function, args=args)
        name = sha256(repr((contract.value, function, args, state)).encode()).hex()
        transaction = self.transactions.submit(call, key=self.key, idempotency=f"call:{name}")
        return self.transactions.wait(transaction, finality=Finality.FINAL, timeout=self.patience)
