"""``guildmark init``: make a home."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.chain import deployment
from guildmark.adapters.chain.endpoint import endpoint
from guildmark.adapters.chain.opening import open_ledger
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.files import create_durably
from guildmark.adapters.keys.keystore import PASSWORD_VARIABLE
from guildmark.cli.answers import Answer, note, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, address
from guildmark.cli.homes import KEYS, folder_of, keys_of
from guildmark.domain.chain.contracts import ChainClass, ContractName
from guildmark.domain.errors import ConflictError, UsageError
from guildmark.domain.identifiers import Address, to_hex
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.settings import FILE_NAME, ChainSettings, Settings, save

app = typer.Typer()

_PASSWORD_SIZE = 32


class HomeExistsError(ConflictError):
    """The folder is a home already."""

    code = "home.exists"
    hint = "Use it as it is, or make another home with --home."


class ChainHalfNamedError(UsageError):
    """A chain is named without its contracts, or the contracts without their chain."""

    code = "home.chainHalfNamed"
    hint = "Give --chain and --directory, or --deployment."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which chain the user names, in one of the ways to name it."""

    url: str | None
    directory: Address | None
    file: Path | None
    kind: ChainClass


@app.command()
def init(
    chain: Annotated[str | None, typer.Option(metavar="URL", help="The chain's node.")] = None,
    directory: Annotated[
        Address | None,
        typer.Option(metavar="ADDRESS", parser=address, help="The contracts' directory."),
    ] = None,
    kind: Annotated[
        ChainClass, typer.Option("--class", help="Who can rewrite the chain.")
    ] = ChainClass.LOCAL,
    file: Annotated[
        Path | None,
        typer.Option(
            "--deployment",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The deployment.json of who deployed, instead of --directory and --class.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a home: password, account key, and settings once a chain is named; print the account.

    Without a chain only password and key are made; run it again with one.
    """
    folder = folder_of(home)
    if (folder / FILE_NAME).exists():
        message = f"{folder} is a home already."
        raise HomeExistsError(message, home=str(folder))
    found = _chain(_Wanted(url=chain, directory=directory, file=file, kind=kind), folder)
    account = to_hex(make_account(folder))
    if found is not None:
        save(Settings(home=folder, chain=found))
    _say_next(found, account)
    answer: Answer = {
        "home": str(folder),
        "account": account,
        "chain": None if found is None else _shown(found),
    }
    say(answer, as_json=as_json, brief=account)


def _chain(wanted: _Wanted, folder: Path) -> ChainSettings | None:
    """Return the chain's settings, its contracts checked, None where no chain is named."""
    own = folder / "chain" / deployment.FILE_NAME
    nothing_named = wanted.url is None and wanted.directory is None
    file = wanted.file or (own if nothing_named and own.exists() else None)
    if file is not None:
        found = _of_file(file, wanted.url)
    elif nothing_named:
        return None
    else:
        found = _of_node(wanted)
    open_ledger(
        found.url,
        chain_id=found.chain_id,
        genesis=found.genesis,
        chain_class=found.chain_class,
        directory=found.directory,
    )
    return found


def _of_file(file: Path, url: str | None) -> ChainSettings:
    pin = deployment.load(file)
    return ChainSettings(
        url=url or endpoint(file.parent),
        chain_id=pin.chain_id,
        genesis=pin.genesis,
        chain_class=pin.chain_class,
        directory=pin.contracts[ContractName.DIRECTORY].address,
    )


def _of_node(wanted: _Wanted) -> ChainSettings:
    """Pin the chain that a node shows; the user trusts this node from here on."""
    if wanted.url is None or wanted.directory is None:
        message = "A chain is named by its node and by the directory of its contracts."
        raise ChainHalfNamedError(message)
    with Rpc(url=wanted.url) as rpc:
        chain_id, genesis = deployment.identify(rpc)
    return ChainSettings(
        url=wanted.url,
        chain_id=chain_id,
        genesis=genesis,
        chain_class=wanted.kind,
        directory=wanted.directory,
    )


def make_account(folder: Path) -> Address:
    """Make the password file and the account key, each unless it is there."""
    (folder / KEYS).mkdir(parents=True, exist_ok=True, mode=0o700)
    password = folder / KEYS / "password"
    if PASSWORD_VARIABLE not in os.environ and not password.exists():
        create_durably(password, secrets.token_hex(_PASSWORD_SIZE).encode() + b"\n", mode=0o600)
    keys = keys_of(folder)
    if ACCOUNT not in keys.names():
        keys.create(KeyName(ACCOUNT), KeyAlgorithm.SECP256K1)
    return keys.address(KeyName(ACCOUNT))


def _say_next(chain: ChainSettings | None, account: str) -> None:
    if chain is None:
        note("No chain is named yet. Next: `guildmark chain run` and `guildmark chain deploy`,")
        note("or run `guildmark init` again with --chain and --directory, or with --deployment.")
    elif chain.chain_class is ChainClass.LOCAL:
        note(f"Next: guildmark chain fund {account} --url {chain.url}")


def _shown(chain: ChainSettings) -> Answer:
    return {
        "url": chain.url,
        "chainId": chain.chain_id,
        "genesis": to_hex(chain.genesis),
        "class": chain.chain_class.value,
        "directory": to_hex(chain.directory),
    }
