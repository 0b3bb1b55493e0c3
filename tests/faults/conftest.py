"""One chain with one log for all tests of a file."""

from collections.abc import Iterator

import pytest

from faults import rig as rigs


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rigs.Rig]:
    with rigs.opened(tmp_path_factory.mktemp("rig")) as found:
        yield found
