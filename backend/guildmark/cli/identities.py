"""The commands that organizations, sites, machines and authorities share."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, Value, note, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, address, identity_id
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.chain.facts import IdentityFact, LinkFact, ParentFact
from guildmark.domain.chain.refusals import IdentityKindError, IdentityUnknownError
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import Address, IdentityId, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.rights.lawful import country_code
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind, View
from guildmark.services.identity.cards import Stated, stated
from guildmark.services.identity.identities import proposed
from guildmark.services.identity.naming import Lookalike, Naming, name_of

_ARTICLES = {
    IdentityKind.ORGANIZATION: "an organization: who makes, designs or runs a log",
    IdentityKind.SITE: "a site: where parts are made",
    IdentityKind.MACHINE: "a machine or instrument: what makes or measures",
    IdentityKind.AUTHORITY: "an authority: who vouches for others",
}


class DetailMalformedError(UsageError):
    """A detail of a profile is not written as NAME=VALUE."""

    code = "cli.detailMalformed"
    hint = "Write each detail as --detail NAME=VALUE."


class DidHostMissingError(UsageError):
    """A DID document is asked for, and nothing says which host serves it."""

    code = "cli.didHostMissing"
    hint = "Name the host that serves it: --host parts.example."


_Name = Annotated[str, typer.Argument(help="Its name, kept in the profile off chain.")]
_Country = Annotated[
    str | None, typer.Option(metavar="CODE", parser=country_code, help="ISO 3166-1, as DE.")
]
_Details = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="More of the profile; may be repeated."),
]

_Did = Annotated[bool, typer.Option("--did", help="Print its DID document (did:web) instead.")]
_Host = Annotated[
    str | None,
    typer.Option(metavar="HOST", help="With --did: who serves it; else this home's own node."),
]


def app_of(kind: IdentityKind) -> typer.Typer:
    """Return the commands of one kind of identity."""
    app = typer.Typer(help=f"Register and show {_ARTICLES[kind]}.", no_args_is_help=True)
    word = kind.name.lower()

    @app.command(help=f"Register {_ARTICLES[kind]}; print its id.")
    def register(
        name: _Name,
        country: _Country = None,
        detail: _Details = None,
        account: Signer = ACCOUNT,
        home: Folder = None,
        as_json: AsJson = False,
    ) -> None:
        profile = _written(name, country, detail)
        opened = enter(home)
        _warn(name, opened, opened.account(KeyName(account)).address)
        registered = opened.identities(KeyName(account)).register(kind, profile)
        answer: Answer = {"id": to_hex(registered), "kind": word, "profile": profile}
        say(answer, as_json=as_json, brief=to_hex(registered))

    @app.command(
        "profile",
        help=f"Give the {word} another profile instead of its own; disclose it anew afterwards.",
    )
    def change_profile(
        identity: Annotated[
            IdentityId, typer.Argument(metavar="ID", parser=identity_id, help=f"The {word}'s id.")
        ],
        name: _Name,
        country: _Country = None,
        detail: _Details = None,
        account: Signer = ACCOUNT,
        home: Folder = None,
        as_json: AsJson = False,
    ) -> None:
        profile = _written(name, country, detail)
        opened = enter(home)
        _warn(name, opened, opened.account(KeyName(account)).address)
        opened.identities(KeyName(account)).change_profile(identity, profile)
        answer: Answer = {"id": to_hex(identity), "kind": word, "profile": profile}
        say(answer, as_json=as_json)

    _add_reading(app, kind)
    _add_handing_over(app, kind)
    return app


def _add_reading(app: typer.Typer, kind: IdentityKind) -> None:
    word = kind.name.lower()

    @app.command(help=f"Show the {word}, its links and its claims.")
    def show(
        identity: Annotated[
            IdentityId, typer.Argument(metavar="ID", parser=identity_id, help=f"The {word}'s id.")
        ],
        did: _Did = False,
        host: _Host = None,
        home: Folder = None,
        as_json: AsJson = False,
    ) -> None:
        opened = enter_informed(home)
        with opened.store.reading() as view:
            answer = shown(identity, kind, view, opened.naming)
            if not did:
                say(answer, as_json=as_json)
                return
            dids = opened.dids(host or _own_host(opened))
            # A document is JSON, whoever reads it.
            say(dids.of_identity(identity, view), as_json=True)

    @app.command(help=f"Find each {word} by words of its name, also where letters only look alike.")
    def find(
        name: Annotated[str, typer.Argument(help="The name, or words of it.")],
        home: Folder = None,
        as_json: AsJson = False,
    ) -> None:
        opened = enter_informed(home)
        with opened.store.reading() as view:
            named = opened.naming.find(name, view)
            found = [_found(fact, view) for fact in named if fact.kind == kind]
        say({"name": name, "found": found}, as_json=as_json)


def _add_handing_over(app: typer.Typer, kind: IdentityKind) -> None:
    word = kind.name.lower()

    @app.command(help=f"Name the account that shall speak for the {word}; it must accept.")
    def propose(
        identity: Annotated[
            IdentityId, typer.Argument(metavar="ID", parser=identity_id, help=f"The {word}'s id.")
        ],
        controller: Annotated[
            Address, typer.Argument(metavar="ACCOUNT", parser=address, help="The next controller.")
        ],
        account: Signer = ACCOUNT,
        home: Folder = None,
        as_json: AsJson = False,
    ) -> None:
        enter(home).identities(KeyName(account)).propose_controller(identity, controller)
        answer: Answer = {
            "id": to_hex(identity),
            "controller": to_hex(controller),
            "state": "proposed",
        }
        say(answer, as_json=as_json)

    @app.command(help=f"Speak for the {word} from now on, as the account that was proposed.")
    def accept(
        identity: Annotated[
            IdentityId, typer.Argument(metavar="ID", parser=identity_id, help=f"The {word}'s id.")
        ],
        account: Signer = ACCOUNT,
        home: Folder = None,
        as_json: AsJson = False,
    ) -> None:
        enter(home).identities(KeyName(account)).accept_controller(identity)
        say({"id": to_hex(identity), "state": "accepted"}, as_json=as_json)


def shown(identity: IdentityId, kind: IdentityKind, view: View, naming: Naming) -> Answer:
    """Return what the index and this home's documents know of an identity.

    Raises:
        IdentityUnknownError: No final block holds it.
        IdentityKindError: It is of another kind.
    """
    fact = view.facts.get(IdentityFact, identity)
    if fact is None:
        message = f"No final block holds the identity {to_hex(identity)}."
        raise IdentityUnknownError(message, identity=to_hex(identity))
    if fact.kind != kind:
        found = IdentityKind(fact.kind).name.lower()
        message = f"{to_hex(identity)} is of kind {found}, not {kind.name.lower()}."
        raise IdentityKindError(message, expected=kind.name.lower(), found=found)
    successor = proposed(identity, view.facts)
    return {
        "id": to_hex(identity),
        "kind": kind.name.lower(),
        "controller": to_hex(fact.controller),
        "proposedController": None if successor is None else to_hex(successor),
        "looksLike": [_alike(one) for one in naming.lookalikes(fact, view)],
        "mixedScripts": list(naming.mixed(name_of(identity, view.documents))),
        "since": Moment(fact.since),
        "profile": _profile(identity, view),
        "parents": [_link(link) for link in view.facts.each(LinkFact, identity)],
        "members": list(_members(identity, view)),
        "claims": [_claim(one, view) for one in stated(identity, view)],
    }


def _warn(name: str, home: Home, account: Address) -> None:
    """Say how a name can be mistaken, as far as this home knows; it is taken all the same."""
    scripts = " and ".join(map(str.capitalize, home.naming.mixed(name)))
    if scripts:
        note(f"A word of this name mixes {scripts} letters; cards of it will say so.")
    with home.store.reading() as view:
        alike = home.naming.alike(name, view)
    for one in alike:
        if one.controller != account:
            note(f"This name looks like that of {to_hex(one.id)}; cards of it will say so.")


def _own_host(home: Home) -> str:
    node = home.settings.node
    if node is None:
        message = "This home runs no node whose name the document could have."
        raise DidHostMissingError(message)
    return urlsplit(node.public_url).netloc


def _written(name: str, country: str | None, detail: list[str] | None) -> dict[str, str]:
    named = {} if country is None else {"country": country}
    return {"name": name, **named, **_details(detail or [])}


def _details(details: list[str]) -> dict[str, str]:
    pairs = [detail.partition("=") for detail in details]
    for name, equals, _ in pairs:
        if not (name and equals):
            message = f"{name[:80]!r} is no detail."
            raise DetailMalformedError(message, found=name[:80])
    return {name: value for name, _, value in pairs}


def _profile(identity: IdentityId, view: View) -> Value:
    """Return the profile's texts, None where this home does not hold it."""
    body = view.documents.get(DocumentKind.PROFILE, identity)
    if body is None:
        return None
    members = parse_object(body).items()
    return {name: str(value) for name, value in members if name != "salt"}


def _link(link: LinkFact) -> Answer:
    return {
        "parent": to_hex(link.parent),
        "from": Moment(link.since),
        "to": Moment(link.until),
    }


def _alike(one: Lookalike) -> Answer:
    return {"id": to_hex(one.identity), "name": one.name, "since": Moment(one.since)}


def _found(fact: IdentityFact, view: View) -> Answer:
    name = name_of(fact.id, view.documents)
    return {"id": to_hex(fact.id), "name": name, "since": Moment(fact.since)}


def _members(parent: IdentityId, view: View) -> Iterator[Answer]:
    for fact in view.facts.each(ParentFact):
        if fact.parent == parent:
            yield {"id": to_hex(fact.child)}


def _claim(one: Stated, view: View) -> Answer:
    fact = one.fact
    return {
        "scheme": one.scheme,
        "value": one.value,
        "malformed": one.is_malformed,
        "issuer": to_hex(fact.issuer),
        "by": "itself" if one.is_own_word else name_of(fact.issuer, view.documents),
        "from": Moment(fact.since),
        "to": Moment(fact.until),
        "contradictedBy": " ".join(to_hex(rival.id) for rival in one.rivals),
        "id": to_hex(fact.id),
    }
