"""``guildmark recall``: what its owner or an authority asks back."""

from enum import Enum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from guildmark.cli import recall_watch
from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, identity_id, moment
from guildmark.cli.nodes import show_to
from guildmark.cli.opening import enter_informed
from guildmark.domain.chain.facts import RecallAskFact, RecallFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import UINT40_MAX, IdentityId, to_hex
from guildmark.domain.recall import OWNERS, RecallCause, RecallId, Severity, Thing, issuer_text
from guildmark.domain.recall_reason import RecallReason
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.recalls.reading import recall_of
from guildmark.services.recalls.recalling import Said

app = typer.Typer(help="Recall parts by what they have in common.", no_args_is_help=True)
app.add_typer(recall_watch.app, name="watch")


class Cause(Enum):
    """What recalled parts have in common, as people write it."""

    SERIAL = "part"
    LOT = "lot"
    MACHINE = "machine"
    RECIPE = "recipe"
    SITE_RECIPE = "site-recipe"
    CERTIFICATE = "certificate"
    DESIGN = "design"
    KEY = "key"


class How(Enum):
    """What to do with a recalled part, as people write it."""

    INSPECT = "inspect"
    WITHDRAW = "withdraw"
    DANGER = "danger"


_Cause: TypeAlias = Annotated[Cause, typer.Argument(help="What the parts have in common.")]
_Thing: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="THING",
        help="Its id; a part is LOG.INDEX, a lot MAKER:DIGEST, a certificate PLAN:SITE.",
    ),
]
_How: TypeAlias = Annotated[
    How, typer.Option("--severity", help="Inspect before use, do not use, or danger.")
]
_Reason: TypeAlias = Annotated[
    Path,
    typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Why; only its SHA-256 shows."),
]
_From: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--from", metavar="TIME", parser=moment, help="Parts built from then on; else all."
    ),
]
_To: TypeAlias = Annotated[
    int | None,
    typer.Option("--to", metavar="TIME", parser=moment, help="Parts built before; else all."),
]
_Authority: TypeAlias = Annotated[
    IdentityId | None,
    typer.Option(
        "--authority", metavar="ID", parser=identity_id, help="In the list of this authority."
    ),
]


@app.command()
def issue(
    cause: _Cause,
    thing: _Thing,
    reason: _Reason,
    severity: _How = How.WITHDRAW,
    since: _From = None,
    until: _To = None,
    authority: _Authority = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Recall something as its owner, or as an authority; print the recall's number."""
    named = _named(cause, thing)
    said = _said(severity, reason, since, until)
    recalling = enter_informed(home).recalling(KeyName(account))
    if authority is None:
        number = recalling.issue(named, said)
    else:
        number = recalling.issue_as(authority, named, said)
    answer: Answer = {
        **_place(named),
        "by": _list(authority or OWNERS),
        "number": number,
        "severity": severity.value,
        "reason": to_hex(said.reason),
    }
    say(answer, as_json=as_json, brief=number)


@app.command()
def ask(
    cause: _Cause,
    thing: _Thing,
    reason: _Reason,
    severity: _How = How.WITHDRAW,
    since: _From = None,
    until: _To = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say that something should be recalled, as anybody; no verdict rests on it."""
    named = _named(cause, thing)
    said = _said(severity, reason, since, until)
    enter_informed(home).recalling(KeyName(account)).ask(named, said)
    say({**_place(named), "reason": to_hex(said.reason)}, as_json=as_json)


@app.command()
def close(
    cause: _Cause,
    thing: _Thing,
    number: Annotated[
        int, typer.Argument(min=1, max=UINT40_MAX, help="The recall's number in its list.")
    ],
    reason: _Reason,
    authority: _Authority = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Close a recall, as who issued it; it stays on record."""
    named, by = _named(cause, thing), authority or OWNERS
    digest = sha256(reason.read_bytes())
    enter_informed(home).recalling(KeyName(account)).close(named, number, digest, by=by)
    answer: Answer = {**_place(named), "by": _list(by), "number": number, "state": "closed"}
    say(answer, as_json=as_json)


@app.command(name="list")
def list_(
    is_open: Annotated[bool, typer.Option("--open", help="Only what is not closed.")] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List all recalls on record, the oldest first."""
    with enter_informed(home).store.reading() as view:
        facts = sorted(view.facts.each(RecallFact), key=lambda fact: (fact.at, fact.key))
    rows = [_row(fact) for fact in facts if not (is_open and fact.closed_at)]
    say({"recalls": rows}, as_json=as_json)


@app.command()
def show(
    cause: _Cause,
    thing: _Thing,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show the recalls of a thing, closed ones too, and who asked for one."""
    named = _named(cause, thing)
    with enter_informed(home).store.reading() as view:
        facts = view.facts.each(RecallFact, named.key())
        asked = view.facts.each(RecallAskFact, named.key())
    answer: Answer = {
        **_place(named),
        "key": to_hex(named.key()),
        "recalls": [_row(fact) for fact in facts],
        "asked": [_asked(fact) for fact in asked],
    }
    say(answer, as_json=as_json)


@app.command()
def publish(
    cause: _Cause,
    thing: _Thing,
    number: Annotated[
        int, typer.Argument(min=1, max=UINT40_MAX, help="The recall's number in its list.")
    ],
    reason: _Reason,
    node: Annotated[
        list[str], typer.Option(metavar="URL", help="A node that shall show it; may be repeated.")
    ],
    authority: _Authority = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Publish why something is recalled, or why that is over: the very file, a text."""
    named, by = _named(cause, thing), authority or OWNERS
    text = RecallReason.of_file(reason.read_bytes())
    wanted = RecallId(key=named.key(), by=by, number=number)
    with enter_informed(home).store.reading() as view:
        fact = recall_of(wanted, view.facts)
    if text.digest != fact.closing:
        text.check(fact.reason)
    show_to(node, DocumentKind.RECALL_REASON, text.digest, text.encode())
    answer: Answer = {
        **_place(named),
        "by": _list(by),
        "number": number,
        "reason": to_hex(text.digest),
        "nodes": list(node),
    }
    say(answer, as_json=as_json)


def _named(cause: Cause, text: str) -> Thing:
    return Thing.parse(RecallCause[cause.name], text)


def _said(severity: How, reason: Path, since: int | None, until: int | None) -> Said:
    return Said(
        severity=Severity[severity.name],
        reason=sha256(reason.read_bytes()),
        since=since or 0,
        until=until or 0,
    )


def _place(thing: Thing) -> Answer:
    return {"cause": Cause[thing.cause.name].value, "thing": thing.text()}


def _list(by: IdentityId) -> str:
    return "owner" if by == OWNERS else to_hex(by)


def _row(fact: RecallFact) -> Answer:
    return {
        **_place(fact.thing),
        "by": _list(fact.by),
        "number": fact.number,
        "issuer": issuer_text(fact.issuer),
        "severity": How[Severity(fact.severity).name].value,
        "at": Moment(fact.at),
        "from": Moment(fact.since) if fact.since else None,
        "to": Moment(fact.until) if fact.until else None,
        "reason": to_hex(fact.reason),
        "closedAt": Moment(fact.closed_at) if fact.closed_at else None,
    }


def _asked(fact: RecallAskFact) -> Answer:
    return {
        "account": to_hex(fact.account),
        "severity": How[Severity(fact.severity).name].value,
        "at": Moment(fact.at),
        "reason": to_hex(fact.reason),
    }
