"""The proven state of one block: words of slots that verified under its header, and no others."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from guildmark.domain.chain.contracts import AccountProof, ChainPin, ContractName
from guildmark.domain.chain.ethproof.header import Header
from guildmark.domain.chain.ethproof.trie import TrieProofError, prove_account, prove_slot
from guildmark.domain.chain.storage import Location


class Unproven(Enum):
    """Why a slot's word is not known."""

    MISSING = "missing"
    """No proof of it was shown."""
    INVALID = "invalid"
    """A proof was shown, and it is wrong."""


class AccountFault(Enum):
    """Why nothing that a contract's account proof says can be used."""

    MISSING = "missing"
    """No proof of the account was shown."""
    INVALID = "invalid"
    """The proof is wrong, or is another account's."""
    CODE = "code"
    """The account is proven, and has other code than the pin says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenState:
    """What the shown proofs prove.

    Args:
        words: Each slot that a proof was shown for, with its word where the proof holds.
        faults: The contracts whose account is not proven.
    """

    words: Mapping[Location, int | Unproven]
    faults: Mapping[ContractName, AccountFault]

    def word(self, location: Location) -> int | Unproven:
        """Return a slot's proven word, 0 for proven absence, or why it is not known."""
        return self.words.get(location, Unproven.MISSING)


def prove_state(
    header: Header, pin: ChainPin, accounts: Mapping[ContractName, AccountProof]
) -> ProvenState:
    """Return what account and storage proofs prove under a header's state root."""
    words: dict[Location, int | Unproven] = {}
    faults: dict[ContractName, AccountFault] = {}
    for name in ContractName:
        fault = _account_fault(header, pin, name, accounts.get(name))
        if fault is not None:
            faults[name] = fault
        else:
            words |= _words(name, accounts[name])
    return ProvenState(words=words, faults=faults)


def _account_fault(
    header: Header, pin: ChainPin, name: ContractName, proof: AccountProof | None
) -> AccountFault | None:
    pinned = pin.contracts.get(name)
    if proof is None or pinned is None:
        return AccountFault.MISSING
    if proof.address != pinned.address or not _is_proven(header, proof):
        return AccountFault.INVALID
    return None if proof.code_hash == pinned.code_hash else AccountFault.CODE


def _is_proven(header: Header, proof: AccountProof) -> bool:
    try:
        account = prove_account(header.state_root, proof.address, proof.nodes)
    except TrieProofError:
        return False
    # What the proof says beside its nodes must be what they prove.
    return account is not None and (
        (account.nonce, account.balance, account.storage_root, account.code_hash)
        == (proof.nonce, proof.balance, proof.storage_root, proof.code_hash)
    )


def _words(name: ContractName, proof: AccountProof) -> dict[Location, int | Unproven]:
    return {
        Location(name, shown.slot): _word(proof.storage_root, shown.slot, shown.value, shown.nodes)
        for shown in proof.slots
    }


def _word(root: bytes, slot: bytes, value: int, nodes: tuple[bytes, ...]) -> int | Unproven:
    try:
        word = prove_slot(root, slot, nodes)
    except TrieProofError:
        return Unproven.INVALID
    return word if word == value else Unproven.INVALID
