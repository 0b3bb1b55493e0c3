"""Parts that move: a logged build becomes a token, or is declared void."""

from dataclasses import dataclass

from guildmark.domain.contracts import ContractName
from guildmark.domain.entry import Entry
from guildmark.domain.identifiers import Address
from guildmark.domain.record import Record
from guildmark.domain.verification.evidence import Core
from guildmark.ports import TransactionStatus
from guildmark.services.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Use cases around parts; the account speaks for the holder of their lane."""

    account: Account

    def materialise(self, core: Core, *, to: Address) -> TransactionStatus:
        """Make a logged build an ERC-721 token of ``to``; its entry becomes public by it.

        Raises:
            CallerRefusedError: The account does not speak for the lane's holder.
            UnitMissingError: The position got no unit.
            FateSetError: The part is void or superseded.
            RecordUnknownError: The entry is not at that position of that record.
        """
        place = (_record_struct(core.record), core.position)
        entry = (_entry_struct(core.entry), core.salt, core.path, to)
        once = f"{core.record.log}:{core.index}"
        return self.account.call(ContractName.PARTS, "materialise", *place, *entry, once=once)

    def void(self, core: Core, *, possessor_signature: bytes = b"") -> TransactionStatus:
        """Declare a granted position void for ever.

        Args:
            core: The entry in its record.
            possessor_signature: The token owner's signature, once there is a token.

        Raises:
            CallerRefusedError: The account does not speak for the lane's holder.
            UnitMissingError: The position got no unit.
            FateSetError: The part is void or superseded already.
            SignatureRefusedError: The token's owner did not sign.
        """
        place = (_record_struct(core.record), core.position)
        once = f"{core.record.log}:{core.index}"
        return self.account.call(
            ContractName.PARTS, "voidPart", *place, possessor_signature, once=once
        )


def _record_struct(record: Record) -> tuple[object, ...]:
    grants = tuple((grant.lane, grant.n, grant.first_unit) for grant in record.grants)
    place = (record.log, record.seq, record.first_index, record.count)
    return (*place, record.time, record.parent, record.root, grants)


def _entry_struct(entry: Entry) -> tuple[object, ...]:
    return (
        entry.kind,
        entry.subject,
        entry.envelope,
        entry.site_recipe,
        entry.machine,
        entry.maker,
        entry.dependencies,
        entry.previous,
    )
