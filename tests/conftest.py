"""What every test run shares: real components, volumes, the network ban and the list of skips."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import hypothesis
import pytest

import clocks
import namespaces
import reports
from postgres_server import Postgres, program

_ROOT = Path(__file__).resolve().parent.parent
_OFFLINE = ("unit", "ipfs")
# Rooms whose files take minutes: begun first, so that none is left to one process at the end.
_LONG = ("faults", "e2e", "browser", "integration")


def _any_of(*programs: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(program) for program in programs)


def _built_or_on_the_path(built: str, program: str) -> Callable[[], bool]:
    return lambda: (_ROOT / built).exists() or shutil.which(program) is not None


def _installed(*parts: str) -> Callable[[], bool]:
    return lambda: any(_ROOT.glob("/".join(parts)))


# Debian keeps it where only root's path leads.
_MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")

# What a test may need that `make setup-dev` alone does not bring everywhere.
_COMPONENTS: Mapping[str, Callable[[], bool]] = MappingProxyType(
    {
        "anvil": _installed("hardhat-local/node_modules/@foundry-rs/anvil-*/bin/anvil*"),
        "chromium": _any_of("chromium"),
        "cura-definitions": _installed("build/cura/definitions/fdmprinter.def.json"),
        "cura-engine": _any_of("CuraEngine"),
        "did-resolvers": _installed("hardhat-local/node_modules/web-did-resolver/package.json"),
        "faketime": lambda: clocks.library() is not None,
        "geth": _built_or_on_the_path("build/geth/geth", "geth"),
        "hardhat": _installed("hardhat-local/node_modules/hardhat/package.json"),
        "kubo": _built_or_on_the_path("build/kubo/ipfs", "ipfs"),
        # Its wheels are for x86 and macOS alone.
        "lib3mf": lambda: find_spec("lib3mf") is not None,
        "mosquitto": lambda: _MOSQUITTO is not None,
        "pdftoppm": _any_of("pdftoppm"),
        "postgresql": lambda: program("initdb") is not None,
        "network-namespace": namespaces.may_be_apart,
        "octoprint": _installed("build/octoprint/venv/bin/octoprint"),
        "slic3r": _any_of("slic3r"),
        "softhsm2": _any_of("softhsm2-util"),
        "tlog": _built_or_on_the_path("build/tlog/tlog", "guildmark-tlog"),
        "systemd": _any_of("systemd-analyze"),
        "swtpm": lambda: all(map(shutil.which, ("swtpm", "tpm2_sign"))),
        "statistics": _installed("build/statistics/venv/bin/python"),
        "strace": _any_of("strace"),
    }
)

# Volumes of randomised tests: in `make test`, in `make test VOLUME=ci`, in long runs.
_VOLUMES = ("test", "ci", "long")

hypothesis.settings.register_profile("test", deadline=None, derandomize=True, max_examples=100)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, max_examples=1_000)
hypothesis.settings.register_profile("long", deadline=None, max_examples=100_000)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the volumes and start the record of the run."""
    config.addinivalue_line("markers", "deep: its volume grows with VOLUME")
    config.addinivalue_line("markers", "needs(component): runs only where the component is")
    hypothesis.settings.load_profile(_volume_name())
    if not hasattr(config, "workerinput"):  # workers tell their controller, which writes
        config.pluginmanager.register(_Recorder(), "guildmark-recorder")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Close the network for unit tests: they reach nothing, not even this machine.

    Tests whose volume can grow are marked, so that deep runs repeat these alone. The long rooms
    come first; within a room the order stays as it was drawn.
    """
    for item in items:
        is_law = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if is_law or "volume" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.deep)
        room = _room(item)
        open_to = item.get_closest_marker("allow_hosts") or item.get_closest_marker("enable_socket")
        if room in _OFFLINE and open_to is None:
            item.add_marker(pytest.mark.disable_socket)
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    room = _room(item)
    return _LONG.index(room) if room in _LONG else len(_LONG)


def _room(item: pytest.Item) -> str:
    return item.path.relative_to(_ROOT / "tests").parts[0]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, or fail where all must be there."""
    for marker in item.iter_markers("needs"):
        for component in marker.args:
            if _COMPONENTS[component]():
                continue
            reason = f"needs {component}: run `make system`"
            if os.environ.get("REQUIRE_REAL") == "1":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def volume() -> Callable[[int, int, int], int]:
    """Return the choice among a test's volumes: in `make test`, VOLUME=ci, VOLUME=long."""
    position = _VOLUMES.index(_volume_name())
    return lambda *volumes: volumes[position]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a PostgreSQL of this run's own."""
    server = Postgres()
    server.start()
    yield server
    server.stop()


def _volume_name() -> str:
    return os.environ.get("VOLUME", "test")


class _Recorder:
    """Writes build/tests.json: how many tests ran, and every skip with its reason."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._outcomes = {"passed": 0, "failed": 0}
        self._skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the outcome of a test, whichever phase decided it."""
        if report.skipped:
            self._skip(report)
        elif report.failed:
            self._outcomes["failed"] += 1
        elif report.when == "call":
            self._outcomes["passed"] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that skips itself as a whole."""
        if report.skipped:
            self._skip(report)

    def pytest_sessionfinish(self) -> None:
        """Write the record where the whole suite was asked for."""
        if os.environ.get("GUILDMARK_TEST_REPORT") != "1":
            return
        skipped = sorted(self._skipped.items())
        content = {
            "seconds": round(time.monotonic() - self._started, 1),
            **self._outcomes,
            "skipped": [{"test": test, "reason": reason} for test, reason in skipped],
        }
        reports.write("tests", content)

    def _skip(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        self._skipped[report.nodeid] = reason.removeprefix("Skipped: ")
