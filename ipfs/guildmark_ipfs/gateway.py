"""Blocks and files from a trustless gateway, by httpx; nothing it says is believed.

Gateways: https://specs.ipfs.tech/http-gateways/trustless-gateway/. Needs the package `httpx`.
"""

from types import TracebackType
from typing import Self

import httpx

from guildmark_ipfs import car
from guildmark_ipfs.blocks import MAX_BLOCK, BlockStore
from guildmark_ipfs.cid import Cid
from guildmark_ipfs.errors import ContentError, HashMismatchError, NotFoundError
from guildmark_ipfs.peers import Peer, read
from guildmark_ipfs.unixfs import MAX_FILE, Root

_RAW = "application/vnd.ipld.raw"
_CAR = f"{car.MEDIA_TYPE};version=1;order=dfs;dups=n"
_MISSING = frozenset({httpx.codes.NOT_FOUND, httpx.codes.GONE})


class Gateway:
    """A source of blocks; fulfils ``BlockSource``.

    Args:
        url: The gateway's address, without ``/ipfs``.
        timeout: Seconds to wait for the gateway to connect, and for each piece of an answer.
    """

    def __init__(self, url: str, *, timeout: float = 30) -> None:
        self._server = Peer.at(url, timeout=timeout)

    def get(self, cid: Cid) -> bytes:
        """Return the block at ``cid``, hashed again.

        Raises:
            NotFoundError: The gateway says that there is none.
            HashMismatchError: The gateway sent other bytes.
            TooLargeError: The gateway sent more than a block can have; the rest was not read.
            UnavailableError: The gateway did not answer in time, refused, or broke off.
        """
        path, query, headers = f"/ipfs/{cid}", {"format": "raw"}, {"Accept": _RAW}
        with self._server.asking("GET", path, params=query, headers=headers) as answer:
            self._demand_content(answer, cid)
            block = read(answer, MAX_BLOCK)
        if not cid.matches(block):
            message = f"The gateway sent other bytes than those of block {cid}."
            raise HashMismatchError(message, cid=str(cid), size=len(block))
        return block

    def fetch(self, cid: Cid, blocks: BlockStore, *, limit: int = MAX_FILE) -> Root:
        """Bring a whole file into ``blocks`` by one request, every block hashed again.

        Raises:
            NotFoundError: The gateway says that there is none.
            UnavailableError: The gateway did not answer in time, refused, or broke off.
            ContentError: Whatever ``car.load`` raises for what it sent.
        """
        path, query, headers = f"/ipfs/{cid}", {"format": "car"}, {"Accept": _CAR}
        query |= {"dag-scope": "all", "car-order": "dfs", "car-dups": "n"}
        with self._server.asking("GET", path, params=query, headers=headers) as answer:
            self._demand_content(answer, cid)
            return car.load(answer.iter_raw(), blocks, cid, limit=limit)

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _demand_content(self, answer: httpx.Response, cid: Cid) -> None:
        if answer.status_code != httpx.codes.OK:
            raise self._refusal(answer.status_code, cid)

    def _refusal(self, status: int, cid: Cid) -> ContentError:
        if status in _MISSING:
            message = f"The gateway at {self._server.url} does not have {cid}."
            return NotFoundError(message, cid=str(cid))
        return self._server.no_answer(f"status {status}", cid=str(cid))
