"""``guildmark release``: keys of a design's files, deposited at nodes, held back, receipted."""

from pathlib import Path
from typing import Annotated

import typer

from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import (
    AsJson,
    BuildBy,
    Clearers,
    Folder,
    Input,
    LicenseArgument,
    NodeUrl,
    digest,
    identity_id,
    thing_id,
)
from guildmark.cli.homes import write_new
from guildmark.cli.key_arguments import sealing_key
from guildmark.cli.nodes import asking
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, to_hex
from guildmark.domain.rights.release import ReceiptProof, ReleaseReceipt
from guildmark.ports.keys import KeyName
from guildmark.services.release.receipts import verified

app = typer.Typer(
    help="Let nodes release the keys of a design's files, and see what they released.",
    no_args_is_help=True,
)

_MODE = 0o600

_Thing = Annotated[
    Bytes32,
    typer.Argument(metavar="ID", parser=thing_id, help="A design's, recipe's or machine's id."),
]


@app.command()
def deposit(
    license_: LicenseArgument,
    recipe: BuildBy,
    operator: Annotated[
        IdentityId,
        typer.Option(metavar="ID", parser=identity_id, help="The operator of the node."),
    ],
    recipient: Annotated[
        str, typer.Option(metavar="KEY", help="The node's key, as `keys show` prints it.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the deposit is written.")],
    issuer: Clearers = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Seal the files' keys to a node that may release them: your own, or an escrow agent's."""
    key = sealing_key(recipient)
    sealed = enter_informed(home).deposits.make(
        license_, recipe, releaser=operator, recipient=key.value, issuers=issuer or ()
    )
    write_new(out, sealed, mode=_MODE)
    answer: Answer = {
        "license": to_hex(license_),
        "operator": to_hex(operator),
        "deposit": str(out),
    }
    say(answer, as_json=as_json)


@app.command()
def keep(
    file: Input,
    key: Annotated[str, typer.Option(metavar="KEY", help="The key of this home for deposits.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Keep a deposit in the operator's home: from now on the node releases its keys."""
    opened = enter_informed(home)
    operator = opened.settings.own_node().operator
    package = opened.deposits.keep(file.read_bytes(), releaser=operator, key=KeyName(key))
    answer: Answer = {
        "license": to_hex(opened.packages.license_id(package)),
        "recipe": to_hex(package.recipe.id()),
        "design": to_hex(package.revision.design),
    }
    say(answer, as_json=as_json)


@app.command()
def block(
    thing: _Thing,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; whoever asks reads it.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Release no keys for a design, a recipe or a machine from now on."""
    held = enter(home).blocking.block(thing, reason)
    say({"id": to_hex(thing), "since": Moment(held.since)}, as_json=as_json)


@app.command()
def unblock(thing: _Thing, home: Folder = None, as_json: AsJson = False) -> None:
    """Release keys again for what was held back."""
    held = enter(home).blocking.unblock(thing)
    answer: Answer = {
        "id": to_hex(thing),
        "since": Moment(held.since),
        "until": Moment(held.until),
    }
    say(answer, as_json=as_json)


@app.command()
def proof(
    request: Annotated[
        Digest,
        typer.Argument(metavar="REQUEST", parser=digest, help="As `package open` printed it."),
    ],
    node: NodeUrl,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the proof is written.")
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Get the proof that the receipt of a release is in the node's log, and check it."""
    opened = enter(home)
    with asking(node) as client:
        found = client.receipt_proof(request)
    receipt = verified(found, opened.ledger)
    if out is not None:
        write_new(out, found.encode())
    say(_shown(found, receipt), as_json=as_json)


def _shown(found: ReceiptProof, receipt: ReleaseReceipt) -> Answer:
    record = found.record
    return {
        "request": to_hex(receipt.request),
        "license": to_hex(receipt.license),
        "lane": receipt.lane,
        "site": to_hex(receipt.site),
        "machine": to_hex(receipt.machine) if any(receipt.machine) else None,
        "at": Moment(receipt.at),
        "files": receipt.files,
        "releaser": to_hex(receipt.releaser),
        "entry": f"{record.log}.{record.index_of(found.position)}",
        "recordedAt": Moment(record.time),
    }
