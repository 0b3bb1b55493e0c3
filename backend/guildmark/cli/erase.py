"""``guildmark erase``: content that has to go, and who said so."""

from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters import envelopes
from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Input, identity_id
from guildmark.cli.homes import write_new
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.identifiers import IdentityId, parse_hint, to_hex
from guildmark.domain.log.erasure import ErasureReason
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind

app = typer.Typer(help="Let the content of entries go, by signed orders.", no_args_is_help=True)


@app.command()
def order(
    part: Annotated[str, typer.Argument(metavar="PART", help="Its log.index.")],
    by: Annotated[
        IdentityId,
        typer.Option(metavar="ID", parser=identity_id, help="The part's maker or log's operator."),
    ],
    why: Annotated[ErasureReason, typer.Option(help="Why it goes; it stays on record.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the order is written.")],
    account: Annotated[
        str, typer.Option("--as", metavar="KEY", help="The account that controls who orders it.")
    ] = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign that the content of a part's entry has to go: by whom, when and why, nothing of it.

    Hand the order to the log's operator and to whoever mirrors the log.
    """
    log, index = parse_hint(part)
    erasing = enter_informed(home).erasing
    write_new(out, erasing.order(log, index, by=by, why=why, key=KeyName(account)))
    answer: Answer = {"part": part, "by": to_hex(by), "why": why.value, "file": str(out)}
    say(answer, as_json=as_json, brief=out)


@app.command()
def apply(file: Input, home: Folder = None, as_json: AsJson = False) -> None:
    """Erase at this node, or mirror, what an order names; for ever.

    The database is written anew, which takes a while. The log goes on counting the entry; 32 bytes
    of it and the order stay. Backups hold the content until they are gone.
    """
    found = enter_informed(home).erasing.erase(file.read_bytes())
    answer: Answer = {
        "part": f"{found.log}.{found.index}",
        "by": to_hex(found.by),
        "why": found.why.value,
        "at": Moment(found.at),
    }
    say(answer, as_json=as_json, brief="erased")


@app.command("file")
def file_(
    file: Input,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Erase a signed envelope that this home keeps in a file, and what it declared; for ever.

    The machine's counter stays taken.
    """
    opened = enter(home)
    digest = Delivery.parse(file.read_bytes()).digest
    with opened.store.writing() as work:
        work.documents.drop(DocumentKind.DEPENDENCIES, digest)
    envelopes.erase(file)
    opened.store.forget_deleted()
    say({"file": str(file), "erased": True}, as_json=as_json, brief="erased")
