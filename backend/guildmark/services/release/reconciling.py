"""Reconciliation: a licensor sees what was released under his license, against what was drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    NO_LANE,
    DesignFact,
    IdentityFact,
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
)
from guildmark.domain.chain.refusals import LicenseUnknownError
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import ForbiddenError, GuildmarkError, MalformedError
from guildmark.domain.identifiers import Address, Bytes32, ChainId, IdentityId, LicenseId, to_hex
from guildmark.domain.identity.accounts import account_key, verifier_of
from guildmark.domain.rights.reconciliation import (
    QUERY_PAYLOAD_TYPE,
    Reconciliation,
    ReconciliationQuery,
    Release,
    reconcile,
)
from guildmark.domain.rights.release import ReceiptProof, receipt_in
from guildmark.ports.chain import Ledger
from guildmark.ports.clock import Entropy
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, NodeStore, View
from guildmark.services.index.projection import known
from guildmark.services.release.receipts import Receipts, verified
from guildmark.services.release.releasing import check_addressed, sign_as_account

KEPT_LIMITS = Limits(size=64 << 20, depth=8, values=2_000_000)

_NONCE_SIZE = 32


class LicensorOnlyError(ForbiddenError):
    """Who asks is not the licensor of the license."""

    code = "reconciliation.licensorOnly"
    hint = "Ask with the account that owns the design, or that speaks for who licensed it on."


class QueryTypeError(MalformedError):
    """The envelope holds something else than a query for receipts."""

    code = "reconciliation.payloadType"
    hint = "Let `guildmark license reconcile` make the query."


class ReceiptOfOtherLicenseError(MalformedError):
    """A receipt is of another license than was asked for."""

    code = "reconciliation.otherLicense"
    hint = "Do not count on what this node shows."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Receipts of other releasers, as a licensor keeps them."""

    proofs: tuple[ReceiptProof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciling:
    """Use cases around reconciliation: at a licensor's home, and at a node that released."""

    ledger: Ledger
    keys: KeyStore
    entropy: Entropy
    store: NodeStore
    receipts: Receipts

    def query(self, license_id: LicenseId, *, releaser: IdentityId, key: KeyName) -> bytes:
        """Return a signed query for the receipts of a license at one node.

        Raises:
            KeyMissingError: There is no such key.
            KeyPurposeError: It has no account.
        """
        pin, head = self.ledger.pin(), self.ledger.head(final=True)
        query = ReconciliationQuery(
            chain_id=ChainId(pin.chain_id),
            registry=pin.contracts[ContractName.LICENSES].address,
            releaser=releaser,
            license=license_id,
            block=head.number,
            block_hash=head.hash,
            nonce=Bytes32(self.entropy.token(_NONCE_SIZE)),
        )
        return sign_as_account(
            query.encode(), payload_type=QUERY_PAYLOAD_TYPE, keys=self.keys, key=key
        )

    def answer(self, data: bytes, *, operator: IdentityId) -> tuple[LicenseId, Kept]:
        """Return the license of a query, and the proofs of this node's receipts under it.

        Raises:
            LicensorOnlyError: Somebody else than the licensor asks.
            GuildmarkError: The query is malformed, stale, or for another node.
        """
        envelope = Envelope.parse(data)
        envelope.check_type(QUERY_PAYLOAD_TYPE, "query for receipts", QueryTypeError)
        query = ReconciliationQuery.parse(envelope.payload)
        check_addressed(query, self.ledger, operator)
        with self.store.reading() as view:
            licensor = _licensor(query.license, view)
        try:
            envelope.verify({account_key(licensor): verifier_of(licensor)})
        except GuildmarkError as error:
            message = f"Only the licensor of {to_hex(query.license)} sees its receipts."
            raise LicensorOnlyError(message, license=to_hex(query.license)) from error
        return query.license, Kept(proofs=tuple(self.receipts.of_license(query.license)))

    def keep(self, license_id: LicenseId, proofs: Sequence[ReceiptProof]) -> int:
        """Check receipts of other releasers against the chain, keep them, return how many.

        What was kept before and is not shown again stays.

        Raises:
            ReceiptOfOtherLicenseError: One is of another license.
            NotLoggedError: One is not on record.
        """
        for proof in proofs:
            if verified(proof, self.ledger).license != license_id:
                message = f"A receipt is not of license {to_hex(license_id)}."
                raise ReceiptOfOtherLicenseError(message, license=to_hex(license_id))
        with self.store.writing() as work:
            found = {proof.envelope: proof for proof in (*_kept(license_id, work), *proofs)}
            body = canonical(codec.dump(Kept(proofs=tuple(found.values()))))
            work.documents.put(DocumentKind.RECEIPTS, license_id, body)
        return len(proofs)

    def of(self, license_id: LicenseId) -> Reconciliation:
        """Return a license's reconciliation by the receipts of this home: its own, and kept ones.

        Raises:
            LicenseUnknownError: No final block grants it.
        """
        own = self.receipts.of_license(license_id)
        with self.store.reading() as view:
            granted = _granted(license_id, view)
            lanes = [one for one in view.facts.each(LaneFact) if one.license == granted.number]
            proofs = [*own, *_kept(license_id, view)]
        releases = [
            Release(receipt=receipt_in(proof.envelope), recorded_at=proof.record.time)
            for proof in proofs
        ]
        return reconcile(granted, lanes, releases)


def _kept(license_id: LicenseId, view: View) -> tuple[ReceiptProof, ...]:
    body = view.documents.get(DocumentKind.RECEIPTS, license_id)
    return () if body is None else codec.load(Kept, parse_object(body, KEPT_LIMITS)).proofs


def _licensor(license_id: LicenseId, view: View) -> Address:
    """Return the account that may stop a license: the design's owner, or who licensed it on."""
    granted = _granted(license_id, view)
    source = known(view.facts, LaneFact, granted.first_lane).source
    if source == NO_LANE:
        return known(view.facts, DesignFact, granted.terms.design).owner
    giver = known(view.facts, LaneFact, source).holder
    return known(view.facts, IdentityFact, giver).controller


def _granted(license_id: LicenseId, view: View) -> LicenseFact:
    numbered = view.facts.get(LicenseNumberFact, license_id)
    if numbered is None:
        message = f"No final block grants the license {to_hex(license_id)}."
        raise LicenseUnknownError(message, license=to_hex(license_id))
    return known(view.facts, LicenseFact, numbered.number)
