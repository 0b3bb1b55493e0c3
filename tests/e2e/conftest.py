"""The stage of the stories: a local chain with its contracts."""

from collections.abc import Iterator

import pytest

from e2e.cli_actors import Actor
from e2e.story import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("story")
    keeper = Actor(folder / "keeper")
    keeper.say("init")
    ready = keeper.home / "chain" / "endpoint.json"
    with keeper.keeping("chain", "run", "--port", 0, ready=ready) as endpoint:
        keeper.say("chain", "deploy")
        yield Stage(keeper=keeper, url=endpoint["url"], folder=folder)
