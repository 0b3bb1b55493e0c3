"""A home's database: documents, what one state and one transaction hold, and small books."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from guildmark.domain.errors import (
    ConflictError,
    NetworkError,
)
from guildmark.domain.identifiers import (
    Digest,
    Index,
    LogNumber,
)
from guildmark.domain.labels.scans import Scan, ScanHistory
from guildmark.ports.facts import Facts, IndexWriter
from guildmark.ports.letters import LetterReader, Letters
from guildmark.ports.log import LogReader, LogWriter


class StoreUnavailableError(NetworkError):
    """The home's database does not answer."""

    code = "store.unavailable"
    hint = "Look at the disk's free space, and whether another process holds the database."


class RowsHeldError(StoreUnavailableError):
    """What was erased is gone for all, but a transaction that goes on keeps it on the disk."""

    code = "store.rowsHeld"
    hint = "Erase again when that transaction has ended: pg_stat_activity shows it."


class RequestMismatchError(ConflictError):
    """A client's name for one request was used again for another body."""

    code = "request.idempotencyMismatch"
    hint = "Use a new Idempotency-Key for another body."


class DocumentKind(StrEnum):
    """What a kept document is; its key is the id of the thing that it opens."""

    TERMS = "terms"
    RECIPE = "recipe"
    SITE_RECIPE = "siteRecipe"
    CLAIM = "claim"
    PROFILE = "profile"
    ACCREDITATION = "accreditation"
    PART = "part"
    PACKAGE = "package"
    FILES = "files"
    RECIPE_DOCUMENT = "recipeDocument"
    LABEL = "label"
    DEPOSIT = "deposit"
    RELEASE = "release"
    BLOCK = "block"
    RECEIPTS = "receipts"
    CHECKPOINT = "checkpoint"
    INSPECTION = "inspection"
    WITNESS = "witness"
    INVITATION = "invitation"
    RAW_DATA = "rawData"
    VALUES = "values"
    EQUIVALENCE_PLAN = "equivalencePlan"
    EQUIVALENCE_DATA = "equivalenceData"
    DESIGN_PICTURE = "designPicture"
    PUBLISHED_PLAN = "publishedPlan"
    PUBLISHED_RESULT = "publishedResult"
    PUBLISHED_DATA = "publishedData"
    APPROVALS = "approvals"
    ENCRYPTED_FILES = "encryptedFiles"
    MIRRORED = "mirrored"
    DEPENDENCIES = "dependencies"
    LOT = "lot"
    RECALL_REASON = "recallReason"
    ERASURE = "erasure"
    WATCH_SECRET = "watchSecret"  # noqa: S105 - a kind


class Documents(Protocol):
    """Documents that stand behind digests on chain: disclosed by others, or this home's own."""

    def get(self, kind: DocumentKind, key: bytes) -> bytes | None:
        """Return a document's bytes as they were kept."""
        ...


class DocumentWriter(Documents, Protocol):
    """The documents inside one transaction."""

    def put(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        """Keep a document instead of the one under its key."""
        ...

    def drop(self, kind: DocumentKind, key: bytes) -> None:
        """Keep a document no longer; one that is not there stays away."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One state of everything that a home keeps."""

    facts: Facts
    log: LogReader
    documents: Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(View):
    """One transaction over everything that a home keeps."""

    facts: IndexWriter
    log: LogWriter
    documents: DocumentWriter
    letters: Letters


class NodeStore(Protocol):
    """A home's database.

    Every method raises ``StoreUnavailableError`` where the database does not answer in time.
    """

    def reading(self) -> AbstractContextManager[View]:
        """Return one state, the last commit; it holds up nobody."""
        ...

    def reading_letters(self) -> AbstractContextManager[LetterReader]:
        """Return what was told of recalls, as of the last commit; it holds up nobody."""
        ...

    def writing(self) -> AbstractContextManager[Work]:
        """Return one exclusive transaction; leaving it commits durably, an error undoes it all."""
        ...


class ErasableStore(NodeStore, Protocol):
    """A home's database that lets go of what is erased."""

    def forget_deleted(self) -> None:
        """Write what was erased out of the database, which is written anew: it takes a while."""
        ...


class Requests(Protocol):
    """The names that clients give their requests, so that each stands for one body."""

    def claim(self, name: str, body: bytes) -> None:
        """Note durably that ``name`` stands for ``body``; both are kept as digests, for a day.

        Raises:
            RequestMismatchError: The name stands for another body.
            StoreUnavailableError: The database does not answer in time.
        """
        ...


class Scans(Protocol):
    """How often labels were scanned; who scanned is nowhere.

    Every method raises ``StoreUnavailableError`` where the database does not answer in time.
    """

    def add(self, found: Mapping[tuple[LogNumber, Index], Sequence[Scan]], *, since: int) -> None:
        """Add the scans of some parts, and forget all that were before ``since``."""
        ...

    def history(self, log: LogNumber, index: Index) -> ScanHistory | None:
        """Return what was counted of a part, None where nothing was."""
        ...

    def erase(self, log: LogNumber, index: Index) -> bool:
        """Forget all scans of a part; return whether there were any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptClaim:
    """A claim of a part: the digest of the claimant's token, and when."""

    claimant: Digest
    time: int


class Claims(Protocol):
    """The first claims that a node took; none is ever changed or forgotten."""

    def kept(self, log: LogNumber, index: Index) -> KeptClaim | None:
        """Return a part's first claim, None where there is none.

        Raises:
            StoreUnavailableError: The database does not answer in time.
        """
        ...

    def first(self, log: LogNumber, index: Index, claim: KeptClaim) -> KeptClaim:
        """Keep a claim durably where it is the part's first; return the first one.

        Raises:
            StoreUnavailableError: The database does not answer in time.
        """
        ...
