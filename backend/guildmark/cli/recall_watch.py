"""``guildmark recall watch``: who is told of recalls, and what became of the letters."""

from typing import Annotated

import typer

from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.opening import enter
from guildmark.domain.identifiers import LicenseId, bytes32_from_hex, parse_hint, to_hex
from guildmark.domain.letters import (
    Letter,
    LetterState,
    Position,
    RecallWatch,
    WatchId,
    secret_text,
)
from guildmark.domain.recall import RecallCause, Thing

app = typer.Typer(help="Say who is told of recalls.", no_args_is_help=True)

_LISTED, _LISTED_MAX = 50, 10_000


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where letters go: https, or http on this machine.")],
    cause: Annotated[
        list[str] | None,
        typer.Option(help="Recalls by this cause: part, lot, machine and so on."),
    ] = None,
    thing: Annotated[
        list[str] | None,
        typer.Option(metavar="CAUSE:THING", help="Recalls of this thing, for example machine:ID."),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(metavar="LOG.INDEX", help="Recalls that reach this part of the node's log."),
    ] = None,
    license_: Annotated[
        list[str] | None,
        typer.Option("--license", metavar="ID", help="Recalls that reach what it lets make."),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="The receiver is in a private network.")
    ] = False,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let a node tell an address of recalls; without a choice of all. Shows the secret once."""
    wanted = RecallWatch(
        id=WatchId(""),
        url=url,
        since=0,
        allows_private=private,
        causes=tuple(RecallCause.of_word(one) for one in cause or ()),
        things=tuple(Thing.named(one) for one in thing or ()),
        parts=tuple(_position(one) for one in part or ()),
        licenses=tuple(LicenseId(bytes32_from_hex(one)) for one in license_ or ()),
    )
    watch, secret = enter(home).watches.add(wanted)
    say({**_row(watch), "secret": secret_text(secret)}, as_json=as_json)


@app.command(name="list")
def list_(home: Folder = None, as_json: AsJson = False) -> None:
    """List who is told of recalls; secrets are not shown again."""
    rows = [_row(watch) for watch in enter(home).watches.all()]
    say({"watches": rows}, as_json=as_json)


@app.command()
def remove(
    watch: Annotated[str, typer.Argument(help="The watch's id.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Tell an address no more; what waits for it is forgotten."""
    enter(home).watches.remove(WatchId(watch))
    say({"id": watch, "state": "removed"}, as_json=as_json)


@app.command()
def letters(
    is_dead: Annotated[bool, typer.Option("--dead", help="Only what is not sent again.")] = False,
    most: Annotated[int, typer.Option(min=1, max=_LISTED_MAX, help="How many at most.")] = _LISTED,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List the newest letters, and what became of them."""
    state = LetterState.DEAD if is_dead else None
    rows = [_letter(one) for one in enter(home).watches.letters(state, most)]
    say({"letters": rows}, as_json=as_json)


@app.command()
def resend(
    watch: Annotated[str, typer.Argument(help="The watch's id.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Send anew what an address did not take for three days and a half, once it is mended."""
    count = enter(home).watches.resend(WatchId(watch))
    say({"id": watch, "letters": count}, as_json=as_json, brief=count)


def _position(text: str) -> Position:
    log, index = parse_hint(text)
    return Position(log=log, index=index)


def _row(watch: RecallWatch) -> Answer:
    return {
        "id": watch.id,
        "url": watch.url,
        "since": Moment(watch.since),
        "private": watch.allows_private,
        "causes": [cause.word for cause in watch.causes],
        "things": [thing.name() for thing in watch.things],
        "parts": [f"{part.log}.{part.index}" for part in watch.parts],
        "licenses": [to_hex(one) for one in watch.licenses],
    }


def _letter(letter: Letter) -> Answer:
    is_waiting = letter.state is LetterState.WAITING
    return {
        "id": letter.id,
        "watch": letter.watch,
        "recall": letter.recall,
        "state": letter.state.value,
        "tries": letter.tries,
        "next": Moment(letter.due) if letter.due and is_waiting else None,
        "code": letter.code or None,
    }
