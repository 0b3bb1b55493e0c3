"""``guildmark chain``: run, fund and deploy the local chain."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.chain import local, proxy, toolchain
from guildmark.adapters.chain.endpoint import endpoint
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.domain.identifiers import address_from_hex, to_hex
from guildmark.settings import default_home

app = typer.Typer(help="Run, fund and deploy the local chain.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder of the chain's keeper.")]

_DEFAULT_PORT = 8545
_COINS = 1_000


@app.command()
def run(
    home: Home = None,
    port: Annotated[int, typer.Option(help="The port, 0 for a free one.")] = _DEFAULT_PORT,
) -> None:
    """Keep the local chain until Ctrl-C."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    folder = _chain_folder(home)
    with local.sole_keeper(folder):
        asyncio.run(_run(folder, port))


@app.command()
def fund(
    account: Annotated[str, typer.Argument(help="The account, 0x and 40 hex digits.")],
    coins: Annotated[int, typer.Option(help="How many coins.", min=1)] = _COINS,
    home: Home = None,
    url: Annotated[str | None, typer.Option(help="The chain, if not this home's.")] = None,
) -> None:
    """Send coin of the local chain's keeper to an account; it is worth nothing elsewhere."""
    address = address_from_hex(account.lower())
    with Rpc(url=url or endpoint(_chain_folder(home))) as rpc:
        transaction = rpc.call(proxy.FUND, to_hex(address), coins)
    typer.echo(transaction)


async def _run(folder: Path, port: int) -> None:
    program = toolchain.anvil()
    clock, entropy = SystemClock(), SystemEntropy()
    async with local.keeping(folder, program, clock=clock, entropy=entropy) as keeper:
        await proxy.serve(keeper, folder, port=port, on_ready=typer.echo)


def _chain_folder(home: Path | None) -> Path:
    return (home or default_home(os.environ)) / "chain"
