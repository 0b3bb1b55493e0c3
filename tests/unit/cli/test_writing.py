"""Files that commands write before they send something: there only where that may have happened."""

from pathlib import Path

import pytest

from guildmark.cli.homes import OutputExistsError, OutputFolderError, writing_new
from guildmark.domain.chain.refusals import EquivalenceDoneError
from guildmark.domain.errors import GuildmarkError, NotFinalError
from guildmark.ports.chain import LedgerUnavailableError

REFUSED = EquivalenceDoneError("It was done before.")
UNKNOWN = (LedgerUnavailableError("The node is away."), NotFinalError("It waits."))


def test_a_file_stays_where_what_follows_is_done(tmp_path: Path) -> None:
    path = tmp_path / "new"

    with writing_new(path, b"salt", mode=0o600):
        assert path.read_bytes() == b"salt"

    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"salt", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_goes_where_what_follows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EquivalenceDoneError), writing_new(tmp_path / "new", b"salt"):
        raise REFUSED

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", UNKNOWN, ids=lambda error: error.code)
def test_a_file_stays_where_nobody_knows_what_became_of_it(
    tmp_path: Path, error: GuildmarkError
) -> None:
    path = tmp_path / "new"

    with pytest.raises(type(error)), writing_new(path, b"salt"):
        raise error

    assert path.read_bytes() == b"salt"


def test_nothing_is_done_where_the_file_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")

    for wrong, error in ((path, OutputExistsError), (tmp_path / "no" / "new", OutputFolderError)):
        with pytest.raises(error), writing_new(wrong, b"salt"):
            pytest.fail("it was done")

    assert path.read_bytes() == b"old"
