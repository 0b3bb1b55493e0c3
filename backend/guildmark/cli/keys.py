"""``guildmark keys``: the keys of this home."""

from collections.abc import Mapping
from typing import Annotated

import typer

from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder, key_text
from guildmark.cli.homes import keys_of
from guildmark.domain.identifiers import to_hex
from guildmark.ports import KeyAlgorithm, KeyName, KeyStore

app = typer.Typer(help="Make and list the keys of this home.", no_args_is_help=True)

_USES: Mapping[KeyAlgorithm, str] = {
    KeyAlgorithm.SECP256K1: "account, machine",
    KeyAlgorithm.P256: "machine",
    KeyAlgorithm.ED25519: "machine",
    KeyAlgorithm.X25519: "packages",
}


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The key's name in this home.")],
    algorithm: Annotated[
        KeyAlgorithm,
        typer.Option(help="secp256k1 for accounts, p256 for machines, x25519 for packages."),
    ] = KeyAlgorithm.SECP256K1,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, encrypted with the home's password; print its account, or its public half."""
    keys = keys_of(home)
    keys.create(KeyName(name), algorithm)
    row = _row(keys, KeyName(name))
    say(row, as_json=as_json, brief=row["account"] or row["publicKey"])


@app.command("list")
def list_(home: Folder = None, as_json: AsJson = False) -> None:
    """List the keys."""
    keys = keys_of(home)
    say({"keys": [_row(keys, name) for name in keys.names()]}, as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The key's name in this home.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show the public half of a key, and its account where it has one."""
    say(_row(keys_of(home), KeyName(name)), as_json=as_json)


def _row(keys: KeyStore, name: KeyName) -> Answer:
    public = keys.public_key(name)
    has_account = public.algorithm is KeyAlgorithm.SECP256K1
    return {
        "name": name,
        "for": _USES[public.algorithm],
        "account": to_hex(keys.address(name)) if has_account else None,
        "publicKey": key_text(public),
    }
