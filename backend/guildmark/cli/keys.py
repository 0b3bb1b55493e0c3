"""``guildmark keys``: the keys of this home."""

from collections.abc import Mapping
from typing import Annotated

import typer

from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson, Folder, identity_id
from guildmark.cli.homes import keys_of
from guildmark.cli.key_arguments import key_text
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.identity.identity import key_id
from guildmark.ports.keys import KeyAlgorithm, KeyName, KeyStore
from guildmark.services.builds.builds import signing_key

app = typer.Typer(help="Make and list the keys of this home.", no_args_is_help=True)

_USES: Mapping[KeyAlgorithm, str] = {
    KeyAlgorithm.SECP256K1: "account, machine",
    KeyAlgorithm.P256: "machine",
    KeyAlgorithm.ED25519: "machine",
    KeyAlgorithm.X25519: "packages",
    KeyAlgorithm.HYBRID: "packages",
    KeyAlgorithm.RSA: "printers' files",
}

_Name = Annotated[
    str, typer.Argument(metavar="NAME|URI", help="The key's name in this home, or its URI.")
]


@app.command()
def new(
    name: _Name,
    algorithm: Annotated[
        KeyAlgorithm,
        typer.Option(
            help="For accounts secp256k1, machines p256, packages x25519-mlkem768, printers rsa."
        ),
    ] = KeyAlgorithm.SECP256K1,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print its account, or its public half.

    A name makes a key file in this home, encrypted with the home's password. A URI makes the key
    in a device, which it never leaves: pkcs11:token=...;object=...?module-path=... (RFC 7512) in
    a token, tpm:handle=0x81010001 in a TPM. The PIN comes from a file, which pin-source= in the
    URI or GUILDMARK_PIN_FILE names.
    """
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
    name: _Name,
    machine: Annotated[
        IdentityId | None,
        typer.Option(metavar="MACHINE", parser=identity_id, help="Say its id for a machine."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show the public half of a key, and its account where it has one."""
    keys = keys_of(home)
    row = _row(keys, KeyName(name))
    if machine is not None:
        row = {**row, "id": to_hex(key_id(machine, signing_key(keys, KeyName(name))))}
    say(row, as_json=as_json)


def _row(keys: KeyStore, name: KeyName) -> Answer:
    public = keys.public_key(name)
    has_account = public.algorithm is KeyAlgorithm.SECP256K1
    return {
        "name": name,
        "holder": keys.holder(name).value,
        "for": _USES[public.algorithm],
        "account": to_hex(keys.address(name)) if has_account else None,
        "publicKey": key_text(public),
    }
