"""An operator's node as its clients see it, without a network."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from fakes.content import MemoryContent, MemoryUploads
from guildmark.adapters.peers.client import PeerRefusedError
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.equivalence.reporting.standing import CertificateState
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    Cid,
    Digest,
    EquivalencePlanId,
    IdentityId,
    LogNumber,
    to_hex,
)
from guildmark.domain.rights.release import ReceiptProof, Released
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.equivalence.certificates import certificate_state
from guildmark.services.equivalence.results import Results
from guildmark.services.release.receipts import Receipts
from guildmark.services.release.reconciling import Reconciling
from guildmark.services.release.releasing import Releasing


@dataclass
class MemoryNode:
    """In the shape of ``NodeClient``; it says what a test tells it to say.

    Args:
        refusing: The code with which it refuses whatever is asked.
        refusals: The error of each envelope that it does not take, in order.
    """

    content: MemoryContent = field(default_factory=MemoryContent)
    uploads: MemoryUploads = field(init=False)
    urls: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    disclosed: list[tuple[DocumentKind, bytes, bytes]] = field(default_factory=list)
    refusing: str | None = None
    refusals: list[GuildmarkError | None] = field(default_factory=list)
    breaking: int | None = None
    """After how many bytes the next part breaks off."""
    appended: list[int] = field(default_factory=list)
    releasing: Releasing | None = None
    """What releases keys at this node."""
    receiptbook: Receipts | None = None
    reconciling: Reconciling | None = None
    results: Results | None = None
    """What is published at this node."""
    operator: IdentityId | None = None
    note_key: str = ""
    """The key that it says signs its log's checkpoints."""
    lying: bool = False
    """Whether it sends other bytes than it was asked for, and stores others."""

    def __post_init__(self) -> None:
        self.uploads = MemoryUploads(self.content)

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

    def log_key(self, log: LogNumber) -> str:
        return self.note_key

    def disclose(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        self._check()
        self.disclosed.append((kind, key, body))

    def equivalence_report(self, plan: EquivalencePlanId) -> bytes:
        assert self.results is not None
        return self.results.publication(plan).reported.report.encode()

    def equivalence_data(self, plan: EquivalencePlanId, site: IdentityId) -> bytes:
        assert self.results is not None
        return self.results.data(plan, site)

    def certificate_state(self, plan: EquivalencePlanId, site: IdentityId) -> CertificateState:
        assert self.results is not None
        with self.results.store.reading() as view:
            return certificate_state(plan, site, view)

    def release(self, envelope: bytes) -> Released:
        self._check()
        assert self.releasing is not None
        return self.releasing.release(envelope).released

    def receipt_proof(self, request: Digest) -> ReceiptProof:
        self._check()
        assert self.receiptbook is not None
        return self.receiptbook.proof(request)

    def receipts(self, query: bytes) -> tuple[Sequence[ReceiptProof], str]:
        self._check()
        assert self.reconciling is not None
        assert self.operator is not None
        _, kept = self.reconciling.answer(query, operator=self.operator)
        return kept.proofs, f"{self.url}/page"

    def put_content(self, chunks: Iterable[bytes]) -> Cid:
        self._check()
        return self.content.put([b"other"] if self.lying else chunks)

    @property
    def url(self) -> str:
        return self.urls[-1]

    def begin_upload(self, size: int) -> str:
        self._check()
        return self.uploads.begin(size).name

    def upload_offset(self, upload: str) -> int | None:
        self._check()
        return self.uploads.status(upload).offset if upload in self.uploads.parts else None

    def append_upload(self, upload: str, offset: int, chunks: Iterable[bytes]) -> None:
        self._check()
        if self.breaking is not None:
            size, before = self.uploads.parts[upload]
            self.uploads.parts[upload] = (size, before + b"".join(chunks)[: self.breaking])
            self.breaking = None
            message = "The connection broke."
            raise PeerUnavailableError(message)
        self.appended.append(offset)
        self.uploads.append(upload, offset, chunks)

    def finish_upload(self, upload: str) -> Cid:
        if self.lying:
            return self.content.put([b"other"])
        return self.uploads.finish(upload)

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
