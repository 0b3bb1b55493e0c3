"""Other operators' nodes and witnesses, nothing of which is believed."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from guildmark.domain.errors import (
    NetworkError,
)
from guildmark.domain.identifiers import (
    Cid,
    DesignId,
    Index,
    LogNumber,
)
from guildmark.domain.log.checkpoint import Addition
from guildmark.domain.log.note import NoteKey, NoteSignature
from guildmark.domain.rights.fileset import EncryptedList
from guildmark.domain.rights.release import Released
from guildmark.ports.chain import Block


class PeerUnavailableError(NetworkError):
    """Another node does not answer as a node does."""

    code = "peer.unavailable"


class Peer(Protocol):
    """Another operator's node; nothing that it sends is believed."""

    def bundle(self, log: LogNumber, index: Index) -> bytes | None:
        """Return the bundle of a part, None where the peer has none.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        """Return where the peer knows entries of a label.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...


class MirrorPeer(Peer, Protocol):
    """Another operator's node whose log is mirrored; nothing that it sends is believed."""

    def log_checkpoint(self, log: LogNumber) -> bytes:
        """Return the newest checkpoint of a log, a signed note.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...

    def get_content(self, cid: Cid) -> Iterator[bytes]:
        """Yield a file's bytes; whoever stores them computes the address again.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...

    def encrypted_files(self, design: DesignId, revision: int) -> EncryptedList | None:
        """Return the list of a revision's encrypted files, None where the peer shows none.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a node does.
        """
        ...


class WitnessPeer(Protocol):
    """A witness as a node reaches it; its signatures are checked by who asks."""

    def cosign(self, addition: Addition, key: NoteKey) -> NoteSignature:
        """Return the witness's signature over a checkpoint.

        Raises:
            WitnessBehindError: It saw another size last; the detail ``size`` says which.
            ForkError: It saw another history.
            PeerUnavailableError: It does not answer in time, or not as a witness does.
        """
        ...

    def note(self, number: int, key: NoteKey) -> NoteSignature:
        """Return the witness's signature over the note about a block.

        Raises:
            PeerUnavailableError: It does not answer in time, or not as a witness does.
        """
        ...


class BlockNotes(Protocol):
    """Who may have notes of witnesses about blocks."""

    def note(self, block: Block) -> bytes:
        """Return the signed note about a final block, nothing where nobody signed one."""
        ...


class RecallHook(Protocol):
    """What is asked before keys are released: is anything called back?"""

    def reason(self, *things: bytes) -> str | None:
        """Return why one of these designs, recipes or machines is held back, None for none."""
        ...


class Releaser(Protocol):
    """A node that may release the keys of a design's files."""

    def release(self, envelope: bytes) -> Released:
        """Send a signed request and return what comes back; nothing of it is believed yet.

        Raises:
            PeerUnavailableError: The node does not answer in time, or not as a node does.
            GuildmarkError: The node refuses.
        """
        ...
