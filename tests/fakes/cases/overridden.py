"""Cases for check (7): a recipe that says that it changes less than its clauses do."""

from dataclasses import replace
from typing import Any

from fakes import simulator as sim
from fakes.cases.approved import APPROVER, DESIGNERS, GIVEN, KEYS, sign, speak
from fakes.cases.draft import Draft, breaks, other
from fakes.cases.notices import doubt, on_controller
from fakes.simulator import BEGUN, ISSUER, LOGGED, REGISTERED, accreditation, owner_word
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import RecipeId
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes import clauses
from guildmark.domain.recipes.approval import DESIGNER, SignedApproval
from guildmark.domain.recipes.clause import Clause, ClauseClass
from guildmark.domain.recipes.recipe import Change
from guildmark.domain.trust import Listed
from guildmark.domain.verification.evidence import FormerRecipeDisclosure

OWNER = KEYS.address(DESIGNERS)
CORE = "/process/infill"
SOLD = 1_700
"""When the design was given away, where a case does so."""


def altered(draft: Draft, path: str = CORE, **members: Any) -> tuple[Clause, ...]:
    """Return the simulator's clauses with one of them altered, under a salt of its own."""
    salt = sim.salt(f"former {path}")
    return tuple(
        replace(one, salt=salt, **members) if one.path == path else one
        for one in draft.simulator.master
    )


def understate(draft: Draft, change: Change = Change.MINOR) -> None:
    """Let a core clause be another than in the recipe before, and the recipe say less of it."""
    sim.supersede(draft.simulator, change, altered(draft, value="30"))
    own(draft)


def own(draft: Draft) -> None:
    """Let an account own the design that can sign here, and one speak for the approver."""
    words, organization = draft.simulator.words, IdentityKind.ORGANIZATION
    words[storage.DESIGN_OWNERS.at(sim.DESIGN, 0)] = owner_word(OWNER, REGISTERED)
    words[storage.IDENTITIES.at(sim.DESIGNER)] = sim.identity_word(organization, controller=OWNER)
    speak(draft)
    draft.simulator.accreditations = (GIVEN,)


def agreed(draft: Draft, **said: Any) -> tuple[SignedApproval, SignedApproval]:
    """Return what the designer and the approver sign about the recipe."""
    said = {"ruled": Change.REQUALIFY, **said}
    ours = sign(draft, DESIGNERS, **{**said, "approver": DESIGNER, "standard": ""})
    return ours, sign(draft, **said)


def override(draft: Draft, change: Change = Change.MINOR, **said: Any) -> None:
    """Let the recipe say less than its clauses, and two agree."""
    understate(draft, change)
    draft.simulator.disclosed["approvals"] = agreed(draft, **said)


def show_former(draft: Draft, *hidden: str) -> None:
    """Let some clauses of the recipe before be hidden."""
    shown: FormerRecipeDisclosure = draft.simulator.disclosed["former_recipe"]
    opened = {at: one for at, one in shown.clauses.opened.items() if one.path not in hidden}
    less = replace(shown, clauses=replace(shown.clauses, opened=opened))
    draft.simulator.disclosed["former_recipe"] = less


def hide(draft: Draft, *hidden: str) -> None:
    """Let some clauses of the recipe be hidden; the site's recipe shows them."""
    shown, leaves = draft.simulator.make_disclosures().recipe, draft.simulator.master
    assert shown is not None
    opened = clauses.disclose(leaves, [one.path for one in leaves if one.path not in hidden])
    draft.simulator.disclosed["recipe"] = replace(shown, clauses=opened)


@breaks(7, "overrideUnsigned", 23)
def core_clause_changed_though_the_change_is_said_to_be_minor(draft: Draft) -> None:
    understate(draft)


@breaks(7, "overrideUnsigned", 23)
def narrowed_window_though_the_change_is_said_to_be_editorial(draft: Draft) -> None:
    wider = altered(draft, "/process/layer_height", maximum="0.40")
    sim.supersede(draft.simulator, Change.EDITORIAL, wider)


@breaks(7, "overrideUnsigned", 23)
def override_that_the_designer_alone_signed(draft: Draft) -> None:
    override(draft)
    draft.simulator.disclosed["approvals"] = agreed(draft)[:1]


@breaks(7, "overrideUnsigned", 23)
def override_that_the_approver_alone_signed(draft: Draft) -> None:
    override(draft)
    draft.simulator.disclosed["approvals"] = agreed(draft)[1:]


@breaks(7, "overrideUnsigned", 23)
def override_signed_twice_by_one_key(draft: Draft) -> None:
    override(draft)
    speak(draft, OWNER)
    ours, _ = agreed(draft)
    theirs = sign(draft, DESIGNERS, ruled=Change.REQUALIFY)
    draft.simulator.disclosed["approvals"] = (ours, theirs)


@breaks(7, "overrideUnsigned", 23)
def override_signed_as_the_designer_by_the_approver(draft: Draft) -> None:
    override(draft)
    ours = sign(draft, approver=DESIGNER, standard="", ruled=Change.REQUALIFY)
    draft.simulator.disclosed["approvals"] = (ours, agreed(draft)[1])


@breaks(7, "overrideUnsigned", 23)
def override_by_an_approver_who_was_accredited_no_more(draft: Draft) -> None:
    override(draft)
    draft.simulator.words[storage.ACCREDITATIONS.at(GIVEN.id())] = sim.accreditation_word(
        REGISTERED, 0, LOGGED - 1
    )


@breaks(7, "overrideUnsigned", 23)
def override_by_an_approver_who_was_not_accredited_yet(draft: Draft) -> None:
    override(draft)
    draft.simulator.words[storage.ACCREDITATIONS.at(GIVEN.id())] = sim.accreditation_word(BEGUN + 1)


@breaks(7, "approvalUnlisted", 16)
def override_by_an_approver_whom_a_stranger_accredited(draft: Draft) -> None:
    override(draft)
    given = accreditation(sim.identity("strange authority"), APPROVER, GIVEN.scope)
    draft.simulator.accreditations = (given,)
    draft.trust["issuers"] = (Listed(id=ISSUER),)


@breaks(7, "overrideUnsigned", 23)
def override_signed_for_another_step(draft: Draft) -> None:
    override(draft, recipe=RecipeId(other("another step")))


@breaks(7, "overrideUnsigned", 23)
def override_signed_for_a_smaller_change_than_it_is(draft: Draft) -> None:
    override(draft, Change.EDITORIAL, ruled=Change.MINOR)


@breaks(7, "overrideUnsigned", 23)
def override_signed_a_second_after_the_record(draft: Draft) -> None:
    override(draft, approved_on=LOGGED + 1)


@breaks(7, "overrideUnsigned", 23)
def override_by_who_gave_the_design_away_before_it_was_published(draft: Draft) -> None:
    override(draft, approved_on=REGISTERED)
    words = draft.simulator.words
    words[storage.DESIGN_OWNERS.at(sim.DESIGN, 1)] = owner_word(sim.OWNER, sim.PUBLISHED - 1)


@breaks(7, "overrideUnsigned", 23)
def override_of_a_design_whose_owner_nobody_shows(draft: Draft) -> None:
    override(draft)
    words = draft.simulator.words
    # The license was granted by the owner of the next epoch, and nobody shows the one before.
    draft.simulator.terms["design_epoch"] = 1
    words[storage.DESIGN_OWNERS.at(sim.DESIGN, 1)] = owner_word(sim.OWNER, SOLD)


@breaks(7, "proofMissing", 23)
def override_by_an_approver_who_is_not_proven(draft: Draft) -> None:
    override(draft)
    draft.simulator.unproven.add(storage.IDENTITIES.at(APPROVER))


@breaks(7, "controllerInDoubt", 23)
def override_by_a_doubted_approver(draft: Draft) -> None:
    override(draft)
    doubt(draft, on_controller(APPROVER), LOGGED, BEGUN)


@breaks(7, "formerRecipeMissing", 23)
def small_change_of_a_recipe_that_is_not_shown(draft: Draft) -> None:
    understate(draft)
    draft.simulator.disclosed["former_recipe"] = None


@breaks(7, "formerRecipeMissing", 23)
def small_change_of_a_hidden_recipe_that_two_call_minor(draft: Draft) -> None:
    override(draft, Change.EDITORIAL, ruled=Change.MINOR)
    draft.simulator.disclosed["former_recipe"] = None


@breaks(7, "formerRecipeMismatch", 15)
def small_change_of_another_recipe(draft: Draft) -> None:
    understate(draft)
    shown: FormerRecipeDisclosure = draft.simulator.disclosed["former_recipe"]
    changed = replace(shown, recipe=replace(shown.recipe, revision=2))
    draft.simulator.disclosed["former_recipe"] = changed


@breaks(7, "clausesInvalid", 15)
def small_change_of_clauses_that_the_recipe_before_did_not_have(draft: Draft) -> None:
    understate(draft)
    shown: FormerRecipeDisclosure = draft.simulator.disclosed["former_recipe"]
    changed = replace(shown, clauses=clauses.disclose_all(draft.simulator.master))
    draft.simulator.disclosed["former_recipe"] = changed


@breaks(7, "changeWithheld", 23)
def changed_clause_of_the_recipe_before_withheld(draft: Draft) -> None:
    understate(draft)
    show_former(draft, CORE)


@breaks(7, "changeWithheld", 23)
def changed_clause_withheld_that_two_call_minor(draft: Draft) -> None:
    override(draft, Change.EDITORIAL, ruled=Change.MINOR)
    show_former(draft, CORE)


@breaks(7, "changeWithheld", 23)
def new_clause_withheld(draft: Draft) -> None:
    sim.ask(draft.simulator, sim.text("/material/hue", ClauseClass.CORE, "RAL 9005"))
    less = tuple(one for one in draft.simulator.master if one.path != "/material/hue")
    sim.supersede(draft.simulator, Change.MINOR, less)
    hide(draft, "/material/hue")
