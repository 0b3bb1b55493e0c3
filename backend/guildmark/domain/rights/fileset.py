"""The files of a design's revision: their manifest, and what the chain commits to of it."""

import re
from dataclasses import dataclass
from typing import NewType, Self

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import INTEGER_MAX, JsonObject, Limits
from guildmark.domain.errors import ContentError, MalformedError
from guildmark.domain.identifiers import UINT40_MAX, Bytes32, Cid, Digest, to_hex
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.recipes.clause import (
    Clause,
    ClauseClass,
    ClausePath,
    ClauseType,
    Criticality,
)
from guildmark.domain.recipes.clauses import clause_root
from guildmark.domain.rights.geometry import Geometry

MANIFEST_TYPE = "https://guildmark.org/files/v1"
LIST_TYPE = "https://guildmark.org/encrypted-files/v1"
MANIFEST_LIMITS = Limits(size=1 << 20, depth=6, values=20_000)
FILES_MAX = 1000
CID_MAX = 128

FileName = NewType("FileName", str)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


class FileNameError(MalformedError):
    """A name that leads out of its folder or that some system cannot hold."""

    code = "design.fileNameInvalid"
    hint = "Use up to 100 letters, digits, dots, dashes and underscores; no folders."


class MalformedManifestError(MalformedError):
    """A manifest without files, with too many, or with a name twice."""

    code = "design.manifestMalformed"
    hint = "Give each file its own name."


class FileMismatchError(ContentError):
    """A file is not the one that the revision commits to."""

    code = "design.fileMismatch"


def parse_file_name(text: str) -> FileName:
    """Return a file's name, which names a file in one folder on every system.

    Raises:
        FileNameError: Another form.
    """
    if not _NAME.fullmatch(text):
        message = f"{text[:80]!r} cannot name a file."
        raise FileNameError(message, name=ascii(text[:80]))
    return FileName(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignFile:
    """One file: what it is, and where it is, encrypted.

    Args:
        name: Its name.
        media_type: Its media type.
        size: Bytes of the plain file.
        digest: SHA-256 of the plain file.
        cid: Where the encrypted file is.
        ciphertext: SHA-256 of the encrypted file.
        salt: 32 random bytes, so that the file can be shown alone.
        geometry: What was measured of its shape, where it has one and was read.
    """

    name: FileName
    media_type: str
    size: int
    digest: Digest
    cid: Cid
    ciphertext: Digest
    salt: Bytes32
    geometry: Geometry | None = None

    def check(self, *, size: int, digest: Digest) -> None:
        """Check that a plain file is this one.

        Raises:
            FileMismatchError: Another size or digest.
        """
        if (size, digest) != (self.size, self.digest):
            message = f"{self.name} has {size} bytes and digest {to_hex(digest)}, it should not."
            raise FileMismatchError(message, name=self.name, expected=to_hex(self.digest))

    def clause(self, number: int) -> Clause:
        """Return the leaf that commits to the plain file."""
        return Clause(
            path=ClausePath(f"/files/{number:04d}"),
            type=ClauseType.TEXT,
            klass=ClauseClass.CORE,
            criticality=Criticality.CRITICAL,
            value=self.facts(),
            salt=self.salt,
        )

    def facts(self) -> str:
        """Return the line that the file's leaf commits to."""
        facts = f"{self.name} {self.media_type} {self.size} {to_hex(self.digest)}"
        return facts if self.geometry is None else f"{facts} {self.geometry.text()}"

    def to_json(self) -> JsonObject:
        """Return the file as a manifest shows it."""
        geometry = {} if self.geometry is None else {"geometry": self.geometry.to_json()}
        return {
            "name": self.name,
            "mediaType": self.media_type,
            "size": self.size,
            "digest": to_hex(self.digest),
            "cid": self.cid,
            "ciphertext": to_hex(self.ciphertext),
            "salt": to_hex(self.salt),
            **geometry,
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the file that a manifest shows.

        Raises:
            DocumentError: A member is missing, unknown or of another type.
        """
        return cls(
            name=fields.parsed("name", parse_file_name),
            media_type=fields.text("mediaType", most=100),
            size=fields.integer("size", most=INTEGER_MAX),
            digest=fields.digest("digest"),
            cid=Cid(fields.text("cid", most=CID_MAX)),
            ciphertext=fields.digest("ciphertext"),
            salt=fields.bytes32("salt"),
            geometry=fields.object("geometry", Geometry.read) if fields.has("geometry") else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All files of a revision, in order."""

    files: tuple[DesignFile, ...]

    def __post_init__(self) -> None:
        names = {file.name for file in self.files}
        if not 0 < len(names) == len(self.files) <= FILES_MAX:
            message = f"A revision has 1 to {FILES_MAX} files, each with its own name."
            raise MalformedManifestError(message, files=len(self.files))

    def root(self) -> Digest:
        """Return the salted root over the plain files."""
        return clause_root([file.clause(number) for number, file in enumerate(self.files)])

    def ciphertext(self) -> Digest:
        """Return the RFC 9162 root over the digests of the encrypted files."""
        return MerkleTree(file.ciphertext for file in self.files).root()

    def listed(self, revision: int) -> "EncryptedList":
        """Return where the encrypted files of a revision are: names and keys stay secret."""
        files = (ListedFile(cid=file.cid, ciphertext=file.ciphertext) for file in self.files)
        return EncryptedList(revision=revision, files=tuple(files))

    def encode(self) -> bytes:
        """Return the manifest's bytes; the chain keeps their SHA-256."""
        files = [file.to_json() for file in self.files]
        return canonical({"type": MANIFEST_TYPE, "files": files})

    def digest(self) -> Digest:
        """Return SHA-256 of the manifest's bytes."""
        return sha256(self.encode())

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the manifest that ``data`` holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedManifestError: No file, too many, or a name twice.
        """
        return read_document(data, cls._read, MANIFEST_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.constant("type", MANIFEST_TYPE)
        return cls(files=fields.objects("files", DesignFile.read))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """Where an encrypted file is, and SHA-256 of its encrypted bytes."""

    cid: Cid
    ciphertext: Digest

    def to_json(self) -> JsonObject:
        """Return the file as a list shows it."""
        return {"cid": self.cid, "ciphertext": to_hex(self.ciphertext)}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the file that a list shows.

        Raises:
            DocumentError: A member is missing, unknown or of another type.
        """
        cid = Cid(fields.text("cid", most=CID_MAX))
        return cls(cid=cid, ciphertext=fields.digest("ciphertext"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedList:
    """The encrypted files of a revision in order, for who keeps them and cannot open them.

    The chain commits to the digests, and so to the whole list; each address is a hash as well.
    """

    revision: int
    files: tuple[ListedFile, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.files) <= FILES_MAX:
            message = f"A revision has 1 to {FILES_MAX} files."
            raise MalformedManifestError(message, files=len(self.files))

    def check(self, ciphertext: Digest) -> None:
        """Check that these are the encrypted files that a revision commits to.

        Raises:
            FileMismatchError: They are others, or in another order.
        """
        found = MerkleTree(file.ciphertext for file in self.files).root()
        if found != ciphertext:
            message = f"The encrypted files have the root {to_hex(found)}, the revision another."
            raise FileMismatchError(message, expected=to_hex(ciphertext))

    def encode(self) -> bytes:
        """Return the list's bytes."""
        files = [file.to_json() for file in self.files]
        return canonical({"type": LIST_TYPE, "revision": self.revision, "files": files})

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the list that ``data`` holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedManifestError: No file, or too many.
        """
        return read_document(data, cls._read, MANIFEST_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.constant("type", LIST_TYPE)
        return cls(
            revision=fields.integer("revision", least=1, most=UINT40_MAX),
            files=fields.objects("files", ListedFile.read),
        )
