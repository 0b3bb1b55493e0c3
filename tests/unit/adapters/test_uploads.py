"""Uploads over a home's content: each refusal under the name that clients know."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guildmark.adapters.content.uploads import LocalUploads
from guildmark.domain.errors import GuildmarkError
from guildmark.ports.content import (
    ContentMissingError,
    UploadBusyError,
    UploadIncompleteError,
    UploadOffsetError,
    UploadsFullError,
    UploadState,
    UploadTooLongError,
    UploadUnknownError,
)
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.cid import Cid
from guildmark_ipfs.errors import NotFoundError
from guildmark_ipfs.uploads import Uploads


@pytest.fixture
def blocks(tmp_path: Path) -> LocalBlockStore:
    return LocalBlockStore.open(tmp_path / "content")


@pytest.fixture
def uploads(tmp_path: Path, blocks: LocalBlockStore) -> LocalUploads:
    return LocalUploads(Uploads(folder=tmp_path / "uploads", blocks=blocks, most=1))


def test_a_file_arrives_in_parts(uploads: LocalUploads) -> None:
    begun = uploads.begin(5)

    assert begun == UploadState(name=begun.name, size=5, offset=0)
    assert uploads.append(begun.name, 0, [b"12", b"345"]).offset == 5
    assert uploads.status(begun.name).offset == 5
    assert uploads.finish(begun.name) == uploads.finish(begun.name)


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda each, _: each.status("0" * 32), UploadUnknownError),
        (lambda each, _: each.append("0" * 32, 0, []), UploadUnknownError),
        (lambda each, _: each.finish("../etc"), UploadUnknownError),
        (lambda each, name: each.append(name, 1, [b"1"]), UploadOffsetError),
        (lambda each, name: each.append(name, 0, [b"123456"]), UploadTooLongError),
        (lambda each, name: each.finish(name), UploadIncompleteError),
        (lambda each, _: each.begin(1), UploadsFullError),
    ],
)
def test_each_refusal_has_its_name(
    uploads: LocalUploads,
    ask: Callable[[LocalUploads, str], object],
    kind: type[GuildmarkError],
) -> None:
    name = uploads.begin(5).name

    with pytest.raises(kind):
        ask(uploads, name)


def test_a_second_part_at_once_is_refused(uploads: LocalUploads) -> None:
    name = uploads.begin(5).name

    def meddling() -> Iterator[bytes]:
        with pytest.raises(UploadBusyError):
            uploads.append(name, 0, [b"12345"])
        yield b"12345"

    assert uploads.append(name, 0, meddling()).offset == 5


class Forgetful(LocalBlockStore):
    """A store that has lost what is to be pinned."""

    __slots__ = ()

    def pin(self, cid: Cid) -> None:
        message = "Gone."
        raise NotFoundError(message, cid=str(cid))


def test_a_lost_block_is_no_unknown_upload(tmp_path: Path, blocks: LocalBlockStore) -> None:
    sessions = Uploads(folder=tmp_path / "uploads", blocks=Forgetful(blocks.root))
    uploads = LocalUploads(sessions)
    name = uploads.begin(0).name

    with pytest.raises(ContentMissingError):
        uploads.finish(name)
