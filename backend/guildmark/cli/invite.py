"""``guildmark invite``: a hub's invitations for shops that join."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from guildmark.adapters.chain.fees import suggested
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.labels import pictures
from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, note, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, digest, recipe_id
from guildmark.cli.homes import write_new
from guildmark.cli.opening import enter_informed
from guildmark.domain.chain.facts import LaneFact, LicenseFact
from guildmark.domain.chain.refusals import LicenseUnknownError
from guildmark.domain.errors import MalformedError, UsageError
from guildmark.domain.identifiers import UINT40_MAX, Digest, LaneNumber, RecipeId, to_hex
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.shops.inviting import Invitation, Share

app = typer.Typer(
    help="Let shops join: make, list and take back invitations.", no_args_is_help=True
)

_HOUR = 3600
_HOURS_MAX = 24 * 365
# Ten registrations and links of at most 130,000 gas, a recipe, and as much again for later ones.
_GAS = 3_000_000
_ETHER = 10**18
_COIN_MAX = 10**24


class ShareIncompleteError(UsageError):
    """Units are promised without a lane or a recipe, or these without units."""

    code = "cli.shareIncomplete"
    hint = "Give --lane, --units and --recipe together, or none of them."


class CoinMalformedError(MalformedError):
    """Text is no amount of coin."""

    code = "cli.coinMalformed"
    hint = "Write how much coin, for example 0.05."


@app.command()
def new(
    lane: Annotated[
        int | None,
        typer.Option(min=1, max=UINT40_MAX, help="The lane of yours that units are cut off."),
    ] = None,
    units: Annotated[
        int | None, typer.Option(min=1, max=UINT40_MAX, help="How many units the shop gets.")
    ] = None,
    recipe: Annotated[
        RecipeId | None,
        typer.Option(metavar="RECIPE", parser=recipe_id, help="The recipe that it builds by."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="The host of its labels; your node's by default.")
    ] = None,
    hours: Annotated[
        int, typer.Option(min=1, max=_HOURS_MAX, help="For how long it waits to be used.")
    ] = 72,
    coin: Annotated[
        str | None,
        typer.Option(
            metavar="COIN", help="How much coin the shop gets, as 0.05; enough by default."
        ),
    ] = None,
    qr: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw its address there, as .svg or .png.")
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make an invitation for one shop; print its address, which is shown this once.

    The account that pays and hands out is the node's own: `account`.
    """
    opened = enter_informed(home)
    own = opened.settings.own_node()
    share = _share(lane, units, recipe, host or urlsplit(own.public_url).netloc)
    if share is not None:
        _show(opened, share)
    amount = _enough(opened) if coin is None else _wei(coin)
    token, made = opened.inviting(KeyName(account)).invite(
        seconds=hours * _HOUR, coin=amount, share=share
    )
    url = f"{own.public_url}/v1/invitations/{token}"
    if qr is not None:
        _draw(qr, url)
    note(f"The shop says: guildmark join {url} --name NAME --source URI")
    say({**_row(made), "url": url}, as_json=as_json, brief=url)


@app.command("list")
def list_(home: Folder = None, as_json: AsJson = False) -> None:
    """List invitations and what became of them, the oldest first."""
    opened = enter_informed(home)
    rows = [_row(one) for one in opened.inviting(KeyName(ACCOUNT)).each()]
    say({"invitations": rows}, as_json=as_json)


@app.command()
def withdraw(
    invitation: Annotated[
        Digest,
        typer.Argument(metavar="ID", parser=digest, help="The invitation, as `list` prints it."),
    ],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Take an invitation back: nobody joins with it, nothing is carried for who did."""
    found = enter_informed(home).inviting(KeyName(ACCOUNT)).withdraw(invitation)
    say(_row(found), as_json=as_json)


def _share(lane: int | None, units: int | None, recipe: RecipeId | None, host: str) -> Share | None:
    if lane is not None and units is not None and recipe is not None:
        return Share(lane=LaneNumber(lane), units=units, recipe=recipe, host=host)
    if lane is None and units is None and recipe is None:
        return None
    message = "What a shop gets is a lane, its units and the recipe."
    raise ShareIncompleteError(message)


def _show(opened: Home, share: Share) -> None:
    """Let the node's door know what the shop's builds will name: recipe and terms."""
    with opened.store.reading() as view:
        lane = view.facts.get(LaneFact, share.lane)
        if lane is None:
            message = f"No license has a lane {share.lane}."
            raise LicenseUnknownError(message, lane=share.lane)
        license_ = known(view.facts, LicenseFact, lane.license).id
    for kind, thing in ((DocumentKind.RECIPE, share.recipe), (DocumentKind.TERMS, license_)):
        opened.disclosing.receive(kind, thing, opened.disclosing.show(kind, thing))


def _enough(home: Home) -> int:
    """Return what the registrations cost at today's price, twice."""
    with Rpc(url=home.settings.chain.url) as rpc:
        return _GAS * suggested(rpc).max_fee


def _wei(text: str) -> int:
    try:
        amount = Decimal(text) * _ETHER
    except InvalidOperation:
        amount = Decimal(-1)
    if not 0 <= amount <= _COIN_MAX or amount != amount.to_integral_value():
        message = f"{text[:80]!r} is no amount of coin."
        raise CoinMalformedError(message, found=text[:80])
    return int(amount)


def _draw(path: Path, url: str) -> None:
    is_png = path.suffix == ".png"
    write_new(path, pictures.png(url) if is_png else pictures.svg(url, caption="guildmark join"))


def _row(found: Invitation) -> Answer:
    share = found.share
    state = "open" if found.account is None else "joined"
    return {
        "id": to_hex(found.id),
        "state": "withdrawn" if found.is_withdrawn else state,
        "until": Moment(found.until),
        "coin": str(found.coin),
        "units": 0 if share is None else share.units,
        "account": None if found.account is None else to_hex(found.account),
        "site": None if found.site is None else to_hex(found.site),
        "lane": found.lane,
    }
