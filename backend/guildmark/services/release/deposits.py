"""Deposits: the keys of a design's files, sealed to a node that may release them.

The designer makes one for his own node and, where he wants, one for an escrow agent's.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from guildmark.domain.encoding import abi, codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import NotFoundError
from guildmark.domain.identifiers import Digest, IdentityId, LicenseId, RecipeId, to_hex
from guildmark.domain.rights.fileset import Manifest
from guildmark.domain.rights.release import ContentKeys
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, View
from guildmark.services.release.packages import (
    PACKAGE_LIMITS,
    Package,
    Packages,
    held,
    keep_documents,
    require,
)
from guildmark.services.rights.designs import SealedFiles, files_key

# Hex doubles what was sealed.
_KEPT_LIMITS = replace(PACKAGE_LIMITS, size=3 * PACKAGE_LIMITS.size)
_INFO_TAG = b"guildmark/deposit/v1"


class DepositUnknownError(NotFoundError):
    """No keys were deposited at this node for the license and recipe."""

    code = "release.depositUnknown"
    hint = "Ask another node that the package names, or the designer to deposit the keys here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """What a releaser needs to decide about a release, and to carry it out.

    Args:
        package: What the sites get beside the keys.
        keys: The keys of the files, in the manifest's order.
        issuers: Whose clearances for control classes count, and nobody else's.
    """

    package: Package
    keys: ContentKeys
    issuers: tuple[IdentityId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A deposit as a releaser keeps it: sealed, beside the name of the key that opens it."""

    key: str
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposits:
    """Use cases around deposits: made in the designer's home, kept in a releaser's."""

    packages: Packages
    keys: KeyStore

    def make(
        self,
        license_id: LicenseId,
        recipe_id: RecipeId,
        *,
        releaser: IdentityId,
        recipient: bytes,
        issuers: Collection[IdentityId] = (),
    ) -> bytes:
        """Return the keys to a design's files, sealed to a releaser.

        Args:
            license_id: The license under which they may be released.
            recipe_id: The recipe to build by.
            releaser: The operator of the node that releases them.
            recipient: The node's public key.
            issuers: Whose clearances for control classes count.

        Raises:
            PackageNotLicensedError: The index knows no such license.
            RecipeUnknownError: The index knows no such recipe.
            PackageIncompleteError: Terms, recipe or files are not in this home.
            MalformedError: No such public key.
        """
        package = self.packages.gather(license_id, recipe_id)
        with self.packages.store.reading() as view:
            body = held(DocumentKind.FILES, files_key(package.revision), view)
        files = codec.load(SealedFiles, parse_object(body, PACKAGE_LIMITS))
        deposit = Deposit(
            package=package, keys=ContentKeys(keys=files.keys), issuers=tuple(issuers)
        )
        secret = canonical(codec.dump(deposit))
        return self.packages.vault.seal(secret, recipient, info=self._info(releaser))

    def keep(self, sealed: bytes, *, releaser: IdentityId, key: KeyName) -> Package:
        """Check a deposit against the chain, keep it sealed, and return what it is for.

        Args:
            sealed: The deposit.
            releaser: The operator of this node.
            key: The key of this home that opens it.

        Raises:
            SealBrokenError: It was sealed to another key, operator or chain, or was changed.
            PackageMismatchError: A part is not what the chain commits to; nothing was kept.
        """
        deposit = self._open(sealed, releaser=releaser, key=key)
        package = deposit.package
        self.packages.check(package)
        require("keys", len(deposit.keys.keys) == len(Manifest.parse(package.manifest).files))
        license_id = self.packages.license_id(package)
        kept = canonical(codec.dump(_Kept(key=key, sealed=sealed)))
        with self.packages.store.writing() as work:
            keep_documents(package, license_id, work)
            work.documents.put(DocumentKind.DEPOSIT, _place(license_id, package.recipe.id()), kept)
        return package

    def opened(
        self, license_id: LicenseId, recipe_id: RecipeId, *, releaser: IdentityId, view: View
    ) -> Deposit:
        """Return a deposit that is kept here, opened.

        Raises:
            DepositUnknownError: None is kept for the license and recipe.
            SealBrokenError: The key that opens it is another one now.
        """
        body = view.documents.get(DocumentKind.DEPOSIT, _place(license_id, recipe_id))
        if body is None:
            message = f"This node holds no keys for license {to_hex(license_id)} and this recipe."
            raise DepositUnknownError(message, license=to_hex(license_id))
        kept = codec.load(_Kept, parse_object(body, _KEPT_LIMITS))
        return self._open(kept.sealed, releaser=releaser, key=KeyName(kept.key))

    def _open(self, sealed: bytes, *, releaser: IdentityId, key: KeyName) -> Deposit:
        opened = self.keys.unseal(key, sealed, info=self._info(releaser))
        return codec.load(Deposit, parse_object(opened, PACKAGE_LIMITS))

    def _info(self, releaser: IdentityId) -> bytes:
        return _INFO_TAG + abi.uint(self.packages.ledger.pin().chain_id) + releaser


def _place(license_id: LicenseId, recipe_id: RecipeId) -> Digest:
    return sha256(license_id + recipe_id)
