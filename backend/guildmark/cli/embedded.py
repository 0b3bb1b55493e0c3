"""A node on embedded defaults: the first `guildmark up` in an empty home makes all that it needs.

A chain of its own, kept as long as the node runs; the contracts; an operator with a log.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import typer

from guildmark.adapters.chain import deployment, local, proxy, toolchain
from guildmark.adapters.chain.endpoint import ChainNotRunningError, endpoint
from guildmark.adapters.chain.head import FILE_NAME as HEAD
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.keys.keystore import password_from
from guildmark.bootstrap import Home, open_home
from guildmark.cli.answers import note
from guildmark.cli.arguments import ACCOUNT
from guildmark.cli.chain import deploy_contracts
from guildmark.cli.homes import KEYS
from guildmark.cli.init import make_account
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName
from guildmark.domain.errors import NetworkError
from guildmark.domain.identifiers import to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.chain import LedgerUnavailableError
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.settings import (
    FILE_NAME,
    ChainSettings,
    NodeSettings,
    Settings,
    load,
    save,
    with_environment,
)

WRITER = KeyName("writer")
DEFAULT_NAME = "An operator"

_CHAIN = "chain"
_READY_SECONDS = 60.0
_PAUSE = 0.05
_COINS = 1_000


class ChainNotStartedError(NetworkError):
    """The home's own chain ended before it was ready, or was not ready in time."""

    code = "chain.notStarted"
    hint = "Start it by itself to see why: `guildmark chain run`."


def has_own_chain(folder: Path) -> bool:
    """Return whether the home keeps its own chain, or is none yet."""
    begun = any((folder / _CHAIN / name).exists() for name in (local.JOURNAL, HEAD))
    return begun or not (folder / FILE_NAME).exists()


@contextmanager
def own_chain(folder: Path) -> Iterator[str]:
    """Keep the home's chain, unless somebody keeps it already, and yield its address.

    The keeper ends with this process, however it ends; a block that was shown is in its journal.

    Raises:
        ToolMissingError: The chain's program is not installed.
        ChainNotStartedError: The keeper was killed before it was ready, or is not ready in time.
        Exit: The keeper could not start, and said why.
    """
    running = _running(folder)
    if running is not None:
        yield running
        return
    toolchain.anvil()
    command = (
        "-m",
        "guildmark",
        _CHAIN,
        "run",
        "--home",
        str(folder),
        "--port",
        "0",
        "--until-eof",
    )
    keeper = subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, *command, "--until-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    with keeper:
        yield _ready(keeper, folder)
        keeper.communicate()


def make_ready(folder: Path, url: str, *, name: str, port: int | None = None) -> bool:
    """Make what a node needs and the home does not have yet; return whether the node is new.

    Args:
        folder: The home.
        url: Where its own chain answers now.
        name: The operator's name.
        port: Where a new node will listen, 0 for a free port; None for the usual one.
    """
    if not (folder / FILE_NAME).exists():
        note("A new home: the contracts are deployed on a chain of its own ...")
        make_account(folder)
        pin = deploy_contracts(folder, key="deployer", url=url, kind=ChainClass.LOCAL)
        save(Settings(home=folder, chain=_chain_settings(pin, url)))
    settings = load(folder)
    if settings.chain.url != url:
        settings = replace(settings, chain=replace(settings.chain, url=url))
        save(settings)
    if settings.node is not None:
        return False
    note(f"An operator is registered as {name!r}, and opens a log ...")
    save(replace(settings, node=_begin(settings, name, port)))
    return True


def _running(folder: Path) -> str | None:
    with suppress(ChainNotRunningError, LedgerUnavailableError):
        url = endpoint(folder / _CHAIN)
        with Rpc(url=url) as rpc:
            deployment.identify(rpc)
        return url
    return None


def _ready(keeper: subprocess.Popen[bytes], folder: Path) -> str:
    deadline = time.monotonic() + _READY_SECONDS
    while (url := _running(folder)) is None:
        if (keeper.poll() or 0) > 0:
            raise typer.Exit(keeper.returncode)
        if keeper.poll() is not None or time.monotonic() > deadline:
            message = f"The chain in {folder / _CHAIN} did not start."
            raise ChainNotStartedError(message, folder=str(folder / _CHAIN))
        time.sleep(_PAUSE)
    return url


def _chain_settings(pin: ChainPin, url: str) -> ChainSettings:
    return ChainSettings(
        url=url,
        chain_id=pin.chain_id,
        genesis=pin.genesis,
        chain_class=pin.chain_class,
        directory=pin.contracts[ContractName.DIRECTORY].address,
    )


def _begin(settings: Settings, name: str, port: int | None) -> NodeSettings:
    """Register an operator, open its log, write a first record, and return the node's settings."""
    password = password_from(settings.home / KEYS, os.environ)
    home = open_home(with_environment(settings, os.environ), password=password)
    account = KeyName(ACCOUNT)
    if WRITER not in home.keys.names():
        home.keys.create(WRITER, KeyAlgorithm.SECP256K1)
    _fund(home, account, WRITER)
    operator = home.identities(account).register(IdentityKind.ORGANIZATION, {"name": name})
    log = home.logs(account).open(operator, home.keys.address(WRITER))
    home.logs(account).tick()
    home.close()
    own = NodeSettings(operator=operator, log=log, writer=WRITER, public_url="")
    port = _port(own.host, own.port if port is None else port)
    return replace(own, port=port, public_url=f"http://{own.host}:{port}")


def _fund(home: Home, *keys: KeyName) -> None:
    with Rpc(url=home.settings.chain.url) as rpc:
        for key in keys:
            rpc.call(proxy.FUND, to_hex(home.keys.address(key)), _COINS)


def _port(host: str, wanted: int) -> int:
    """Return a port, or a free one where it is taken or 0."""
    with socket.socket() as listener:
        try:
            listener.bind((host, wanted))
        except OSError:
            listener.bind((host, 0))
        port: int = listener.getsockname()[1]
        return port
