"""The encrypted files behind mirrored parts: which they are, and how they come here.

The chain says which designs may be built in a log, and commits to the digests of each revision's
encrypted files; who knows the files disclosed where they are. Nobody here can open them.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from guildmark.domain.chain.facts import LaneFact, LicenseFact, RevisionFact
from guildmark.domain.errors import ConflictError, GuildmarkError
from guildmark.domain.identifiers import Cid, Digest, LogNumber
from guildmark.ports.content import ContentMismatchError, ContentStore
from guildmark.ports.peers import MirrorPeer, PeerUnavailableError
from guildmark.ports.store import DocumentKind, NodeStore, View
from guildmark.services.recipes.disclosing import Disclosing, shown_list

FILE_MAX = 5 << 30
"""The greatest file that a node takes."""

MANIFEST_MAX = 2 << 20

_logger = logging.getLogger(__name__)
_LOG_SIZE = 8


class MirrorFullError(ConflictError):
    """The encrypted files of a mirrored log need more room than they may have here."""

    code = "mirror.contentFull"
    hint = "Name more room with `guildmark mirror add ... --content --content-max MIB`."


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesState:
    """How far the encrypted files of a log's designs are kept.

    Args:
        named: How many files the lists name that are here.
        kept: How many of them are here, whole.
        unlisted: Of how many revisions no list is here.
        size: How many bytes came for this log.
    """

    named: int = 0
    kept: int = 0
    unlisted: int = 0
    size: int = 0


NO_FILES = FilesState()
"""Where only evidence is mirrored."""


@dataclass(slots=True)
class _Counted:
    """Bytes as they come: how many, their SHA-256, and no more than may be."""

    most: int
    size: int = 0
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def read(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.size += len(chunk)
            if self.size > self.most:
                message = f"A file has more than the {self.most} bytes that are left for it."
                raise MirrorFullError(message, limit=self.most)
            self._digest.update(chunk)
            yield chunk

    @property
    def digest(self) -> Digest:
        return Digest(self._digest.digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredContents:
    """Use cases around the encrypted files that a mirror keeps."""

    store: NodeStore
    content: ContentStore
    disclosing: Disclosing
    _here: set[Cid] = field(default_factory=set)
    _asked: set[Digest] = field(default_factory=set)
    _refused: dict[tuple[LogNumber, Cid], str] = field(default_factory=dict)

    def round(self, log: LogNumber, peer: MirrorPeer, *, room: int) -> str | None:
        """Bring what a peer has of a log's encrypted files; repeating goes on where it ended.

        Returns:
            Why the first file or list could not be kept, None where all that are listed are.

        Raises:
            PeerUnavailableError: The peer does not answer.
            MirrorFullError: They need more than the room.
        """
        codes = []
        for fact in self._revisions(log):
            codes.append(self._ask(log, peer, fact))
            files = self._listed(fact)
            codes += [self._try(log, peer, cid, digest, room) for cid, digest in files]
        return next((code for code in codes if code is not None), None)

    def state(self, log: LogNumber) -> FilesState:
        """Return how far the files of a log are here; nobody is asked."""
        lists = [self._listed(fact) for fact in self._revisions(log)]
        named = {cid for listed in lists for cid, _ in listed}
        return FilesState(
            named=len(named),
            kept=sum(map(self._has, named)),
            unlisted=sum(not listed for listed in lists),
            size=self._size(log),
        )

    def bring_manifest(self, peer: MirrorPeer, fact: RevisionFact) -> None:
        """Keep the encrypted list of a revision's files, unless it is here.

        Raises:
            PeerUnavailableError: The peer does not answer.
            ContentMismatchError: It sends another file.
            MirrorFullError: It sends more than any such list has.
        """
        cid = Cid(fact.cid)
        if not self._has(cid):
            counted = _Counted(most=MANIFEST_MAX)
            _check(cid, self.content.put(counted.read(peer.get_content(cid))))

    def _try(
        self, log: LogNumber, peer: MirrorPeer, cid: Cid, digest: Digest | None, room: int
    ) -> str | None:
        """Bring a file, and return why that is not possible."""
        known = self._refused.get((log, cid))
        if known is not None or self._has(cid):
            return known
        try:
            self._bring(log, peer, cid, digest, room)
        except (PeerUnavailableError, MirrorFullError):
            raise
        except ContentMismatchError as error:
            # Not again and again, which would fill the store.
            self._refused[log, cid] = error.code
            return _told(log, error)
        except GuildmarkError as error:
            return _told(log, error)
        return None

    def _bring(
        self, log: LogNumber, peer: MirrorPeer, cid: Cid, digest: Digest | None, room: int
    ) -> None:
        counted = _Counted(most=min(FILE_MAX, room - self._size(log)))
        stored = self.content.put(counted.read(peer.get_content(cid)))
        # What came under another address needs its room as well.
        self._count(log, counted.size)
        _check(cid, stored)
        if digest not in {None, counted.digest}:
            message = f"{cid} is not the encrypted file that its revision commits to."
            raise ContentMismatchError(message, cid=cid)

    def _has(self, cid: Cid) -> bool:
        if cid not in self._here and self.content.has(cid):
            self._here.add(cid)
        return cid in self._here

    def _ask(self, log: LogNumber, peer: MirrorPeer, fact: RevisionFact) -> str | None:
        """Keep a revision's list where a peer shows it, and return why that is not possible."""
        revision = fact.revision
        if revision.digest() in self._asked or self._listed(fact):
            return None
        shown = peer.encrypted_files(revision.design, revision.number)
        self._asked.add(revision.digest())
        try:
            if shown is not None:
                # From here on this node shows it to others as well.
                kind = DocumentKind.ENCRYPTED_FILES
                self.disclosing.receive(kind, revision.design, shown.encode())
        except GuildmarkError as error:
            return _told(log, error)
        return None

    def _listed(self, fact: RevisionFact) -> Sequence[tuple[Cid, Digest | None]]:
        with self.store.reading() as view:
            shown = shown_list(view.documents, fact.revision)
        if shown is None:
            return ()
        files = [(file.cid, file.ciphertext) for file in shown.files]
        # The chain names the manifest's address, and commits to its plain bytes.
        return [(Cid(fact.cid), None), *files]

    def _revisions(self, log: LogNumber) -> Sequence[RevisionFact]:
        """Return every revision of the designs that units may be drawn of in a log."""
        with self.store.reading() as view:
            lanes = [lane for lane in view.facts.each(LaneFact) if lane.log == log]
            granted = (view.facts.get(LicenseFact, lane.license) for lane in lanes)
            designs = {one.terms.design for one in granted if one is not None}
            return [fact for one in sorted(designs) for fact in view.facts.each(RevisionFact, one)]

    def _size(self, log: LogNumber) -> int:
        with self.store.reading() as view:
            return _kept(view, log)

    def _count(self, log: LogNumber, size: int) -> None:
        with self.store.writing() as work:
            body = b"%d" % (int(work.documents.get(DocumentKind.MIRRORED, _key(log)) or 0) + size)
            work.documents.put(DocumentKind.MIRRORED, _key(log), body)


def _check(cid: Cid, stored: Cid) -> None:
    if stored != cid:
        message = f"The node sent other bytes for {cid}."
        raise ContentMismatchError(message, expected=cid, found=stored)


def _told(log: LogNumber, error: GuildmarkError) -> str:
    _logger.warning("mirror of log %d: %s: %s", log, error.code, error.message)
    return error.code


def _kept(view: View, log: LogNumber) -> int:
    return int(view.documents.get(DocumentKind.MIRRORED, _key(log)) or 0)


def _key(log: LogNumber) -> bytes:
    return log.to_bytes(_LOG_SIZE, "big")
