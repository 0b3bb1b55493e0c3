"""Small files that are whole or not there, also where the disk refuses."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from guildmark.adapters.files import create_durably, write_durably


@pytest.mark.parametrize("write", [write_durably, create_durably])
def test_a_disk_that_refuses_is_named_with_the_file_that_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left on device") as caught:
        write(tmp_path / "a.json", b"{}")

    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_a_refused_write_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_durably(path, b"old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_durably(path, b"new")

    assert path.read_bytes() == b"old"
