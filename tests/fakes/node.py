"""An operator's node as its clients see it, without a network."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from fakes.content import MemoryContent
from guildmark.adapters.peers.client import PeerRefusedError
from guildmark.domain.dsse import envelope_digest
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Cid, Digest, to_hex
from guildmark.ports import DocumentKind


@dataclass
class MemoryNode:
    """In the shape of ``NodeClient``; it says what a test tells it to say.

    Args:
        refusing: The code with which it refuses whatever is asked.
        refusals: The error of each envelope that it does not take, in order.
    """

    content: MemoryContent = field(default_factory=MemoryContent)
    urls: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    disclosed: list[tuple[DocumentKind, bytes, bytes]] = field(default_factory=list)
    refusing: str | None = None
    refusals: list[GuildmarkError | None] = field(default_factory=list)
    lying: bool = False
    """Whether it sends other bytes than it was asked for, and stores others."""

    def at(self, url: str) -> Self:
        self.urls.append(url)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def submit(self, envelopes: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        self._check()
        self.received += envelopes
        refusals = [*self.refusals, *[None] * len(envelopes)]
        return [
            self._answer(envelope, refusal)
            for envelope, refusal in zip(envelopes, refusals, strict=False)
        ]

    def build(self, digest: Digest) -> Mapping[str, Any]:
        self._check()
        return {"digest": to_hex(digest), "state": "final", "unit": 7, "code": None}

    def disclose(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        self._check()
        self.disclosed.append((kind, key, body))

    def put_content(self, chunks: Iterable[bytes]) -> Cid:
        self._check()
        return self.content.put([b"other"] if self.lying else chunks)

    def get_content(self, cid: Cid) -> Iterator[bytes]:
        self._check()
        yield from [b"other"] if self.lying else self.content.get(cid)

    def _check(self) -> None:
        if self.refusing is not None:
            message = "The node answers 404: no."
            raise PeerRefusedError(message, status=404, reason=self.refusing)

    def _answer(self, envelope: bytes, refusal: GuildmarkError | None) -> Mapping[str, Any]:
        answer = {"digest": to_hex(envelope_digest(envelope)), "build": None}
        if refusal is None:
            return {**answer, "reception": "accepted"}
        said = {"code": refusal.code, "reason": refusal.message, "nextStep": refusal.next_step}
        return {**answer, "reception": "refused", **said}
