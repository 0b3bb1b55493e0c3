"""Licenses: terms signed by licensors, granted, licensed on, cut into lanes, paid, stopped."""

from dataclasses import dataclass
from typing import Any

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import TypedDataDomain, licenses_domain
from guildmark.domain.chain.facts import LaneFact, LicenseFact, PaidFact
from guildmark.domain.chain.refusals import LicenseGrantedError
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.identifiers import (
    ZERO_ADDRESS,
    Address,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    LogNumber,
)
from guildmark.domain.rights.terms import Extension, Place, Terms
from guildmark.ports.chain import Call, Ledger, TransactionStatus
from guildmark.ports.facts import Facts
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.services.identity.accounts import Account
from guildmark.services.index.projection import known
from guildmark.services.rights.licensors import Licensors

EXTENSION_LIMITS = Limits(size=4 << 10, depth=3, values=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTerms:
    """Terms under the signature of their licensor; anyone may submit them.

    Args:
        place: Where the units are cut; None of a root license.
        acceptance: The licensee's signature, where something is owed.
    """

    id: LicenseId
    terms: Terms
    signature: bytes
    place: Place | None = None
    acceptance: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedExtension(Document):
    """Further units of a root license, under the signature of the design's owner."""

    LIMITS = EXTENSION_LIMITS

    extension: Extension
    signature: bytes = b""


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

    def sign(self, terms: Terms, *, licensor: KeyName, place: Place | None = None) -> SignedTerms:
        """Sign terms (EIP-712) with their licensor's key; nothing is sent.

        Args:
            terms: The terms.
            licensor: The key of the design's owner; under another license, of the lane's holder.
            place: Where the units are cut; None of a root license.

        Raises:
            NotLicensorError: The key is not that of the design's owner or the lane's holder now.
        """
        self._licensors.check_key(self.keys.address(licensor), terms, place)
        signature = self.keys.sign_digest(licensor, self._signed_digest(terms, place))
        return SignedTerms(
            id=terms.license_id(self._domain()), terms=terms, signature=signature, place=place
        )

    def accept(self, terms: Terms, *, licensee: KeyName) -> bytes:
        """Return the licensee's signature by which he agrees to owe what terms say."""
        return self.keys.sign_digest(licensee, self._domain().digest(terms.acceptance_hash()))

    def grant(self, signed: SignedTerms) -> Granted:
        """Submit signed terms, with their fee, and return what the chain made of them.

        Whoever submits them, and however often: where somebody was faster, his license is this one,
        and nothing is paid twice.

        Raises:
            SignatureRefusedError: Not the licensor's signature on this chain, or not the
                licensee's where something is owed; after the grant, too.
            OfferExpiredError: The offer was open until an earlier time.
            LaneStaleError: The lane's end has moved since it was signed.
            LicenseEndingError: The license above has ended or is stopped.
        """
        try:
            status = self._submit(signed)
        except LicenseGrantedError:
            self._check_signed(signed)
            return self._granted(signed.id)
        name = "LicenseGranted" if signed.place is None else "LicenseSublicensed"
        granted = status.event(name).args
        return Granted(number=granted["number"], lane=LaneNumber(granted["lane"]))

    def is_granted(self, license_id: LicenseId) -> bool:
        """Return whether the newest block holds a license."""
        return self._read("numberOf", license_id) != 0

    def sign_extension(
        self, license_: LicenseFact, more: int, *, until: int, owner: KeyName
    ) -> SignedExtension:
        """Sign further units of a root license with the design's owner's key; nothing is sent.

        Args:
            license_: The license as the caller saw it.
            more: How many units.
            until: The last block second at which it may land.
            owner: The key of the design's owner.

        Raises:
            NotLicensorError: The key is not that of the design's owner now.
        """
        design = license_.terms.design
        self._licensors.check_owner(self.keys.address(owner), design)
        call = Call(contract=ContractName.DESIGNS, function="design", args=(design,))
        epoch: int = self.ledger.read(call)["epoch"]
        extension = Extension(
            license=license_.id, units=license_.units, more=more, offer_until=until
        )
        digest = self._domain().digest(extension.struct_hash(epoch))
        signature = self.keys.sign_digest(owner, digest)
        return SignedExtension(extension=extension, signature=signature)

    def extend(self, signed: SignedExtension) -> LaneNumber:
        """Add units to a root license and return their lane; by the owner, or as he signed.

        Args:
            signed: What is added; the owner himself needs no signature.

        Raises:
            SignatureRefusedError: Neither the account nor who signed owns the design.
            OfferExpiredError: It was open until an earlier time.
            LaneStaleError: The license has other units than were seen.
            LicenseEndingError: It has ended or is stopped.
        """
        one, by = signed.extension, sha256(signed.signature + self.account.address)
        status = self.account.call(
            *(ContractName.LICENSES, "extend", one.license, one.units, one.more),
            *(one.offer_until, signed.signature),
            once=f"{one.license.hex()}:{one.units}:{one.more}:{one.offer_until}:{by.hex()}",
        )
        return LaneNumber(status.event("LicenseExtended").args["lane"])

    def reclaim(self, lane: LaneFact) -> LaneNumber | None:
        """Announce that undrawn units are taken back, or take them; as the lane's giver.

        Args:
            lane: The lane as the caller saw it.

        Raises:
            CallerRefusedError: The account does not speak for the lane's giver.
            ReclaimStateError: The notice has not passed, or nothing is undrawn.
        """
        status = self.account.call(
            *(ContractName.LICENSES, "reclaim", lane.number),
            once=f"{lane.number}:{lane.reclaim_at}",
        )
        cut = [event for event in status.events if event.name == "LaneReclaimed"]
        return LaneNumber(cut[0].args["lane"]) if cut else None

    def pay(self, lane: LaneFact, license_: LicenseFact, *, paid: int, units: int) -> int:
        """Pay the royalty of further drawn units to a license's licensor; return the amount.

        Args:
            lane: The lane.
            license_: Its license, or one above it.
            paid: For how many units it was paid before.
            units: For how many it is paid now.

        Raises:
            PaymentRefusedError: So many units are not drawn and unpaid, or the coin does not move.
        """
        terms = license_.terms
        amount = terms.royalty * units
        self.account.call(
            *(ContractName.LICENSES, "pay", lane.number, license_.number, paid, units),
            once=f"{lane.number}:{license_.number}:{paid}:{units}",
            value=amount if terms.currency == ZERO_ADDRESS else 0,
        )
        return amount

    def credit(self, currency: Address) -> int:
        """Return what waits for this account in a coin, at the newest block."""
        return self._read("creditOf", currency, self.account.address)

    def withdraw(self, currency: Address, *, to: Address) -> int:
        """Take all that waits for this account in a coin, and return how much it was.

        Raises:
            CreditMissingError: Nothing waits.
            PaymentRefusedError: The receiver takes no coin.
        """
        head = self.ledger.head(final=False).number
        status = self.account.call(
            *(ContractName.LICENSES, "withdraw", currency, to),
            once=f"{currency.hex()}:{head}",
        )
        amount: int = status.event("CreditWithdrawn").args["amount"]
        return amount

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
        """Stop a license from a block time on, as its licensor.

        Raises:
            CallerRefusedError: The account neither owns the design nor licensed it on.
            StopTimeError: Earlier than the notice allows, or not earlier than the stop before.
        """
        self.account.call(
            ContractName.LICENSES, "stop", license_id, at, once=f"{license_id.hex()}:{at}"
        )

    def _submit(self, signed: SignedTerms) -> TransactionStatus:
        place, args = signed.place, (_struct(signed.terms), signed.signature, signed.acceptance)
        function = "grant" if place is None else "sublicense"
        seen = () if place is None else (place.lane, place.end)
        return self.account.call(
            ContractName.LICENSES,
            function,
            *seen,
            *args,
            once=f"{signed.id.hex()}:{_submission(signed, self.account.address).hex()}",
            value=signed.terms.value,
        )

    def _check_signed(self, signed: SignedTerms) -> None:
        """Check the signatures of terms that the chain took before it could look at these."""
        terms, licensors = signed.terms, self._licensors
        digest = self._signed_digest(terms, signed.place)
        licensors.check_signature(digest, signed.signature, licensors.past(terms, signed.place))
        if signed.acceptance:
            accepted = self._domain().digest(terms.acceptance_hash())
            holders = licensors.controllers(terms.holder)
            licensors.check_signature(accepted, signed.acceptance, holders)

    def _signed_digest(self, terms: Terms, place: Place | None) -> Digest:
        content = terms.struct_hash() if place is None else terms.sublicense_hash(place)
        return self._domain().digest(content)

    @property
    def _licensors(self) -> Licensors:
        return Licensors(ledger=self.ledger)

    def _granted(self, license_id: LicenseId) -> Granted:
        number = self._read("numberOf", license_id)
        return Granted(number=number, lane=LaneNumber(self._read("firstLaneOf", number)))

    def _read(self, function: str, *args: Any) -> int:
        call = Call(contract=ContractName.LICENSES, function=function, args=args)
        found: int = self.ledger.read(call)
        return found

    def _domain(self) -> TypedDataDomain:
        pin = self.ledger.pin()
        registry = pin.contracts[ContractName.LICENSES].address
        return licenses_domain(chain_id=pin.chain_id, contract=registry)


def paid_units(lane: LaneFact, license_: LicenseFact, facts: Facts) -> int:
    """Return for how many units of a lane the royalty of a license was paid."""
    paid = facts.get(PaidFact, lane.number, license_.number)
    return 0 if paid is None else paid.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Where the units of a license are.

    Args:
        lanes: Its own lanes.
        children: The licenses that were granted right below it, each of a lane's last units.
        drawn: How many units were drawn, from its own lanes and from those of all licenses below.
    """

    lanes: tuple[LaneFact, ...]
    children: tuple["Child", ...]
    drawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A license below another one: units [first, end), of which ``drawn`` were drawn below it."""

    license: LicenseFact
    first: int
    end: int
    drawn: int


def usage(license_: LicenseFact, facts: Facts) -> Usage:
    """Return where the units of a license are, those that were licensed on included."""
    lanes: dict[int, list[LaneFact]] = {}
    for lane in facts.each(LaneFact):
        lanes.setdefault(lane.license, []).append(lane)
    below: dict[LicenseId, list[LicenseFact]] = {}
    for fact in facts.each(LicenseFact):
        below.setdefault(fact.terms.parent, []).append(fact)

    def drawn(one: LicenseFact) -> int:
        own = sum(lane.drawn for lane in lanes.get(one.number, ()))
        return own + sum(drawn(child) for child in below.get(one.id, ()))

    def child(one: LicenseFact) -> Child:
        first = known(facts, LaneFact, one.first_lane).first
        return Child(license=one, first=first, end=first + one.units, drawn=drawn(one))

    return Usage(
        lanes=tuple(lanes.get(license_.number, ())),
        children=tuple(child(one) for one in below.get(license_.id, ())),
        drawn=drawn(license_),
    )


def _submission(signed: SignedTerms, sender: Address) -> Digest:
    """Return what tells submissions of the same terms apart: who sends, who agreed, and where."""
    place = (0, 0) if signed.place is None else (signed.place.lane, signed.place.end)
    numbers = b"".join(number.to_bytes(8, "big") for number in place)
    return sha256(sender + sha256(signed.signature) + sha256(signed.acceptance) + numbers)


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
