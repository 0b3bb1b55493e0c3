"""``guildmark log``: an operator's log on chain, and the tree of its records for others."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.files import write_durably
from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, note, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, identity_id
from guildmark.cli.homes import write_new
from guildmark.cli.nodes import asking
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.chain.facts import LogFact, RecordFact
from guildmark.domain.chain.refusals import LogUnknownError, RecordUnknownError
from guildmark.domain.identifiers import UINT40_MAX, ZERO_ADDRESS, IdentityId, LogNumber, to_hex
from guildmark.domain.log.checkpoint import Checkpoint, LogProof, open_checkpoint
from guildmark.domain.log.note import SIGNATURES_MAX, Note, NoteKey
from guildmark.ports.keys import KeyName
from guildmark.services.log.publishing import CHECKPOINT_FILE, make_note_key
from guildmark.settings import NodeSettings, save, with_node

app = typer.Typer(
    help="Open a log, choose its writer, close it, publish and prove its records; tick.",
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
    continues: Annotated[
        int,
        typer.Option(
            metavar="LOG", min=0, max=UINT40_MAX, help="The closed log that it goes on from."
        ),
    ] = 0,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open a log and make this home its operator's; print the log's number."""
    opened = enter(home)
    address = opened.keys.address(KeyName(writer))
    log = opened.logs(KeyName(account)).open(operator, address, continues=continues)
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


@app.command()
def publish(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", file_okay=False, help="Where the files go.")
    ],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write the own log's checkpoint and tiles into a folder that any web server can carry.

    A folder that was written before gets what is new; what is there never changes, but for the
    checkpoint, which is written last.
    """
    opened = enter_informed(home)
    log = opened.settings.own_node().log
    make_note_key(opened.keys)
    publishing = opened.publishing
    publishing.advance()
    written = [
        _lay(folder / path, data)
        for path, data in publishing.files(log, since=_published(folder, publishing.origin(log)))
    ]
    key = publishing.key(log)
    _lay(folder / "key", f"{key.encode()}\n".encode())
    answer: Answer = {
        "log": log,
        "origin": key.name,
        "key": key.encode(),
        "records": publishing.size(log),
        "files": len(written),
    }
    say(answer, as_json=as_json)


@app.command()
def prove(
    log: _Log,
    seq: Annotated[
        int, typer.Argument(metavar="SEQ", min=0, max=UINT40_MAX, help="The record's number.")
    ],
    node: Annotated[
        str | None, typer.Option(metavar="URL", help="Another operator's node; else this home.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the proof goes; else to stdout.")
    ] = None,
    home: Folder = None,
) -> None:
    """Write the proof that a record is in its log: path and checkpoint (c2sp.org/tlog-proof)."""
    if node is None:
        proof = enter_informed(home).publishing.prove(LogNumber(log), seq).encode()
    else:
        with asking(node) as client:
            proof = client.log_proof(LogNumber(log), seq)
    if out is None:
        typer.echo(proof.decode(), nl=False)
    else:
        write_new(out, proof)


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The proof.")
    ],
    log: _Log,
    key: Annotated[
        list[str],
        typer.Option(metavar="KEY", help="Who must have signed: name+id+key; repeatable."),
    ],
    quorum: Annotated[
        int | None,
        typer.Option(metavar="K", min=1, max=SIGNATURES_MAX, help="How many of them; else all."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check the proof of a record, against the chain and against keys that you have."""
    opened = enter_informed(home)
    proof = LogProof.parse(file.read_bytes())
    keys = [NoteKey.parse(one) for one in key]
    with opened.store.reading() as view:
        fact = view.facts.get(RecordFact, log, proof.index)
    if fact is None:
        message = f"Log {log} has no final record {proof.index}."
        raise RecordUnknownError(message, log=log, seq=proof.index)
    signed = proof.verify(
        fact.record.digest(),
        origin=opened.publishing.origin(LogNumber(log)),
        keys=keys,
        quorum=len(keys) if quorum is None else quorum,
    )
    answer: Answer = {
        "log": log,
        "seq": proof.index,
        "records": Checkpoint.parse(signed.text).size,
        "signedBy": [one.name for one in signed.signers(keys)],
    }
    say(answer, as_json=as_json)


@app.command()
def audit(home: Folder = None, as_json: AsJson = False) -> None:
    """Compare what the own log drew with its entries; name units that were drawn for nothing.

    So the units are found that somebody burned with a stolen writer key; they come back by
    `guildmark license extend`.
    """
    opened = enter_informed(home)
    found = opened.burning.audit(opened.settings.own_node().log)
    answer: Answer = {
        "log": found.log,
        "records": found.records,
        "drawn": found.drawn,
        "burned": [
            {
                "seq": one.seq,
                "index": one.index,
                "lane": one.lane,
                "unit": one.unit,
                "why": one.burn.value,
            }
            for one in found.burned
        ],
    }
    say(answer, as_json=as_json)


@app.command()
def consistency(
    log: _Log,
    old: Annotated[
        int, typer.Argument(metavar="OLD", min=1, max=UINT40_MAX, help="Records of the older tree.")
    ],
    new: Annotated[
        int, typer.Argument(metavar="NEW", min=1, max=UINT40_MAX, help="Records of the newer tree.")
    ],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print the proof that a log only grew: that its first records begin the later ones."""
    publishing = enter_informed(home).publishing
    proof = publishing.consistency(LogNumber(log), old, new)
    answer: Answer = {"log": log, "old": old, "new": new, "proof": [to_hex(one) for one in proof]}
    say(answer, as_json=as_json)


def _published(folder: Path, origin: str) -> int:
    """Return the size of the tree whose files are in a folder.

    Raises:
        CheckpointMalformedError: The folder holds another log's files.
    """
    place = folder / CHECKPOINT_FILE
    if not place.exists():
        return 0
    return open_checkpoint(Note.parse(place.read_bytes()), origin=origin, keys=(), quorum=0).size


def _lay(place: Path, data: bytes) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_durably(place, data)
    return place


def _keep_writer(home: Home, log: LogNumber, key: KeyName) -> None:
    """Let the node of this home write with the key, where it runs the log."""
    node = home.settings.node
    if node is not None and node.log == log:
        save(with_node(home.settings, replace(node, writer=key)))
