"""The commands of ``guildmark equivalence``, in the order in which they are used."""

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from guildmark.adapters.statistics import evaluate
from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, identity_id, moment, recipe_id
from guildmark.cli.equivalence.files import (
    check_compared,
    read_data,
    read_plan,
    read_result,
)
from guildmark.cli.homes import write_new, writing_new
from guildmark.cli.key_arguments import sealing_key
from guildmark.cli.opening import enter, enter_informed
from guildmark.domain.builds.telemetry import Disclosure
from guildmark.domain.chain.facts import (
    CertificateFact,
    CounterFact,
    PlanEntryFact,
    PlanFact,
    SiteRecipeFact,
)
from guildmark.domain.chain.refusals import (
    PlanUnknownError,
    RecipeUnknownError,
)
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.registration import Lapse, Outcome
from guildmark.domain.equivalence.reporting.standing import CertificateState
from guildmark.domain.equivalence.sampling import place_name
from guildmark.domain.equivalence.verdict import Verdict
from guildmark.domain.identifiers import (
    Bytes32,
    EquivalencePlanId,
    IdentityId,
    RecipeId,
    bytes32_from_hex,
    to_hex,
)
from guildmark.ports.keys import KeyName
from guildmark.ports.store import View
from guildmark.services.equivalence.certificates import certificate_state
from guildmark.services.equivalence.protocol import Equivalence, check_result

app = typer.Typer(
    help="Plan, commit, compute and certify that sites make equivalent parts.",
    no_args_is_help=True,
)

_SALT_SIZE = 32
_MODE = 0o600


def plan_id(text: str) -> EquivalencePlanId:
    """Return the id of a plan."""
    return EquivalencePlanId(bytes32_from_hex(text))


PlanArgument: TypeAlias = Annotated[
    EquivalencePlanId, typer.Argument(metavar="PLAN", parser=plan_id, help="The plan's id.")
]
SiteArgument: TypeAlias = Annotated[
    IdentityId, typer.Argument(metavar="SITE", parser=identity_id, help="The site.")
]
Result: TypeAlias = Annotated[
    Path,
    typer.Option("--result", metavar="FILE", exists=True, dir_okay=False, help="What `run` wrote."),
]
_Out: TypeAlias = Annotated[Path, typer.Option(metavar="FILE", help="A new file.")]


class LapseCause(StrEnum):
    """Why a certificate lapses."""

    MACHINE_MOVED = "machine-moved"
    FIRMWARE_CHANGED = "firmware-changed"
    RECIPE_CHANGED = "recipe-changed"
    KEY_UNDER_NOTICE = "key-under-notice"


@app.command()
def plan(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The plan in JSON; salted here.")
    ],
    sponsor: Annotated[
        IdentityId,
        typer.Option(metavar="ORGANIZATION", parser=identity_id, help="Who asks; you speak."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file: the salted plan, for sites and evaluator."),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Register a plan before any data; print its id."""
    opened = enter(home)
    drafted = read_plan(file, Bytes32(opened.entropy.token(_SALT_SIZE)))
    with nullcontext() if out is None else writing_new(out, drafted.encode(), mode=_MODE):
        made = _service(opened, account).plan(drafted, sponsor=sponsor)
    answer: Answer = {"id": to_hex(made), "document": to_hex(drafted.digest())}
    say(answer, as_json=as_json, brief=to_hex(made))


@app.command()
def receive(
    plan: PlanArgument,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The plan's document.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Keep the document of a plan, where the chain commits to it."""
    enter_informed(home).evaluation.receive(plan, file.read_bytes())
    say({"id": to_hex(plan), "kept": True}, as_json=as_json)


@app.command()
def join(
    plan: PlanArgument,
    site: SiteArgument,
    site_recipe: Annotated[
        RecipeId,
        typer.Option(
            metavar="SITE_RECIPE",
            parser=recipe_id,
            help="The site's recipe; its machine model is the certificate's scope.",
        ),
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let a site take part in a plan; what it builds from now on are its data."""
    opened = enter_informed(home)
    with opened.store.reading() as view:
        own = view.facts.get(SiteRecipeFact, site_recipe)
    if own is None:
        message = f"No final block holds the site recipe {to_hex(site_recipe)}."
        raise RecipeUnknownError(message, recipe=to_hex(site_recipe))
    _service(opened, account).join(plan, site, own.recipe.model)
    say({"plan": to_hex(plan), "site": to_hex(site)}, as_json=as_json)


@app.command()
def draw(
    plan: PlanArgument,
    site: SiteArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file: the drawn parts' data, for `commit`."),
    ] = None,
    answers: Annotated[
        list[Path] | None,
        typer.Option(
            "--telemetry",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="With --out: an answer of `agent open`, one a drawn build.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Tell which of a site's units the plan draws; anybody draws the same ones.

    Units are told in the order in which they are drawn. The first that were built for the plan, as
    many as it measures, are the sample. With --out, the home of their log writes what it says of
    them, and shows those before that were built for something else.
    """
    sampling = enter_informed(home).sampling
    found = sampling.draw(plan, site)
    if out is not None:
        opened = [Disclosure.parse(file.read_bytes()) for file in answers or ()]
        data = sampling.collect(plan, site, opened)
        write_new(out, canonical(data.to_json()), mode=_MODE)
    order = [place_name(place) for place in found.order]
    closing = found.population.closing
    answer: Answer = {
        "order": order,
        "closedBy": f"{closing.log}/{closing.seq}",
        "tick": found.tick.seq,
        "parent": to_hex(found.tick.parent),
        "data": None if out is None else str(out),
    }
    say(answer, as_json=as_json, brief=" ".join(order))


@app.command()
def telemetry(
    plan: PlanArgument,
    site: SiteArgument,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Tell what the plan asks of the telemetry of a site's drawn builds, in the home of their log.

    The agent of each build answers: `guildmark agent open JOB --nonce NONCE --count COUNT`. Give
    the answers to `draw --out`.
    """
    sampling = enter_informed(home).sampling
    rows: list[Answer] = [
        {
            "build": one.build,
            "part": one.part,
            "root": to_hex(one.root),
            "nonce": to_hex(one.nonce),
            "count": len(places),
        }
        for one, places in sampling.challenges(plan, site)
    ]
    say({"builds": rows}, as_json=as_json)


@app.command()
def commit(
    plan: PlanArgument,
    site: SiteArgument,
    readings: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="JSON: readings, logged (as `draw` writes both), studies, statistics.",
        ),
    ],
    recipient: Annotated[
        str, typer.Option("--to", metavar="KEY", help="The evaluator's key for sealed data.")
    ],
    out: _Out,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Commit to a site's data blindly, once, and write them sealed to the evaluator."""
    key = sealing_key(recipient)
    data = read_data(readings)
    done = _service(enter_informed(home), account).commit(plan, site, data, recipient=key.value)
    write_new(out, done.sealed, mode=_MODE)
    answer: Answer = {
        "blind": to_hex(done.blind),
        "readings": len(data.readings),
        "sealed": str(out),
    }
    say(answer, as_json=as_json)


@app.command()
def unseal(
    plan: PlanArgument,
    site: SiteArgument,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="What the site sealed to you.")
    ],
    key: Annotated[str, typer.Option(metavar="KEY", help="The key of this home for sealed data.")],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open what a site sealed to this evaluator, and keep it where the site committed to it."""
    evaluation = enter_informed(home).evaluation
    data = evaluation.unseal(file.read_bytes(), plan, site, key=KeyName(key))
    answer: Answer = {"root": to_hex(data.root()), "readings": len(data.readings)}
    say(answer, as_json=as_json)


@app.command()
def reveal(
    plan: PlanArgument,
    site: SiteArgument,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Reveal the root of a site's data, once all have committed or their time is over."""
    root = _service(enter_informed(home), account).reveal(plan, site)
    say({"root": to_hex(root)}, as_json=as_json, brief=to_hex(root))


@app.command()
def run(
    plan: PlanArgument,
    out: _Out,
    without: Annotated[
        list[IdentityId] | None,
        typer.Option(
            metavar="SITE",
            parser=identity_id,
            help="Revealed its data and never handed them over; may be repeated.",
        ),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Compute a plan over all data that were revealed; write the result, print its digest."""
    result = enter_informed(home).evaluation.run(plan, evaluate, without=without or ())
    write_new(out, result.encode())
    verdicts = [
        {"sites": list(one.sites), "verdict": one.verdict.value, "summary": one.summary}
        for one in result.verdicts
    ]
    answer: Answer = {"digest": to_hex(result.digest()), "verdicts": verdicts}
    say(answer, as_json=as_json, brief=to_hex(result.digest()))


@app.command()
def certify(
    plan: PlanArgument,
    site: SiteArgument,
    result: Result,
    until: Annotated[
        int | None,
        typer.Option(metavar="TIME", parser=moment, help="Its end; open by default."),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Certify what a result says of a site, as the evaluator, once."""
    found = read_result(result)
    check_compared(found, site)
    verdict = found.of_site(to_hex(site)) or Verdict.INVALID
    digest = found.digest()
    opened = enter_informed(home)
    with opened.store.reading() as view:
        check_result(plan, found, view)
    service = _service(opened, account)
    service.certify(plan, site, Outcome.of(verdict), digest, until=until or 0)
    say({"verdict": verdict.value, "result": to_hex(digest)}, as_json=as_json)


@app.command()
def challenge(
    plan: PlanArgument,
    site: SiteArgument,
    challenger: Annotated[
        IdentityId,
        typer.Option("--by", metavar="AUTHORITY", parser=identity_id, help="You speak for it."),
    ],
    result: Result,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Set another result against a certificate, as an authority."""
    found, opened = read_result(result), enter_informed(home)
    with opened.store.reading() as view:
        check_result(plan, found, view)
    digest = found.digest()
    _service(opened, account).challenge(plan, site, challenger, digest)
    say({"result": to_hex(digest)}, as_json=as_json)


@app.command()
def suspend(
    plan: PlanArgument,
    site: SiteArgument,
    reason: Annotated[
        Path,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="Why; only its SHA-256 shows."
        ),
    ],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Suspend a certificate for ever, as its evaluator or its site."""
    digest = sha256(reason.read_bytes())
    _service(enter_informed(home), account).suspend(plan, site, digest)
    say({"reason": to_hex(digest)}, as_json=as_json)


@app.command()
def lapse(
    plan: PlanArgument,
    site: SiteArgument,
    cause: Annotated[LapseCause, typer.Argument(help="What happened.")],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say that a certificate lapsed, as its evaluator or its site."""
    _service(enter_informed(home), account).lapse(plan, site, Lapse[cause.name])
    say({"site": to_hex(site), "cause": cause.value}, as_json=as_json)


@app.command()
def show(
    plan: PlanArgument,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show a plan, which sites joined it, and what became of each."""
    with enter_informed(home).store.reading() as view:
        fact = view.facts.get(PlanFact, plan)
        if fact is None:
            message = f"No final block holds the plan {to_hex(plan)}."
            raise PlanUnknownError(message, plan=to_hex(plan))
        sites = [_of_site(plan, site, view) for site in fact.plan.sites]
    made = fact.plan
    answer: Answer = {
        "id": to_hex(plan),
        "recipe": to_hex(made.recipe),
        "sponsor": to_hex(made.sponsor),
        "evaluator": to_hex(made.evaluator),
        "document": to_hex(made.document),
        "at": Moment(fact.at),
        "commitBy": Moment(made.commit_by),
        "revealBy": Moment(made.reveal_by),
        "sites": sites,
    }
    say(answer, as_json=as_json)


@app.command()
def status(
    plan: PlanArgument,
    site: SiteArgument,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a site's certificate says, and whether it is in force at the last final block."""
    with enter_informed(home).store.reading() as view:
        found = certificate_state(plan, site, view)
    say(told_state(found), as_json=as_json, brief=found.told)


def told_state(found: CertificateState) -> Answer:
    """Return a certificate's state as commands tell it."""
    given, later = found.given, found.later
    return {
        "verdict": given.verdict,
        "state": found.standing.value,
        "result": to_hex(given.result),
        "at": Moment(found.at),
        "since": Moment(given.since),
        "until": Moment(given.until),
        "suspendedAt": Moment(given.suspended_at),
        "lapsedAt": Moment(given.lapsed_at),
        "cause": given.cause,
        "counterResults": [to_hex(one.result) for one in found.counter_results],
        "later": None if later is None else {"plan": to_hex(later.plan), "verdict": later.ended},
    }


def _of_site(plan: EquivalencePlanId, site: IdentityId, view: View) -> Answer:
    entry = view.facts.get(PlanEntryFact, plan, site)
    given = view.facts.get(CertificateFact, plan, site)
    counters = view.facts.each(CounterFact, plan, site)
    return {
        "site": to_hex(site),
        "number": None if entry is None else entry.number,
        "committed": entry is not None and bool(entry.committed_at),
        "revealed": entry is not None and bool(entry.revealed_at),
        "verdict": None if given is None else Outcome(given.verdict).name,
        "result": None if given is None else to_hex(given.result),
        "suspended": given is not None and bool(given.suspended_at),
        "lapsed": given is not None and bool(given.lapsed_at),
        "counterResults": [to_hex(one.result) for one in counters],
    }


def _service(opened: Home, account: str) -> Equivalence:
    return opened.equivalence(KeyName(account))
