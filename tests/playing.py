"""Fixtures around the stage; rooms that use it import them in their conftest."""

from collections.abc import Iterator

import httpx
import pytest

import stages
from stages import Played


@pytest.fixture(scope="session")
def played(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Return the stage after the play."""
    return stages.played(pytestconfig, lambda: tmp_path_factory.mktemp("stage"))


@pytest.fixture
def web(played: Played) -> Iterator[httpx.Client]:
    """Return a client of the first operator's node."""
    with httpx.Client(base_url=played.node.url, timeout=30.0) as client:
        yield client


@pytest.fixture
def other_web(played: Played) -> Iterator[httpx.Client]:
    """Return a client of the second operator's node."""
    with httpx.Client(base_url=played.other.url, timeout=30.0) as client:
        yield client
