"""``guildmark claim``: who is known by which number in another register."""

from collections.abc import Sequence
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, Value, note, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, ShowTo, Signer, claim_id, identity_id
from guildmark.cli.nodes import check_address, show_new
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.chain.facts import ClaimFact
from guildmark.domain.chain.refusals import ClaimUnknownError
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Bytes32, ClaimId, IdentityId, to_hex
from guildmark.domain.identity.identity import ClaimDocument
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind, View
from guildmark.services.identity.cards import holders
from guildmark.services.identity.naming import name_of
from guildmark.services.recipes.disclosing import shown_claim

app = typer.Typer(help="State which identifier somebody holds.", no_args_is_help=True)

_SALT_SIZE = 32

_Issuer = Annotated[
    IdentityId,
    typer.Argument(metavar="ISSUER", parser=identity_id, help="Who vouches; you speak for it."),
]
_Claim = Annotated[ClaimId, typer.Argument(metavar="CLAIM", parser=claim_id, help="The claim.")]


@app.command()
def make(
    issuer: _Issuer,
    subject: Annotated[
        IdentityId,
        typer.Argument(metavar="SUBJECT", parser=identity_id, help="Whom the claim is about."),
    ],
    scheme: Annotated[str, typer.Argument(help="The register: LEI, GLN, DUNS, CAGE, BPN, NAME...")],
    value: Annotated[
        str, typer.Argument(help="The identifier; LEI, GLN, GCP, DUNS, CAGE and BPN are checked.")
    ],
    public: Annotated[
        bool,
        typer.Option("--public", help="Show it on chain; an issuer gives it to one holder only."),
    ] = False,
    node: ShowTo = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """State which identifier a subject holds; print the claim's id.

    A claim counts where a bundle shows it: `--node` shows it to the node of the subject's log, as
    `disclose claim` does later. A public claim needs no showing.
    """
    for url in node or ():
        check_address(url)
    opened = enter(home)
    document = ClaimDocument(
        scheme=scheme, value=value, salt=Bytes32(opened.entropy.token(_SALT_SIZE))
    )
    identities = opened.identities(KeyName(account))
    state = identities.claim_public if public else identities.claim
    made = state(issuer, subject, document)
    answer: Answer = {
        "id": to_hex(made),
        "issuer": to_hex(issuer),
        "subject": to_hex(subject),
        "scheme": scheme,
        "value": value,
        "public": public,
        "nodes": list(node or ()),
    }
    if not public:
        _show(opened, made, node or ())
    say(answer, as_json=as_json, brief=to_hex(made))


@app.command()
def show(claim: _Claim, home: Folder = None, as_json: AsJson = False) -> None:
    """Show a claim, and what it says where this home knows it."""
    with enter_informed(home).store.reading() as view:
        say(_shown(claim, view), as_json=as_json)


@app.command()
def find(
    scheme: Annotated[str, typer.Argument(help="The register.")],
    value: Annotated[str, typer.Argument(help="The identifier.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Find who is said to hold an identifier, as far as this home can read claims."""
    with enter_informed(home).store.reading() as view:
        found = [_found(claim, view) for claim in holders(scheme, value, view.facts)]
    say({"scheme": scheme, "value": value, "claims": found}, as_json=as_json)


@app.command()
def revoke(
    issuer: _Issuer,
    claim: _Claim,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a claim from now on."""
    enter(home).identities(KeyName(account)).revoke_claim(issuer, claim)
    say({"id": to_hex(claim), "issuer": to_hex(issuer), "state": "revoked"}, as_json=as_json)


def _show(home: Home, claim: ClaimId, nodes: Sequence[str]) -> None:
    body = home.disclosing.show(DocumentKind.CLAIM, claim)
    try:
        show_new(nodes, DocumentKind.CLAIM, claim, body)
    except GuildmarkError:
        # It is on chain already, and nobody should make it twice.
        note(f"The claim {to_hex(claim)} is made. Show it later: `guildmark disclose claim`.")
        raise


def _shown(claim: ClaimId, view: View) -> Answer:
    fact = view.facts.get(ClaimFact, claim)
    if fact is None:
        message = f"No final block holds the claim {to_hex(claim)}."
        raise ClaimUnknownError(message, claim=to_hex(claim))
    opened = shown_claim(view.documents, fact)
    value: Value = None if opened is None else opened.claim.value
    return {
        "id": to_hex(fact.id),
        "issuer": to_hex(fact.issuer),
        "subject": to_hex(fact.subject),
        "scheme": fact.scheme.rstrip(b"\0").decode("ascii", "replace"),
        "value": value,
        "public": bool(fact.value),
        "from": Moment(fact.since),
        "to": Moment(fact.until),
    }


def _found(claim: ClaimFact, view: View) -> Answer:
    return {
        "subject": to_hex(claim.subject),
        "name": name_of(claim.subject, view.documents),
        "issuer": to_hex(claim.issuer),
        "from": Moment(claim.since),
        "claim": to_hex(claim.id),
    }
