"""``guildmark backup``: copies of a whole home."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from guildmark.adapters.backups import whole
from guildmark.adapters.backups.manifest import Manifest
from guildmark.adapters.backups.refusals import BackupChainOtherError
from guildmark.adapters.chain import deployment
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.clock import SystemEntropy
from guildmark.adapters.store.copying import fill
from guildmark.cli.answers import Answer, note, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.homes import OutputExistsError, folder_of, settings_of
from guildmark.domain.identifiers import to_hex
from guildmark.settings import DATABASE_FILE, load, save, with_environment

app = typer.Typer(help="Copy a whole home, check the copy, put it back.", no_args_is_help=True)

WithKeys: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--with-keys",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="The keys, too, sealed by the password in this file; else there are none in it.",
    ),
]
Backup: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, readable=True, help="The backup's file."
    ),
]


@app.command()
def create(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to be made.")],
    with_keys: WithKeys = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Copy a home into one file: databases, local chain, settings, content; its node may run.

    Keys are left out unless a password seals them. Keep the file as you keep the home.
    """
    settings = settings_of(home)
    chain = settings.chain
    pin = whole.Pin(chain_id=chain.chain_id, genesis=chain.genesis, directory=chain.directory)
    try:
        made = whole.create(
            settings.home,
            target,
            pin=pin,
            password=_password(with_keys),
            entropy=SystemEntropy(),
            shared=settings.shared,
        )
    except FileExistsError as exc:
        message = f"{target} exists already."
        raise OutputExistsError(message, path=str(target)) from exc
    if not made.has_keys:
        note("The keys are not in it: keep a copy of the folder keys apart, or use --with-keys.")
    say(_shown(made), as_json=as_json)


@app.command()
def verify(source: Backup, with_keys: WithKeys = None, as_json: AsJson = False) -> None:
    """Check every byte of a backup, its databases and its chain; no node is needed."""
    say(_shown(whole.verify(source, password=_password(with_keys))), as_json=as_json)


@app.command()
def restore(
    source: Backup,
    with_keys: WithKeys = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the chain whether it is the backup's.")
    ] = False,
    as_file: Annotated[
        bool,
        typer.Option("--as-file", help="Keep the database in the home, whatever server it was on."),
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a home of a backup, in a folder that is empty or not there.

    Where its settings or GUILDMARK_DATABASE_URL name a PostgreSQL database, that is filled; it must
    be empty.
    """
    folder = folder_of(home)
    password = _password(with_keys)
    with whole.restoring(source, folder, password=password) as (found, draft):
        if found.journal is None and not offline:
            _check_chain(found, load(draft).chain.url)
        _place_database(draft, as_file=as_file)
    if not found.has_keys or password is None:
        note("The keys are not in it: put the folder keys back before the node starts.")
    note(f"Next: guildmark fsck --home {folder}, once the chain answers; then guildmark up.")
    say({"home": str(folder), **_shown(found)}, as_json=as_json)


def _place_database(draft: Path, *, as_file: bool) -> None:
    """Put a home's database where its settings or the environment say."""
    settings = load(draft)
    if as_file:
        save(replace(settings, shared=None))
        return
    shared, kept = with_environment(settings, os.environ).shared, draft / DATABASE_FILE
    if shared is not None and kept.exists():
        fill(shared, kept)
        kept.unlink()


def _check_chain(found: Manifest, url: str) -> None:
    with Rpc(url=url) as rpc:
        chain_id, genesis = deployment.identify(rpc)
    if (chain_id, genesis) != (found.chain_id, found.genesis):
        message = (
            f"The chain at {url} has id {chain_id} and genesis {to_hex(genesis)}; the backup is of "
            f"{found.chain_id}, {to_hex(found.genesis)}."
        )
        raise BackupChainOtherError(message, found=chain_id, expected=found.chain_id)


def _password(file: Path | None) -> str | None:
    return None if file is None else file.read_text(encoding="utf-8").strip()


def _shown(found: Manifest) -> Answer:
    return {
        "chain": found.chain_id,
        "files": len(found.files),
        "bytes": sum(file.size for file in found.files),
        "databases": dict(found.databases),
        "journal": found.journal,
        "keys": found.has_keys,
    }
