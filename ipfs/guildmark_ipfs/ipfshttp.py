"""Blocks in an IPFS node behind its RPC, through ipfshttpclient; nothing it says is believed.

Needs the extra `ipfshttp`. The client refuses every node since 0.8 by its number only in
``connect``; ``Client`` works with present ones (tried: Kubo 0.39).
"""

import contextlib
import io
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import ipfshttpclient
import requests
from ipfshttpclient import exceptions, http

from guildmark_ipfs.blocks import MAX_BLOCK, check_size
from guildmark_ipfs.cid import Buffer, Cid, Codec
from guildmark_ipfs.errors import (
    ContentError,
    HashMismatchError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)

_PIECE = 64 * 1024
_FORMATS = {Codec.RAW: "raw", Codec.DAG_PB: "dag-pb"}


class IpfsHttpBlockStore:
    """A block store in an IPFS node.

    Args:
        address: The RPC's multiaddress, for example ``/ip4/127.0.0.1/tcp/5001/http``.
        timeout: Seconds to wait for the node to connect, and for each piece of an answer.
    """

    def __init__(self, address: str, *, timeout: float = 30) -> None:
        self._address = address
        self._client = _Client(address, timeout)

    def put(self, block: Buffer, codec: Codec) -> Cid:
        """Give ``block`` to the node and return its address.

        Raises:
            TooLargeError: More than ``MAX_BLOCK`` bytes.
            UnavailableError: The node did not answer, or refused.
            HashMismatchError: The node claims another address.
        """
        check_size(block)
        cid = Cid.of(block, codec)
        options = {"cid-codec": _FORMATS[codec], "mhtype": "sha2-256"}
        with self._asking(cid):
            answer = self._client.block.put(io.BytesIO(block), opts=options)
        claimed = self._fields(cid, answer).get("Key")
        if claimed != str(cid):
            message = f"The node stored block {cid} as {claimed!r}."
            raise HashMismatchError(message, cid=str(cid))
        return cid

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again.

        Raises:
            NotFoundError: The node does not have it.
            HashMismatchError: The node sent other bytes.
            TooLargeError: The node sent more than a block can have; the rest was not read.
            UnavailableError: The node did not answer in time, or broke off.
        """
        with self._asking(cid):
            block = self._read(cid)
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
            with self._asking(cid):
                answer = self._client.block.stat(str(cid), offline=True)
        except NotFoundError:
            return False
        return self._fields(cid, answer).get("Key") == str(cid)

    def pin(self, cid: Cid) -> None:
        """Have the node keep the block and all below it.

        Raises:
            NotFoundError: It is missing, or something below it.
            UnavailableError: The node did not answer, or refused.
        """
        with self._asking(cid):
            answer = self._client.pin.add(str(cid))
        if self._fields(cid, answer).get("Pins") != [str(cid)]:
            raise self._no_answer(cid, "another pin")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, cid: Cid) -> bytes:
        block = bytearray()
        with self._client.block.get(str(cid), stream=True) as pieces:
            for piece in pieces:
                block += piece
                if len(block) > MAX_BLOCK:
                    message = f"The node sent more than {MAX_BLOCK} bytes for block {cid}."
                    raise TooLargeError(message, cid=str(cid), limit=MAX_BLOCK)
        return bytes(block)

    def _fields(self, cid: Cid, answer: Any) -> dict[str, object]:
        fields = answer.as_json()
        if not isinstance(fields, dict):
            raise self._no_answer(cid, "no object")
        return fields

    @contextlib.contextmanager
    def _asking(self, cid: Cid) -> Iterator[None]:
        # The client lets some errors of requests pass, which are all kinds of OSError, and asserts
        # that an answer is one JSON value.
        try:
            yield
        except (exceptions.Error, OSError, AssertionError) as exc:
            raise self._translated(cid, exc) from exc

    def _translated(self, cid: Cid, exc: Exception) -> ContentError:
        # Kubo says so in words only: "ipld: could not find ...".
        if isinstance(exc, exceptions.ErrorResponse) and "could not find" in str(exc):
            message = f"The node at {self._address} does not have block {cid} or one below it."
            return NotFoundError(message, cid=str(cid))
        return self._no_answer(cid, type(exc).__name__)

    def _no_answer(self, cid: Cid, reason: str) -> UnavailableError:
        message = f"The node at {self._address} gave no usable answer for block {cid}."
        return UnavailableError(message, cid=str(cid), reason=reason)


class _Client(ipfshttpclient.Client):  # type: ignore[misc]  # ships no types
    """The client with a transport that can be trusted with a node that cannot."""

    def __init__(self, address: str, timeout: float) -> None:
        super().__init__(address, timeout=timeout)
        self._client = _Transport(address, "api/v0", timeout=timeout)
        self._client.open_session()


class _Transport(http.ClientSync):  # type: ignore[misc]  # ships no types
    """Reads answers piece by piece, follows no redirect, asks no proxy of the environment.

    The client's own transport holds a whole answer before anybody can count its bytes, and its own
    sessions raise urllib3's warning about a parameter that is gone.
    """

    def _make_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.max_redirects = 0
        session.params = self._session_props["params"]
        return session

    def _request(self, *args: Any, **options: Any) -> Any:
        options["chunk_size"] = _PIECE
        return super()._request(*args, **options)
