"""``guildmark accreditation``: who is accredited for what, by whom, and when."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from guildmark.cli.answers import Answer, Moment, Value, say
from guildmark.cli.arguments import (
    ACCOUNT,
    AsJson,
    Folder,
    Signer,
    accreditation_id,
    identity_id,
    moment,
)
from guildmark.cli.opening import enter, enter_informed
from guildmark.cli.trust import ChainNotTrustedError
from guildmark.cli.verify import read_trust
from guildmark.domain.chain.facts import AccreditationFact
from guildmark.domain.identifiers import ZERO32, AccreditationId, Bytes32, IdentityId, to_hex
from guildmark.domain.identity.accreditation import (
    CHAIN_MAX,
    Accreditation,
    Requirement,
    ScopeDocument,
    was_accredited,
)
from guildmark.domain.trust import Trust
from guildmark.domain.verification.checks.accreditation import exit_of
from guildmark.ports.keys import KeyName
from guildmark.ports.store import View
from guildmark.services.identity.accreditations import (
    accreditation_fact,
    accreditations_above,
    accreditations_of,
    shown_accreditation,
)
from guildmark.services.identity.naming import name_of
from guildmark.services.timing import present

app = typer.Typer(help="Accredit others; tell who was accredited, and when.", no_args_is_help=True)

_SALT_SIZE = 32

_Given: TypeAlias = Annotated[
    AccreditationId,
    typer.Argument(metavar="ACCREDITATION", parser=accreditation_id, help="The accreditation."),
]
_Subject: TypeAlias = Annotated[
    IdentityId,
    typer.Argument(metavar="SUBJECT", parser=identity_id, help="Who is accredited."),
]


@app.command()
def give(
    issuer: Annotated[
        IdentityId,
        typer.Argument(metavar="ISSUER", parser=identity_id, help="You speak for it."),
    ],
    subject: _Subject,
    standard: Annotated[str, typer.Argument(help="The standard, for example 'ISO 13485'.")],
    process: Annotated[
        list[str] | None, typer.Option(help="A process that it covers; repeatable; else any.")
    ] = None,
    material: Annotated[
        list[str] | None, typer.Option(help="A material that it covers; repeatable; else any.")
    ] = None,
    site: Annotated[
        list[IdentityId] | None,
        typer.Option(
            metavar="ID", parser=identity_id, help="A site that it covers; repeatable; else any."
        ),
    ] = None,
    certificate: Annotated[str, typer.Option(help="The certificate's number.")] = "",
    delegations: Annotated[
        int,
        typer.Option(
            min=0,
            max=CHAIN_MAX - 1,
            help="How many may follow below: 0 for a maker, 1 for a certifier.",
        ),
    ] = 0,
    since: Annotated[
        int | None,
        typer.Option("--from", metavar="TIME", parser=moment, help="When it begins; else now."),
    ] = None,
    until: Annotated[
        int | None,
        typer.Option("--to", metavar="TIME", parser=moment, help="When it ends; else never."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Without a salt: anybody can recognise the scope.")
    ] = False,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Accredit a subject for a scope; print the accreditation's id."""
    opened = enter(home)
    scope = ScopeDocument(
        standard=standard,
        processes=tuple(sorted(process or ())),
        materials=tuple(sorted(material or ())),
        sites=tuple(sorted(site or ())),
        certificate=certificate,
        delegations=delegations,
        salt=Bytes32(ZERO32 if public else opened.entropy.token(_SALT_SIZE)),
    )
    given = opened.accreditations(KeyName(account)).give(
        issuer, subject, scope, since=since or 0, until=until or 0
    )
    answer: Answer = {
        "id": to_hex(given),
        "issuer": to_hex(issuer),
        "subject": to_hex(subject),
        **_scope(scope),
        "public": public,
    }
    say(answer, as_json=as_json, brief=to_hex(given))


@app.command()
def revoke(
    given: _Given,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Revoke an accreditation from now on, as its issuer."""
    enter_informed(home).accreditations(KeyName(account)).revoke(given)
    say({"id": to_hex(given), "state": "revoked"}, as_json=as_json)


@app.command()
def show(given: _Given, home: Folder = None, as_json: AsJson = False) -> None:
    """Show an accreditation, and its scope where this home knows it."""
    with enter_informed(home).store.reading() as view:
        say(_shown(accreditation_fact(given, view), view), as_json=as_json)


@app.command(name="list")
def list_(subject: _Subject, home: Folder = None, as_json: AsJson = False) -> None:
    """List the accreditations of an identity, the oldest first."""
    with enter_informed(home).store.reading() as view:
        found = [_row(fact, view) for fact in accreditations_of(subject, view)]
    say({"subject": to_hex(subject), "accreditations": found}, as_json=as_json)


@app.command()
def check(
    subject: _Subject,
    scope: Annotated[
        str, typer.Option(metavar="STANDARD", help="The standard, for example 'ISO 13485'.")
    ],
    process: Annotated[str, typer.Option(help="The process; else any.")] = "",
    material: Annotated[str, typer.Option(help="The material; else any.")] = "",
    site: Annotated[
        IdentityId | None,
        typer.Option(metavar="ID", parser=identity_id, help="The site; else none is asked for."),
    ] = None,
    at: Annotated[
        int | None, typer.Option(metavar="TIME", parser=moment, help="When; else now.")
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Whom you trust; else trust.json in your home. Given again: several lists count.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Tell whether somebody was accredited at a time, by your own list; exit 0 where so."""
    opened = enter_informed(home)
    trusted = read_trust(trust or [], home)
    if trusted is not None and trusted.chain.contracts != opened.ledger.pin().contracts:
        message = "The trust file pins another chain or deployment than this home's."
        raise ChainNotTrustedError(message, pinned=trusted.chain.chain_id)
    wanted = Requirement(standard=scope, process=process, material=material, site=site)
    with opened.store.reading() as view:
        second = present(opened.clock, view.facts.cursor()) if at is None else at
        answer = was_accredited(
            subject,
            wanted,
            second,
            shown=accreditations_above(subject, view, trusted or opened.trust),
            roots=(lambda _: ()) if trusted is None else trusted.issuer_times,
        )
        chain = [_link(link, trusted, view) for link in answer.chain]
    said: Answer = {
        "subject": to_hex(subject),
        "scope": str(wanted),
        "at": Moment(second),
        "accredited": answer.is_held,
        "standing": answer.standing.value,
        "reason": answer.reason,
        "chain": chain,
    }
    say(said, as_json=as_json)
    raise typer.Exit(exit_of(answer.standing))


def _shown(fact: AccreditationFact, view: View) -> Answer:
    opened = shown_accreditation(view.documents, fact.id)
    scope: Answer = {"scope": to_hex(fact.scope)} if opened is None else _scope(opened.scope)
    return {
        "id": to_hex(fact.id),
        "issuer": to_hex(fact.issuer),
        "by": name_of(fact.issuer, view.documents),
        "subject": to_hex(fact.subject),
        **scope,
        "from": Moment(fact.since),
        "to": Moment(fact.until),
        "revokedAt": Moment(fact.revoked_at),
        "recordedAt": Moment(fact.recorded_at),
    }


def _row(fact: AccreditationFact, view: View) -> Answer:
    opened = shown_accreditation(view.documents, fact.id)
    return {
        "id": to_hex(fact.id),
        "by": name_of(fact.issuer, view.documents) or to_hex(fact.issuer),
        "standard": None if opened is None else opened.scope.standard,
        "certificate": None if opened is None else opened.scope.certificate,
        "from": Moment(fact.since),
        "to": Moment(fact.until),
        "revokedAt": Moment(fact.revoked_at),
        "recordedAt": Moment(fact.recorded_at),
    }


def _scope(scope: ScopeDocument) -> dict[str, Value]:
    return {
        "standard": scope.standard,
        "processes": list(scope.processes),
        "materials": list(scope.materials),
        "sites": [to_hex(site) for site in scope.sites],
        "certificate": scope.certificate,
        "delegations": scope.delegations,
    }


def _link(link: Accreditation, trusted: Trust | None, view: View) -> Answer:
    return {
        "subject": to_hex(link.subject),
        "issuer": to_hex(link.issuer),
        "by": name_of(link.issuer, view.documents),
        "standard": link.scope.standard,
        "certificate": link.scope.certificate,
        "from": Moment(link.word.since),
        "to": Moment(link.word.until),
        "revokedAt": Moment(link.word.revoked_at),
        "recordedAt": Moment(link.word.recorded_at),
        "listed": trusted is not None and bool(trusted.issuer_times(link.issuer)),
    }
