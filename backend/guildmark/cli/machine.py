"""``guildmark machine``: machines and their keys."""

from typing import Annotated

import typer

from guildmark.adapters.keys.keystore import names_signer
from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, identity_id, key_id, moment
from guildmark.cli.identities import app_of
from guildmark.cli.key_arguments import public_key
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.chain.facts import KeyFact
from guildmark.domain.identifiers import IdentityId, KeyId, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.ports.keys import KeyName, KeyPurposeError
from guildmark.services.builds.builds import signing_key

app = app_of(IdentityKind.MACHINE)
_keys = typer.Typer(help="The keys that a machine signs with.", no_args_is_help=True)
app.add_typer(_keys, name="key")

_Machine = Annotated[
    IdentityId, typer.Argument(metavar="MACHINE", parser=identity_id, help="The machine's id.")
]
_Key = Annotated[KeyId, typer.Argument(metavar="KEY", parser=key_id, help="The key's id.")]


@_keys.command()
def add(
    machine: _Machine,
    key: Annotated[
        str,
        typer.Argument(help="A key's name, its URI, or one as `guildmark keys show` prints it."),
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let a machine sign with a key from now on; print the key's id."""
    opened = enter(home)
    public = _public(opened, key)
    added = opened.identities(KeyName(account)).add_key(machine, public)
    answer: Answer = {
        "id": to_hex(added),
        "machine": to_hex(machine),
        "algorithm": public.algorithm.name.lower(),
        "publicKey": to_hex(public.data),
    }
    say(answer, as_json=as_json, brief=to_hex(added))


@_keys.command()
def end(
    machine: _Machine,
    key: _Key,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """End a machine's key from now on; what it signed before stays."""
    enter(home).identities(KeyName(account)).end_key(machine, key)
    say({"id": to_hex(key), "machine": to_hex(machine), "state": "ended"}, as_json=as_json)


@_keys.command()
def notice(
    machine: _Machine,
    key: _Key,
    suspected_from: Annotated[
        int,
        typer.Option(
            "--from", metavar="TIME", parser=moment, help="UTC or block seconds of the first doubt."
        ),
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say that a key may be in wrong hands; what was logged before stays."""
    identities = enter(home).identities(KeyName(account))
    identities.give_notice(machine, key, suspected_from=suspected_from)
    answer: Answer = {
        "id": to_hex(key),
        "machine": to_hex(machine),
        "state": "under notice",
        "suspectedFrom": Moment(suspected_from),
    }
    say(answer, as_json=as_json)


@_keys.command("list")
def list_(machine: _Machine, home: Folder = None, as_json: AsJson = False) -> None:
    """List a machine's keys, ended ones too."""
    with enter_informed(home).store.reading() as view:
        keys = [_row(fact) for fact in view.facts.each(KeyFact) if fact.machine == machine]
    say({"keys": keys}, as_json=as_json)


def _public(home: Home, text: str) -> PublicKey:
    if ":" not in text or names_signer(text):
        return signing_key(home.keys, KeyName(text))
    found = public_key(text)
    algorithms = {algorithm.name.lower(): algorithm for algorithm in Algorithm}
    if found.algorithm not in algorithms:
        message = f"A {found.algorithm} key signs nothing."
        raise KeyPurposeError(message, algorithm=found.algorithm.value)
    return PublicKey(algorithm=algorithms[found.algorithm], data=found.value)


def _row(fact: KeyFact) -> Answer:
    return {
        "id": to_hex(fact.id),
        "algorithm": Algorithm(fact.algorithm).name.lower(),
        "from": Moment(fact.since),
        "to": Moment(fact.until),
        "noticeAt": Moment(fact.notice_at),
        "suspectedFrom": Moment(fact.suspected_from),
    }
