"""``guildmark license``: counted rights to build, signed, granted, cut into lanes, stopped."""

from pathlib import Path
from typing import Annotated

import typer

from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import (
    ACCOUNT,
    AsJson,
    Folder,
    Input,
    Signer,
    design_id,
    identity_id,
    license_id,
    moment,
    recipe_id,
)
from guildmark.cli.homes import write_new
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.facts import LaneFact, LicenseFact, LicenseNumberFact
from guildmark.domain.identifiers import (
    UINT40_MAX,
    DesignId,
    IdentityId,
    LicenseId,
    LogNumber,
    RecipeId,
    to_hex,
)
from guildmark.domain.refusals import LicenseUnknownError
from guildmark.domain.terms import TermsKind, revision_member
from guildmark.ports import DocumentKind, KeyName, View
from guildmark.services.disclosing import shown_clauses
from guildmark.services.offers import Draft, Offer

app = typer.Typer(
    help="License a counted number of parts, and hand the units out.", no_args_is_help=True
)

_MONTH = 30 * 24 * 60 * 60
_MODE = 0o600

_License = Annotated[
    LicenseId, typer.Argument(metavar="LICENSE", parser=license_id, help="The license's id.")
]
_Lane = Annotated[
    int, typer.Argument(metavar="LANE", min=1, max=UINT40_MAX, help="The lane's number.")
]


@app.command()
def sign(
    design: Annotated[
        DesignId, typer.Option(metavar="DESIGN", parser=design_id, help="The design's id.")
    ],
    units: Annotated[int, typer.Option(min=1, max=UINT40_MAX, help="How many parts.")],
    holder: Annotated[
        IdentityId, typer.Option(metavar="ID", parser=identity_id, help="The licensee.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the offer is written.")],
    recipe: Annotated[
        list[RecipeId],
        typer.Option(
            metavar="RECIPE", parser=recipe_id, help="Under which recipe; may be repeated."
        ),
    ],
    revision: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=UINT40_MAX,
            help="Of which revision; may be repeated; any of them by default.",
        ),
    ] = None,
    site: Annotated[
        list[IdentityId] | None,
        typer.Option(
            metavar="SITE", parser=identity_id, help="Who may build; any site by default."
        ),
    ] = None,
    machine: Annotated[
        list[IdentityId] | None,
        typer.Option(
            metavar="MACHINE", parser=identity_id, help="On what; any machine by default."
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="How labels must begin; may be repeated."),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="What else is agreed, in words; may be repeated.")
    ] = None,
    begin: Annotated[
        int | None,
        typer.Option("--from", metavar="TIME", parser=moment, help="UTC; at once by default."),
    ] = None,
    until: Annotated[
        int | None, typer.Option(metavar="TIME", parser=moment, help="UTC; for ever by default.")
    ] = None,
    notice: Annotated[
        int,
        typer.Option(
            min=0, max=UINT40_MAX, metavar="SECONDS", help="Between a stop's call and its effect."
        ),
    ] = 0,
    offer_until: Annotated[
        int | None,
        typer.Option(metavar="TIME", parser=moment, help="UTC; 30 days from now by default."),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign terms, as the design's owner; write the offer and print the license's id."""
    opened = enter_informed(home)
    draft = Draft(
        design=design,
        units=units,
        holder=holder,
        members={
            TermsKind.REVISION: [revision_member(design, number) for number in revision or ()],
            TermsKind.RECIPE: [to_hex(one) for one in recipe],
            TermsKind.SITE: [to_hex(one) for one in site or ()],
            TermsKind.MACHINE: [to_hex(one) for one in machine or ()],
            TermsKind.LABEL_NAMESPACE: labels or (),
            TermsKind.TEXT: text or (),
        },
        not_before=begin or 0,
        not_after=until or 0,
        notice=notice,
        offer_until=offer_until or opened.clock.now() + _MONTH,
    )
    offer = opened.offers(KeyName(account)).make(draft, licensor=KeyName(account))
    write_new(out, offer.encode(), mode=_MODE)
    answer = {"id": to_hex(offer.id), "offer": str(out), **_terms(offer)}
    say(answer, as_json=as_json, brief=to_hex(offer.id))


@app.command()
def grant(
    offer: Input, account: Signer = ACCOUNT, home: Folder = None, as_json: AsJson = False
) -> None:
    """Submit an offer; anybody may. Show the license and its first lane, which holds all units."""
    read = Offer.parse(offer.read_bytes())
    granted = enter(home).offers(KeyName(account)).grant(read)
    answer: Answer = {"id": to_hex(read.id), "number": granted.number, "lane": granted.lane}
    say(answer, as_json=as_json)


@app.command()
def split(
    lane: _Lane,
    units: Annotated[int, typer.Argument(min=1, max=UINT40_MAX, help="How many units to cut off.")],
    log: Annotated[
        int, typer.Option(min=0, max=UINT40_MAX, help="The log that may draw them; 0 for none yet.")
    ],
    to: Annotated[
        IdentityId, typer.Option(metavar="ID", parser=identity_id, help="Who shall hold them.")
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Cut units off a lane, as its holder; print the new lane's number."""
    opened = enter_informed(home)
    with opened.store.reading() as view:
        seen = view.facts.get(LaneFact, lane)
    if seen is None:
        message = f"No license has a lane {lane}."
        raise LicenseUnknownError(message, lane=lane)
    licenses = opened.licenses(KeyName(account))
    made = licenses.split(seen, units, log=LogNumber(log), to=to)
    answer: Answer = {
        "lane": made,
        "from": lane,
        "units": units,
        "log": log,
        "holder": to_hex(to),
    }
    say(answer, as_json=as_json, brief=made)


@app.command()
def stop(
    license_: _License,
    at: Annotated[
        int,
        typer.Option(metavar="TIME", parser=moment, help="UTC or block seconds; heeds the notice."),
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Stop a license from a time on, as the design's owner; what was built before stays."""
    enter(home).licenses(KeyName(account)).stop(license_, at=at)
    say({"id": to_hex(license_), "stopAt": Moment(at)}, as_json=as_json)


@app.command()
def show(license_: _License, home: Folder = None, as_json: AsJson = False) -> None:
    """Show a license, its lanes, and its terms where this home knows them."""
    with enter_informed(home).store.reading() as view:
        say(_shown(license_, view), as_json=as_json)


def _terms(offer: Offer) -> Answer:
    terms = offer.terms
    return {
        "design": to_hex(terms.design),
        "units": terms.units,
        "holder": to_hex(terms.holder),
        "offerUntil": Moment(terms.offer_until),
    }


def _shown(license_: LicenseId, view: View) -> Answer:
    numbered = view.facts.get(LicenseNumberFact, license_)
    fact = None if numbered is None else view.facts.get(LicenseFact, numbered.number)
    if fact is None:
        message = f"No final block grants the license {to_hex(license_)}."
        raise LicenseUnknownError(message, license=to_hex(license_))
    lanes = [lane for lane in view.facts.each(LaneFact) if lane.license == fact.number]
    members = shown_clauses(view.documents, DocumentKind.TERMS, license_)
    opened = () if members is None else members.opened.values()
    return {
        "id": to_hex(license_),
        "number": fact.number,
        "design": to_hex(fact.terms.design),
        "holder": to_hex(fact.terms.holder),
        "units": fact.terms.units,
        "drawn": sum(lane.next - lane.first for lane in lanes),
        "notBefore": Moment(fact.terms.not_before),
        "notAfter": Moment(fact.terms.not_after),
        "stopAt": Moment(fact.stop_at),
        "lanes": [_lane(lane) for lane in lanes],
        "terms": [f"{one.path.split('/')[2]}: {one.value}" for one in opened],
    }


def _lane(lane: LaneFact) -> Answer:
    return {
        "lane": lane.number,
        "first": lane.first,
        "next": lane.next,
        "end": lane.end,
        "log": lane.log,
        "holder": to_hex(lane.holder),
    }
