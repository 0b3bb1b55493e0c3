"""License packages: what a site needs to build, sealed to the site, opened and checked there."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BufferedIOBase
from typing import TypeAlias

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import licenses_domain
from guildmark.domain.chain.facts import (
    LicenseFact,
    LicenseNumberFact,
    ParentFact,
    RecipeFact,
    RevisionFact,
)
from guildmark.domain.chain.refusals import RecipeUnknownError
from guildmark.domain.encoding import abi, codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import ContentError, NotCoveredError, NotFoundError
from guildmark.domain.identifiers import IdentityId, LicenseId, RecipeId, to_hex
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.clauses import DisclosedClauses, Disclosure, clause_root, disclose_all
from guildmark.domain.recipes.recipe import Recipe, RecipeDocument
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.fileset import FileName, Manifest
from guildmark.domain.rights.release import ContentKeys, ReleasePlace
from guildmark.domain.rights.terms import Allowance, Terms, TermsKind, allows
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.content import Vault
from guildmark.ports.facts import Facts
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, NodeStore, View, Work
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import keep_clauses, shown_clauses
from guildmark.services.rights.ancestry import above, shown_above, verified_above
from guildmark.services.rights.designs import SealedFiles, files_key
from guildmark.services.rights.lawful import Place

PACKAGE_LIMITS = Limits(size=16 << 20, depth=8, values=200_000)

_INFO_TAG = b"guildmark/package/v1"

OpenSink: TypeAlias = Callable[[FileName], AbstractContextManager[BufferedIOBase]]


class PackageMismatchError(ContentError):
    """A part of the package is not what the chain commits to."""

    code = "package.mismatch"
    hint = "Ask the licensor to seal the package again."


class PackageNotLicensedError(NotCoveredError):
    """The package's license is not on record."""

    code = "package.notLicensed"
    hint = "Wait until the license is final, then open the package again."


class PackageLicenseEndedError(NotCoveredError):
    """The package's license, or one above it, has ended or is stopped, be it from a later time."""

    code = "package.licenseEnded"
    hint = "Nobody gets its files any more; grant another license."


class ReleaseRefusedError(NotCoveredError):
    """A license does not allow that the site gets the files."""

    code = "package.releaseRefused"
    hint = "Seal the package to a site that the license, and each above it, allows."


class PackageIncompleteError(NotFoundError):
    """This home lacks terms, recipe or files that the package needs."""

    code = "package.incomplete"
    hint = "Seal the package in the home that published the recipe and signed the terms."


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Everything that a site needs to build under a license.

    Args:
        terms: The license's terms.
        members: The leaves under their root, all shown.
        recipe: The recipe as it is on chain.
        document: The recipe in full.
        revision: The design's revision.
        manifest: The manifest of its encrypted files. Their keys are released elsewhere.
        above: What is shown of the terms above, the nearest first.
        releasers: Where the keys are released, the designer's own node first.
    """

    terms: Terms
    members: tuple[Clause, ...]
    recipe: Recipe
    document: RecipeDocument
    revision: Revision
    manifest: bytes
    above: tuple[Disclosure, ...] = ()
    releasers: tuple[ReleasePlace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """Use cases around license packages."""

    ledger: Ledger
    keys: KeyStore
    vault: Vault
    store: NodeStore

    def gather(
        self,
        license_id: LicenseId,
        recipe_id: RecipeId,
        *,
        releasers: Sequence[ReleasePlace] = (),
    ) -> Package:
        """Return what a site must be given under a license, from what this home holds.

        Args:
            license_id: The license.
            recipe_id: The recipe under which the site shall build.
            releasers: Where the site may ask for the files' keys, in this order.

        Raises:
            PackageNotLicensedError: The index knows no such license.
            RecipeUnknownError: The index knows no such recipe.
            PackageIncompleteError: Terms, recipe or files are not in this home.
            DocumentUnknownError: The terms of a license above are not in this home.
        """
        with self.store.reading() as view:
            terms = _granted_terms(license_id, view)
            recipe = _published_recipe(recipe_id, view)
            number = recipe.revision
            document = held(DocumentKind.RECIPE_DOCUMENT, recipe_id, view)
            revision = known(view.facts, RevisionFact, recipe.design, number).revision
            kept = held(DocumentKind.FILES, files_key(revision), view)
            files = parse_object(kept, PACKAGE_LIMITS)
            # The keys that stand beside the manifest stay here.
            manifest = codec.load(SealedFiles, files).manifest
            return Package(
                terms=terms,
                members=_members(license_id, terms, view),
                recipe=recipe,
                document=RecipeDocument.parse(document),
                revision=revision,
                manifest=manifest,
                above=shown_above(terms, view),
                releasers=tuple(releasers),
            )

    def seal(
        self,
        package: Package,
        *,
        site: IdentityId,
        recipient: bytes,
        issuers: Collection[IdentityId] = (),
    ) -> bytes:
        """Return a package that only the site can open.

        Args:
            package: What to seal.
            site: The site.
            recipient: Its public key for packages.
            issuers: Whose clearances for control classes count.

        Raises:
            PackageNotLicensedError: The license is not in a final block.
            PackageLicenseEndedError: It or one above has ended or is stopped, be it from a later
                time on.
            ReleaseRefusedError: A license does not name the site.
            CountryNotAllowedError: A license does not allow the site's country.
            NotClearedError: A license names a control class for which nobody cleared the site.
        """
        license_id = self.license_id(package)
        self._check_granted(license_id)
        with self.store.reading() as view:
            place = Place.known(site, _maker(site, view), view, issuers=issuers)
            for granted, members in licensed(license_id, package, view.facts):
                self._check_going(granted)
                _check_site(granted, members, site)
                place.check(granted.number, members)
        return self.vault.seal(canonical(codec.dump(package)), recipient, info=self._info(site))

    def open(self, sealed: bytes, *, site: IdentityId, key: KeyName) -> Package:
        """Open a package, check each part of it against the chain, and keep its documents.

        Raises:
            SealBrokenError: It was sealed to another key, site or chain, or was changed.
            PackageNotLicensedError: The license is not in a final block.
            PackageMismatchError: A part is not what the chain commits to; nothing was kept.
        """
        opened = self.keys.unseal(key, sealed, info=self._info(site))
        package = codec.load(Package, parse_object(opened, PACKAGE_LIMITS))
        license_id = self.license_id(package)
        self._check_granted(license_id)
        self.check(package)
        with self.store.writing() as work:
            work.documents.put(DocumentKind.PACKAGE, license_id, opened)
            keep_documents(package, license_id, work)
        return package

    def extract(self, package: Package, keys: ContentKeys, sink: OpenSink) -> Manifest:
        """Decrypt the design's files, comparing each with the manifest, and return the manifest.

        Args:
            package: The package.
            keys: The files' keys, as they were released.
            sink: Opens the target of a file by its name.

        Raises:
            ContentMissingError: An encrypted file is not here.
            ContentMismatchError: An encrypted file does not open.
            FileMismatchError: A plain file is not the one that the revision commits to.
            PackageMismatchError: There is not one key a file.
        """
        manifest = Manifest.parse(package.manifest)
        require("keys", len(keys.keys) == len(manifest.files))
        for file, key in zip(manifest.files, keys.keys, strict=True):
            with sink(file.name) as target:
                plain = self.vault.get(file.cid, key, target)
                file.check(size=plain.size, digest=plain.digest)
        return manifest

    def license_id(self, package: Package) -> LicenseId:
        """Return the id of the package's license on this chain."""
        pin = self.ledger.pin()
        registry = pin.contracts[ContractName.LICENSES].address
        return package.terms.license_id(licenses_domain(chain_id=pin.chain_id, contract=registry))

    def _info(self, site: IdentityId) -> bytes:
        return _INFO_TAG + abi.uint(self.ledger.pin().chain_id) + site

    def _check_granted(self, license_id: LicenseId) -> None:
        final = self.ledger.head(final=True).number
        call = Call(contract=ContractName.LICENSES, function="numberOf", args=(license_id,))
        if self.ledger.read(call, block=final) == 0:
            raise _not_granted(license_id)

    def _check_going(self, granted: LicenseFact) -> None:
        """Look at the newest block: what is stopped gives no keys from the call on."""
        call = Call(contract=ContractName.LICENSES, function="license", args=(granted.number,))
        found, now = self.ledger.read(call), self.ledger.head(final=False).time
        if found["stopAt"] or 0 < found["notAfter"] <= now:
            message = f"License {granted.number} has ended or is stopped."
            raise PackageLicenseEndedError(message, license=to_hex(granted.id))

    def check(self, package: Package) -> None:
        """Check each part of a package against what the chain commits to.

        Raises:
            PackageMismatchError: A part is another one; it is named.
            GuildmarkError: The terms above are not those of the licenses above.
        """
        revision = package.revision
        manifest = Manifest.parse(package.manifest)
        published, registered = self.ledger.read_all(
            [
                Call(
                    contract=ContractName.RECIPES,
                    function="publishedAt",
                    args=(package.recipe.id(),),
                ),
                Call(
                    contract=ContractName.DESIGNS,
                    function="revisionDigest",
                    args=(revision.design, revision.number),
                ),
            ]
        )
        require("terms", clause_root(package.members) == package.terms.terms_root)
        require("recipe", published != 0 and package.document.root() == package.recipe.root)
        require("revision", registered == revision.digest())
        require("manifest", manifest.digest() == revision.manifest)
        require("files", manifest.ciphertext() == revision.ciphertext)
        require("file list", manifest.root() == revision.root)
        with self.store.reading() as view:
            list(verified_above(package.terms, package.above, view.facts))


def keep_documents(package: Package, license_id: LicenseId, work: Work) -> None:
    """Keep what a package shows of terms and recipe; all of it was checked before."""
    terms, recipe = disclose_all(package.members), disclose_all(package.document.clauses)
    recipe_id, document = package.recipe.id(), package.document.encode()
    keep_clauses(work, DocumentKind.TERMS, license_id, terms)
    keep_clauses(work, DocumentKind.RECIPE, recipe_id, recipe)
    work.documents.put(DocumentKind.RECIPE_DOCUMENT, recipe_id, document)
    for one, shown in zip(above(package.terms, work.facts), package.above, strict=True):
        keep_clauses(work, DocumentKind.TERMS, one.id, shown)


def licensed(
    license_id: LicenseId, package: Package, facts: Facts
) -> Iterator[tuple[LicenseFact, DisclosedClauses]]:
    """Yield the package's license, then each above it, with what they allow.

    Raises:
        PackageNotLicensedError: The index does not know the license.
        GuildmarkError: What is shown is not what one of them commits to.
    """
    numbered = facts.get(LicenseNumberFact, license_id)
    if numbered is None:
        raise _not_granted(license_id)
    own = disclose_all(package.members).verify(package.terms.terms_root)
    yield known(facts, LicenseFact, numbered.number), own
    yield from verified_above(package.terms, package.above, facts)


def _check_site(granted: LicenseFact, members: DisclosedClauses, site: IdentityId) -> None:
    if allows(members, TermsKind.SITE, to_hex(site)) is not Allowance.YES:
        message = f"License {granted.number} does not allow site {to_hex(site)}."
        raise ReleaseRefusedError(message, license=to_hex(granted.id), site=to_hex(site))


def _maker(site: IdentityId, view: View) -> IdentityId | None:
    parent = view.facts.get(ParentFact, site)
    return None if parent is None else parent.parent


def _granted_terms(license_id: LicenseId, view: View) -> Terms:
    numbered = view.facts.get(LicenseNumberFact, license_id)
    if numbered is None:
        raise _not_granted(license_id)
    return known(view.facts, LicenseFact, numbered.number).terms


def _published_recipe(recipe_id: RecipeId, view: View) -> Recipe:
    published = view.facts.get(RecipeFact, recipe_id)
    if published is None:
        message = f"No final block holds the recipe {to_hex(recipe_id)}."
        raise RecipeUnknownError(message, recipe=to_hex(recipe_id))
    return published.recipe


def _members(license_id: LicenseId, terms: Terms, view: View) -> tuple[Clause, ...]:
    shown = shown_clauses(view.documents, DocumentKind.TERMS, license_id)
    if shown is None:
        raise _incomplete(DocumentKind.TERMS, license_id)
    return tuple(shown.verify(terms.terms_root).opened.values())


def held(kind: DocumentKind, key: bytes, view: View) -> bytes:
    """Return a document of this home.

    Raises:
        PackageIncompleteError: It is not here.
    """
    body = view.documents.get(kind, key)
    if body is None:
        raise _incomplete(kind, key)
    return body


def _incomplete(kind: DocumentKind, key: bytes) -> PackageIncompleteError:
    message = f"This home holds no {kind.value} of {to_hex(key)}."
    return PackageIncompleteError(message, kind=kind.value, key=to_hex(key))


def _not_granted(license_id: LicenseId) -> PackageNotLicensedError:
    message = f"No final block grants license {to_hex(license_id)}."
    return PackageNotLicensedError(message, license=to_hex(license_id))


def require(what: str, holds: bool) -> None:
    """Check a part of a package.

    Raises:
        PackageMismatchError: It does not hold.
    """
    if not holds:
        message = f"The package's {what} is not what the chain commits to."
        raise PackageMismatchError(message, what=what)
