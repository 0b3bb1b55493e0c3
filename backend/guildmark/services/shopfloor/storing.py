"""Storing: photos, notes and telemetry of signed jobs, encrypted, in the node's content store."""

from dataclasses import dataclass, replace

from guildmark.domain.builds.telemetry import KeptChunk
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Digest
from guildmark.domain.shopfloor.fieldwork import Attachment, Job
from guildmark.ports.clock import Entropy
from guildmark.ports.shopfloor import AgentStore, BuildNode, Sealer

_KEY_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """Use cases around an agent's files."""

    store: AgentStore
    node: BuildNode
    sealer: Sealer
    entropy: Entropy

    def encrypted(self, name: str, data: bytes) -> tuple[Attachment, bytes]:
        """Return a file as it may be added to a job, and its encrypted bytes."""
        key = Bytes32(self.entropy.token(_KEY_SIZE))
        sealed = self.sealer.seal(data, key)
        return Attachment(name=name, digest=Digest(sha256(sealed)), key=key), sealed

    def deliver(self) -> int:
        """Hand the node what signed jobs left, job by job; return how many jobs are done.

        What was handed over is remembered one by one: a line that breaks begins nothing anew.

        Raises:
            PeerUnavailableError: The node does not answer.
            GuildmarkError: The node refuses.
        """
        done = 0
        while (job := self._next()) is not None:
            self._chunks(job)
            files = tuple(self._file(file) for file in job.files)
            with self.store.writing() as work:
                work.keep_job(replace(job, files=files, is_stored=True))
            done += 1
        return done

    def _next(self) -> Job | None:
        with self.store.reading() as view:
            return view.unstored()

    def _chunks(self, job: Job) -> None:
        with self.store.reading() as view:
            waiting = [kept for kept in view.chunks(job.machine, job.job) if kept.cid is None]
        for kept in waiting:
            self._chunk(kept)

    def _chunk(self, kept: KeptChunk) -> None:
        cid = self.node.put_content([self.sealer.seal(kept.chunk.encode(), kept.key)])
        with self.store.writing() as work:
            work.keep_chunk(replace(kept, cid=cid))

    def _file(self, file: Attachment) -> Attachment:
        with self.store.reading() as view:
            sealed = view.ciphertext(file.digest)
        return replace(file, cid=self.node.put_content([sealed]))
