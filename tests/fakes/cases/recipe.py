"""Cases for check (7): recipe and settings."""

from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import Change, Draft, breaks, other, relicense
from fakes.simulator import (
    BEGUN,
    LOGGED,
)
from guildmark.domain.builds.predicate import Resource, Setting
from guildmark.domain.chain import storage
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    RecipeId,
    SiteRecipeId,
    to_hex,
)
from guildmark.domain.recipes import clauses
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.recipe import Status

OTHER_SITE_RECIPE = SiteRecipeId(other("site recipe"))


@breaks(7, "siteRecipeMissing", 23)
def site_recipe_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["site_recipe"] = None


@breaks(7, "recipeMissing", 23)
def recipe_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["recipe"] = None


@breaks(7, "siteRecipeMismatch", 15)
def entry_of_another_site_recipe(draft: Draft) -> None:
    draft.simulator.entry["site_recipe"] = OTHER_SITE_RECIPE


@breaks(7, "siteRecipeMismatch", 15)
def statement_of_another_site_recipe(draft: Draft) -> None:
    draft.simulator.external["site_recipe"] = OTHER_SITE_RECIPE


@breaks(7, "siteRecipeOfOtherSite", 15)
def site_recipe_of_another_site(draft: Draft) -> None:
    draft.simulator.site_recipe["site"] = sim.identity("other site")


@breaks(7, "recipeMismatch", 15)
def statement_of_another_recipe(draft: Draft) -> None:
    stated = RecipeId(other("recipe"))
    draft.simulator.external["recipe"] = stated
    draft.simulator.site_recipe["master"] = stated
    relicense(draft, RECIPE=to_hex(stated))


@breaks(7, "masterMismatch", 15)
def site_recipe_of_another_master(draft: Draft) -> None:
    draft.simulator.site_recipe["master"] = RecipeId(other("recipe"))


def recipe_word(at: int, steps: int) -> Change:
    def change(draft: Draft) -> None:
        recipe = storage.RECIPES.at(draft.simulator.make_recipe().id())
        draft.simulator.words[recipe] = at | steps << 40

    return change


def step(number: int, status: Status, at: int) -> Change:
    def change(draft: Draft) -> None:
        recipe = draft.simulator.make_recipe().id()
        draft.simulator.words[storage.STEPS.at(recipe, number)] = sim.step_word(status, at)

    return change


@breaks(7, "recipeUnregistered", 15)
def recipe_that_nobody_published(draft: Draft) -> None:
    recipe_word(0, 0)(draft)


@breaks(7, "stepsMissing", 23)
def newest_step_not_shown(draft: Draft) -> None:
    recipe_word(1_100, 3)(draft)


@breaks(7, "recipeNotInForce", 15)
def recipe_retired_before_the_beacon(draft: Draft) -> None:
    step(2, Status.RETIRED, BEGUN)(draft)


@breaks(7, "recipeNotInForce", 15)
def recipe_is_a_draft(draft: Draft) -> None:
    step(1, Status.DRAFT, 1_100)(draft)
    step(2, Status.QUALIFIED, LOGGED + 1)(draft)


@breaks(7, "recipeInForcePartly", 23)
def recipe_suspended_meanwhile(draft: Draft) -> None:
    step(2, Status.SUSPENDED, LOGGED)(draft)


def site_recipe_at(at: int) -> Change:
    def change(draft: Draft) -> None:
        location = storage.SITE_RECIPES.at(draft.simulator.make_site_recipe().id())
        draft.simulator.words[location] = at

    return change


@breaks(7, "siteRecipeUnregistered", 15)
def site_recipe_that_nobody_published(draft: Draft) -> None:
    site_recipe_at(0)(draft)


@breaks(7, "siteRecipeLater", 15)
def site_recipe_published_after_the_record(draft: Draft) -> None:
    site_recipe_at(LOGGED + 1)(draft)


@breaks(7, "siteRecipeMeanwhile", 23)
def site_recipe_published_after_the_beacon(draft: Draft) -> None:
    site_recipe_at(BEGUN + 1)(draft)


@breaks(7, "clausesInvalid", 15)
def clauses_of_another_recipe(draft: Draft) -> None:
    shown = draft.simulator.make_disclosures().site_recipe
    assert shown is not None
    changed = replace(shown, clauses=sim.show_all(sim.MASTER))
    draft.simulator.disclosed["site_recipe"] = changed


def own_clause(draft: Draft, path: str, value: str) -> None:
    leaves = draft.simulator.own
    draft.simulator.own = tuple(
        replace(leaf, value=value, minimum=None, maximum=None) if leaf.path == path else leaf
        for leaf in leaves
    )


@breaks(7, "clauseChanged", 15)
def core_clause_changed(draft: Draft) -> None:
    own_clause(draft, "/process/infill", "39")
    infill = Setting(path=ClausePath("/process/infill"), value="39", unit="%")
    draft.simulator.statement["settings"] = (infill,)


@breaks(7, "clauseChanged", 15)
def window_left(draft: Draft) -> None:
    own_clause(draft, "/process/layer_height", "0.31")
    height = Setting(path=ClausePath("/process/layer_height"), value="0.31", unit="mm")
    draft.simulator.statement["settings"] = (height,)


@breaks(7, "clauseChanged", 15)
def clause_left_out(draft: Draft) -> None:
    draft.simulator.own = draft.simulator.own[1:]


@breaks(7, "clauseWithheld", 23)
def changed_clause_withheld(draft: Draft) -> None:
    infill = Setting(path=ClausePath("/process/infill"), value="40", unit="%")
    draft.simulator.statement["settings"] = (infill,)
    hide_clause(draft, "/process/layer_height")


def hide_clause(draft: Draft, *paths: str) -> None:
    """Open all clauses of the site recipe but those of ``paths``."""
    shown, leaves = draft.simulator.make_disclosures().site_recipe, draft.simulator.own
    assert shown is not None
    opened = clauses.disclose(leaves, [leaf.path for leaf in leaves if leaf.path not in paths])
    draft.simulator.disclosed["site_recipe"] = replace(shown, clauses=opened)


@breaks(7, "settingOutside", 15)
def setting_outside_its_window(draft: Draft) -> None:
    setting = Setting(path=ClausePath("/process/layer_height"), value="0.21", unit="mm")
    draft.simulator.statement["settings"] = (setting,)


@breaks(7, "settingOutside", 15)
def setting_that_the_recipe_does_not_know(draft: Draft) -> None:
    setting = Setting(path=ClausePath("/process/speed"), value="fast")
    draft.simulator.statement["settings"] = (setting,)


@breaks(7, "settingWithheld", 23)
def clause_of_a_setting_withheld(draft: Draft) -> None:
    hide_clause(draft, "/process/infill")


def record(draft: Draft, *settings: Setting) -> None:
    draft.simulator.statement["settings"] = settings


@breaks(7, "settingMissing", 15)
def setting_of_a_core_clause_left_out(draft: Draft) -> None:
    record(draft, Setting(path=ClausePath("/process/layer_height"), value="0.20", unit="mm"))


@breaks(7, "settingMissing", 15)
def setting_of_a_window_left_out(draft: Draft) -> None:
    record(draft, Setting(path=ClausePath("/process/infill"), value="40", unit="%"))


@breaks(7, "settingWithheld", 23)
def clause_of_a_missing_setting_withheld(draft: Draft) -> None:
    record(draft, Setting(path=ClausePath("/process/layer_height"), value="0.20", unit="mm"))
    hide_clause(draft, "/process/infill")


@breaks(7, "settingWithheld", 23)
def all_process_clauses_withheld_and_no_setting_recorded(draft: Draft) -> None:
    record(draft)
    draft.simulator.own = draft.simulator.master
    hide_clause(draft, "/process/infill", "/process/layer_height")


@breaks(7, "settingsNotRecorded", 10)
def no_setting_recorded(draft: Draft) -> None:
    draft.simulator.statement["settings"] = ()


@breaks(7, "settingsMismatch", 15)
def settings_of_another_job_file(draft: Draft) -> None:
    design = Resource(name="design", digest=sha256(b"ciphertext"))
    settings = Resource(name="settings", digest=other("settings"))
    draft.simulator.statement["resolved"] = (design, settings)
