"""Small files that are whole or not there: written beside, made durable, renamed."""

import os
from pathlib import Path


def write_durably(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file so that a loss of power leaves the old content or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    _write_new(draft, content, mode=mode, meant=path)
    draft.replace(path)
    sync_folder(path.parent)


def create_durably(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Make a file that was not there.

    Raises:
        FileExistsError: It is there already; it was not touched.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    _write_new(draft, content, mode=mode, meant=path)
    try:
        # A link, unlike a rename, never replaces.
        path.hardlink_to(draft)
    finally:
        draft.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed entry of a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_new(path: Path, content: bytes, *, mode: int, meant: Path) -> None:
    """Write a file that was not there; an error names the file that is meant.

    Raises:
        OSError: The disk refuses; nothing is left.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor, which Path cannot open
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError as exc:
        path.unlink()
        raise OSError(exc.errno, exc.strerror, str(meant)) from exc
