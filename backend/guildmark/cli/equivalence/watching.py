"""Before a plan and after a certificate: how many builds it takes, and whether a site drifts."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.statistics import drift, required_replicates
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer
from guildmark.cli.equivalence.commands import PlanArgument, SiteArgument, app
from guildmark.cli.equivalence.files import read_data
from guildmark.cli.homes import write_new, writing_new
from guildmark.cli.opening import enter_informed
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.errors import NonconformingError, UsageError
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.quantity import parse_decimal
from guildmark.ports.keys import KeyName

_HALF, _ONE = Decimal("0.5"), Decimal(1)


class NumberOutOfRangeError(UsageError):
    """A number that no plan has: not above 0, or an error rate or power that is too great."""

    code = "equivalence.numberOutOfRange"
    hint = "Give numbers above 0, an alpha below 0.5 and a power below 1."


class DriftedError(NonconformingError):
    """A site builds otherwise than it did when it was certified."""

    code = "equivalence.drifted"
    hint = "Suspend the certificate (`--suspend FILE`), find why, and plan again."


@app.command()
def need(
    margin: Annotated[
        str, typer.Option(metavar="NUMBER", help="The greatest difference that does not matter.")
    ],
    deviation: Annotated[
        list[str],
        typer.Option(
            metavar="NUMBER",
            help="The standard deviation of replicates' means at a site; twice where two differ.",
        ),
    ],
    alpha: Annotated[str, typer.Option(metavar="NUMBER", help="The plan's error rate.")] = "0.05",
    power: Annotated[
        str, typer.Option(metavar="NUMBER", help="How likely the plan shall succeed.")
    ] = "0.8",
    as_json: AsJson = False,
) -> None:
    """Tell how many replicates each site needs for a power, where the sites do not differ."""
    first, *more = (_number("deviation", one) for one in deviation)
    if len(more) > 1:
        message = "Two sites are compared: one deviation, or two."
        raise NumberOutOfRangeError(message, found=len(deviation))
    count = required_replicates(
        margin=_number("margin", margin),
        deviations=(first, more[0] if more else first),
        alpha=_number("alpha", alpha, below=_HALF),
        power=_number("power", power, below=_ONE),
    )
    say({"replicates": count}, as_json=as_json, brief=str(count))


@app.command()
def later(
    plan: PlanArgument,
    site: SiteArgument,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file, for `watch`.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write what was measured of a site's parts since its certificate, in the home of their log."""
    found = enter_informed(home).watching.logged(plan, site)
    write_new(out, canonical(SiteData(readings=tuple(found)).to_json()), mode=0o600)
    answer: Answer = {"readings": len(found), "parts": len({one.part for one in found})}
    say(answer, as_json=as_json)


@app.command()
def watch(
    plan: PlanArgument,
    site: SiteArgument,
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="JSON: readings since the certificate, in the order of the builds; as `later` "
            "writes them.",
        ),
    ],
    suspend: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Suspend it where it drifted; the reason goes to this new file."
        ),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Hold later builds against a certificate's data, as its evaluator or its site.

    EWMA and CUSUM, with the plan's settings. A drift that suspends nothing ends with exit 15.
    """
    opened = enter_informed(home)
    found = opened.watching.watch(plan, site, read_data(file).readings, drift)
    if found.reason is not None and suspend is None:
        raise DriftedError(found.reason, plan=to_hex(plan), site=to_hex(site))
    if found.reason is not None and suspend is not None:
        body = found.reason.encode()
        with writing_new(suspend, body):
            opened.equivalence(KeyName(account)).suspend(plan, site, sha256(body))
    answer: Answer = {
        "replicates": {str(path): count for path, count in found.counts.items()},
        "drift": found.reason,
        "suspended": found.reason is not None,
    }
    say(answer, as_json=as_json, brief=found.reason or "no drift")


def _number(name: str, text: str, *, below: Decimal | None = None) -> float:
    found = parse_decimal(text)
    if found <= 0 or (below is not None and found >= below):
        message = f"The {name} cannot be {text}."
        raise NumberOutOfRangeError(message, member=name, found=text)
    return float(found)
