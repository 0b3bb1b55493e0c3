"""Why a file of a shape is refused: one code a kind of hostility."""

from guildmark.domain.errors import ContentError, ForbiddenError, SettingsError, UsageError

_NEXT = (
    "Do not open the file; ask its author for it again. "
    "`design register --unmeasured` takes it unread."
)


class ShapeMalformedError(ContentError):
    """A file is not what its ending says."""

    code = "shape.malformed"
    hint = _NEXT


class ShapeTooLargeError(ContentError):
    """A file, or what it unpacks to, is larger than what is read."""

    code = "shape.tooLarge"
    hint = "Split the shape, or take it unread by `design register --unmeasured`."


class ShapeTooCostlyError(ContentError):
    """Reading a file takes more time or memory than its kind may."""

    code = "shape.tooCostly"
    hint = "Split the shape, or take it unread by `design register --unmeasured`."


class ArchiveBombError(ContentError):
    """An archive unpacks to far more than it should."""

    code = "shape.archiveBomb"
    hint = _NEXT


class ArchiveEntriesError(ContentError):
    """An archive has too many entries."""

    code = "shape.archiveEntries"
    hint = _NEXT


class ArchiveOverlapError(ContentError):
    """Entries of an archive share bytes, or lie where none may lie."""

    code = "shape.archiveOverlap"
    hint = _NEXT


class ArchiveNameError(ContentError):
    """An entry's name leads out of its folder, is there twice, or cannot be a name."""

    code = "shape.archiveName"
    hint = _NEXT


class ArchiveEncryptedError(ContentError):
    """An archive's entry is encrypted or packed in an unknown way."""

    code = "shape.archiveEncrypted"
    hint = _NEXT


class MarkupForbiddenError(ContentError):
    """XML declares a document type, entities, or something outside itself."""

    code = "shape.markupForbidden"
    hint = _NEXT


class NestingTooDeepError(ContentError):
    """Elements or components stand in each other too deeply."""

    code = "shape.nestingTooDeep"
    hint = _NEXT


class ComponentCycleError(ContentError):
    """An object is, over its components, a part of itself."""

    code = "shape.componentCycle"
    hint = _NEXT


class CoordinateError(ContentError):
    """A coordinate is no finite number, or too large."""

    code = "shape.coordinate"
    hint = _NEXT


class TriangleCountError(ContentError):
    """A file announces another number of triangles than it has room for."""

    code = "shape.triangleCount"
    hint = _NEXT


class TooManyTrianglesError(ContentError):
    """A shape has more triangles, all its copies counted, than are read."""

    code = "shape.tooManyTriangles"
    hint = "Make a coarser mesh, or take it unread by `design register --unmeasured`."


class IndexRangeError(ContentError):
    """A triangle or component names something that is not there."""

    code = "shape.indexRange"
    hint = _NEXT


class PictureRefusedError(ContentError):
    """A picture, or one inside a file, is none, of another kind, or too large."""

    code = "shape.pictureRefused"
    hint = _NEXT


class SecureContentError(ContentError):
    """A package's encrypted parts and its key store do not belong together."""

    code = "secure.malformed"
    hint = "Ask whoever encrypted the package for it again."


class SecureAlgorithmError(ContentError):
    """A package is encrypted in a way that is not read."""

    code = "secure.algorithm"
    hint = "Ask for a package with AES-256-GCM and RSA-OAEP with SHA-1 or SHA-256."


class SecureTamperedError(ContentError):
    """An encrypted part was changed, or its key is another one."""

    code = "secure.tampered"
    hint = "Ask whoever encrypted the package for it again."


class SecureKeyError(ForbiddenError):
    """A package is not encrypted for the key."""

    code = "secure.notForThisKey"
    hint = "Give whoever encrypts the package this key, as `guildmark keys show` prints it."


class SecureRecipientError(UsageError):
    """A recipient has no usable name, or no RSA key of 2,048 to 4,096 bits."""

    code = "secure.recipient"
    hint = "Write --to NAME=KEY: the key as `guildmark keys show` prints it, or its PEM file."


class ShapeSupportError(SettingsError):
    """What reads shapes is not installed."""

    code = "shape.supportMissing"
    hint = "pip install 'guildmark[cad]'"
