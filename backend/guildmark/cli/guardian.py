"""``guildmark guardian``: who may give an identity another controller."""

from typing import Annotated

import typer

from guildmark.cli.answers import Answer, Moment, Value, note, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, address, identity_id
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.chain.facts import GuardiansFact
from guildmark.domain.identifiers import ZERO_ADDRESS, Address, IdentityId, to_hex
from guildmark.ports.facts import Facts
from guildmark.ports.keys import KeyName
from guildmark.services.identity.guardians import recovery, standing, waiting

app = typer.Typer(
    help="Name who may give an identity another controller, and let them.", no_args_is_help=True
)

_DAY = 24 * 60 * 60

_Identity = Annotated[
    IdentityId, typer.Argument(metavar="ID", parser=identity_id, help="The identity.")
]


@app.command(name="set")
def set_(
    identity: _Identity,
    guardians: Annotated[
        list[Address] | None,
        typer.Argument(metavar="ACCOUNT...", parser=address, help="The guardians; none: nobody."),
    ] = None,
    threshold: Annotated[
        int, typer.Option(min=0, max=16, help="How many of them start a recovery.")
    ] = 0,
    days: Annotated[
        int, typer.Option(min=0, max=90, help="How long a recovery and a later change wait.")
    ] = 0,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Name the guardians; the first stand at once, later ones wait as long as a recovery.

    Name more than the threshold: whoever stole the controller's key can cancel each recovery that
    no more than the threshold support.
    """
    named, own = guardians or [], enter(home).guardians(KeyName(account))
    own.name(identity, named, threshold=threshold, delay=days * _DAY)
    answer: Answer = {
        "id": to_hex(identity),
        "guardians": [to_hex(one) for one in named],
        "threshold": threshold,
        "days": days,
        "helpAgainstTheft": len(named) > threshold,
    }
    if named and len(named) <= threshold:
        note(
            f"Warning: with {len(named)} guardians and a threshold of {threshold}, a lost key can "
            "be recovered and a stolen one cannot: the thief cancels each recovery, unless more "
            f"than {threshold} guardians support it. Name at least {threshold + 1}."
        )
    say(answer, as_json=as_json)


@app.command()
def apply(
    identity: _Identity, account: Signer = ACCOUNT, home: Folder = None, as_json: AsJson = False
) -> None:
    """Let guardians that waited long enough stand."""
    enter(home).guardians(KeyName(account)).apply(identity)
    say({"id": to_hex(identity), "state": "applied"}, as_json=as_json)


@app.command()
def support(
    identity: _Identity,
    candidate: Annotated[
        Address | None,
        typer.Argument(
            metavar="[ACCOUNT]", parser=address, help="Who shall control it; or nobody."
        ),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Support, as a guardian, a candidate instead of whom you supported before."""
    chosen = candidate or ZERO_ADDRESS
    enter(home).guardians(KeyName(account)).support(identity, chosen)
    say({"id": to_hex(identity), "candidate": to_hex(chosen)}, as_json=as_json)


@app.command()
def cancel(
    identity: _Identity, account: Signer = ACCOUNT, home: Folder = None, as_json: AsJson = False
) -> None:
    """Cancel, as the controller, the recovery that runs."""
    enter(home).guardians(KeyName(account)).cancel(identity)
    say({"id": to_hex(identity), "state": "cancelled"}, as_json=as_json)


@app.command()
def accept(
    identity: _Identity, account: Signer = ACCOUNT, home: Folder = None, as_json: AsJson = False
) -> None:
    """Take an identity over, as the candidate, once the delay has passed."""
    enter(home).guardians(KeyName(account)).accept(identity)
    say({"id": to_hex(identity), "state": "recovered"}, as_json=as_json)


@app.command()
def show(identity: _Identity, home: Folder = None, as_json: AsJson = False) -> None:
    """Show the guardians of an identity, those that wait, and the recovery that runs."""
    with enter_informed(home).store.reading() as view:
        say(_shown(identity, view.facts), as_json=as_json)


def _shown(identity: IdentityId, facts: Facts) -> Answer:
    running = recovery(identity, facts)
    return {
        "id": to_hex(identity),
        "standing": _guardians(standing(identity, facts)),
        "waiting": _guardians(waiting(identity, facts)),
        "candidate": None if running is None else to_hex(running.candidate),
        "readyAt": Moment(0 if running is None else running.ready_at),
    }


def _guardians(found: GuardiansFact | None) -> Value:
    if found is None:
        return None
    return {
        "guardians": [to_hex(one) for one in found.guardians],
        "threshold": found.threshold,
        "delay": found.delay,
        "readyAt": Moment(found.ready_at),
    }
