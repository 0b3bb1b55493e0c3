"""Blocks and files in a Kubo node behind its RPC, by httpx; nothing it says is believed.

RPC: https://docs.ipfs.tech/reference/kubo/rpc/ (every command is a POST). Needs the package
`httpx`.
"""

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from guildmark_ipfs.blocks import MAX_BLOCK, check_size
from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.errors import (
    ContentError,
    HashMismatchError,
    NotFoundError,
    StoreFullError,
)
from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.peers import Peer, read
from guildmark_ipfs.unixfs import MAX_FILE, UNIXFS_V1_2025, Builder

_FORMATS = {Codec.RAW: "raw", Codec.DAG_PB: "dag-pb"}
# The node's own defaults change with its releases and its configuration: all is said.
_PROFILE: Mapping[str, str] = {
    "cid-version": "1",
    "hash": "sha2-256",
    "raw-leaves": "true",
    "chunker": f"size-{UNIXFS_V1_2025.chunk}",
    "max-file-links": str(UNIXFS_V1_2025.width),
    "trickle": "false",
    "inline": "false",
    "wrap-with-directory": "false",
    "quieter": "true",
    "pin": "true",
}
# What the node itself holds: it looks nowhere else, and a missing block is known at once.
_OWN = {"offline": "true"}


class KuboBlockStore:
    """A block store in a Kubo node.

    Args:
        url: The RPC's address, for example ``http://127.0.0.1:5001``; a user and password in it
            are sent along.
        timeout: Seconds to wait for the node to connect, and for each piece of an answer.
    """

    def __init__(self, url: str, *, timeout: float = 30) -> None:
        self._node = Peer.at(url, timeout=timeout)

    def put(self, block: Buffer, codec: Codec) -> Cid:
        """Give ``block`` to the node and return its address.

        Raises:
            TooLargeError: More than ``MAX_BLOCK`` bytes.
            StoreFullError: The node has no room.
            UnavailableError: The node did not answer, or refused.
            HashMismatchError: The node claims another address.
        """
        check_size(block)
        cid = Cid.of(block, codec)
        options = {"cid-codec": _FORMATS[codec], "mhtype": "sha2-256", "pin": "false"}
        with self._command("block/put", options, cid, pieces=[bytes(block)]) as answer:
            self._demand(self._node.fields(answer).get("Key"), cid)
        return cid

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again.

        Raises:
            NotFoundError: The node does not have it.
            HashMismatchError: The node sent other bytes.
            TooLargeError: The node sent more than a block can have; the rest was not read.
            UnavailableError: The node did not answer in time, or broke off.
        """
        with self._command("block/get", {"arg": str(cid), **_OWN}, cid) as answer:
            block = read(answer, MAX_BLOCK)
        if not cid.matches(block):
            message = f"The node sent other bytes than those of block {cid}."
            raise HashMismatchError(message, cid=str(cid), size=len(block))
        return block

    def has(self, cid: Cid) -> bool:
        """Return whether the node itself holds the block; it does not look elsewhere.

        Raises:
            UnavailableError: The node did not answer.
        """
        try:
            with self._command("block/stat", {"arg": str(cid), **_OWN}, cid) as answer:
                return bool(self._node.fields(answer).get("Key") == str(cid))
        except NotFoundError:
            return False

    def pin(self, cid: Cid) -> None:
        """Have the node keep the block and all below it.

        Raises:
            NotFoundError: It is missing, or something below it.
            UnavailableError: The node did not answer, or refused.
        """
        with self._command("pin/add", {"arg": str(cid), **_OWN}, cid) as answer:
            if self._node.fields(answer).get("Pins") != [str(cid)]:
                raise self._node.no_answer("another pin", cid=str(cid))

    def add(self, pieces: Iterable[Buffer], *, limit: int = MAX_FILE) -> Cid:
        """Give the node a whole file in one request, pinned; return the address computed here.

        The node's garbage collection waits while it adds. Where this raises, what the node took
        belongs to no file.

        Raises:
            TooLargeError: More than ``limit`` bytes.
            StoreFullError: The node has no room.
            HashMismatchError: The node computed another address.
            UnavailableError: The node did not answer, refused, or died on the way.
        """
        builder = Builder(AddressOnly(), limit=limit)
        with self._command("add", _PROFILE, None, pieces=_observed(pieces, builder)) as answer:
            claimed = self._node.fields(answer).get("Hash")
        cid = builder.finish().cid
        self._demand(claimed, cid)
        return cid

    def export_car(self, cid: Cid) -> Iterator[bytes]:
        """Yield the CAR that the node makes of ``cid`` and all below it: bytes to be checked.

        Raises:
            NotFoundError: The node does not have it.
            UnavailableError: The node did not answer, or broke off.
        """
        options = {"arg": str(cid), "progress": "false", **_OWN}
        with self._command("dag/export", options, cid) as answer:
            yield from answer.iter_raw()

    def import_car(self, pieces: Iterable[Buffer], root: Cid) -> None:
        """Give the node a CAR; it keeps ``root``, the CAR's one root, and all below it.

        Raises:
            StoreFullError: The node has no room.
            NotFoundError: The root is not in the CAR, or something below it.
            UnavailableError: The node did not answer, refused, or died on the way.
        """
        body = (bytes(piece) for piece in pieces)
        options = {"pin-roots": "true", **_OWN}
        with self._command("dag/import", options, root, pieces=body) as answer:
            found = self._node.fields(answer).get("Root")
        fault = found.get("PinErrorMsg") if isinstance(found, dict) else None
        if fault:
            raise self._translated(str(fault), root)
        if found != {"Cid": {"/": str(root)}, "PinErrorMsg": ""}:
            raise self._node.no_answer("another root", cid=str(root))

    def close(self) -> None:
        """Close the connections."""
        self._node.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _command(
        self,
        name: str,
        options: Mapping[str, str],
        about: Cid | None,
        *,
        pieces: Iterable[bytes] | None = None,
    ) -> Iterator[httpx.Response]:
        body, headers = None, {}
        if pieces is not None:
            boundary = secrets.token_hex(16)
            body = _multipart(pieces, boundary)
            headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        path = f"/api/v0/{name}"
        with self._node.asking("POST", path, params=options, body=body, headers=headers) as answer:
            if answer.status_code != httpx.codes.OK:
                raise self._refusal(answer, about)
            yield answer

    def _refusal(self, answer: httpx.Response, about: Cid | None) -> ContentError:
        # Kubo tells failures of a command by status 500 and its words in JSON.
        if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
            return self._node.no_answer(f"status {answer.status_code}")
        return self._translated(str(self._node.fields(answer).get("Message")), about)

    def _translated(self, words: str, about: Cid | None) -> ContentError:
        if "could not find" in words:
            message = f"The node at {self._node.url} does not have {about} whole: {words}."
            return NotFoundError(message, cid=str(about), reason=words)
        if "no space left" in words or "disk quota exceeded" in words:
            message = f"The node at {self._node.url} has no room: {words}."
            return StoreFullError(message, reason=words)
        return self._node.no_answer(words)

    def _demand(self, claimed: Any, cid: Cid) -> None:
        if claimed != str(cid):
            message = f"The node stored {cid} as {claimed!r}."
            raise HashMismatchError(message, cid=str(cid))


def _observed(pieces: Iterable[Buffer], builder: Builder) -> Iterator[bytes]:
    for piece in pieces:
        builder.write(piece)
        yield bytes(piece)


def _multipart(pieces: Iterable[bytes], boundary: str) -> Iterator[bytes]:
    # RFC 7578; the boundary is random, so that no content has it.
    head = 'Content-Disposition: form-data; name="file"; filename="file"'
    kind = "Content-Type: application/octet-stream"
    yield f"--{boundary}\r\n{head}\r\n{kind}\r\n\r\n".encode()
    yield from pieces
    yield f"\r\n--{boundary}--\r\n".encode()
