"""One file of a design, shown alone: what it is, proven by the revision's root on chain."""

from dataclasses import dataclass
from typing import Self

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import RevisionFact
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import ContentError, NotFoundError
from guildmark.domain.identifiers import DesignId, Digest, digest_from_hex, to_hex
from guildmark.domain.recipes.clauses import Disclosure, disclose
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.fileset import FileMismatchError, Manifest
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.store import DocumentKind, NodeStore
from guildmark.services.rights.designs import DesignFilesUnknownError, SealedFiles, files_key

SHOWN_LIMITS = Limits(size=1 << 20, depth=8, values=20_000)

_WORDS = 4


class FileUnknownError(NotFoundError):
    """A design has no file of that name."""

    code = "design.fileUnknown"
    hint = "Show the design's files with `guildmark design show`."


class FileNotRegisteredError(ContentError):
    """What is shown of a file is not what a design on chain commits to."""

    code = "design.fileNotRegistered"
    hint = "Ask the designer to show the file again."


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEvidence:
    """A file's leaf under the root of a revision; unchecked."""

    revision: Revision
    files: Disclosure


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """What a revision on chain commits to of one file.

    Args:
        revision: The revision.
        name: The file's name.
        media_type: Its media type.
        size: Bytes of the plain file.
        digest: SHA-256 of the plain file.
        geometry: What was measured of its shape, as one line; empty where nothing was.
    """

    revision: Revision
    name: str
    media_type: str
    size: int
    digest: Digest
    geometry: str

    @classmethod
    def read(cls, revision: Revision, line: str) -> Self:
        """Return the file that a leaf's line tells of."""
        words = line.split(" ", _WORDS)
        name, media_type, size, digest = words[:_WORDS]
        return cls(
            revision=revision,
            name=name,
            media_type=media_type,
            size=int(size),
            digest=digest_from_hex(digest),
            geometry=" ".join(words[_WORDS:]),
        )

    def check(self, *, size: int, digest: Digest) -> None:
        """Check that a plain file is this one.

        Raises:
            FileMismatchError: Another size or digest.
        """
        if (size, digest) != (self.size, self.digest):
            message = f"The file is not the {self.name} that the revision commits to."
            raise FileMismatchError(message, name=self.name, expected=to_hex(self.digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLists:
    """Use cases around single files of designs."""

    ledger: Ledger
    store: NodeStore

    def show(self, design: DesignId, name: str) -> bytes:
        """Return a document that proves what one file is, and tells of the others only how many.

        The file is one of the newest revision's.

        Raises:
            DesignFilesUnknownError: The design's files are not in this home.
            FileUnknownError: None is called so.
            FileNotRegisteredError: No final block holds the revision yet.
        """
        with self.store.reading() as view:
            revisions = [fact.revision for fact in view.facts.each(RevisionFact, design)]
            newest = max(revisions, key=lambda one: one.number, default=None)
            place = design if newest is None else files_key(newest)
            body = view.documents.get(DocumentKind.FILES, place)
        if body is None:
            message = f"The files of design {to_hex(design)} are not in this home."
            raise DesignFilesUnknownError(message, design=to_hex(design))
        manifest = Manifest.parse(codec.load(SealedFiles, parse_object(body)).manifest)
        evidence = FileEvidence(
            revision=_revision(manifest, revisions),
            files=_disclosed(manifest, name),
        )
        return canonical(codec.dump(evidence))

    def check(self, body: bytes) -> ShownFile:
        """Return what a design on chain commits to of the file that a document shows.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            DisclosureMismatchError: The leaf does not lead to the revision's root.
            FileNotRegisteredError: No design on chain has this revision, or not one file is shown.
        """
        evidence = codec.load(FileEvidence, parse_object(body, SHOWN_LIMITS))
        revision = evidence.revision
        shown = evidence.files.verify(revision.root)
        final = self.ledger.head(final=True).number
        arguments = (revision.design, revision.number)
        call = Call(contract=ContractName.DESIGNS, function="revisionDigest", args=arguments)
        if self.ledger.read(call, block=final) != revision.digest():
            raise _not_registered("The revision that is shown stands in no final block.")
        lines = [clause.value for clause in shown.opened.values() if clause.value is not None]
        if len(lines) != 1:
            raise _not_registered(f"One file is shown at a time, not {len(lines)}.")
        return ShownFile.read(revision, lines[0])


def _revision(manifest: Manifest, revisions: list[Revision]) -> Revision:
    found = next((one for one in revisions if one.manifest == manifest.digest()), None)
    if found is None:
        raise _not_registered("No final block holds the revision of these files yet.")
    return found


def _disclosed(manifest: Manifest, name: str) -> Disclosure:
    clauses = [file.clause(number) for number, file in enumerate(manifest.files)]
    paths = [
        one.path for one, file in zip(clauses, manifest.files, strict=True) if file.name == name
    ]
    if not paths:
        message = f"The design has no file {name[:80]!r}."
        raise FileUnknownError(message, name=ascii(name[:80]))
    return disclose(clauses, paths)


def _not_registered(message: str) -> FileNotRegisteredError:
    return FileNotRegisteredError(message)
