"""Cases for check (7): a recipe that asks to be approved."""

from dataclasses import replace
from typing import Any

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks
from fakes.cases.notices import doubt, on_controller
from fakes.keys import MemoryKeyStore
from fakes.simulator import BEGUN, GRANTED, ISSUER, LOGGED, REGISTERED, accreditation, text
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import recipes_domain
from guildmark.domain.identifiers import Address, RecipeId
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes import clauses
from guildmark.domain.recipes.approval import DESIGNER, Approval, SignedApproval, approval_digest
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.trust import Listed
from guildmark.domain.verification.evidence import Evidence
from guildmark.ports.keys import KeyName

PATH = "/qa/approval"
STANDARD = "ISO 9001"
APPROVER = sim.identity("approver")
ACCOUNT, DESIGNERS = KeyName("approver"), KeyName("designer")
KEYS = MemoryKeyStore(ACCOUNT, DESIGNERS)
ADDRESS = KEYS.address(ACCOUNT)
GIVEN = accreditation(ISSUER, APPROVER, ScopeDocument(standard=STANDARD, salt=sim.salt("approver")))


def ask(draft: Draft, standard: str = STANDARD) -> None:
    sim.ask(draft.simulator, text(PATH, ClauseClass.CORE, standard))


def sign(draft: Draft, key: KeyName = ACCOUNT, **said: Any) -> SignedApproval:
    """Return an approval of the simulator's recipe, signed by the approver's account."""
    pin = draft.simulator.pin
    default = Approval(
        recipe=RecipeId(draft.simulator.make_recipe().id()),
        approved_on=BEGUN,
        reason="report 7",
        approver=APPROVER,
        standard=STANDARD,
    )
    made = replace(default, **said)
    registry = pin.contracts[ContractName.RECIPES].address
    domain = recipes_domain(chain_id=pin.chain_id, contract=registry)
    signature = KEYS.sign_digest(key, approval_digest(made, domain))
    return SignedApproval(approval=made, signature=signature)


def approve(draft: Draft, *shown: SignedApproval) -> None:
    """Let the recipe ask, and the bundle show approvals; a good one by default."""
    ask(draft)
    speak(draft)
    draft.simulator.accreditations = (GIVEN,)
    draft.simulator.disclosed["approvals"] = shown or (sign(draft),)


def speak(draft: Draft, account: Address = ADDRESS) -> None:
    """Let an account speak for the approver."""
    draft.simulator.words[storage.IDENTITIES.at(APPROVER)] = sim.identity_word(
        IdentityKind.ORGANIZATION, controller=account
    )


@breaks(7, "approvalMissing", 23)
def approval_that_nobody_shows(draft: Draft) -> None:
    ask(draft)


@breaks(7, "approvalMissing", 23)
def approval_of_another_recipe(draft: Draft) -> None:
    approve(draft)
    other = RecipeId(sim.salt("other recipe"))
    draft.simulator.disclosed["approvals"] = (sign(draft, recipe=other),)


@breaks(7, "approvalMissing", 23)
def approval_under_another_standard(draft: Draft) -> None:
    approve(draft)
    draft.simulator.disclosed["approvals"] = (sign(draft, standard="ISO 13485"),)


@breaks(0, "contractMissing", 23)
def approval_for_a_chain_without_a_recipe_registry(draft: Draft) -> None:
    approve(draft)
    pin = draft.simulator.pin
    others = dict(pin.contracts)
    del others[ContractName.RECIPES]
    bare = draft.trust["chain"] = replace(pin, contracts=others)

    def tamper(evidence: Evidence) -> Evidence:
        return replace(evidence, chain=replace(evidence.chain, pin=bare))

    draft.tampers.append(tamper)


@breaks(7, "approvalMissing", 23)
def approval_of_the_designer_alone(draft: Draft) -> None:
    approve(draft)
    own = sign(draft, approver=DESIGNER, standard="")
    draft.simulator.disclosed["approvals"] = (own,)


@breaks(7, "approvalMissing", 23)
def approval_a_second_after_the_record(draft: Draft) -> None:
    approve(draft)
    draft.simulator.disclosed["approvals"] = (sign(draft, approved_on=LOGGED + 1),)


@breaks(7, "approvalMissing", 23)
def approval_by_an_account_that_speaks_for_nobody(draft: Draft) -> None:
    approve(draft)
    speak(draft, Address(b"\x77" * 20))


@breaks(7, "approvalMissing", 23)
def approval_whose_signature_is_none(draft: Draft) -> None:
    approve(draft)
    broken = replace(sign(draft), signature=bytes(65))
    draft.simulator.disclosed["approvals"] = (broken,)


@breaks(7, "approvalMissing", 23)
def approval_with_a_changed_reason(draft: Draft) -> None:
    approve(draft)
    good = sign(draft)
    changed = replace(good, approval=replace(good.approval, reason="report 8"))
    draft.simulator.disclosed["approvals"] = (changed,)


@breaks(7, "approvalMissing", 23)
def approval_by_the_account_that_owns_the_design(draft: Draft) -> None:
    approve(draft)
    draft.simulator.words[storage.DESIGN_OWNERS.at(sim.DESIGN, 0)] = int.from_bytes(ADDRESS, "big")


@breaks(7, "approvalMissing", 23)
def approval_by_a_site(draft: Draft) -> None:
    approve(draft)
    draft.simulator.words[storage.IDENTITIES.at(APPROVER)] = sim.identity_word(
        IdentityKind.SITE, controller=ADDRESS
    )


@breaks(7, "approvalMissing", 23)
def approval_whose_accreditation_was_revoked_before_the_record(draft: Draft) -> None:
    approve(draft)
    draft.simulator.words[storage.ACCREDITATIONS.at(GIVEN.id())] = sim.accreditation_word(
        REGISTERED, 0, LOGGED - 1
    )


@breaks(7, "proofMissing", 23)
def approval_whose_accreditation_is_not_proven(draft: Draft) -> None:
    approve(draft)
    draft.simulator.unproven.add(storage.ACCREDITATIONS.at(GIVEN.id()))


@breaks(7, "proofMissing", 23)
def approval_whose_approver_is_not_proven(draft: Draft) -> None:
    approve(draft)
    draft.simulator.unproven.add(storage.IDENTITIES.at(APPROVER))


@breaks(7, "controllerInDoubt", 23)
def approval_of_a_doubted_account(draft: Draft) -> None:
    approve(draft)
    doubt(draft, on_controller(APPROVER), LOGGED, BEGUN)


@breaks(6, "controllerUnderNotice", 18)
def license_granted_by_an_account_under_notice_in_the_approvers_name(draft: Draft) -> None:
    approve(draft)
    speak(draft, sim.OWNER)
    doubt(draft, on_controller(APPROVER), GRANTED, GRANTED)


@breaks(7, "approvalUnlisted", 16)
def approval_by_whom_a_stranger_accredited(draft: Draft) -> None:
    approve(draft)
    stranger = sim.identity("strange authority")
    given = accreditation(stranger, APPROVER, GIVEN.scope)
    draft.simulator.accreditations = (given,)
    draft.trust["issuers"] = (Listed(id=ISSUER),)


@breaks(7, "approvalUnread", 23)
def approval_in_an_unknown_form(draft: Draft) -> None:
    sim.ask(draft.simulator, text(f"{PATH}/second", ClauseClass.CORE, STANDARD))


@breaks(7, "approvalWithheld", 23)
def approval_clause_withheld(draft: Draft) -> None:
    approve(draft)
    # What stands around it is shown, so that nothing else can be hidden there.
    around = (text(path, ClauseClass.SITE, "x") for path in ("/qa/apple", "/qa/aqua"))
    sim.ask(draft.simulator, *around)
    shown, leaves = draft.simulator.make_disclosures().recipe, draft.simulator.master
    assert shown is not None
    opened = clauses.disclose(leaves, [leaf.path for leaf in leaves if leaf.path != PATH])
    draft.simulator.disclosed["recipe"] = replace(shown, clauses=opened)
