"""``guildmark license``: counted rights to build, signed, granted, cut into lanes, stopped."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import (
    ACCOUNT,
    AsJson,
    Folder,
    Input,
    LicenseArgument,
    Signer,
    address,
    design_id,
    identity_id,
    license_id,
    moment,
    recipe_id,
)
from guildmark.cli.homes import write_new
from guildmark.cli.key_arguments import release_place
from guildmark.cli.nodes import asking
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.chain.facts import LaneFact, LicenseFact, LicenseNumberFact
from guildmark.domain.chain.refusals import LicenseUnknownError
from guildmark.domain.errors import MalformedError, NotCoveredError, UsageError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    ZERO_ADDRESS,
    Address,
    DesignId,
    IdentityId,
    LicenseId,
    LogNumber,
    RecipeId,
    Uint256,
    to_hex,
)
from guildmark.domain.rights.lawful import country_code
from guildmark.domain.rights.reconciliation import Row
from guildmark.domain.rights.release import ReleasePlace
from guildmark.domain.rights.terms import (
    NO_LICENSE,
    Extension,
    Terms,
    TermsKind,
    revision_member,
    spdx_member,
    text_member,
)
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind, View
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import shown_clauses
from guildmark.services.rights.history import PastFacts
from guildmark.services.rights.licenses import Child, SignedExtension, paid_units, usage
from guildmark.services.rights.offers import Draft, Offer, Price
from guildmark.services.timing import present

_Approve = Annotated[
    bool,
    typer.Option("--approve", help="Allow the registry to take exactly what is owed of a coin."),
]


class LabelNamespaceError(UsageError):
    """Labels of other hosts would begin as the license says."""

    code = "license.labelNamespace"
    hint = "Write the whole host and a slash behind it, as https://id.example.org/."


class LicenseOverError(UsageError):
    """A license would have ended before anybody can use it."""

    code = "license.endsBeforeNow"
    hint = "Name a later --until, or none for ever."


class ExtensionMismatchError(UsageError):
    """The signed file adds other units, or to another license, than the command names."""

    code = "license.extensionMismatch"
    hint = "Name the license and the units that the file is about."


app = typer.Typer(
    help="License a counted number of parts, and hand the units out.", no_args_is_help=True
)

_MONTH = 30 * 24 * 60 * 60
_HOUR = 60 * 60
_MODE = 0o600
_ROYALTY_MAX = 2**96 - 1
_FEE_MAX = 2**256 - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)

_More = Annotated[int, typer.Argument(min=1, max=UINT40_MAX, help="How many units to add.")]
_Lane = Annotated[
    int, typer.Argument(metavar="LANE", min=1, max=UINT40_MAX, help="The lane's number.")
]


class AmountMalformedError(MalformedError):
    """Text is no amount of coins, or a larger one than a license can name."""

    code = "cli.amountMalformed"
    hint = "Write it in the coin's smallest unit, as digits alone."


def label_namespace(text: str) -> str:
    """Return how labels must begin, where the host is written to its end.

    Raises:
        LabelNamespaceError: Labels of hosts with a longer name begin so, too.
    """
    host, slash, _ = text.removeprefix("https://").partition("/")
    if not (text.startswith("https://") and host and slash):
        message = f"{text[:80]!r} does not begin with a whole host."
        raise LabelNamespaceError(message, found=text[:80])
    return text


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
        typer.Option(
            metavar="URL", parser=label_namespace, help="How labels must begin; may be repeated."
        ),
    ] = None,
    country: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE", parser=country_code, help="Where alone to build, ISO 3166-1, as DE."
        ),
    ] = None,
    not_country: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", parser=country_code, help="Where not to build."),
    ] = None,
    control_class: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="The export control class to be cleared for."),
    ] = None,
    spdx: Annotated[
        list[str] | None,
        typer.Option(metavar="LICENSE", parser=spdx_member, help="A license text by its SPDX id."),
    ] = None,
    license_text: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="A license text of your own."
        ),
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
    currency: Annotated[
        Address | None,
        typer.Option(
            metavar="COIN", parser=address, help="An ERC-20 coin; the chain's own by default."
        ),
    ] = None,
    royalty: Annotated[
        str, typer.Option(metavar="NUMBER", help="Owed a part, in the coin's smallest unit.")
    ] = "0",
    fee: Annotated[
        str,
        typer.Option(metavar="NUMBER", help="Paid with the grant, in the coin's smallest unit."),
    ] = "0",
    lane: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=UINT40_MAX,
            help="License its last units on, under its license, as its holder.",
        ),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign terms, as the design's owner or a lane's holder; write the offer, print its id."""
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
            TermsKind.COUNTRY: country or (),
            TermsKind.COUNTRY_DENIED: not_country or (),
            TermsKind.CONTROL_CLASS: control_class or (),
            TermsKind.LICENSE_TEXT: [
                *(spdx or ()),
                *(text_member(file.read_bytes()) for file in license_text or ()),
            ],
            TermsKind.TEXT: text or (),
        },
        not_before=begin or 0,
        not_after=_to_come(until, opened),
        notice=notice,
        offer_until=offer_until or _present(opened) + _MONTH,
        price=Price(
            currency=currency or ZERO_ADDRESS,
            royalty=_amount(royalty, most=_ROYALTY_MAX),
            fee=_amount(fee, most=_FEE_MAX),
        ),
    )
    seen = None if lane is None else _lane_seen(opened, lane)
    offers = opened.offers(KeyName(account))
    offer = offers.make(draft, licensor=KeyName(account), lane=seen)
    write_new(out, offer.encode(), mode=_MODE)
    answer = {"id": to_hex(offer.id), "offer": str(out), **_terms(offer)}
    say(answer, as_json=as_json, brief=to_hex(offer.id))


@app.command()
def accept(
    offer: Input,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the signed offer is written.")],
    approve: _Approve = False,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign, as the licensee, that the offer's royalty and fee are owed.

    Nothing is sent, unless with --approve: it allows exactly the fee, where that is due in another
    coin than the chain's and this account shall submit the offer.
    """
    opened, name = enter(home), KeyName(account)
    read = Offer.parse(offer.read_bytes())
    allowed = _allowance(opened, name, read.terms, approve=approve)
    accepted = opened.offers(name).accept(read, licensee=name)
    write_new(out, accepted.encode(), mode=_MODE)
    answer: Answer = {
        "id": to_hex(accepted.id),
        "offer": str(out),
        **_terms(accepted),
        "allowance": allowed,
    }
    say(answer, as_json=as_json, brief=to_hex(accepted.id))


@app.command()
def grant(
    offer: Input,
    approve: _Approve = False,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Submit an offer, with its fee; anybody may. Show the license and its first lane."""
    opened, name = enter(home), KeyName(account)
    read = Offer.parse(offer.read_bytes())
    if not opened.licenses(name).is_granted(read.id):
        fee = (read.terms.currency, int(read.terms.fee))
        opened.coins(name).ready(*fee, approve=approve)
    granted = opened.offers(name).grant(read)
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
    seen = _lane_seen(opened, lane)
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


@app.command("sign-extension")
def sign_extension(
    license_: LicenseArgument,
    units: _More,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the signed units are written.")],
    offer_until: Annotated[
        int | None,
        typer.Option(metavar="TIME", parser=moment, help="UTC; 30 days from now by default."),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign further units of a root license, as the design's owner; nothing is sent."""
    opened = enter_informed(home)
    with opened.store.reading() as view:
        seen = _license_seen(license_, view)
    until = offer_until or _present(opened) + _MONTH
    licenses = opened.licenses(KeyName(account))
    signed = licenses.sign_extension(seen, units, until=until, owner=KeyName(account))
    write_new(out, signed.encode(), mode=_MODE)
    answer: Answer = {
        "id": to_hex(license_),
        "extension": str(out),
        "units": seen.units + units,
        "offerUntil": Moment(until),
    }
    say(answer, as_json=as_json, brief=out)


@app.command()
def extend(
    license_: LicenseArgument,
    units: _More,
    signed: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="What the owner signed elsewhere."
        ),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Add units to a root license, as the design's owner or as he signed; print their lane."""
    opened = enter_informed(home)
    with opened.store.reading() as view:
        seen = _license_seen(license_, view)
    extension = Extension(
        license=license_,
        units=seen.units,
        more=units,
        offer_until=_present(opened) + _HOUR,
    )
    own = SignedExtension(extension=extension)
    submitted = own if signed is None else _extension(signed, license_, units)
    made = opened.licenses(KeyName(account)).extend(submitted)
    total = submitted.extension.units + units
    answer: Answer = {"id": to_hex(license_), "lane": made, "units": total}
    say(answer, as_json=as_json, brief=made)


def _extension(file: Path, license_: LicenseId, units: int) -> SignedExtension:
    signed = SignedExtension.parse(file.read_bytes())
    if (signed.extension.license, signed.extension.more) != (license_, units):
        message = (
            f"{file} adds {signed.extension.more} units to {to_hex(signed.extension.license)}."
        )
        raise ExtensionMismatchError(message, units=signed.extension.more)
    return signed


@app.command()
def reclaim(
    lane: _Lane, account: Signer = ACCOUNT, home: Folder = None, as_json: AsJson = False
) -> None:
    """Take back what a lane has not drawn, as its giver: announce it, and call again later."""
    opened = enter_informed(home)
    made = opened.licenses(KeyName(account)).reclaim(_lane_seen(opened, lane))
    reclaim_at = _lane_seen(enter_informed(home), lane).reclaim_at
    say({"lane": lane, "reclaimAt": Moment(reclaim_at), "taken": made}, as_json=as_json)


@app.command()
def pay(
    lane: _Lane,
    license_: Annotated[
        LicenseId | None,
        typer.Option(
            "--license",
            metavar="LICENSE",
            parser=license_id,
            help="To whose licensor: the lane's license by default, or one above it.",
        ),
    ] = None,
    units: Annotated[
        int | None, typer.Option(min=1, max=UINT40_MAX, help="For how many; all by default.")
    ] = None,
    approve: _Approve = False,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Pay the royalty of drawn units; a coin other than the chain's own must be allowed before.

    With --approve exactly what is owed is allowed first.
    """
    opened = enter_informed(home)
    seen = _lane_seen(opened, lane)
    with opened.store.reading() as view:
        granted = known(view.facts, LicenseFact, seen.license)
        granted = granted if license_ is None else _license_seen(license_, view)
        paid = paid_units(seen, granted, view.facts)
    wanted = seen.drawn - paid if units is None else units
    licenses, terms = opened.licenses(KeyName(account)), granted.terms
    owed = (terms.currency, terms.royalty * wanted)
    coins = opened.coins(KeyName(account))
    allowed = coins.ready(*owed, approve=approve)
    amount = licenses.pay(seen, granted, paid=paid, units=wanted)
    answer: Answer = {
        "lane": lane,
        "license": to_hex(granted.id),
        "units": wanted,
        "currency": _currency(granted.terms.currency),
        "amount": str(amount),
        "allowance": None if allowed is None else str(coins.allowance(terms.currency)),
    }
    say(answer, as_json=as_json)


@app.command()
def withdraw(
    currency: Annotated[
        Address | None,
        typer.Option(
            metavar="COIN", parser=address, help="An ERC-20 coin; the chain's own by default."
        ),
    ] = None,
    to: Annotated[
        Address | None,
        typer.Option(metavar="ACCOUNT", parser=address, help="Where it goes; here by default."),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Take the fees and royalties that wait for an account."""
    licenses = enter(home).licenses(KeyName(account))
    coin, target = currency or ZERO_ADDRESS, to or licenses.account.address
    amount = licenses.withdraw(coin, to=target)
    answer: Answer = {"currency": _currency(coin), "to": to_hex(target), "amount": str(amount)}
    say(answer, as_json=as_json)


@app.command()
def stop(
    license_: LicenseArgument,
    at: Annotated[
        int,
        typer.Option(metavar="TIME", parser=moment, help="UTC or block seconds; heeds the notice."),
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Stop a license from a time on, as its licensor; what was built before stays."""
    enter(home).licenses(KeyName(account)).stop(license_, at=at)
    say({"id": to_hex(license_), "stopAt": Moment(at)}, as_json=as_json)


@app.command()
def reconcile(
    license_: LicenseArgument,
    release: Annotated[
        list[ReleasePlace] | None,
        typer.Option(
            metavar="OPERATOR@URL",
            parser=release_place,
            help="A node that releases keys, to be asked for its receipts; may be repeated.",
        ),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Compare released keys with drawn units, as the licensor; exit 18 where somebody must look.

    Receipts that nodes show are checked against the chain, kept in this home, and counted from
    then on.
    """
    opened = enter_informed(home)
    pages = [_asked(opened, license_, place, KeyName(account)) for place in release or ()]
    found = opened.reconciling.of(license_)
    answer: Answer = {
        "license": to_hex(license_),
        "stoppedAt": Moment(found.stopped_at),
        "alerts": [one.value for one in found.alerts],
        "lanes": [_reconciled(row) for row in found.rows],
        "pages": pages,
    }
    say(answer, as_json=as_json)
    if found.alerts:
        raise typer.Exit(NotCoveredError.exit_code)


@app.command()
def show(
    license_: LicenseArgument,
    at: Annotated[
        int | None,
        typer.Option(
            metavar="TIME", parser=moment, help="UTC: as it was then; as it is by default."
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show a license, its lanes, who licensed units on, and its terms where this home knows them.

    `drawn` counts its own lanes and those of all licenses below it.
    """
    opened = enter_informed(home)
    past = None if at is None else opened.history.licenses(at)
    with opened.store.reading() as view:
        seen = view if past is None else replace(view, facts=past)
        say({**_as_of(past), **_shown(license_, seen)}, as_json=as_json)


def _allowance(home: Home, account: KeyName, terms: Terms, *, approve: bool) -> str | None:
    """Return how much of a coin the registry may take; the chain's own needs no allowance."""
    coins = home.coins(account)
    if approve:
        coins.ready(terms.currency, terms.fee, approve=True)
    if terms.currency == ZERO_ADDRESS:
        return None
    return str(coins.allowance(terms.currency))


def _to_come(until: int | None, home: Home) -> int:
    """Return when a license ends, 0 for never: a fee is not asked for one that is over."""
    now = _present(home)
    if until is not None and until <= now:
        message = f"The license would end at {until}, and it is {now}."
        raise LicenseOverError(message, until=until, now=now)
    return until or 0


def _present(home: Home) -> int:
    return present(home.clock, home.ledger.head(final=False))


def _asked(home: Home, license_: LicenseId, place: ReleasePlace, account: KeyName) -> str:
    """Keep the receipts that a node shows, and return the address of its page."""
    query = home.reconciling.query(license_, releaser=place.operator, key=account)
    with asking(place.url) as client:
        proofs, page = client.receipts(query)
    home.reconciling.keep(license_, proofs)
    return page


def _reconciled(row: Row) -> Answer:
    return {
        "lane": row.lane,
        "site": to_hex(row.site),
        "units": row.units,
        "drawn": row.drawn,
        "released": row.released,
        "first": Moment(row.first_at),
        "last": Moment(row.last_at),
        "machines": len(row.machines),
        "releasers": len(row.releasers),
        "differences": " ".join(row.differences),
    }


def _terms(offer: Offer) -> Answer:
    terms = offer.terms
    return {
        "design": to_hex(terms.design),
        "units": terms.units,
        "holder": to_hex(terms.holder),
        "offerUntil": Moment(terms.offer_until),
        **_price(terms),
    }


def _price(terms: Terms) -> Answer:
    return {
        "currency": _currency(terms.currency),
        "royalty": str(terms.royalty),
        "fee": str(terms.fee),
    }


def _currency(currency: Address) -> str:
    return "native" if currency == ZERO_ADDRESS else to_hex(currency)


def _amount(text: str, *, most: int) -> Uint256:
    if not _NUMBER.fullmatch(text) or int(text) > most:
        message = f"{text[:80]!r} is no amount."
        raise AmountMalformedError(message, found=text[:80])
    return Uint256(int(text))


def _as_of(past: PastFacts | None) -> Answer:
    block = None if past is None else past.cursor()
    return {} if block is None else {"asOf": Moment(block.time), "block": block.number}


def _lane_seen(home: Home, lane: int) -> LaneFact:
    with home.store.reading() as view:
        seen = view.facts.get(LaneFact, lane)
    if seen is None:
        message = f"No license has a lane {lane}."
        raise LicenseUnknownError(message, lane=lane)
    return seen


def _license_seen(license_: LicenseId, view: View) -> LicenseFact:
    numbered = view.facts.get(LicenseNumberFact, license_)
    if numbered is None:
        message = f"No final block grants the license {to_hex(license_)}."
        raise LicenseUnknownError(message, license=to_hex(license_))
    return known(view.facts, LicenseFact, numbered.number)


def _shown(license_: LicenseId, view: View) -> Answer:
    fact = _license_seen(license_, view)
    used = usage(fact, view.facts)
    members = shown_clauses(view.documents, DocumentKind.TERMS, license_)
    opened = () if members is None else members.opened.values()
    return {
        "id": to_hex(license_),
        "number": fact.number,
        "design": to_hex(fact.terms.design),
        "holder": to_hex(fact.terms.holder),
        "parent": None if fact.terms.parent == NO_LICENSE else to_hex(fact.terms.parent),
        "units": fact.units,
        "drawn": used.drawn,
        "notBefore": Moment(fact.terms.not_before),
        "notAfter": Moment(fact.terms.not_after),
        "stopAt": Moment(fact.stop_at),
        **_price(fact.terms),
        "lanes": [_lane(lane, fact, view) for lane in used.lanes],
        "licensedOn": [_child(one) for one in used.children],
        "terms": [f"{one.path.split('/')[2]}: {one.value}" for one in opened],
    }


def _child(child: Child) -> Answer:
    return {
        "number": child.license.number,
        "first": child.first,
        "end": child.end,
        "drawn": child.drawn,
        "holder": to_hex(child.license.terms.holder),
        "id": to_hex(child.license.id),
    }


def _lane(lane: LaneFact, fact: LicenseFact, view: View) -> Answer:
    unpaid = lane.drawn - paid_units(lane, fact, view.facts)
    return {
        "lane": lane.number,
        "first": lane.first,
        "next": lane.next,
        "end": lane.end,
        "log": lane.log,
        "holder": to_hex(lane.holder),
        "reclaimAt": Moment(lane.reclaim_at),
        "owed": str(unpaid * fact.terms.royalty),
    }
