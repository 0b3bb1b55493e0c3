"""Files that are there whole or not at all, also after a power cut."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from guildmark_ipfs.errors import ContentError, StoreFailedError, StoreFullError

# EFBIG: the process's own size limit.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


@contextlib.contextmanager
def replacing(target: Path, *, scratch: Path | None = None) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``target`` when the block ends without an error.

    It is written beside (or in ``scratch``, on the same file system), synchronised, then renamed.
    After any error nothing of it is left and ``target`` is as before.

    Raises:
        StoreFullError: No room, or read-only.
        StoreFailedError: The disk or folder refuses.
    """
    with disk_errors(target.parent):
        descriptor, name = tempfile.mkstemp(dir=scratch or target.parent, prefix=".part-")
    try:
        with disk_errors(target.parent), os.fdopen(descriptor, "wb") as file:
            yield cast("BinaryIO", file)
            file.flush()
            os.fsync(descriptor)
        with disk_errors(target.parent):
            Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable.

    Raises:
        StoreFailedError: The disk refuses.
    """
    with disk_errors(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make ``folder`` with its parents, durably; one that is there stays as it is.

    Raises:
        StoreFullError: No room, or read-only.
        StoreFailedError: The folder cannot be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with disk_errors(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


@contextlib.contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Translate the operating system's errors, naming ``folder``.

    Raises:
        StoreFullError: No room, or read-only.
        StoreFailedError: Anything else that the disk or folder refuses.
    """
    try:
        yield
    except OSError as exc:
        raise _translated(exc, folder) from exc


def _translated(exc: OSError, folder: Path) -> ContentError:
    kind = StoreFullError if exc.errno in _FULL else StoreFailedError
    reason = exc.strerror or str(exc)
    return kind(f"The folder {folder} cannot be used: {reason}.", folder=str(folder), reason=reason)
