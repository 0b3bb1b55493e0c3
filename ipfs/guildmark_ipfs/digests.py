"""SHA-256 of a stream, computed by a thread beside the caller's own work where that pays.

``hashlib`` lets other threads run while it hashes a large buffer, so that a second core can.
"""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from guildmark_ipfs.cid import Buffer

# Below this, handing over costs more than hashing.
_WORTH_IT = 256 * 1024


class StreamDigest:
    """The digest of buffers in their order; used in a ``with`` block, which ends its thread.

    A buffer that was begun must stay as it is until ``join`` returns.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._worker: ThreadPoolExecutor | None = None
        self._pending: tuple[Future[None], Buffer] | None = None

    def begin(self, data: Buffer) -> None:
        """Begin to hash ``data``, which follows what was begun before."""
        self.join()
        if len(data) < _WORTH_IT:
            self._digest.update(data)
            return
        if self._worker is None:
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="digest")
        self._pending = self._worker.submit(self._digest.update, data), data

    def join(self) -> None:
        """Wait until what was begun is hashed."""
        if self._pending is None:
            return
        (future, data), self._pending = self._pending, None
        if future.cancel():
            self._digest.update(data)
        else:
            future.result()

    def digest(self) -> bytes:
        """Return the digest of everything so far."""
        self.join()
        return self._digest.digest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._worker is not None:
            self._worker.shutdown()
