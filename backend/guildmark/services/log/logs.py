"""An operator's log on chain: opened, given another writer, closed; and ticks."""

from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import Address, IdentityId, LogNumber
from guildmark.domain.log.record import Record
from guildmark.ports.chain import Ledger
from guildmark.services.identity.accounts import Account
from guildmark.services.index.projection import record_of

# A tick takes some 55,000. It is not tried out at the newest block, which may have its tick.
_TICK_GAS = 120_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """Use cases around logs; the account is the controller of the operator's identity."""

    ledger: Ledger
    account: Account

    def open(self, operator: IdentityId, writer: Address, *, continues: int = 0) -> LogNumber:
        """Open a log and return its number.

        Raises:
            CallerRefusedError: The account does not speak for the operator.
        """
        once = f"{operator.hex()}:{writer.hex()}:{continues}"
        status = self.account.call(ContractName.LOG, "open", operator, writer, continues, once=once)
        return LogNumber(status.event("LogOpened").args["log"])

    def set_writer(self, log: LogNumber, writer: Address) -> None:
        """Replace the writer of a log at once.

        Raises:
            CallerRefusedError: The account does not speak for the operator.
        """
        self.account.call(ContractName.LOG, "setWriter", log, writer, once=self._now(log, writer))

    def close(self, log: LogNumber) -> None:
        """Close a log for ever.

        Raises:
            CallerRefusedError: The account does not speak for the operator.
        """
        self.account.call(ContractName.LOG, "close", log, once=str(log))

    def tick(self) -> Record:
        """Write an empty record of log 0 and return it: a fresh beacon for a quiet network.

        Raises:
            TickedError: The block has one already; that one serves as well.
        """
        head = self.ledger.head(final=False)
        status = self.account.call(ContractName.LOG, "tick", once=str(head.number), gas=_TICK_GAS)
        return record_of(status.event("RecordAppended"))

    def _now(self, log: LogNumber, writer: Address) -> str:
        # The same writer may be set again later, so that the block tells the calls apart.
        return f"{log}:{writer.hex()}:{self.ledger.head(final=False).number}"
