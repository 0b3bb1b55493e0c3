"""``guildmark part``: parts on record, as tokens, void, replaced."""

from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.clock import SystemEntropy
from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, NodeUrl, Signer, address, hex_bytes
from guildmark.cli.homes import write_new
from guildmark.cli.nodes import asking
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain import bundle
from guildmark.domain.chain.facts import PartFact, RecordFact, RecordStartFact
from guildmark.domain.errors import UnknownPartError
from guildmark.domain.identifiers import (
    UINT64_MAX,
    Address,
    Bytes32,
    Index,
    LogNumber,
    bytes32_from_hex,
    parse_hint,
    to_hex,
)
from guildmark.domain.labels.activation import (
    ActivationCode,
    ClaimFile,
    FirstClaim,
    chip_message,
)
from guildmark.domain.labels.scans import suspicions
from guildmark.domain.log.note import Note
from guildmark.domain.log.record import Record
from guildmark.domain.verification.evidence import Core
from guildmark.ports.keys import KeyName
from guildmark.ports.store import View
from guildmark.services.index.projection import known

app = typer.Typer(
    help="Show parts, make them tokens, declare them void or replaced.", no_args_is_help=True
)

# What every database and every node can count to.
_INDEX_MAX = 2**63 - 1

_CODE_MAX = 200
_TOKEN_SIZE = 32

_Bundle = Annotated[
    Path,
    typer.Argument(metavar="BUNDLE", exists=True, dir_okay=False, help="The part's bundle."),
]

_Owner = Annotated[
    bytes | None,
    typer.Option(
        metavar="SIGNATURE", parser=hex_bytes, help="Of the token's owner, by `part agree`."
    ),
]


class EntryUnknownError(UnknownPartError):
    """No final record covers the position."""

    code = "part.positionUnknown"
    hint = "Check log and index, or wait until the record is final."


@app.command()
def show(
    part: Annotated[str, typer.Argument(metavar="LOG.INDEX", help="The part's position.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show what the chain says of a part; `guildmark verify` says what is proven."""
    log, index = parse_hint(part)
    with enter_informed(home).store.reading() as view:
        say(_shown(log, index, view), as_json=as_json)


@app.command()
def scans(
    part: Annotated[str, typer.Argument(metavar="LOG.INDEX", help="The part's position.")],
    erase: Annotated[
        bool, typer.Option("--erase", help="Forget them for ever, count and first hour too.")
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show how often this home's node was asked for a part by its label, or forget it.

    Who scanned is not known. A running node writes what it counted every few seconds.
    """
    log, index = parse_hint(part)
    opened = enter(home)
    if erase:
        say({"part": part, "erased": opened.scans.erase(log, index)}, as_json=as_json)
        return
    history = opened.scans.history(log, index)
    if history is None:
        say({"part": part, "count": 0}, as_json=as_json)
        return
    found = suspicions(history, opened.clock.now())
    answer: Answer = {
        "part": part,
        "count": history.count,
        "first": Moment(history.first),
        "suspicions": [{"reason": each.reason.value, "count": each.count} for each in found],
    }
    say(answer, as_json=as_json)


@app.command()
def activate(
    part: Annotated[str, typer.Argument(metavar="LOG.INDEX", help="The part's position.")],
    node: NodeUrl,
    code: Annotated[
        Path,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="The code under the scratch field."
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where: what `verify --claim` takes; keep it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Claim a part by its hidden code at the node of its log; once, for ever.

    Whoever comes second is refused (22, possible copy), and told when the first claim was.
    """
    parse_hint(part)
    typed = ActivationCode.parse(code.read_bytes()[:_CODE_MAX].decode("utf-8", "replace"))
    # Kept before the node hears of it: an answer that is lost is asked for again.
    kept = out.with_name(f"{out.name}.token")
    if not kept.exists():
        write_new(kept, to_hex(SystemEntropy().token(_TOKEN_SIZE)).encode(), mode=0o600)
    token = bytes32_from_hex(kept.read_text().strip())
    with asking(node) as client:
        receipt = Note.parse(client.claim(part, typed.text(), token))
    first = FirstClaim.parse(receipt.text)
    file = ClaimFile(code=typed, token=token, receipt=receipt)
    write_new(out, file.encode(), mode=0o600)
    kept.unlink()
    say({"part": part, "claimed": Moment(first.time), "file": str(out)}, as_json=as_json)


@app.command()
def challenge(
    label: Annotated[str, typer.Argument(help="The label of a part with a chip.")],
    as_json: AsJson = False,
) -> None:
    """Draw a challenge for a part's chip: what it must sign, for `verify --chip`."""
    drawn = Bytes32(SystemEntropy().token(_TOKEN_SIZE))
    answer: Answer = {"challenge": to_hex(drawn), "message": to_hex(chip_message(drawn, label))}
    say(answer, as_json=as_json)


@app.command()
def materialise(
    file: _Bundle,
    to: Annotated[
        Address, typer.Option(metavar="ADDRESS", parser=address, help="The token's first owner.")
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a logged part a token, as its lane's holder; its entry becomes public by it."""
    core = bundle.read(file.read_bytes()).core
    status = enter(home).parts(KeyName(account)).materialise(core, to=to)
    answer: Answer = {
        "part": _hint(core),
        "token": str(core.record.log << 64 | core.index),
        "owner": to_hex(to),
        "gas": status.gas_used,
    }
    say(answer, as_json=as_json)


@app.command()
def agree(
    file: _Bundle,
    by: Annotated[
        int | None,
        typer.Argument(min=0, max=_INDEX_MAX, help="The entry that replaces it; none: void."),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign that a part is replaced or void: as its log's writer, or as its token's owner.

    Nothing is sent: give what it prints to the holder of the part's lane.
    """
    core = bundle.read(file.read_bytes()).core
    index = None if by is None else Index(by)
    signature = enter(home).parts(KeyName(account)).agree(core, index, key=KeyName(account))
    answer: Answer = {"part": _hint(core), "by": by, "signature": to_hex(signature)}
    say(answer, as_json=as_json, brief=to_hex(signature))


@app.command()
def supersede(
    file: _Bundle,
    by: Annotated[
        int, typer.Argument(min=0, max=_INDEX_MAX, help="The index of the replacing entry.")
    ],
    writer: Annotated[
        bytes | None,
        typer.Option(
            metavar="SIGNATURE", parser=hex_bytes, help="Of the log's writer, by `part agree`."
        ),
    ] = None,
    owner: _Owner = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Replace a part by a later entry of its log for ever, as its lane's holder.

    The log's writer signs as well and, once the part is a token, its owner.
    """
    core = bundle.read(file.read_bytes()).core
    enter(home).parts(KeyName(account)).supersede(
        core, Index(by), writer_signature=writer or b"", possessor_signature=owner or b""
    )
    answer: Answer = {"part": _hint(core), "fate": f"replaced by {core.record.log}.{by}"}
    say(answer, as_json=as_json)


@app.command()
def void(
    file: _Bundle,
    owner: _Owner = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Declare a part void for ever, as its lane's holder; once it is a token its owner agrees."""
    core = bundle.read(file.read_bytes()).core
    enter(home).parts(KeyName(account)).void(core, possessor_signature=owner or b"")
    say({"part": _hint(core), "fate": "void"}, as_json=as_json)


def _hint(core: Core) -> str:
    return f"{core.record.log}.{core.index}"


def _shown(log: LogNumber, index: Index, view: View) -> Answer:
    record = _record(log, index, view)
    position = index - record.first_index
    granted = record.unit_at(position)
    part = view.facts.get(PartFact, log, index) or PartFact(log=log, index=index)
    return {
        "part": f"{log}.{index}",
        "record": record.seq,
        "position": position,
        "time": Moment(record.time),
        "lane": None if granted is None else granted.lane,
        "unit": None if granted is None else granted.unit,
        "owner": None if part.owner is None else to_hex(part.owner),
        "fate": _fate(part),
    }


def _record(log: LogNumber, index: Index, view: View) -> Record:
    start = view.facts.floor(RecordStartFact, log, index)
    record = None if start is None else known(view.facts, RecordFact, log, start.seq).record
    if record is None or not record.first_index <= index < record.first_index + record.count:
        message = f"No final record covers {log}.{index}."
        raise EntryUnknownError(message, log=log, index=index)
    return record


def _fate(part: PartFact) -> str:
    if part.fate == 0:
        return "none"
    return "void" if part.fate == UINT64_MAX else f"replaced by {part.log}.{part.fate}"
