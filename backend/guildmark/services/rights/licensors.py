"""Who may license a design, or a lane's units on, and whether a signature is his."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.refusals import SignatureRefusedError
from guildmark.domain.errors import ForbiddenError
from guildmark.domain.identifiers import Address, DesignId, Digest, IdentityId, to_hex
from guildmark.domain.rights.terms import Place, Terms
from guildmark.domain.signatures import MalformedSignatureError, recover_address
from guildmark.ports.chain import Call, Ledger


class NotLicensorError(ForbiddenError):
    """The key's account neither owns the design nor speaks for the lane's holder."""

    code = "license.notLicensor"
    hint = "Sign with the key of the design's present owner, or of the lane's holder."


@dataclass(frozen=True, slots=True, kw_only=True)
class Licensors:
    """Answers about licensors, read from the newest block.

    A contract decides by a rule of its own who signs for it: only the chain can ask it.
    """

    ledger: Ledger

    def check_key(self, account: Address, terms: Terms, place: Place | None) -> None:
        """Check that an account may sign terms now.

        Raises:
            NotLicensorError: Another account owns the design, or speaks for the lane's holder.
            DesignUnknownError: Nobody registered the design.
        """
        if place is None:
            self.check_owner(account, terms.design)
        else:
            holder = self._holder(place)
            self._check(account, self._read(ContractName.IDENTITIES, "controllerOf", holder))

    def check_owner(self, account: Address, design: DesignId) -> None:
        """Check that an account owns a design now.

        Raises:
            NotLicensorError: Another account does.
            DesignUnknownError: Nobody registered the design.
        """
        self._check(account, self._read(ContractName.DESIGNS, "designOwner", design))

    def past(self, terms: Terms, place: Place | None) -> Sequence[Address]:
        """Return the accounts that were the licensor of granted terms, or may have been."""
        if place is None:
            owner = self._read(ContractName.DESIGNS, "ownerAt", terms.design, terms.design_epoch)
            return [owner]
        return self.controllers(self._holder(place))

    def controllers(self, identity: IdentityId) -> Sequence[Address]:
        """Return all accounts that have ever spoken for an identity."""
        count = self._read(ContractName.IDENTITIES, "identity", identity)["controllers"]
        calls = [
            Call(contract=ContractName.IDENTITIES, function="controllerAt", args=(identity, number))
            for number in range(1, count + 1)
        ]
        return [answer["account"] for answer in self.ledger.read_all(calls)]

    def check_signature(
        self, digest: Digest, signature: bytes, accounts: Sequence[Address]
    ) -> None:
        """Check that one of some accounts signed a digest, as far as no contract is among them.

        Raises:
            SignatureRefusedError: None of them did.
        """
        is_theirs = _signer(digest, signature) in accounts
        if not is_theirs and not any(self.ledger.has_code(account) for account in accounts):
            message = "The offer's signature is not the one that its license was granted by."
            raise SignatureRefusedError(message, digest=to_hex(digest))

    def _check(self, account: Address, licensor: Address) -> None:
        if account != licensor and not self.ledger.has_code(licensor):
            message = f"The licensor is {to_hex(licensor)}, not {to_hex(account)}."
            raise NotLicensorError(message, account=to_hex(account), licensor=to_hex(licensor))

    def _holder(self, place: Place) -> IdentityId:
        return IdentityId(self._read(ContractName.LICENSES, "holderOf", place.lane))

    def _read(self, contract: ContractName, function: str, *args: Any) -> Any:
        return self.ledger.read(Call(contract=contract, function=function, args=args))


def _signer(digest: Digest, signature: bytes) -> Address | None:
    try:
        return recover_address(digest, signature)
    except MalformedSignatureError:
        return None
