"""Uploads that go on after a crash, over the content stores."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from guildmark.adapters.content.failures import translated
from guildmark.domain.identifiers import Cid
from guildmark.ports.content import (
    UploadBusyError,
    UploadIncompleteError,
    UploadOffsetError,
    UploadsFullError,
    UploadState,
    UploadTooLongError,
    UploadUnknownError,
)
from guildmark_ipfs import errors
from guildmark_ipfs.uploads import Upload, Uploads


@dataclass(frozen=True, slots=True)
class LocalUploads:
    """Sessions over a home's content; fulfils ``Uploads``."""

    sessions: Uploads

    def begin(self, size: int) -> UploadState:
        """Begin an upload."""
        try:
            with translated():
                return _state(self._begun(size))
        except UploadBusyError as exc:
            raise UploadsFullError(exc.message, next_step=None, **exc.detail) from exc

    def status(self, name: str) -> UploadState:
        """Return how far an upload is."""
        with translated(), _named():
            return _state(self.sessions.status(name))

    def append(self, name: str, offset: int, chunks: Iterable[bytes]) -> UploadState:
        """Take what follows ``offset``; where ``chunks`` breaks off, full leaves are kept."""
        with translated(), _named():
            return _state(self.sessions.append(name, offset, chunks))

    def finish(self, name: str) -> Cid:
        """Return the address of the file, stored and in as many stores as are wanted."""
        with translated(), _named():
            return Cid(str(self.sessions.finish(name)))

    def _begun(self, size: int) -> Upload:
        with _named():
            return self.sessions.begin(size)


@contextmanager
def _named() -> Iterator[None]:
    """Raise the ports' errors for what only uploads have."""
    try:
        yield
    except errors.NotFoundError as exc:
        if "upload" not in exc.detail:
            raise
        raise UploadUnknownError(exc.message, next_step=None, **exc.detail) from exc
    except errors.WrongOffsetError as exc:
        raise UploadOffsetError(exc.message, next_step=None, **exc.detail) from exc
    except errors.BusyError as exc:
        raise UploadBusyError(exc.message, next_step=None, **exc.detail) from exc
    except errors.TruncatedError as exc:
        raise UploadIncompleteError(exc.message, next_step=None, **exc.detail) from exc
    except errors.TooLargeError as exc:
        raise UploadTooLongError(exc.message, next_step=None, **exc.detail) from exc


def _state(upload: Upload) -> UploadState:
    return UploadState(name=upload.name, size=upload.size, offset=upload.offset)
