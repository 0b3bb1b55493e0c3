"""The product's own local chain with its contracts, and a home on it whose accounts have coin."""

import contextlib
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from environments import ROOT
from guildmark.adapters.chain import proxy
from guildmark.adapters.chain.deploy import Deployer
from guildmark.adapters.chain.endpoint import FILE_NAME, endpoint
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.keys.keystore import FileKeyStore
from guildmark.bootstrap import Home, open_home
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName
from guildmark.domain.identifiers import to_hex
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.settings import ChainSettings, Settings

_READY_SECONDS = 30.0
_END_SECONDS = 10.0
_PAUSE = 0.02


class ChainNotStartedError(Exception):
    """The local chain did not start."""


@contextlib.contextmanager
def open_chain(name: str, keys: Sequence[KeyName]) -> Iterator[Home]:
    """Run a new local chain below build/bench and yield a home with these keys, all with coin.

    Args:
        name: The folder's name.
        keys: The first one deploys the contracts.
    """
    folder = ROOT / "build" / "bench" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with _keeper(folder) as url:
        yield _home(folder, url, keys)


@contextlib.contextmanager
def _keeper(folder: Path) -> Iterator[str]:
    with (folder / "keeper.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "guildmark", "chain", "run"),
                *("--home", str(folder), "--port", "0"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield _url(folder, process)
    finally:
        process.terminate()
        process.wait(_END_SECONDS)


def _url(folder: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _READY_SECONDS
    while not (folder / "chain" / FILE_NAME).exists():
        if process.poll() is not None or time.monotonic() > deadline:
            message = f"The local chain did not start; {folder / 'keeper.log'} says why."
            raise ChainNotStartedError(message)
        time.sleep(_PAUSE)
    return endpoint(folder / "chain")


def _home(folder: Path, url: str, names: Sequence[KeyName]) -> Home:
    password = secrets.token_urlsafe(24)
    keys = FileKeyStore(folder / "keys", password=lambda: password)
    with Rpc(url=url) as rpc:
        for name in names:
            keys.create(name, KeyAlgorithm.SECP256K1)
            rpc.call(proxy.FUND, to_hex(keys.address(name)))
        pin = Deployer(
            rpc=rpc,
            keys=keys,
            key=names[0],
            folder=folder / "chain",
            chain_class=ChainClass.LOCAL,
            pause=lambda: time.sleep(_PAUSE),
        ).deploy()
    settings = Settings(home=folder, chain=_settings(url, pin))
    return open_home(settings, password=lambda: password)


def _settings(url: str, pin: ChainPin) -> ChainSettings:
    return ChainSettings(
        url=url,
        chain_id=pin.chain_id,
        genesis=pin.genesis,
        chain_class=pin.chain_class,
        directory=pin.contracts[ContractName.DIRECTORY].address,
    )
