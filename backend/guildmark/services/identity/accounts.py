"""An actor's own account: its calls, signed with its own key, each landing once."""

from dataclasses import dataclass
from typing import Any

from guildmark.domain.chain.contracts import Coin, ContractName, Payee
from guildmark.domain.identifiers import Address, to_hex
from guildmark.ports.chain import Call, Finality, Transactions, TransactionStatus
from guildmark.ports.keys import KeyName


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Calls in the name of one key.

    Args:
        key: The key that signs.
        address: The account that it controls.
        timeout: Seconds to wait until a call is final.
    """

    transactions: Transactions
    key: KeyName
    address: Address
    timeout: float = 60.0

    def call(
        self,
        contract: ContractName | Coin | Payee,
        function: str,
        *args: Any,
        once: str,
        gas: int | None = None,
        value: int = 0,
    ) -> TransactionStatus:
        """Send a call and return its status when it is final.

        Args:
            contract: The contract to call, a coin, or who is paid.
            function: Its function, empty for a payee.
            args: The function's arguments.
            once: Names the effect: a second call of this account under this name is the first one.
            gas: A limit that suffices; without it the call is tried out at the newest block first.
            value: How much native coin goes with it.

        Raises:
            NotFinalInTimeError: It is not final in time; it will be sent on.
            GuildmarkError: The error that the contract's revert stands for.
        """
        call = Call(contract=contract, function=function, args=args, gas=gas, value=value)
        former = f"{contract}.{function}:{once}"
        name = f"{to_hex(self.address)}:{former}"
        sent = self.transactions.submit(call, key=self.key, idempotency=name, former=former)
        return self.transactions.wait(sent, finality=Finality.FINAL, timeout=self.timeout)
