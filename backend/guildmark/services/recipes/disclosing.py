"""Disclosures: documents behind digests on chain, each checked against its digest when it comes."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.builds.inspection import InspectionProof
from guildmark.domain.chain.facts import (
    AccreditationFact,
    ClaimFact,
    DesignFact,
    IdentityFact,
    LicenseFact,
    LicenseNumberFact,
    NumberFact,
    RecallFact,
    RecipeFact,
    RecordFact,
    RevisionFact,
    SiteRecipeFact,
)
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import read_document
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import ConflictError, ContentError, GuildmarkError, NotFoundError
from guildmark.domain.identifiers import (
    Bytes32,
    ClaimId,
    Digest,
    IdentityId,
    bytes32_from_hex,
)
from guildmark.domain.identity.identity import (
    ClaimDocument,
    check_profile_name,
    number_digest,
    profile_digest,
)
from guildmark.domain.log.merkle import verify_inclusion
from guildmark.domain.log.queue import Logged
from guildmark.domain.recall_reason import RecallReason
from guildmark.domain.recipes.clauses import Disclosure, disclose, disclose_all
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.fileset import EncryptedList, Manifest
from guildmark.domain.rights.picture import DesignPicture
from guildmark.domain.verification.evidence import (
    AccreditationDisclosure,
    ClaimDisclosure,
    ProfileDisclosure,
)
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, Documents, NodeStore, View, Work
from guildmark.services.builds.inspecting import inspection_proof, keeping
from guildmark.services.equivalence.results import PUBLISHED, opening
from guildmark.services.identity.naming import Naming
from guildmark.services.index.projection import known
from guildmark.services.rights.designs import SealedFiles, files_key

DISCLOSURE_LIMITS = Limits(size=4 << 20, depth=8, values=50_000)


class DisclosedThingUnknownError(NotFoundError):
    """A document opens a thing that no final block holds."""

    code = "disclosure.thingUnknown"
    hint = "Register the thing first, wait until it is final, then disclose."


class ProfileMismatchError(ContentError):
    """A profile is not what its identity's digest commits to."""

    code = "profile.mismatch"
    hint = "Send the profile as it was registered, salt included."


class PictureStaleError(ConflictError):
    """A picture of a design was signed no later than the one that is shown."""

    code = "design.pictureStale"
    hint = "Publish the picture anew."


class ListedOtherwiseError(ConflictError):
    """A design's encrypted files were listed with other addresses before."""

    code = "design.filesListedOtherwise"
    hint = "Ask the node's operator: the list that came first stays."


class DeclaredOtherwiseError(ContentError):
    """A list of what a maker declared is not the one that his part's entry commits to."""

    code = "disclosure.declaredOtherwise"
    hint = "Disclose from the home that signed the part."


class DocumentUnknownError(NotFoundError):
    """This home does not hold the document that opens a thing."""

    code = "disclosure.documentUnknown"
    hint = "Use the home that made or received it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosing:
    """Use cases around disclosures."""

    store: NodeStore
    naming: Naming

    def receive(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        """Keep a document after checking it against the digest on chain.

        What was opened of a tree of clauses before stays open.

        Args:
            kind: What it opens: terms, recipe, site recipe, claim, profile, accreditation,
                inspection, picture of a design, list of its encrypted files, reason of a recall,
                or what is published of a plan of equivalence.
            key: The id of the license, recipe, site recipe, claim, identity, accreditation, design
                or plan, the digest of the inspection's envelope or of the reason, or the root of a
                site's data.
            body: The document; clauses as `Disclosure` writes them.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: The document does not follow its schema.
            DisclosedThingUnknownError: No final block holds the thing.
            ContentError: It is not what the digest on chain commits to.
        """
        with self.store.writing() as work:
            key, body = _checked(kind, key, body, work)
            if kind is DocumentKind.PROFILE:
                keep_profile(IdentityId(Bytes32(key)), body, work)
            else:
                work.documents.put(kind, key, body)
            if kind is DocumentKind.CLAIM:
                note_number(ClaimId(Bytes32(key)), work)
            if kind is DocumentKind.PROFILE:
                self.naming.note(IdentityId(Bytes32(key)), work)

    def show(self, kind: DocumentKind, key: bytes, *, paths: Collection[str] = ()) -> bytes:
        """Return the document of this home that opens a thing, ready to be disclosed.

        Args:
            kind: What it opens.
            key: The id of the license, recipe, site recipe, claim or identity.
            paths: Of a recipe, the clauses to open; all of them where none is named.

        Raises:
            DocumentUnknownError: This home holds no such document.
            ClauseUnknownError: No clause has one of the paths.
        """
        is_recipe = kind in {DocumentKind.RECIPE, DocumentKind.SITE_RECIPE}
        kept = DocumentKind.RECIPE_DOCUMENT if is_recipe else kind
        with self.store.reading() as view:
            body = _MADE[kind](view, key) if kind in _MADE else view.documents.get(kept, key)
        if body is None:
            message = f"This home holds no {kind.value} of 0x{key.hex()}."
            raise DocumentUnknownError(message, kind=kind.value, key="0x" + key.hex())
        return _recipe_body(body, paths) if is_recipe else body


def _checked(kind: DocumentKind, key: bytes, body: bytes, work: Work) -> tuple[bytes, bytes]:
    """Return under which key a document is kept, and what is kept, where it opens what it says."""
    if kind is DocumentKind.INSPECTION:
        return _inspection(work, key, body)
    if kind in PUBLISHED:
        return opening(kind, key, body, work)
    if kind is DocumentKind.ENCRYPTED_FILES:
        return _encrypted_files(work, key, body)
    if kind in _OF_CLAUSES:
        _check_clauses(_OF_CLAUSES[kind](work.facts, key), key, body)
        return key, _joined(work.documents, kind, key, _clauses(body))
    if kind is DocumentKind.DEPENDENCIES:
        _check_declared(work, key, body)
    elif kind is DocumentKind.DESIGN_PICTURE:
        _check_picture(work, key, body)
    else:
        _CHECKS[kind](work.facts, key, body)
    return key, body


def _logged(view: View, key: bytes) -> bytes | None:
    """Return the proof of an inspection in this home's own log, None where it is not final."""
    build = view.log.build(Digest(Bytes32(key)))
    proof = None if build is None else inspection_proof(build, view)
    return None if proof is None else proof.encode()


def _inspection(work: Work, key: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Return the build that an inspection is about, and all that is kept of its inspections."""
    proof = InspectionProof.parse(body)
    _, said, entry = proof.opened()
    record = proof.record
    fact = work.facts.get(RecordFact, record.log, record.seq)
    if entry.envelope != key or fact is None or fact.record != record:
        raise _unknown(key)
    verify_inclusion(
        data=entry.leaf_data(proof.salt),
        index=proof.position,
        count=record.count,
        path=proof.path,
        root=record.root,
    )
    return said.envelope, keeping(work.documents.get(DocumentKind.INSPECTION, said.envelope), proof)


def _listed(view: View, key: bytes) -> bytes | None:
    """Return the list of a design's newest encrypted files, None where they are not here."""
    facts = view.facts.each(RevisionFact, key)
    newest = max((fact.revision for fact in facts), key=lambda one: one.number, default=None)
    body = None if newest is None else view.documents.get(DocumentKind.FILES, files_key(newest))
    if newest is None or body is None:
        return None
    manifest = Manifest.parse(codec.load(SealedFiles, parse_object(body)).manifest)
    return manifest.listed(newest.number).encode()


def _encrypted_files(work: Work, key: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Return the digest of the revision that a list is about, and the list's canonical bytes."""
    listed = EncryptedList.parse(body)
    fact = work.facts.get(RevisionFact, key, listed.revision)
    if fact is None:
        raise _unknown(key)
    listed.check(fact.revision.ciphertext)
    before = shown_list(work.documents, fact.revision)
    if before not in {None, listed}:
        # The chain commits to digests only: who knows them could lead others to wrong addresses.
        message = "The encrypted files of the revision were listed with other addresses."
        raise ListedOtherwiseError(message, design="0x" + key.hex())
    return fact.revision.digest(), listed.encode()


def shown_list(documents: Documents, revision: Revision) -> EncryptedList | None:
    """Return the list of a revision's encrypted files, None where it was not disclosed."""
    body = documents.get(DocumentKind.ENCRYPTED_FILES, revision.digest())
    return None if body is None else EncryptedList.parse(body)


def _final(work: Work, envelope: Digest) -> Logged | None:
    """Return the final entry of an envelope, None where there is none."""
    build = work.log.build(envelope)
    if build is None or build.log is None or build.index is None:
        return None
    return work.log.logged(build.log, build.index)


def _check_declared(work: Work, key: bytes, body: bytes) -> None:
    """Refuse a list that is not the one which an entry of this node's log commits to."""
    declared, logged = Declaration.parse(body), _final(work, Digest(Bytes32(key)))
    if logged is None:
        raise _unknown(key)
    if logged.queued.entry.dependencies != declared.root():
        message = "The part's log entry commits to another list."
        raise DeclaredOtherwiseError(message, envelope="0x" + key.hex())


def shown_declaration(documents: Documents, envelope: bytes) -> Declaration | None:
    """Return what was disclosed of what a part's maker declared, None where nothing was."""
    body = documents.get(DocumentKind.DEPENDENCIES, envelope)
    return None if body is None else Declaration.parse(body)


def _check_picture(work: Work, key: bytes, body: bytes) -> None:
    """Refuse what the design's owner did not sign, or not after what he signed before."""
    design = work.facts.get(DesignFact, key)
    if design is None:
        raise _unknown(key)
    made = DesignPicture.of_owner(body, design.owner)
    if made.design != key:
        raise _unknown(made.design)
    shown = work.documents.get(DocumentKind.DESIGN_PICTURE, key)
    if shown is not None and shown != body and made.at <= _signed_at(shown, design):
        message = "The picture was signed no later than the one that is shown."
        raise PictureStaleError(message, at=made.at)


def _signed_at(body: bytes, design: DesignFact) -> int:
    """Return when a design's picture was signed, 0 where its former owner did."""
    try:
        return DesignPicture.of_owner(body, design.owner).at
    except GuildmarkError:
        return 0


def shown_clauses(documents: Documents, kind: DocumentKind, key: bytes) -> Disclosure | None:
    """Return what was disclosed of a tree of clauses, None where nothing was."""
    body = documents.get(kind, key)
    return None if body is None else _clauses(body)


def keep_clauses(work: Work, kind: DocumentKind, key: bytes, shown: Disclosure) -> None:
    """Keep what was disclosed of a tree of clauses, checked, beside what was opened before."""
    work.documents.put(kind, key, _joined(work.documents, kind, key, shown))


def _joined(documents: Documents, kind: DocumentKind, key: bytes, shown: Disclosure) -> bytes:
    """Return a disclosure with what another one opened before: nobody takes back what he showed."""
    before = shown_clauses(documents, kind, key)
    return clauses_body(shown if before is None else before.joined(shown))


def shown_claim(documents: Documents, claim: ClaimFact) -> ClaimDisclosure | None:
    """Return a claim, opened, None where it is neither public nor disclosed."""
    if claim.value:
        scheme = claim.scheme.rstrip(b"\0").decode()
        document = ClaimDocument(scheme=scheme, value=claim.value, salt=claim.salt)
        return ClaimDisclosure(issuer=claim.issuer, subject=claim.subject, claim=document)
    body = documents.get(DocumentKind.CLAIM, claim.id)
    return None if body is None else _claim(body)


def note_number(claim: ClaimId, work: Work) -> None:
    """Let a claim be found by its identifier, where this home can read it."""
    fact = known(work.facts, ClaimFact, claim)
    shown = shown_claim(work.documents, fact)
    if shown is not None:
        number = number_digest(shown.claim.value)
        work.facts.put(NumberFact(scheme=fact.scheme, number=number, claim=claim))


def note_profile(identity: IdentityId, digest: Digest, work: Work) -> None:
    """Let the profile that an identity changed to stand, where this home wrote it."""
    body = work.documents.get(DocumentKind.PROFILE, digest)
    if body is not None:
        keep_profile(identity, body, work)


def keep_profile(identity: IdentityId, body: bytes, work: Work) -> None:
    """Keep an identity's profile, and the one before under its digest: parts of then need it."""
    former = work.documents.get(DocumentKind.PROFILE, identity)
    if former is not None and former != body:
        shown = ProfileDisclosure(identity=identity, document=former)
        work.documents.put(DocumentKind.PROFILE, shown.opened()[0], former)
    work.documents.put(DocumentKind.PROFILE, identity, body)


def clauses_body(disclosure: Disclosure) -> bytes:
    """Return the document that discloses clauses."""
    return canonical(disclosure.to_json())


def claim_body(issuer: IdentityId, subject: IdentityId, document: ClaimDocument) -> bytes:
    """Return the document that discloses a claim."""
    return canonical(codec.dump(ClaimDisclosure(issuer=issuer, subject=subject, claim=document)))


def _recipe_body(document: bytes, paths: Collection[str]) -> bytes:
    clauses = RecipeDocument.parse(document).clauses
    return clauses_body(disclose(clauses, paths) if paths else disclose_all(clauses))


def _root_of_terms(facts: Facts, key: bytes) -> Digest | None:
    numbered = facts.get(LicenseNumberFact, key)
    granted = None if numbered is None else facts.get(LicenseFact, numbered.number)
    return None if granted is None else granted.terms.terms_root


def _root_of_recipe(facts: Facts, key: bytes) -> Digest | None:
    published = facts.get(RecipeFact, key)
    return None if published is None else published.recipe.root


def _root_of_site_recipe(facts: Facts, key: bytes) -> Digest | None:
    published = facts.get(SiteRecipeFact, key)
    return None if published is None else published.recipe.root


def _check_clauses(root: Digest | None, key: bytes, body: bytes) -> None:
    if root is None:
        raise _unknown(key)
    _clauses(body).verify(root)


def _check_claim(facts: Facts, key: bytes, body: bytes) -> None:
    claim = _claim(body)
    if claim.id() != key or facts.get(ClaimFact, key) is None:
        raise _unknown(key)


def _check_accreditation(facts: Facts, key: bytes, body: bytes) -> None:
    if facts.get(AccreditationFact, key) is None or AccreditationDisclosure.parse(body).id() != key:
        raise _unknown(key)


def _check_reason(facts: Facts, key: bytes, body: bytes) -> None:
    reason = RecallReason.parse(body)
    if not any(key in {fact.reason, fact.closing} for fact in facts.each(RecallFact)):
        raise _unknown(key)
    reason.check(key)


def _check_profile(facts: Facts, key: bytes, body: bytes) -> None:
    identity = facts.get(IdentityFact, key)
    if identity is None:
        raise _unknown(key)
    profile = dict(parse_object(body, DISCLOSURE_LIMITS))
    salt = bytes32_from_hex(str(profile.pop("salt", "")))
    if profile_digest(profile, salt) != identity.profile:
        message = f"The profile is not the one of identity 0x{key.hex()}."
        raise ProfileMismatchError(message, identity="0x" + key.hex())
    check_profile_name(profile)


def _clauses(body: bytes) -> Disclosure:
    return read_document(body, Disclosure.read, DISCLOSURE_LIMITS)


def _claim(body: bytes) -> ClaimDisclosure:
    return codec.load(ClaimDisclosure, parse_object(body, DISCLOSURE_LIMITS))


def _unknown(key: bytes) -> DisclosedThingUnknownError:
    message = f"No final block holds what 0x{key.hex()} names."
    return DisclosedThingUnknownError(message, key="0x" + key.hex())


_Check: TypeAlias = Callable[[Facts, bytes, bytes], None]

_CHECKS: Mapping[DocumentKind, _Check] = MappingProxyType(
    {
        DocumentKind.CLAIM: _check_claim,
        DocumentKind.PROFILE: _check_profile,
        DocumentKind.ACCREDITATION: _check_accreditation,
        DocumentKind.RECALL_REASON: _check_reason,
    }
)

_OF_CLAUSES: Mapping[DocumentKind, Callable[[Facts, bytes], Digest | None]] = MappingProxyType(
    {
        DocumentKind.TERMS: _root_of_terms,
        DocumentKind.RECIPE: _root_of_recipe,
        DocumentKind.SITE_RECIPE: _root_of_site_recipe,
    }
)

# What a home does not keep as it is shown.
_MADE: Mapping[DocumentKind, Callable[[View, bytes], bytes | None]] = MappingProxyType(
    {DocumentKind.INSPECTION: _logged, DocumentKind.ENCRYPTED_FILES: _listed}
)
