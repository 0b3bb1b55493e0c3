"""Parts that move: a logged build becomes a token, is declared void, or is replaced."""

from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import parts_domain, supersede_hash, void_hash
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, Index, PartId
from guildmark.domain.log.entry import Entry
from guildmark.domain.log.record import Record
from guildmark.domain.verification.evidence import Core
from guildmark.ports.chain import Ledger, TransactionStatus
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.services.identity.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Use cases around parts; the account speaks for the holder of their lane."""

    ledger: Ledger
    keys: KeyStore
    account: Account

    def materialise(self, core: Core, *, to: Address) -> TransactionStatus:
        """Make a logged build an ERC-721 token of ``to``; its entry becomes public by it.

        Raises:
            CallerRefusedError: The account does not speak for the lane's holder.
            UnitMissingError: The position got no unit.
            FateSetError: The part is void or superseded.
            RecordUnknownError: The entry is not at that position of that record.
        """
        place = (record_struct(core.record), core.position)
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
        place = (record_struct(core.record), core.position)
        once = f"{core.record.log}:{core.index}"
        return self.account.call(
            ContractName.PARTS, "voidPart", *place, possessor_signature, once=once
        )

    def supersede(
        self, core: Core, by: Index, *, writer_signature: bytes, possessor_signature: bytes = b""
    ) -> TransactionStatus:
        """Let a later entry of the same log replace a granted position for ever.

        Args:
            core: The entry in its record.
            by: The index of the entry that replaces it.
            writer_signature: The signature of the log's writer, as ``agree`` makes it; empty where
                the account is the writer itself.
            possessor_signature: The token owner's, once there is a token.

        Raises:
            CallerRefusedError: The account does not speak for the lane's holder.
            UnitMissingError: The position got no unit.
            FateSetError: The part is void or superseded already.
            PartInvalidError: The entry is not later, or not on record.
            SignatureRefusedError: The writer or the token's owner did not sign.
        """
        place = (record_struct(core.record), core.position, by)
        signed = sha256(writer_signature) + sha256(possessor_signature)
        once = f"{core.record.log}:{core.index}:{by}:{sha256(signed).hex()}"
        return self.account.call(
            *(ContractName.PARTS, "supersede", *place, writer_signature, possessor_signature),
            once=once,
        )

    def agree(self, core: Core, by: Index | None, *, key: KeyName) -> bytes:
        """Return a signature (EIP-712) that a part is replaced by an entry, or void; unsent.

        The log's writer agrees to a replacement, the owner of the part's token to either.

        Args:
            core: The entry in its record.
            by: The index of the entry that shall replace it, None where it shall be void.
            key: The key of writer or owner.

        Raises:
            KeyMissingError: There is no such key.
            KeyPurposeError: It has no account.
        """
        pin = self.ledger.pin()
        registry = pin.contracts[ContractName.PARTS].address
        part = PartId(
            chain_id=pin.chain_id,
            build_log=pin.contracts[ContractName.LOG].address,
            log=core.record.log,
            index=core.index,
        )
        said = void_hash(part) if by is None else supersede_hash(part, by)
        domain = parts_domain(chain_id=pin.chain_id, contract=registry)
        return self.keys.sign_digest(key, domain.digest(said))


def record_struct(record: Record) -> tuple[object, ...]:
    """Return a record as contracts take it."""
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
