"""``guildmark chain``: run, fund and deploy the local chain."""

import asyncio
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from guildmark.adapters.chain import deployment, local, proxy, toolchain
from guildmark.adapters.chain.deploy import Deployer
from guildmark.adapters.chain.endpoint import endpoint, preferred_ports
from guildmark.adapters.chain.rpc import Rpc, quantity
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.adapters.home import default_home
from guildmark.adapters.keys.keystore import FileKeyStore, is_uri, password_from
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName
from guildmark.domain.identifiers import address_from_hex, to_hex
from guildmark.ports.keys import KeyAlgorithm, KeyName

app = typer.Typer(help="Run, fund and deploy the local chain.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder of the chain's keeper.")]

_COINS = 1_000
_PAUSE = 0.05


@app.command()
def run(
    home: Home = None,
    port: Annotated[
        int | None,
        typer.Option(help="The port; 0 is the last one or a free one.", min=0, max=65_535),
    ] = None,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="End when standard input ends.", hidden=True)
    ] = False,
) -> None:
    """Keep the local chain until Ctrl-C, at the port of the last time if none is named."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    folder = _chain_folder(home)
    if until_eof:
        Thread(target=_end_with_input, daemon=True).start()
    with local.sole_keeper(folder):
        asyncio.run(_run(folder, port))


@app.command()
def fund(
    account: Annotated[str, typer.Argument(help="The account, 0x and 40 hex digits.")],
    coins: Annotated[
        int, typer.Option(help="How many coins.", min=1, max=proxy.COINS_MAX)
    ] = _COINS,
    home: Home = None,
    url: Annotated[str | None, typer.Option(help="The chain, if not this home's.")] = None,
) -> None:
    """Send coin of the local chain's keeper to an account; it is worth nothing elsewhere."""
    address = address_from_hex(account.lower())
    with Rpc(url=url or endpoint(_chain_folder(home))) as rpc:
        transaction = rpc.call(proxy.FUND, to_hex(address), coins)
    typer.echo(transaction)


@app.command()
def deploy(
    home: Home = None,
    key: Annotated[str, typer.Option(help="The key of the account that deploys.")] = "deployer",
    url: Annotated[str | None, typer.Option(help="The chain, if not this home's.")] = None,
    kind: Annotated[
        ChainClass, typer.Option("--class", help="Who can rewrite the chain.")
    ] = ChainClass.LOCAL,
) -> None:
    """Deploy the contracts; stopped half-way, the next run goes on."""
    root = home or default_home(os.environ)
    pin = deploy_contracts(root, key=key, url=url or endpoint(root / "chain"), kind=kind)
    typer.echo(to_hex(pin.contracts[ContractName.DIRECTORY].address))


def deploy_contracts(root: Path, *, key: str, url: str, kind: ChainClass) -> ChainPin:
    """Deploy the contracts from a home and return what pins them; a local chain gives the coin."""
    keys = FileKeyStore(root / "keys", password_from(root / "keys", os.environ))
    if not is_uri(key) and KeyName(key) not in keys.names():
        keys.create(KeyName(key), KeyAlgorithm.SECP256K1)
    with Rpc(url=url) as rpc:
        if kind is ChainClass.LOCAL:
            rpc.call(proxy.FUND, to_hex(keys.address(KeyName(key))))
        return Deployer(
            rpc=rpc,
            keys=keys,
            key=KeyName(key),
            folder=root / "chain",
            chain_class=kind,
            pause=lambda: time.sleep(_PAUSE),
        ).deploy()


@app.command()
def info(
    home: Home = None,
    url: Annotated[str | None, typer.Option(help="The chain, if not this home's.")] = None,
) -> None:
    """Show the chain and the contracts, checked, as JSON."""
    folder = _chain_folder(home)
    address = url or endpoint(folder)
    with Rpc(url=address) as rpc:
        chain_id, genesis = deployment.identify(rpc)
        document: dict[str, object] = {
            "url": address,
            "chainId": chain_id,
            "genesis": to_hex(genesis),
            "head": quantity(rpc.call("eth_blockNumber")),
        }
        if (folder / deployment.FILE_NAME).exists():
            pin = deployment.load(folder / deployment.FILE_NAME)
            deployment.check_pin(rpc, pin)
            document["contracts"] = {
                name.value: to_hex(found.address) for name, found in pin.contracts.items()
            }
    typer.echo(json.dumps(document, indent=2))


def _end_with_input() -> None:
    """Wait for the end of standard input, which comes when the process that wrote to it is gone."""
    # Not through sys.stdin: Python cannot end while a thread holds its buffer.
    while os.read(sys.stdin.fileno(), 1 << 10):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


async def _run(folder: Path, port: int | None) -> None:
    program = toolchain.anvil()
    clock, entropy = SystemClock(), SystemEntropy()
    async with local.keeping(folder, program, clock=clock, entropy=entropy) as keeper:
        ports = preferred_ports(folder, port)
        await proxy.serve(keeper, folder, ports=ports, on_ready=typer.echo)


def _chain_folder(home: Path | None) -> Path:
    return (home or default_home(os.environ)) / "chain"
