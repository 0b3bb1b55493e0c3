"""Organizations, sites, machines and authorities: registered, linked, given keys and claims."""

from collections.abc import Mapping
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import ProposalFact
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.identifiers import (
    ZERO32,
    Address,
    Bytes32,
    ClaimId,
    Digest,
    IdentityId,
    KeyId,
    to_hex,
)
from guildmark.domain.identity.identity import (
    ClaimDocument,
    IdentityKind,
    check_profile_name,
    identity_id,
    key_id,
    profile_digest,
    scheme_bytes,
)
from guildmark.domain.identity.registers import check_identifier
from guildmark.domain.rights.lawful import country_code
from guildmark.domain.signatures import PublicKey
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.clock import Entropy
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, NodeStore
from guildmark.services.identity.accounts import Account
from guildmark.services.recipes.disclosing import claim_body, keep_profile

_SALT_SIZE = 32
_NO_EVIDENCE = Digest(ZERO32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """Use cases around identities; the account is the controller of those it speaks for."""

    ledger: Ledger
    account: Account
    store: NodeStore
    entropy: Entropy

    def register(self, kind: IdentityKind, profile: Mapping[str, JsonValue]) -> IdentityId:
        """Register the account as first controller of a new identity and return its id.

        The profile is kept in this home; the chain sees its salted digest only.

        Raises:
            MalformedNameError: People could not read the profile's name as it is written.
            CountryUnknownError: The profile names a country that ISO 3166-1 does not.
        """
        salt = self._salt()
        digest, document = self._salted(profile)
        registered = self._id_for(salt)
        # Kept before anything is sent: what opens a digest on chain must not be lost.
        self._keep(DocumentKind.PROFILE, registered, document)
        self.account.call(ContractName.IDENTITIES, "register", kind, salt, digest, once=salt.hex())
        return registered

    def change_profile(self, identity: IdentityId, profile: Mapping[str, JsonValue]) -> None:
        """Let another profile stand for an identity, as its controller.

        Whom the old one was disclosed to needs the new one.

        Raises:
            MalformedNameError: People could not read the profile's name as it is written.
            CountryUnknownError: The profile names a country that ISO 3166-1 does not.
            CallerRefusedError: The account does not speak for the identity; its profile stays.
        """
        digest, document = self._salted(profile)
        # Under its digest until it stands: a refused one must not replace what does, and where the
        # call lands late the index finds it.
        self._keep(DocumentKind.PROFILE, digest, document)
        self.account.call(
            *(ContractName.IDENTITIES, "setProfile", identity, digest), once=digest.hex()
        )
        with self.store.writing() as work:
            keep_profile(identity, document, work)

    def propose_controller(self, identity: IdentityId, account: Address) -> None:
        """Name, as the controller, the account that shall speak for an identity, once it accepts.

        Raises:
            CallerRefusedError: The account does not speak for the identity.
        """
        self._rotate("proposeController", identity, account)

    def accept_controller(self, identity: IdentityId) -> None:
        """Speak for an identity from now on, as the account that was named.

        Raises:
            CallerRefusedError: Its controller named another account, or none.
        """
        self._rotate("acceptController", identity)

    def request_link(self, child: IdentityId, parent: IdentityId) -> None:
        """Ask, as the child's controller, for a link.

        Raises:
            CallerRefusedError: The account does not speak for the child.
            LinkStateError: The link is asked for already.
        """
        self._link("requestLink", child, parent)

    def accept_link(self, child: IdentityId, parent: IdentityId) -> None:
        """Accept, as the parent's controller, a link that was asked for.

        Raises:
            CallerRefusedError: The account does not speak for the parent.
            LinkStateError: Nobody asked, or another link of the child is open.
        """
        self._link("acceptLink", child, parent)

    def end_link(self, child: IdentityId, parent: IdentityId) -> None:
        """End an open link, as either side's controller.

        Raises:
            CallerRefusedError: The account speaks for neither side.
            LinkStateError: The link is not open.
        """
        self._link("endLink", child, parent)

    def add_key(self, machine: IdentityId, key: PublicKey) -> KeyId:
        """Add a key to a machine, as its controller; it may sign from now on.

        Raises:
            CallerRefusedError: The account does not speak for the machine.
            KeyAddedError: The machine has this key already.
        """
        added = key_id(machine, key)
        self.account.call(
            *(ContractName.IDENTITIES, "addKey", machine, key.algorithm, key.data),
            once=added.hex(),
        )
        return added

    def end_key(self, machine: IdentityId, key: KeyId) -> None:
        """End a machine's key from now on; what it signed before stays.

        Raises:
            CallerRefusedError: The account does not speak for the machine.
            KeyEndedError: It has ended already.
        """
        self.account.call(ContractName.IDENTITIES, "endKey", machine, key, once=key.hex())

    def give_notice(
        self,
        machine: IdentityId,
        key: KeyId,
        *,
        suspected_from: int,
        evidence: Digest = _NO_EVIDENCE,
    ) -> None:
        """Give notice, as the machine's controller, that a key may be in wrong hands.

        Args:
            machine: The machine.
            key: Its key.
            suspected_from: Block seconds from which the key is doubted; it only moves earlier.
            evidence: The digest of what shows why.

        Raises:
            CallerRefusedError: The account does not speak for the machine.
            KeyUnknownError: The machine has no such key.
            SuspicionError: A time from which the notice may not doubt the key.
        """
        self.account.call(
            *(ContractName.IDENTITIES, "giveNotice", machine, key, suspected_from, evidence),
            once=f"{key.hex()}:{suspected_from}",
        )

    def claim(self, issuer: IdentityId, subject: IdentityId, document: ClaimDocument) -> ClaimId:
        """State, as the issuer's controller, which identifier the subject holds.

        What opens the claim is kept in this home; the chain sees its salted digest only.

        Raises:
            MalformedError: The identifier is malformed or its check digits are wrong; nothing was
                sent.
            CallerRefusedError: The account does not speak for the issuer.
            ClaimMadeError: The issuer made this very claim already.
        """
        check_identifier(document.scheme, document.value)
        made = document.claim_id(issuer=issuer, subject=subject)
        scheme, digest = scheme_bytes(document.scheme), document.digest()
        self._keep(DocumentKind.CLAIM, made, claim_body(issuer, subject, document))
        self.account.call(
            *(ContractName.IDENTITIES, "claim", issuer, subject, scheme, digest, ZERO32),
            once=made.hex(),
        )
        return made

    def claim_public(
        self, issuer: IdentityId, subject: IdentityId, document: ClaimDocument
    ) -> ClaimId:
        """State, for everybody to read, which identifier the subject holds.

        Raises:
            MalformedError: The identifier is malformed or its check digits are wrong; nothing was
                sent.
            CallerRefusedError: The account does not speak for the issuer.
            NumberClaimedError: The issuer claims the identifier already.
        """
        check_identifier(document.scheme, document.value)
        made = document.claim_id(issuer=issuer, subject=subject)
        said = (scheme_bytes(document.scheme), document.value, document.salt, ZERO32)
        self.account.call(
            *(ContractName.IDENTITIES, "claimPublic", issuer, subject, *said), once=made.hex()
        )
        return made

    def revoke_claim(self, issuer: IdentityId, claim: ClaimId) -> None:
        """Revoke a claim from now on, as its issuer's controller.

        Raises:
            CallerRefusedError: The account does not speak for the issuer.
            ClaimUnknownError: The issuer made no such claim.
            ClaimRevokedError: It is revoked already.
        """
        self.account.call(ContractName.IDENTITIES, "revokeClaim", issuer, claim, once=claim.hex())

    def _rotate(self, step: str, *args: object) -> None:
        # An identity may change hands again and again, so that each call has a name of its own.
        self.account.call(ContractName.IDENTITIES, step, *args, once=self._salt().hex())

    def _link(self, step: str, child: IdentityId, parent: IdentityId) -> None:
        # A link may be made and ended again and again, so that its count tells the calls apart.
        counted = Call(contract=ContractName.IDENTITIES, function="linkCount", args=(child, parent))
        once = f"{child.hex()}:{parent.hex()}:{self.ledger.read(counted)}"
        self.account.call(ContractName.IDENTITIES, step, child, parent, once=once)

    def _id_for(self, salt: Bytes32) -> IdentityId:
        pin = self.ledger.pin()
        return identity_id(
            chain_id=pin.chain_id,
            registry=pin.contracts[ContractName.IDENTITIES].address,
            controller=self.account.address,
            salt=salt,
        )

    def _salted(self, profile: Mapping[str, JsonValue]) -> tuple[Digest, bytes]:
        """Return a profile's digest under a fresh salt, and the document that opens it."""
        check_profile_name(profile)
        _check_country(profile)
        salt = self._salt()
        document = canonical({**profile, "salt": to_hex(salt)})
        return profile_digest(profile, salt), document

    def _keep(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        with self.store.writing() as work:
            work.documents.put(kind, key, body)

    def _salt(self) -> Bytes32:
        return Bytes32(self.entropy.token(_SALT_SIZE))


def proposed(identity: IdentityId, facts: Facts) -> Address | None:
    """Return the account that may accept an identity from its controller, None where none may."""
    found = facts.get(ProposalFact, identity)
    return found.account if found is not None and any(found.account) else None


def _check_country(profile: Mapping[str, JsonValue]) -> None:
    if "country" in profile:
        country_code(str(profile["country"]))
