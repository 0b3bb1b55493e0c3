"""``guildmark notice``: keys and controllers that may be in other hands."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, identity_id, key_id, moment
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.chain.facts import ControllerFact, IdentityFact, KeyFact, NoticeFact
from guildmark.domain.chain.refusals import IdentityUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import IdentityId, KeyId, to_hex
from guildmark.ports.facts import Facts
from guildmark.ports.keys import KeyName
from guildmark.services.identity.guardians import standing
from guildmark.services.identity.notices import (
    NO_EVIDENCE,
    Backed,
    Suspicion,
    backed_on,
    controllers,
    notices_on,
)

app = typer.Typer(
    help="Say that a key, or a controller's account, may be in other hands.", no_args_is_help=True
)

_NUMBER_MAX = 2**32 - 1

_Identity: TypeAlias = Annotated[
    IdentityId,
    typer.Argument(metavar="ID", parser=identity_id, help="The identity; a key's machine."),
]
_Key: TypeAlias = Annotated[
    KeyId | None,
    typer.Option("--key", metavar="KEY", parser=key_id, help="The machine's key that is doubted."),
]
_Number: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--controller",
        metavar="NUMBER",
        min=1,
        max=_NUMBER_MAX,
        help="Which controller; the present one.",
    ),
]
_From: TypeAlias = Annotated[
    int,
    typer.Option(
        "--from", metavar="TIME", parser=moment, help="UTC or block seconds of the first doubt."
    ),
]
_Evidence: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        help="What shows why; you keep it, the chain keeps its digest.",
    ),
]


class DoubtedTwiceError(UsageError):
    """A notice is about a key or about a controller, not about both."""

    code = "notice.targetAmbiguous"
    hint = "Give --key or --controller."


@app.command()
def give(
    identity: _Identity,
    since: _From,
    key: _Key = None,
    evidence: _Evidence = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Doubt, as the controller, a machine's key, or without --key your own account."""
    opened, said = enter(home), _suspicion(since, evidence)
    if key is None:
        opened.notices(KeyName(account)).of_controller(identity, said)
    else:
        opened.identities(KeyName(account)).give_notice(
            identity, key, suspected_from=since, evidence=said.evidence
        )
    say(_answer(identity, key, None, since, "given"), as_json=as_json)


@app.command()
def back(
    identity: _Identity,
    since: Annotated[
        int | None,
        typer.Option(
            "--from", metavar="TIME", parser=moment, help="The first doubt; leave out to take back."
        ),
    ] = None,
    key: _Key = None,
    controller: _Number = None,
    evidence: _Evidence = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Back, as a guardian, a notice; it is given once enough guardians back the same time."""
    opened, said = enter(home), _suspicion(since or 0, evidence)
    number = _number(identity, key, controller, home)
    own = opened.notices(KeyName(account))
    if key is not None:
        own.back_of_key(identity, key, said)
    else:
        own.back_of_controller(identity, number, said)
    state = "backed" if since else "taken back"
    say(_answer(identity, key, number, since or 0, state), as_json=as_json)


@app.command()
def warn(
    identity: _Identity,
    since: _From,
    authority: Annotated[
        IdentityId,
        typer.Option("--by", metavar="ID", parser=identity_id, help="The authority that warns."),
    ],
    key: _Key = None,
    controller: _Number = None,
    evidence: _Evidence = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Doubt, as an authority, a key or a controller: for everybody who lists the authority."""
    opened, said = enter(home), _suspicion(since, evidence)
    number = _number(identity, key, controller, home)
    own = opened.notices(KeyName(account))
    if key is not None:
        own.warn_of_key(authority, identity, key, said)
    else:
        own.warn_of_controller(authority, identity, number, said)
    say(_answer(identity, key, number, since, "given"), as_json=as_json)


@app.command()
def show(identity: _Identity, home: Folder = None, as_json: AsJson = False) -> None:
    """Show the notices on an identity's keys and controllers, and those that guardians back."""
    with enter_informed(home).store.reading() as view:
        if view.facts.get(IdentityFact, identity) is None:
            message = f"No final block holds the identity {to_hex(identity)}."
            raise IdentityUnknownError(message, identity=to_hex(identity))
        answer: Answer = {
            "id": to_hex(identity),
            "controllers": [_controller(one) for one in controllers(identity, view.facts)],
            "notices": [_notice(one) for one in notices_on(identity, view.facts)],
            "backed": [_backed(one) for one in _open(identity, view.facts)],
        }
        say(answer, as_json=as_json)


def _suspicion(since: int, evidence: Path | None) -> Suspicion:
    digest = NO_EVIDENCE if evidence is None else sha256(evidence.read_bytes())
    return Suspicion(since=since, evidence=digest)


def _number(
    identity: IdentityId, key: KeyId | None, controller: int | None, home: Path | None
) -> int:
    """Return which controller is meant, 0 where a key is.

    Raises:
        DoubtedTwiceError: Both are named.
    """
    if key is not None:
        if controller is not None:
            message = "The notice names a key and a controller."
            raise DoubtedTwiceError(message)
        return 0
    if controller is not None:
        return controller
    with enter_informed(home).store.reading() as view:
        return len(controllers(identity, view.facts))


def _open(identity: IdentityId, facts: Facts) -> list[Backed]:
    guardians = standing(identity, facts)
    if guardians is None:
        return []
    keys = [fact.id for fact in facts.each(KeyFact) if fact.machine == identity]
    return list(backed_on(identity, guardians, keys, facts))


def _answer(
    identity: IdentityId, key: KeyId | None, number: int | None, since: int, state: str
) -> Answer:
    return {
        "id": to_hex(identity),
        "key": None if key is None else to_hex(key),
        "controller": number or None,
        "suspectedFrom": Moment(since),
        "state": state,
    }


def _controller(fact: ControllerFact) -> Answer:
    return {"number": fact.number, "account": to_hex(fact.account), "from": Moment(fact.since)}


def _notice(fact: NoticeFact) -> Answer:
    return {
        "about": f"controller {fact.number}" if fact.number else to_hex(fact.target),
        "by": to_hex(fact.by) if fact.is_by_authority else _side(fact),
        "noticeAt": Moment(fact.notice_at),
        "suspectedFrom": Moment(fact.suspected_from),
        "evidence": to_hex(fact.evidence),
    }


def _side(fact: NoticeFact) -> str:
    return "guardians" if fact.by_guardians else "controller"


def _backed(one: Backed) -> Answer:
    return {
        "about": f"controller {one.number}" if one.number else to_hex(one.target),
        "suspectedFrom": Moment(one.since),
        "guardians": [to_hex(account) for account in one.guardians],
        "needed": one.needed,
    }
