"""Offers: terms that a design's owner drafts and signs, and what the licensee gets of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import licenses_domain
from guildmark.domain.chain.facts import DesignFact, LaneFact, LicenseFact
from guildmark.domain.chain.refusals import DesignUnknownError
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.errors import ContentError
from guildmark.domain.identifiers import (
    ZERO_ADDRESS,
    Address,
    Bytes32,
    DesignId,
    IdentityId,
    LicenseId,
    Uint256,
    to_hex,
)
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.clauses import Disclosure, clause_root, disclose_all
from guildmark.domain.rights.terms import (
    NO_LICENSE,
    NOTHING_OWED,
    Place,
    Terms,
    TermsKind,
    terms_members,
)
from guildmark.ports.clock import Entropy
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind, NodeStore
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import keep_clauses
from guildmark.services.rights.ancestry import above, shown_above, verified_above
from guildmark.services.rights.licenses import Granted, Licenses, SignedTerms

OFFER_LIMITS = Limits(size=4 << 20, depth=6, values=50_000)

_SALT_SIZE = 32
_NONCE_SIZE = 16


class OfferMismatchError(ContentError):
    """An offer's id or members are not those of its terms on this chain."""

    code = "offer.mismatch"
    hint = "Ask the licensor for the offer file again, signed for this chain."


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a license costs, in a coin's smallest unit.

    Args:
        currency: The coin, zero = the chain's own.
        royalty: Per drawn unit.
        fee: Paid by whom submits the terms.
    """

    currency: Address = ZERO_ADDRESS
    royalty: Uint256 = NOTHING_OWED
    fee: Uint256 = NOTHING_OWED


FREE = Price()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an owner wants to grant.

    Args:
        design: The design.
        units: How many units.
        holder: The licensee's identity.
        members: What the terms name; any is allowed of a kind that they do not name.
        offer_until: Block seconds until which the terms may be submitted.
        not_before: Block seconds from which units may be drawn.
        not_after: Block seconds from which they may no longer be drawn, 0 = never.
        notice: Seconds between a stop's announcement and its effect.
        price: What is owed for it.
    """

    design: DesignId
    units: int
    holder: IdentityId
    members: Mapping[TermsKind, Sequence[str]]
    offer_until: int
    not_before: int = 0
    not_after: int = 0
    notice: int = 0
    price: Price = FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Document):
    """Signed terms with their members, all shown: what the licensee gets.

    Args:
        place: Where the units are cut; None of a root license.
        acceptance: The licensee's signature, where something is owed and he has signed.
        above: What the licensor shows of the terms above, the nearest first.
    """

    LIMITS = OFFER_LIMITS

    id: LicenseId
    terms: Terms
    members: tuple[Clause, ...]
    signature: bytes
    place: Place | None = None
    acceptance: bytes = b""
    above: tuple[Disclosure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Use cases around offers."""

    licenses: Licenses
    store: NodeStore
    entropy: Entropy

    def make(self, draft: Draft, *, licensor: KeyName, lane: LaneFact | None = None) -> Offer:
        """Sign a draft's terms and keep what opens them; nothing is sent.

        Args:
            draft: What is offered.
            licensor: The key of the design's owner, or of the lane's holder.
            lane: The lane off which its units are cut; None of a root license.

        Raises:
            DesignUnknownError: The index knows no such design.
            DocumentUnknownError: This home does not hold the terms above.
            MalformedClauseTreeError: The terms name nothing.
            AbiRangeError: A number does not fit its field.
        """
        members = terms_members(draft.members, new_salt=self._salt)
        place = None if lane is None else Place(lane=lane.number, end=lane.end)
        terms = self._terms(draft, members, lane)
        signed = self.licenses.sign(terms, licensor=licensor, place=place)
        offer = Offer(
            id=signed.id,
            terms=signed.terms,
            members=members,
            signature=signed.signature,
            place=place,
            above=self._shown_above(terms),
        )
        self._keep(offer)
        return offer

    def accept(self, offer: Offer, *, licensee: KeyName) -> Offer:
        """Return the offer with the licensee's signature, by which he agrees to owe what it says.

        Raises:
            OfferMismatchError: Its id or members are not those of its terms; nothing is signed.
        """
        self._check(offer)
        return replace(offer, acceptance=self.licenses.accept(offer.terms, licensee=licensee))

    def grant(self, offer: Offer) -> Granted:
        """Check an offer, submit it, keep what opens it, and return what the chain made of it.

        Raises:
            OfferMismatchError: Its id or members are not those of its terms; nothing was sent.
            LicenseUnknownError: The index does not know a license above.
            TermsAboveError: The terms above are not all shown.
            SignatureRefusedError: Not the signatures that the chain asks for.
            OfferExpiredError: The offer was open until an earlier time.
            LaneStaleError: The lane's end has moved since the offer was signed.
        """
        self._check(offer)
        self._keep(offer)
        signed = SignedTerms(
            id=offer.id,
            terms=offer.terms,
            signature=offer.signature,
            place=offer.place,
            acceptance=offer.acceptance,
        )
        return self.licenses.grant(signed)

    def _check(self, offer: Offer) -> None:
        pin = self.licenses.ledger.pin()
        registry = pin.contracts[ContractName.LICENSES].address
        domain = licenses_domain(chain_id=pin.chain_id, contract=registry)
        if offer.terms.license_id(domain) != offer.id:
            message = f"The offer's terms are not those of {to_hex(offer.id)} on this chain."
            raise OfferMismatchError(message, license=to_hex(offer.id))
        if clause_root(offer.members) != offer.terms.terms_root:
            message = "The offer's members are not those that its terms commit to."
            raise OfferMismatchError(message, license=to_hex(offer.id))
        with self.store.reading() as view:
            list(verified_above(offer.terms, offer.above, view.facts))

    def _keep(self, offer: Offer) -> None:
        with self.store.writing() as work:
            keep_clauses(work, DocumentKind.TERMS, offer.id, disclose_all(offer.members))
            licenses = above(offer.terms, work.facts)
            for one, shown in zip(licenses, offer.above, strict=True):
                keep_clauses(work, DocumentKind.TERMS, one.id, shown)

    def _shown_above(self, terms: Terms) -> tuple[Disclosure, ...]:
        with self.store.reading() as view:
            return shown_above(terms, view)

    def _terms(self, draft: Draft, members: tuple[Clause, ...], lane: LaneFact | None) -> Terms:
        return Terms(
            design=draft.design,
            design_epoch=self._epoch(draft.design) if lane is None else 0,
            parent=NO_LICENSE if lane is None else self._license(lane),
            currency=draft.price.currency,
            royalty=draft.price.royalty,
            fee=draft.price.fee,
            units=draft.units,
            holder=draft.holder,
            not_before=draft.not_before,
            not_after=draft.not_after,
            notice=draft.notice,
            terms_root=clause_root(members),
            offer_until=draft.offer_until,
            nonce=Uint256(int.from_bytes(self.entropy.token(_NONCE_SIZE), "big")),
        )

    def _epoch(self, design: DesignId) -> int:
        with self.store.reading() as view:
            fact = view.facts.get(DesignFact, design)
        if fact is None:
            message = f"No final block holds the design {to_hex(design)}."
            raise DesignUnknownError(message, design=to_hex(design))
        return fact.epoch

    def _license(self, lane: LaneFact) -> LicenseId:
        with self.store.reading() as view:
            return known(view.facts, LicenseFact, lane.license).id

    def _salt(self) -> Bytes32:
        return Bytes32(self.entropy.token(_SALT_SIZE))
