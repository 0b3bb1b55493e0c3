"""Files that are there whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from guildmark_ipfs.durable import disk_errors, make_folder, replacing, sync_folder
from guildmark_ipfs.errors import StoreFailedError, StoreFullError


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "target"

    with replacing(target) as file:
        file.write(b"whole")
        assert not target.exists()

    assert target.read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")

    with replacing(target, scratch=tmp_path) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"

    assert target.read_bytes() == b"new"


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")

    def write_half() -> None:
        with replacing(target) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()

    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreFailedError, match="nowhere cannot be used: No such file"),
        replacing(tmp_path / "nowhere" / "target"),
    ):
        raise AssertionError
    with pytest.raises(StoreFailedError, match="nowhere cannot be used"):
        sync_folder(tmp_path / "nowhere")


def test_a_target_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()

    with pytest.raises(StoreFailedError), replacing(target) as file:
        file.write(b"x")

    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b" / "c")
    make_folder(tmp_path / "a" / "b" / "c")

    assert (tmp_path / "a" / "b" / "c").is_dir()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreFailedError):
        make_folder(tmp_path / "file")
    with pytest.raises(StoreFailedError):
        make_folder(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreFullError),
        (errno.EDQUOT, StoreFullError),
        (errno.EROFS, StoreFullError),
        (errno.EFBIG, StoreFullError),
        (errno.EIO, StoreFailedError),
        (errno.EACCES, StoreFailedError),
    ],
)
def test_a_full_disk_is_told_from_a_broken_one(number: int, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught, disk_errors(Path("/store")):
        raise OSError(number, os.strerror(number))

    assert str(caught.value) == f"The folder /store cannot be used: {os.strerror(number)}."


def test_an_error_without_a_number_keeps_its_words() -> None:
    with pytest.raises(StoreFailedError, match="something odd"), disk_errors(Path("/store")):
        raise OSError("something odd")
