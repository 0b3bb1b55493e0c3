"""Approvals: who vouches for a recipe, and two signatures for less than the rules say."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from guildmark.bootstrap import Home
from guildmark.cli.answers import Answer, Moment, note, say
from guildmark.cli.arguments import (
    ACCOUNT,
    AsJson,
    Folder,
    Signer,
    design_id,
    identity_id,
    recipe_id,
)
from guildmark.cli.homes import write_new
from guildmark.cli.opening import enter_informed
from guildmark.cli.recipes.drafting import drafted
from guildmark.domain.chain.facts import RevisionFact
from guildmark.domain.chain.refusals import DesignUnknownError
from guildmark.domain.identifiers import UINT40_MAX, DesignId, IdentityId, RecipeId, to_hex
from guildmark.domain.recipes.approval import Proposal, SignedApproval
from guildmark.domain.recipes.recipe import Change, Recipe, Status
from guildmark.ports.keys import KeyName
from guildmark.services.recipes.approvals import Approvals, Judged, Override


class ChangeKind(StrEnum):
    """How a recipe changes the one that it supersedes."""

    EDITORIAL = "editorial"
    MINOR = "minor"
    REQUALIFY = "requalify"


class FirstStatus(StrEnum):
    """The status that a recipe begins with; nobody may build under a draft."""

    DRAFT = "draft"
    TRIAL = "trial"
    QUALIFIED = "qualified"


RecipeArgument = Annotated[
    RecipeId, typer.Argument(metavar="RECIPE", parser=recipe_id, help="The recipe's id.")
]
Reason = Annotated[str, typer.Option(help="Why, for people; it is signed.")]
Organization = Annotated[
    IdentityId, typer.Option("--org", metavar="ORG", parser=identity_id, help="Who approves.")
]
Standard = Annotated[str, typer.Option(help="What it is accredited for, for example ISO 9001.")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file.")]
InFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What `override` wrote."),
]


def override(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="The recipe in JSON, without salts."),
    ],
    design: Annotated[
        DesignId, typer.Option(metavar="DESIGN", parser=design_id, help="The design's id.")
    ],
    supersedes: Annotated[
        RecipeId,
        typer.Option(metavar="RECIPE", parser=recipe_id, help="The recipe that it takes over."),
    ],
    change: Annotated[ChangeKind, typer.Option(help="What you say that it means.")],
    reason: Reason,
    out: Out,
    revision: Annotated[
        int | None,
        typer.Option(min=1, max=UINT40_MAX, help="The revision's number; the newest by default."),
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign, as the designer, that a recipe changes less than the rules say; nothing is sent."""
    opened = enter_informed(home)
    key = KeyName(account)
    document = drafted(opened.recipes(key), file, supersedes=supersedes)
    recipe = Recipe(
        root=document.root(),
        design=design,
        revision=revision or newest_revision(opened, design),
        supersedes=supersedes,
        change=Change[change.name],
    )
    made = opened.approving.propose(recipe, document, key=key, reason=reason)
    write_new(out, made.encode(), mode=0o600)
    note(f"Written to {out}, salts included: show it to whom you would show the recipe.")
    say(_proposed(made), as_json=as_json, brief=to_hex(recipe.id()))


def approve_file(
    file: InFile,
    org: Organization,
    standard: Standard,
    reason: Reason,
    out: Out,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Sign, as an accredited organization, what `override` wrote; nothing is sent."""
    opened = enter_informed(home)
    proposal = Proposal.parse(file.read_bytes())
    signed = opened.approving.approve(
        proposal, key=KeyName(account), reason=reason, approver=org, standard=standard
    )
    write_new(out, signed.encode(), mode=0o600)
    say(_proposed(signed), as_json=as_json, brief=to_hex(signed.recipe.id()))


def publish_override(
    file: InFile,
    status: Annotated[
        FirstStatus, typer.Option(help="Nobody may build under a draft.")
    ] = FirstStatus.TRIAL,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Publish a recipe that two signed for, as the design's owner; print its id."""
    opened = enter_informed(home)
    proposal = Proposal.parse(file.read_bytes())
    opened.approving.check_override(proposal)
    recipes = opened.recipes(KeyName(account))
    published = recipes.publish(proposal.recipe, proposal.document, status=Status[status.name])
    opened.approving.keep_proposed(proposal)
    say(_proposed(proposal), as_json=as_json, brief=to_hex(published))


def approve(
    recipe: RecipeArgument,
    org: Organization,
    standard: Standard,
    reason: Reason,
    out: Out,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Approve a published recipe, as an accredited organization; write what others keep."""
    opened = enter_informed(home)
    signed = opened.approving.approve_published(
        recipe, key=KeyName(account), reason=reason, approver=org, standard=standard
    )
    write_new(out, signed.encode())
    say(
        {"recipe": to_hex(recipe), "by": to_hex(org), "standard": standard},
        as_json=as_json,
        brief=f"Approved; `guildmark recipe approvals {to_hex(recipe)} --add {out}` keeps it.",
    )


def approvals(
    recipe: RecipeArgument,
    add: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="What `approve` wrote."),
    ] = None,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List who approved a recipe and what that is worth by your list; keep further ones."""
    opened = enter_informed(home)
    opened.approving.keep(*(SignedApproval.parse(path.read_bytes()) for path in add or ()))
    with opened.store.reading() as view:
        judge = Approvals(trust=opened.trust)
        judged, found = judge.judged(recipe, view), judge.override(recipe, view)
    rows: list[Answer] = [_judged(one) for one in judged]
    answer: Answer = {"approvals": rows, "override": None if found is None else _override(found)}
    say(answer, as_json=as_json)


def newest_revision(home: Home, design: DesignId) -> int:
    """Return the number of a design's newest revision.

    Raises:
        DesignUnknownError: No final block holds the design.
    """
    with home.store.reading() as view:
        revisions = view.facts.each(RevisionFact, design)
    if not revisions:
        message = f"No final block holds the design {to_hex(design)}."
        raise DesignUnknownError(message, design=to_hex(design))
    return revisions[-1].revision.number


def _proposed(made: Proposal) -> Answer:
    return {
        "id": to_hex(made.recipe.id()),
        "supersedes": to_hex(made.recipe.supersedes),
        "stated": made.recipe.change.name.lower(),
        "ruled": max(one.approval.ruled for one in made.approvals).name.lower(),
        "signatures": len(made.approvals),
    }


def _judged(one: Judged) -> Answer:
    said = one.approval
    return {
        "by": one.name,
        "standard": said.standard or None,
        "on": Moment(said.approved_on),
        "agreesTo": said.ruled.name.lower(),
        "reason": said.reason,
        "counts": not one.lack,
        "why": one.lack or None,
    }


def _override(found: Override) -> Answer:
    return {
        "stated": found.stated.name.lower(),
        "ruled": found.ruled.name.lower(),
        "allowed": not found.lack,
        "why": found.lack or None,
    }
