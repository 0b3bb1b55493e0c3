"""``guildmark recipe``: recipes, published whole by the designer and derived by each site."""

from collections.abc import Mapping
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
from guildmark.cli.jobs import read_settings
from guildmark.cli.opening import enter, enter_informed
from guildmark.cli.recipes import approving, authoring, editing
from guildmark.cli.recipes.approving import ChangeKind, FirstStatus, newest_revision
from guildmark.cli.recipes.drafting import drafted
from guildmark.domain.chain.facts import RecipeFact, SiteRecipeFact
from guildmark.domain.chain.refusals import RecipeUnknownError
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import UINT40_MAX, DesignId, Digest, IdentityId, RecipeId, to_hex
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.recipe import NO_RECIPE, Change, Recipe, RecipeDocument, Status
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind, View

app = typer.Typer(help="Publish recipes, and what each site chooses in them.", no_args_is_help=True)

app.command("new")(authoring.new)
app.command("edit")(editing.edit)
app.command("lint")(authoring.lint_file)
app.command("import")(authoring.import_file)
app.command("check")(authoring.check)
app.command("diff")(authoring.diff)
app.command("schema")(authoring.schema)
app.command("override")(approving.override)
app.command("approve-override")(approving.approve_file)
app.command("publish-override")(approving.publish_override)
app.command("approve")(approving.approve)
app.command("approvals")(approving.approvals)

_SALT_SIZE = 32
_MODEL_TAG = b"guildmark/model/v1"
_MODE = 0o600


class NextStatus(StrEnum):
    """The statuses that a recipe can be given later."""

    TRIAL = "trial"
    QUALIFIED = "qualified"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class ChangeMissingError(UsageError):
    """A recipe supersedes another one without a kind of change, or the other way round."""

    code = "cli.changeMissing"
    hint = "Name both --supersedes and --change, or neither."


@app.command()
def publish(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="The recipe in JSON, without salts."),
    ],
    design: Annotated[
        DesignId, typer.Option(metavar="DESIGN", parser=design_id, help="The design's id.")
    ],
    revision: Annotated[
        int | None,
        typer.Option(min=1, max=UINT40_MAX, help="The revision's number; the newest by default."),
    ] = None,
    status: Annotated[
        FirstStatus, typer.Option(help="Nobody may build under a draft.")
    ] = FirstStatus.TRIAL,
    supersedes: Annotated[
        RecipeId | None,
        typer.Option(metavar="RECIPE", parser=recipe_id, help="The recipe that it takes over."),
    ] = None,
    change: Annotated[
        ChangeKind | None, typer.Option(help="What that means for who builds by the old one.")
    ] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Salt the clauses of a recipe and publish their root, as the design's owner; print its id."""
    if (supersedes is None) != (change is None):
        message = "A recipe that supersedes another one says what kind of change it is."
        raise ChangeMissingError(message)
    opened = enter_informed(home)
    recipes = opened.recipes(KeyName(account))
    document = drafted(recipes, file, supersedes=supersedes)
    if supersedes is not None and change is not None:
        compared = recipes.check_change(supersedes, document, Change[change.name])
        if not compared:
            note("This home does not hold the older recipe: the change is taken as you state it.")
    recipe = Recipe(
        root=document.root(),
        design=design,
        revision=revision or newest_revision(opened, design),
        supersedes=supersedes or NO_RECIPE,
        change=Change.NONE if change is None else Change[change.name],
    )
    published = recipes.publish(recipe, document, status=Status[status.name])
    answer: Answer = {
        "id": to_hex(published),
        "design": to_hex(design),
        "revision": recipe.revision,
        "status": status.value,
        "clauses": len(document.clauses),
        "supersedes": None if supersedes is None else to_hex(supersedes),
        "change": None if change is None else change.value,
    }
    say(answer, as_json=as_json, brief=to_hex(published))


@app.command("status")
def set_status(
    recipe: Annotated[
        RecipeId, typer.Argument(metavar="RECIPE", parser=recipe_id, help="The recipe's id.")
    ],
    status: Annotated[NextStatus, typer.Argument(help="A retired recipe stays retired.")],
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Give a recipe another status, as the design's owner; what was built before stays."""
    enter(home).recipes(KeyName(account)).set_status(recipe, Status[status.name])
    say({"id": to_hex(recipe), "status": status.value}, as_json=as_json)


@app.command()
def site(
    master: Annotated[
        RecipeId, typer.Argument(metavar="RECIPE", parser=recipe_id, help="The recipe's id.")
    ],
    site_id: Annotated[
        IdentityId, typer.Option("--site", metavar="SITE", parser=identity_id, help="The site.")
    ],
    settings: Annotated[
        Path,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="JSON with the chosen settings."
        ),
    ],
    model: Annotated[str, typer.Option(help="The machine's model; only its salted digest shows.")],
    name: Annotated[str | None, typer.Option(help="What people call the site's recipe.")] = None,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Derive a site's recipe with its chosen settings and publish it; print its id."""
    opened = enter(home)
    recipes = opened.recipes(KeyName(account))
    whole = recipes.document(master)
    chosen = read_settings(settings.read_bytes())
    choices: Mapping[str, str] = {setting.path: setting.value for setting in chosen}
    document = recipes.derive(whole, choices, name=name or f"{whole.name}, {model}")
    salt = opened.entropy.token(_SALT_SIZE)
    digest = sha256(_MODEL_TAG + salt + model.encode())
    published = recipes.publish_site_recipe(master, site_id, digest, document)
    _keep_model(opened, digest, model, salt)
    answer: Answer = {
        "id": to_hex(published),
        "recipe": to_hex(master),
        "site": to_hex(site_id),
        "model": to_hex(digest),
    }
    say(answer, as_json=as_json, brief=to_hex(published))


@app.command()
def show(
    recipe: Annotated[
        RecipeId,
        typer.Argument(metavar="RECIPE", parser=recipe_id, help="Of a recipe or a site recipe."),
    ],
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show a recipe or a site's one, and its clauses where this home knows them."""
    with enter_informed(home).store.reading() as view:
        answer = {**_registered(recipe, view), "clauses": _clauses(recipe, view)}
    say(answer, as_json=as_json)


def _keep_model(home: Home, digest: Digest, model: str, salt: bytes) -> None:
    """Keep what opens the digest of a machine's model."""
    folder = home.settings.documents
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    body = canonical({"model": model, "salt": to_hex(salt)})
    write_new(folder / f"model-{digest.hex()}.json", body, mode=_MODE)


def _registered(recipe: RecipeId, view: View) -> Answer:
    fact, own = view.facts.get(RecipeFact, recipe), view.facts.get(SiteRecipeFact, recipe)
    if fact is not None:
        return {
            "id": to_hex(recipe),
            "design": to_hex(fact.recipe.design),
            "revision": fact.recipe.revision,
            "status": Status(fact.status).name.lower(),
            "supersedes": _before(fact.recipe),
            "change": fact.recipe.change.name.lower(),
            "supersededBy": _after(fact, view),
            "at": Moment(fact.published_at),
        }
    if own is not None:
        return {
            "id": to_hex(recipe),
            "recipe": to_hex(own.recipe.master),
            "site": to_hex(own.recipe.site),
            "model": to_hex(own.recipe.model),
            "at": Moment(own.published_at),
        }
    message = f"No final block holds the recipe {to_hex(recipe)}."
    raise RecipeUnknownError(message, recipe=to_hex(recipe))


def _before(recipe: Recipe) -> str | None:
    return None if recipe.supersedes == NO_RECIPE else to_hex(recipe.supersedes)


def _after(fact: RecipeFact, view: View) -> str | None:
    recipes = view.facts.each(RecipeFact)
    return next((to_hex(one.id) for one in recipes if one.recipe.supersedes == fact.id), None)


def _clauses(recipe: RecipeId, view: View) -> list[Answer] | None:
    body = view.documents.get(DocumentKind.RECIPE_DOCUMENT, recipe)
    return None if body is None else [_clause(one) for one in RecipeDocument.parse(body).clauses]


def _clause(clause: Clause) -> Answer:
    return {
        "path": clause.path,
        "class": clause.klass.name.lower(),
        "value": clause.value,
        "min": clause.minimum,
        "max": clause.maximum,
        "unit": clause.unit,
    }
