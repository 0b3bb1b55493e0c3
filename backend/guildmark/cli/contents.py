"""Content that travels between this home and a node."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from guildmark.adapters.files import write_durably
from guildmark.adapters.peers.client import NodeClient
from guildmark.bootstrap import Home
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Cid
from guildmark.ports.content import ContentMismatchError


def fetch(home: Home, cid: Cid, node: NodeClient) -> None:
    """Bring a file from a node into this home, unless it is here; its address is computed again.

    Raises:
        ContentMismatchError: The node sent other bytes.
        PeerUnavailableError: The node does not answer.
    """
    if home.content.has(cid):
        return
    stored = home.content.put(node.get_content(cid))
    if stored != cid:
        message = f"The node sent other bytes for {cid}."
        raise ContentMismatchError(message, expected=cid, found=stored)


def send(home: Home, cid: Cid, node: NodeClient) -> None:
    """Send a file of this home to a node; where an earlier call broke off, go on from there.

    Raises:
        ContentMissingError: It is not in this home.
        ContentMismatchError: The node computed another address.
        PeerUnavailableError: The node does not answer.
    """
    note = home.settings.home / "uploads" / sha256(f"{node.url} {cid}".encode()).hex()
    upload, offset = _begun(note, node) or _new(home, cid, note, node)
    node.append_upload(upload, offset, _after(offset, home.content.get(cid)))
    stored = node.finish_upload(upload)
    note.unlink()
    if stored != cid:
        message = f"The node stored {cid} under {stored}."
        raise ContentMismatchError(message, expected=cid, found=stored)


def _begun(note: Path, node: NodeClient) -> tuple[str, int] | None:
    if not note.exists():
        return None
    upload = note.read_text(encoding="ascii")
    offset = node.upload_offset(upload)
    return None if offset is None else (upload, offset)


def _new(home: Home, cid: Cid, note: Path, node: NodeClient) -> tuple[str, int]:
    upload = node.begin_upload(sum(len(chunk) for chunk in home.content.get(cid)))
    note.parent.mkdir(mode=0o700, exist_ok=True)
    write_durably(note, upload.encode(), mode=0o600)
    return upload, 0


def _after(offset: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if offset < len(chunk):
            yield chunk[offset:]
        offset = max(0, offset - len(chunk))
