"""(7) The site's recipe keeps core and windows, and the recorded settings lie inside it."""

from collections.abc import Iterator, Sequence

from guildmark.domain.builds.predicate import Setting, all_json
from guildmark.domain.builds.statement import SETTINGS_DEPENDENCY
from guildmark.domain.builds.values import Recorded
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IntervalWord, RecipeWord, StepWord
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest, to_hex
from guildmark.domain.recipes.clauses import Deviation, DisclosedClauses, violations
from guildmark.domain.recipes.recipe import PROCESS, Status, unrecorded
from guildmark.domain.verification.case import (
    ENVELOPE,
    Case,
    Right,
    UndecidedError,
)
from guildmark.domain.verification.checks.approved import APPROVED_CAUSES, approved
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.clauses import (
    SHOWN_RECIPE,
    SHOWN_SITE_RECIPE,
    master_clauses,
    shown_recipe,
    shown_site_recipe,
    site_clauses,
)
from guildmark.domain.verification.checks.members import Shown
from guildmark.domain.verification.checks.overridden import OVERRIDDEN_CAUSES, overridden
from guildmark.domain.verification.checks.values import (
    SETTING_CLOSED,
    SHOWN_SETTINGS,
    closed_words,
    settings_of,
)
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.publishing import published_findings
from guildmark.domain.verification.report import Cause, Finding, State
from guildmark.domain.verification.rights import Cover, cover

_IN_FORCE = {Status.TRIAL, Status.QUALIFIED}

SITE_RECIPE_MISMATCH = Cause(
    code="verify.siteRecipeMismatch",
    state=State.FAIL,
    meaning="Statement, log entry and the shown site recipe are not of one and the same.",
)
SITE_RECIPE_OF_OTHER_SITE = Cause(
    code="verify.siteRecipeOfOtherSite",
    state=State.FAIL,
    meaning="The site recipe is another site's than the machine's.",
)
MASTER_MISMATCH = Cause(
    code="verify.masterMismatch",
    state=State.FAIL,
    meaning="The site recipe follows another recipe than the statement names.",
)
RECIPE_MISMATCH = Cause(
    code="verify.recipeMismatch",
    state=State.FAIL,
    meaning="The shown recipe is not the one that the statement names.",
)
RECIPE_UNREGISTERED = Cause(
    code="verify.recipeUnregistered",
    state=State.FAIL,
    meaning="Nobody published the recipe on this chain.",
)
RECIPE_NOT_IN_FORCE = Cause(
    code="verify.recipeNotInForce",
    state=State.FAIL,
    meaning="The recipe was neither on trial nor qualified while the part was built.",
)
RECIPE_IN_FORCE_PARTLY = Cause(
    code="verify.recipeInForcePartly",
    state=State.UNKNOWN,
    meaning="The recipe was in force only a part of the time between beacon and record.",
)
STEPS_MISSING = Cause(
    code="verify.stepsMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show all steps of the recipe's status.",
)
SITE_RECIPE_UNREGISTERED = Cause(
    code="verify.siteRecipeUnregistered",
    state=State.FAIL,
    meaning="Nobody published the site recipe on this chain.",
)
SITE_RECIPE_LATER = Cause(
    code="verify.siteRecipeLater",
    state=State.FAIL,
    meaning="The site recipe was published after the part was logged.",
)
SITE_RECIPE_MEANWHILE = Cause(
    code="verify.siteRecipeMeanwhile",
    state=State.UNKNOWN,
    meaning="The site recipe was published between beacon and record: perhaps after the build.",
)
CLAUSE_CHANGED = Cause(
    code="verify.clauseChanged",
    state=State.FAIL,
    meaning="The site recipe changes a clause that it must keep, or leaves a window.",
)
CLAUSE_WITHHELD = Cause(
    code="verify.clauseWithheld",
    state=State.WITHHELD,
    meaning="The site recipe changes a clause that is not shown.",
)
SETTING_OUTSIDE = Cause(
    code="verify.settingOutside",
    state=State.FAIL,
    meaning="A recorded setting lies outside the site recipe.",
)
SETTING_WITHHELD = Cause(
    code="verify.settingWithheld",
    state=State.WITHHELD,
    meaning=(
        "A clause that bounds a recorded setting, or that asks for one, may be among those that "
        "are not shown."
    ),
)
SETTING_MISSING = Cause(
    code="verify.settingMissing",
    state=State.FAIL,
    meaning="The statement records settings, but none for a process clause that asks for one.",
)
SETTINGS_NOT_RECORDED = Cause(
    code="verify.settingsNotRecorded",
    state=State.NOT_CLAIMED,
    meaning="The recipe has process clauses, and the statement records no setting.",
)
SETTINGS_MISMATCH = Cause(
    code="verify.settingsMismatch",
    state=State.FAIL,
    meaning="The recorded settings are not the job file's.",
)


def _stated(case: Case) -> Iterator[Finding]:
    stated, shown = case.statement.external.site_recipe, shown_site_recipe(case).recipe
    if case.core.entry.site_recipe != stated:
        reason = "The log entry names another site recipe than the statement."
        yield SITE_RECIPE_MISMATCH.found(reason, "log/entry.json")
    if shown.id() != stated:
        reason = "The shown site recipe is not the one that the statement names."
        yield SITE_RECIPE_MISMATCH.found(reason, SHOWN_SITE_RECIPE)
    if shown.site != case.statement.run.site:
        reason = f"The site recipe belongs to site {to_hex(shown.site)}, not to the machine's."
        yield SITE_RECIPE_OF_OTHER_SITE.found(reason, SHOWN_SITE_RECIPE)


def _master(case: Case) -> Iterator[Finding]:
    stated = case.statement.external.recipe
    if shown_recipe(case).recipe.id() != stated:
        reason = "The shown recipe is not the one that the statement names."
        yield RECIPE_MISMATCH.found(reason, SHOWN_RECIPE)
    if shown_site_recipe(case).recipe.master != stated:
        reason = "The site recipe follows another recipe than the statement names."
        yield MASTER_MISMATCH.found(reason, SHOWN_SITE_RECIPE)


def _recipe_in_force(case: Case) -> Iterator[Finding]:
    shown = shown_recipe(case)
    recipe = shown.recipe.id()
    published = RecipeWord.decode(case.word(storage.RECIPES.at(recipe)))
    if published.at == 0:
        yield RECIPE_UNREGISTERED.found(f"Nobody published recipe {to_hex(recipe)}.", SHOWN_RECIPE)
        return
    if published.steps > shown.steps:
        reason = f"The recipe's status has {published.steps} steps, {shown.steps} are shown."
        raise UndecidedError(STEPS_MISSING.found(reason, SHOWN_RECIPE))
    numbers = range(1, published.steps + 1)
    steps = [StepWord.decode(case.word(storage.STEPS.at(recipe, number))) for number in numbers]
    right = Right(
        what="The recipe's status trial or qualified",
        evidence=SHOWN_RECIPE,
        none=RECIPE_NOT_IN_FORCE,
        part=RECIPE_IN_FORCE_PARTLY,
    )
    intervals = list(_times_in_force(steps))
    yield from right.findings(intervals, case.window)
    # The first step is of the block that published it.
    begun = {one.since for one in intervals if cover([one], case.window) is not Cover.NONE}
    for at in sorted(begun | {published.at}):
        act = "The recipe was published, or its status set"
        yield from published_findings(case, at, act, SHOWN_RECIPE)


def _times_in_force(steps: Sequence[StepWord]) -> Iterator[IntervalWord]:
    ends = [*(step.at for step in steps[1:]), 0]
    for step, end in zip(steps, ends, strict=False):
        if step.status in _IN_FORCE:
            yield IntervalWord(since=step.at, until=end)


def _site_recipe_registered(case: Case) -> Iterator[Finding]:
    site_recipe = shown_site_recipe(case).recipe.id()
    at = case.word(storage.SITE_RECIPES.at(site_recipe))
    if at == 0:
        reason = f"Nobody published site recipe {to_hex(site_recipe)}."
        yield SITE_RECIPE_UNREGISTERED.found(reason, SHOWN_SITE_RECIPE)
        return
    right = Right(
        what="The registration of the site recipe",
        evidence=SHOWN_SITE_RECIPE,
        none=SITE_RECIPE_LATER,
        part=SITE_RECIPE_MEANWHILE,
    )
    yield from right.findings([IntervalWord(since=at, until=0)], case.window)
    site = case.statement.run.site
    yield from act_findings(case, site, at, "The site recipe was published", SHOWN_SITE_RECIPE)


def _keeps_clauses(case: Case) -> Iterator[Finding]:
    master, site = master_clauses(case), site_clauses(case)
    for violation in violations(master, site):
        place = violation.path or f"leaf {violation.leaf}"
        if violation.deviation is Deviation.WITHHELD:
            reason = f"The site recipe changes {place}, which is not shown."
            yield CLAUSE_WITHHELD.found(reason, SHOWN_SITE_RECIPE)
        else:
            reason = (
                f"The site recipe departs from the recipe at {place}: {violation.deviation.value}."
            )
            yield CLAUSE_CHANGED.found(reason, SHOWN_SITE_RECIPE)
            return


def _settings_inside(case: Case) -> Iterator[Finding]:
    settings, clauses = settings_of(case), site_clauses(case)
    if settings.is_none and clauses.below(PROCESS):
        yield SETTINGS_NOT_RECORDED.found("The statement records no setting.", ENVELOPE)
    shown = Shown.of(clauses)
    for setting in settings.values:
        yield from _setting_inside(setting, shown)
    if not settings.is_none:
        yield from _settings_missing(settings, clauses)
    if shown.may_hide(PROCESS):
        reason = "The site recipe may ask for settings by process clauses that are not shown."
        yield SETTING_WITHHELD.found(reason, SHOWN_SITE_RECIPE)


def _settings_missing(settings: Recorded[Setting], clauses: DisclosedClauses) -> Iterator[Finding]:
    for path in unrecorded(clauses, settings.values):
        if settings.may_hide(path):
            continue
        reason = f"The statement records no setting for {path}, which the site recipe asks for."
        yield SETTING_MISSING.found(reason, ENVELOPE)


def _setting_inside(setting: Setting, shown: Shown) -> Iterator[Finding]:
    clause = shown.by_path.get(setting.path)
    if clause is None and shown.may_hide(setting.path):
        reason = f"The clause that bounds the setting {setting.path} may be withheld."
        yield SETTING_WITHHELD.found(reason, SHOWN_SITE_RECIPE)
    elif clause is None or not clause.admits(setting.value, setting.unit):
        value = setting.value if setting.unit is None else f"{setting.value} {setting.unit}"
        reason = f"The setting {setting.path} was {value}, which the site recipe does not admit."
        yield SETTING_OUTSIDE.found(reason, ENVELOPE)


def _settings_closed(case: Case) -> Iterator[Finding]:
    settings = settings_of(case)
    if not settings.is_complete:
        yield SETTING_CLOSED.found(closed_words("settings", settings), SHOWN_SETTINGS)


def _settings_of_job(case: Case) -> Iterator[Finding]:
    committed = case.statement.resource(SETTINGS_DEPENDENCY)
    if committed not in {None, settings_digest(case.statement.settings)}:
        yield SETTINGS_MISMATCH.found("The recorded settings are not the job file's.", ENVELOPE)


def settings_digest(settings: Sequence[Setting]) -> Digest:
    """Return the digest by which a statement commits to the settings of its job file.

    SHA-256 of the RFC 8785 text of the list, as the statement shows it.
    """
    return sha256(canonical(all_json(settings)))


RECIPE = Check(
    number=7,
    name="recipe and settings",
    asks="The site's recipe keeps the recipe, the recorded settings lie inside it, the recipe is "
    "approved where it asks to be, and two agreed where it says that it changes less than it does.",
    looked_at="disclosed/site-recipe.json",
    causes=(
        SITE_RECIPE_MISMATCH,
        SITE_RECIPE_OF_OTHER_SITE,
        MASTER_MISMATCH,
        RECIPE_MISMATCH,
        RECIPE_UNREGISTERED,
        RECIPE_NOT_IN_FORCE,
        RECIPE_IN_FORCE_PARTLY,
        STEPS_MISSING,
        SITE_RECIPE_UNREGISTERED,
        SITE_RECIPE_LATER,
        SITE_RECIPE_MEANWHILE,
        CLAUSE_CHANGED,
        CLAUSE_WITHHELD,
        SETTING_OUTSIDE,
        SETTING_WITHHELD,
        SETTING_CLOSED,
        SETTING_MISSING,
        SETTINGS_NOT_RECORDED,
        SETTINGS_MISMATCH,
        *APPROVED_CAUSES,
        *OVERRIDDEN_CAUSES,
    ),
    rules=(
        _stated,
        _master,
        _recipe_in_force,
        _site_recipe_registered,
        _keeps_clauses,
        _settings_inside,
        _settings_closed,
        _settings_of_job,
        approved,
        overridden,
    ),
)
