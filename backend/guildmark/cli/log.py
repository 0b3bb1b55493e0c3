"""``guildmark log``: an operator's log on chain."""

from dataclasses import replace
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, note, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, identity_id
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.facts import LogFact
from guildmark.domain.identifiers import UINT40_MAX, ZERO_ADDRESS, IdentityId, LogNumber, to_hex
from guildmark.domain.refusals import LogUnknownError
from guildmark.ports import KeyName
from guildmark.settings import NodeSettings, save, with_node

app = typer.Typer(
    help="Open a log, choose its writer, close it; give the network a fresh beacon.",
    no_args_is_help=True,
)

_PORT = 8480
_PORT_MAX = 65535

_Log = Annotated[
    int, typer.Argument(metavar="LOG", min=1, max=UINT40_MAX, help="The log's number.")
]
_Writer = typer.Option(metavar="KEY", help="The key of this home that will write records.")


@app.command("open")
def open_(
    operator: Annotated[
        IdentityId,
        typer.Argument(metavar="ORG", parser=identity_id, help="The operator's organization."),
    ],
    writer: Annotated[str, _Writer],
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where phones find the node's pages."),
    ] = None,
    host: Annotated[str, typer.Option(help="The address that the node listens at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=_PORT_MAX, help="Its port, 0 for a free one.")
    ] = _PORT,
    peer: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Another operator's node; may be repeated."),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open a log and make this home its operator's; print the log's number."""
    opened = enter(home)
    address = opened.keys.address(KeyName(writer))
    log = opened.logs(KeyName(account)).open(operator, address)
    node = NodeSettings(
        operator=operator,
        log=log,
        writer=KeyName(writer),
        host=host,
        port=port,
        public_url=(public_url or f"http://{host}:{port}").rstrip("/"),
        peers=tuple(url.rstrip("/") for url in peer or ()),
    )
    save(with_node(opened.settings, node))
    note("Next: guildmark up")
    answer: Answer = {
        "log": log,
        "operator": to_hex(operator),
        "writer": to_hex(address),
        "publicUrl": node.public_url,
    }
    say(answer, as_json=as_json, brief=log)


@app.command()
def show(log: _Log, home: Folder = None, as_json: AsJson = False) -> None:
    """Show a log: operator, writer, how many entries and records it has."""
    with enter_informed(home).store.reading() as view:
        fact = view.facts.get(LogFact, log)
    if fact is None:
        message = f"No final block opens a log {log}."
        raise LogUnknownError(message, log=log)
    answer: Answer = {
        "log": fact.number,
        "operator": to_hex(fact.operator),
        "writer": None if fact.writer == ZERO_ADDRESS else to_hex(fact.writer),
        "entries": fact.size,
        "records": fact.seq,
    }
    say(answer, as_json=as_json)


@app.command()
def writer(
    log: _Log,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of this home that writes.")],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let another key write the log's records, at once."""
    opened = enter(home)
    address = opened.keys.address(KeyName(key))
    opened.logs(KeyName(account)).set_writer(LogNumber(log), address)
    _keep_writer(opened, LogNumber(log), KeyName(key))
    say({"log": log, "writer": to_hex(address)}, as_json=as_json)


@app.command()
def close(
    log: _Log, account: Signer = ACCOUNT, home: Folder = None, as_json: AsJson = False
) -> None:
    """Close a log for ever; what it holds stays provable."""
    enter(home).logs(KeyName(account)).close(LogNumber(log))
    say({"log": log, "state": "closed"}, as_json=as_json)


@app.command()
def tick(account: Signer = ACCOUNT, home: Folder = None, as_json: AsJson = False) -> None:
    """Write an empty record of log 0, so that a quiet network has a fresh beacon."""
    record = enter(home).logs(KeyName(account)).tick()
    answer: Answer = {
        "log": record.log,
        "seq": record.seq,
        "recordDigest": to_hex(record.digest()),
    }
    say(answer, as_json=as_json)


def _keep_writer(home: Home, log: LogNumber, key: KeyName) -> None:
    """Let the node of this home write with the key, where it runs the log."""
    node = home.settings.node
    if node is not None and node.log == log:
        save(with_node(home.settings, replace(node, writer=key)))
