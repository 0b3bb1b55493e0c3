"""``guildmark certificate``: let phones in the shop's network reach the node by https."""

import ssl
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.certificates import DAYS, certified
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.files import write_durably
from guildmark.cli.answers import Answer, Moment, note, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.homes import OutputExistsError, folder_of
from guildmark.domain.errors import SettingsError
from guildmark.domain.identifiers import to_hex

app = typer.Typer()

FOLDER = "tls"
CERTIFICATE, KEY, AUTHORITY = "node.crt", "node.key", "authority.crt"


class NoPasswordError(Exception):
    """A key wants a password, which no node has."""


class CertificateUnusableError(SettingsError):
    """The certificate or its key cannot be read, or they do not fit each other."""

    code = "certificate.unusable"
    hint = "Make both anew with `guildmark certificate --renew`, or put both right."


@app.command()
def certificate(
    names: Annotated[
        list[str],
        typer.Argument(metavar="HOST...", help="Names and addresses by which phones reach it."),
    ],
    renew: Annotated[
        bool, typer.Option("--renew", help="Instead of the one that is there.")
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a certificate for the node of a home, and the authority that phones are told to trust.

    A node with one answers by https alone. It is for a network of your own: elsewhere put a
    certificate that everybody trusts into tls/node.crt, and its key into tls/node.key.
    """
    folder = folder_of(home) / FOLDER
    present = [name for name in (CERTIFICATE, KEY, AUTHORITY) if (folder / name).exists()]
    if present and not renew:
        message = f"{folder / present[0]} exists already."
        raise OutputExistsError(message, path=str(folder / present[0]))
    made = certified(names, now=SystemClock().now())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(folder / KEY, made.key, mode=0o600)
    write_durably(folder / CERTIFICATE, made.certificate)
    write_durably(folder / AUTHORITY, made.authority)
    answer: Answer = {
        "authority": str(folder / AUTHORITY),
        "sha256": to_hex(made.fingerprint),
        "names": names,
        "until": Moment(made.until),
    }
    say(answer, as_json=as_json)
    note(
        f"Install {AUTHORITY} on each phone as an authority, and compare its fingerprint; its key "
        f"is forgotten. After {DAYS} days: --renew. Start the node again."
    )


def files_of(home: Path) -> tuple[Path, Path] | None:
    """Return a home's certificate and key, None where its node answers without.

    Raises:
        CertificateUnusableError: They cannot be read, or do not fit each other.
    """
    found = home / FOLDER / CERTIFICATE, home / FOLDER / KEY
    if not any(path.exists() for path in found):
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*found, password=_no_password)
    except (OSError, NoPasswordError) as error:
        message = f"{found[0]} and {found[1]} cannot be used together."
        raise CertificateUnusableError(message, path=str(found[0])) from error
    return found


def _no_password() -> str:
    # Else the system would ask at the terminal.
    raise NoPasswordError
