"""Designs: file sets encrypted, committed to, revealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import SEEK_END, BufferedIOBase, BytesIO

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import RevisionFact
from guildmark.domain.chain.refusals import DesignUnknownError
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import MalformedError, NotFoundError
from guildmark.domain.identifiers import Address, Bytes32, Cid, DesignId, Digest, to_hex
from guildmark.domain.rights.design import Commitment, Revision
from guildmark.domain.rights.fileset import DesignFile, FileName, Manifest, parse_file_name
from guildmark.domain.rights.geometry import Geometry
from guildmark.ports.chain import Call, Ledger, TransactionStatus
from guildmark.ports.clock import Entropy
from guildmark.ports.content import Vault
from guildmark.ports.store import DocumentKind, NodeStore, View
from guildmark.services.identity.accounts import Account

_KEY_SIZE = 32
# A reveal takes some 250,000. In a quiet network the newest block is the commitment's own, where
# trying it out would fail: too young.
_REVEAL_GAS = 500_000


class DesignFilesUnknownError(NotFoundError):
    """This home holds no keys to the files of the design."""

    code = "design.filesUnknown"
    hint = "Use the home that registered the design."


class EmptyFileError(MalformedError):
    """A file to register holds nothing: whoever licensed it would get nothing to build from."""

    code = "design.fileEmpty"
    hint = "Look at the file that is named; it may not have been written to its end."


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to register; what was measured of its shape becomes part of its leaf."""

    name: str
    media_type: str
    content: BufferedIOBase
    geometry: Geometry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFiles:
    """The encrypted files of a revision with their keys: the designer's secret.

    Args:
        manifest: The manifest's bytes.
        cid: Where the encrypted manifest is.
        manifest_key: What opens it.
        keys: What opens each file, in the manifest's order.
    """

    manifest: bytes
    cid: Cid
    manifest_key: Bytes32 = field(repr=False)
    keys: tuple[Bytes32, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Designs:
    """Use cases around designs; the account owns what it registers."""

    ledger: Ledger
    account: Account
    vault: Vault
    store: NodeStore
    entropy: Entropy

    def register(self, files: Sequence[SourceFile]) -> DesignId:
        """Encrypt and store files, commit to them, reveal, and return the design's id.

        The keys are kept in this home only.

        Raises:
            FileNameError: A name leads out of its folder.
            EmptyFileError: A file holds nothing.
            MalformedManifestError: No file, too many, or a name twice.
        """
        sealed = self._seal(files)
        manifest, salt = Manifest.parse(sealed.manifest), self._secret()
        design = self._commit(manifest, salt)
        with self.store.writing() as work:
            body = canonical(codec.dump(sealed))
            work.documents.put(DocumentKind.FILES, design, body)
        self._reveal(design, manifest, salt, sealed.cid)
        return design

    def revise(
        self,
        design: DesignId,
        files: Sequence[SourceFile],
        *,
        derived_from: Sequence[tuple[DesignId, int]] = (),
    ) -> int:
        """Encrypt and store files, publish them as the design's next revision, return its number.

        The keys are kept in this home only. Earlier revisions and their licenses stay.

        Args:
            design: The design.
            files: All files of the revision, not just what changed.
            derived_from: The revisions, of this design or others, that it builds on.

        Raises:
            FileNameError: A name leads out of its folder.
            EmptyFileError: A file holds nothing.
            MalformedManifestError: No file, too many, or a name twice.
            DesignUnknownError: The chain holds no such design, or no such revision to build on.
            CallerRefusedError: The account does not own the design.
            RevisionStaleError: It got another revision in the meantime.
            DesignInvalidError: It builds on too many revisions.
        """
        origins = tuple(self._published(*one) for one in derived_from)
        count = Call(contract=ContractName.DESIGNS, function="design", args=(design,))
        revisions: int = self.ledger.read(count)["revisions"]
        sealed = self._seal(files)
        manifest = Manifest.parse(sealed.manifest)
        with self.store.writing() as work:
            body = canonical(codec.dump(sealed))
            work.documents.put(DocumentKind.FILES, manifest.digest(), body)
        self.account.call(
            *(ContractName.DESIGNS, "publish", design, revisions, manifest.root()),
            *(manifest.ciphertext(), manifest.digest(), sealed.cid, origins),
            once=manifest.digest().hex(),
        )
        return revisions + 1

    def state(self, design: DesignId) -> Digest:
        """Return the state that a buyer names: owners so far, revisions, the owners' licenses.

        Raises:
            DesignUnknownError: The chain holds no such design.
        """
        call = Call(contract=ContractName.DESIGNS, function="stateHash", args=(design,))
        found: Digest = self.ledger.read(call)
        return found

    def transfer(self, design: DesignId, *, to: Address, state: Digest) -> None:
        """Give a design to another account if its state is still the one that the buyer saw.

        Raises:
            RevisionStaleError: It is another one now.
            CallerRefusedError: The account neither owns the design nor was approved.
        """
        once = f"{design.hex()}:{state.hex()}"
        self.account.call(ContractName.DESIGNS, "transferIf", design, to, state, once=once)

    def set_resale(self, design: DesignId, *, to: Address, basis_points: int) -> None:
        """Say what a resale of the design should bring, as its owner.

        Raises:
            CallerRefusedError: The account does not own the design.
            DesignInvalidError: More than 1,000 basis points, or for nobody.
        """
        head = self.ledger.head(final=False).number
        self.account.call(
            *(ContractName.DESIGNS, "setResale", design, to, basis_points),
            once=f"{design.hex()}:{to.hex()}:{basis_points}:{head}",
        )

    def files(self, design: DesignId, number: int | None = None) -> SealedFiles:
        """Return the keys to the files of a design's revision, the newest where none is named.

        Raises:
            DesignFilesUnknownError: They are not in this home.
        """
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.FILES, _place(design, number, view))
        if body is None:
            message = f"The files of design {to_hex(design)} are not in this home."
            raise DesignFilesUnknownError(message, design=to_hex(design))
        return codec.load(SealedFiles, parse_object(body))

    def _published(self, design: DesignId, number: int) -> Digest:
        args = (design, number)
        call = Call(contract=ContractName.DESIGNS, function="revisionDigest", args=args)
        digest: Digest = self.ledger.read(call)
        if not any(digest):
            message = f"The chain holds no revision {number} of design {to_hex(design)}."
            raise DesignUnknownError(message, design=to_hex(design), revision=number)
        return digest

    def _seal(self, files: Sequence[SourceFile]) -> SealedFiles:
        names = [parse_file_name(file.name) for file in files]
        for file in files:
            _check_filled(file)
        keys = tuple(self._secret() for _ in files)
        stored = map(self._put, files, names, keys)
        manifest, manifest_key = Manifest(files=tuple(stored)).encode(), self._secret()
        encrypted = self.vault.put(BytesIO(manifest), manifest_key)
        return SealedFiles(
            manifest=manifest, cid=encrypted.cid, manifest_key=manifest_key, keys=keys
        )

    def _put(self, file: SourceFile, name: FileName, key: Bytes32) -> DesignFile:
        encrypted = self.vault.put(file.content, key)
        return DesignFile(
            name=name,
            media_type=file.media_type,
            size=encrypted.plain.size,
            digest=encrypted.plain.digest,
            cid=encrypted.cid,
            ciphertext=encrypted.ciphertext,
            salt=self._secret(),
            geometry=file.geometry,
        )

    def _commit(self, manifest: Manifest, salt: Bytes32) -> DesignId:
        pin = self.ledger.pin()
        commitment = Commitment(
            chain_id=pin.chain_id,
            registry=pin.contracts[ContractName.DESIGNS].address,
            owner=self.account.address,
            root=manifest.root(),
            salt=salt,
        )
        design = commitment.design_id()
        self.account.call(ContractName.DESIGNS, "commit", design, once=design.hex())
        return design

    def _reveal(
        self, design: DesignId, manifest: Manifest, salt: Bytes32, cid: Cid
    ) -> TransactionStatus:
        return self.account.call(
            *(ContractName.DESIGNS, "register", manifest.root(), salt),
            *(manifest.ciphertext(), manifest.digest(), cid),
            once=design.hex(),
            gas=_REVEAL_GAS,
        )

    def _secret(self) -> Bytes32:
        return Bytes32(self.entropy.token(_KEY_SIZE))


def _check_filled(file: SourceFile) -> None:
    if file.content.seek(0, SEEK_END) == 0:
        message = f"The file {file.name} is empty."
        raise EmptyFileError(message, name=file.name)
    file.content.seek(0)


def files_key(revision: Revision) -> bytes:
    """Return under which key a home keeps the files of a revision.

    The first one's are kept before there is a design; those of a later one, which its owner may
    publish from several homes, under what tells them from all others.
    """
    return revision.design if revision.number == 1 else revision.manifest


def _place(design: DesignId, number: int | None, view: View) -> bytes:
    revisions = [fact.revision for fact in view.facts.each(RevisionFact, design)]
    if number is not None:
        revisions = [one for one in revisions if one.number == number]
    # What was registered a moment ago is in no final block that the index has read.
    return files_key(max(revisions, key=lambda one: one.number)) if revisions else design
