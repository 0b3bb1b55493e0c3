"""Licenses: terms signed by the design's owner, granted, cut into lanes, stopped."""

from dataclasses import dataclass

from guildmark.domain.contracts import ContractName
from guildmark.domain.eip712 import licenses_domain
from guildmark.domain.facts import LaneFact
from guildmark.domain.identifiers import IdentityId, LaneNumber, LicenseId, LogNumber
from guildmark.domain.terms import Terms
from guildmark.ports import KeyName, KeyStore, Ledger
from guildmark.services.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTerms:
    """Terms under the signature of the design's owner; anyone may submit them."""

    id: LicenseId
    terms: Terms
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A license's number on chain and its first lane, which holds all units."""

    number: int
    lane: LaneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Licenses:
    """Use cases around licenses and their lanes."""

    ledger: Ledger
    account: Account
    keys: KeyStore

    def sign(self, terms: Terms, *, owner: KeyName) -> SignedTerms:
        """Sign terms (EIP-712) with the key of the design's owner; nothing is sent."""
        pin = self.ledger.pin()
        registry = pin.contracts[ContractName.LICENSES].address
        license_id = terms.license_id(licenses_domain(chain_id=pin.chain_id, contract=registry))
        signature = self.keys.sign_digest(owner, license_id)
        return SignedTerms(id=license_id, terms=terms, signature=signature)

    def grant(self, signed: SignedTerms) -> Granted:
        """Submit signed terms and return what the chain made of them.

        Raises:
            SignatureRefusedError: Not the signature of the design's owner on this chain.
            OfferExpiredError: The offer was open until an earlier time.
            LicenseGrantedError: The license is on record already.
        """
        status = self.account.call(
            *(ContractName.LICENSES, "grant", _struct(signed.terms), signed.signature),
            once=signed.id.hex(),
        )
        granted = status.event("LicenseGranted").args
        return Granted(number=granted["number"], lane=LaneNumber(granted["lane"]))

    def split(self, lane: LaneFact, n: int, *, log: LogNumber, to: IdentityId) -> LaneNumber:
        """Cut the last ``n`` undrawn units off a lane, as its holder; return the new lane.

        Args:
            lane: The lane as the caller saw it.
            n: How many units.
            log: The log that may draw from the new lane.
            to: The site that shall hold it.

        Raises:
            CallerRefusedError: The account does not speak for the lane's holder.
            SplitError: The lane has not that many undrawn units.
            LaneStaleError: The lane's end has moved.
        """
        status = self.account.call(
            *(ContractName.LICENSES, "split", lane.number, lane.end, n, log, to),
            once=f"{lane.number}:{lane.end}:{n}",
        )
        return LaneNumber(status.event("LaneSplit").args["lane"])

    def stop(self, license_id: LicenseId, *, at: int) -> None:
        """Stop a license from a block time on, as the design's owner.

        Raises:
            CallerRefusedError: The account does not own the design.
            StopTimeError: Earlier than the notice allows, or not earlier than the stop before.
        """
        self.account.call(
            ContractName.LICENSES, "stop", license_id, at, once=f"{license_id.hex()}:{at}"
        )


def _struct(terms: Terms) -> tuple[object, ...]:
    """Return the terms in the order of ``ILicenseRegistry.Terms``."""
    return (
        terms.design,
        terms.design_epoch,
        terms.units,
        terms.holder,
        terms.not_before,
        terms.not_after,
        terms.notice,
        terms.parent,
        terms.currency,
        terms.royalty,
        terms.fee,
        terms.offer_until,
        terms.nonce,
        terms.terms_root,
    )
