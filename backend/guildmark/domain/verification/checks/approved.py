"""Part of (7): who approved the recipe, where it asks to be approved.

That nobody approved it cannot be shown: what lacks is unknown, never failed.
"""

from collections.abc import Iterator, Sequence

from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import recipes_domain
from guildmark.domain.chain.storage import AccountWord, IdentityWord, RecipeWord
from guildmark.domain.identifiers import Address, to_hex
from guildmark.domain.identity.accreditation import Requirement, Standing, accredited_over
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes.approval import (
    APPROVAL,
    SignedApproval,
    approval_clause,
    asked_standard,
)
from guildmark.domain.signatures import MalformedSignatureError
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.checks.accreditation import (
    doubts_of,
    issuer_times,
    proven_accreditations,
)
from guildmark.domain.verification.checks.clauses import SHOWN_RECIPE, master_clauses
from guildmark.domain.verification.checks.members import Shown
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.naming import display_name
from guildmark.domain.verification.publishing import (
    published_findings,
    shown_epochs,
    tenures_at,
)
from guildmark.domain.verification.report import Cause, Finding, Lack, State
from guildmark.domain.verification.rights import Window

_SHOWN = "disclosed/approvals.json"

APPROVAL_MISSING = Cause(
    code="verify.approvalMissing",
    state=State.UNKNOWN,
    meaning="The recipe asks to be approved, and no shown approval counts.",
)
APPROVAL_UNLISTED = Cause(
    code="verify.approvalUnlisted",
    state=State.UNKNOWN,
    meaning="The last issuer of the approver's accreditation is not on your list.",
    lack=Lack.ISSUER,
)
APPROVAL_UNREAD = Cause(
    code="verify.approvalUnread",
    state=State.UNKNOWN,
    meaning="A clause asks for an approval in a form that this version does not know.",
)
APPROVAL_WITHHELD = Cause(
    code="verify.approvalWithheld",
    state=State.WITHHELD,
    meaning="The recipe may ask for an approval in a clause that is not shown.",
)

APPROVED_CAUSES = (APPROVAL_MISSING, APPROVAL_UNLISTED, APPROVAL_UNREAD, APPROVAL_WITHHELD)


def approved(case: Case) -> Iterator[Finding]:
    """Yield why no approval counts; nothing where one does, or the recipe asks for none."""
    clauses = Shown.of(master_clauses(case))
    if clauses.may_hide(APPROVAL):
        reason = "The recipe may ask for an approval that is not shown."
        yield APPROVAL_WITHHELD.found(reason, SHOWN_RECIPE)
    clause = approval_clause(clauses.by_path.values())
    standard = None if clause is None else asked_standard(clause)
    if clause is not None and standard is None:
        reason = f"The clause {clause.path} asks for an approval in an unknown form."
        yield APPROVAL_UNREAD.found(reason, SHOWN_RECIPE)
    if standard is not None:
        yield from _lacking(case, standard)


def approved_notes(case: Case) -> Iterator[str]:
    """Yield who approved the recipe, where it asks for it and an approval counts."""
    try:
        clause = approval_clause(master_clauses(case).opened.values())
    except UndecidedError:
        # The check says why.
        return
    standard = None if clause is None else asked_standard(clause)
    for one in case.disclosed.approvals:
        if standard and not lacks(case, one, standard):
            yield f"{display_name(case, one.approval.approver)} approved the recipe ({standard})."


def _lacking(case: Case, standard: str) -> Iterator[Finding]:
    judged = [lacks(case, one, standard) for one in case.disclosed.approvals]
    if not judged:
        reason = f"The recipe asks to be approved under {standard}; no approval is shown."
        yield APPROVAL_MISSING.found(reason, "disclosed")
    elif all(judged):
        for found in judged:
            yield from found[:1]


def lacks(case: Case, signed: SignedApproval, standard: str | None = None) -> Sequence[Finding]:
    """Return why an approval does not count; what is not proven of it speaks for it alone.

    Args:
        case: The part's case.
        signed: The approval.
        standard: What its approver must be accredited for, None where any standard will do.
    """
    try:
        return tuple(_against(case, signed, standard))
    except UndecidedError as undecided:
        return (undecided.finding,)


def _against(case: Case, signed: SignedApproval, standard: str | None) -> Iterator[Finding]:
    said = signed.approval
    who = "The designer" if said.is_designers else display_name(case, said.approver)
    if said.recipe != case.statement.external.recipe:
        yield APPROVAL_MISSING.found(f"{who} approved another recipe.", _SHOWN)
    elif standard is not None and said.standard != standard:
        reason = f"{who} approved under {said.standard or 'no standard'}, asked is {standard}."
        yield APPROVAL_MISSING.found(reason, _SHOWN)
    elif said.approved_on > case.window.end:
        reason = f"{who} approved at {said.approved_on}, after the part was logged."
        yield APPROVAL_MISSING.found(reason, _SHOWN)
    elif said.is_designers:
        yield from _signed_by_designer(case, signed)
    else:
        yield from _signed(case, signed, who)
        yield from _accredited(case, signed, who)
        act = "The recipe was approved"
        yield from act_findings(case, said.approver, said.approved_on, act, _SHOWN)


def _signed_by_designer(case: Case, signed: SignedApproval) -> Iterator[Finding]:
    """Yield why the designer's approval does not count.

    Whoever gave the design on gains nothing by an earlier time: he owned it, too, when the recipe
    was published.
    """
    said = signed.approval
    published = RecipeWord.decode(case.word(storage.RECIPES.at(said.recipe)))
    signer = _signer(case, signed)
    owners = tuple(tenures_at(case, max(said.approved_on, published.at)))
    if signer not in {one.account for one in owners}:
        reason = "The account that signed as the designer did not own the design then."
        yield APPROVAL_MISSING.found(reason, _SHOWN)
        return
    act = "The recipe was approved"
    yield from published_findings(case, said.approved_on, act, _SHOWN)


def _signed(case: Case, signed: SignedApproval, who: str) -> Iterator[Finding]:
    approver = signed.approval.approver
    word = IdentityWord.decode(case.word(storage.IDENTITIES.at(approver)))
    signer = _signer(case, signed)
    if word.kind != IdentityKind.ORGANIZATION:
        reason = f"The approver {to_hex(approver)} is no registered organization."
        yield APPROVAL_MISSING.found(reason, _SHOWN)
    elif signer is None or signer != word.controller:
        reason = f"The account that signed the approval does not speak for {who}."
        yield APPROVAL_MISSING.found(reason, _SHOWN)
    elif signer in tuple(_owners(case)):
        yield APPROVAL_MISSING.found("The designer alone approved the recipe.", _SHOWN)


def _signer(case: Case, signed: SignedApproval) -> Address | None:
    pin = case.pin
    registry = pin.contracts.get(ContractName.RECIPES)
    if registry is None:
        reason = "The pinned chain has no recipe registry."
        raise UndecidedError(APPROVAL_MISSING.found(reason, "chain/pin.json"))
    try:
        return signed.signer(recipes_domain(chain_id=pin.chain_id, contract=registry.address))
    except MalformedSignatureError:
        return None


def _owners(case: Case) -> Iterator[Address]:
    """Yield the accounts that owned the design, none where no license says so: (6) tells."""
    root = case.disclosed.root_license
    if root is not None:
        for epoch in shown_epochs(case, root):
            place = storage.DESIGN_OWNERS.at(root.terms.design, epoch)
            yield AccountWord.decode(case.word(place)).account


def _accredited(case: Case, signed: SignedApproval, who: str) -> Iterator[Finding]:
    said = signed.approval
    proven, unproven = proven_accreditations(case)
    answer = accredited_over(
        [said.approver],
        Requirement(standard=said.standard),
        Window(begin=said.approved_on, end=case.window.end),
        shown=[one for one in proven if not any(doubts_of(case, one))],
        roots=lambda issuer: issuer_times(case, issuer),
    )
    if not answer.is_held:
        cause = APPROVAL_UNLISTED if answer.standing is Standing.UNLISTED else APPROVAL_MISSING
        yield from unproven
        yield cause.found(f"{who} approved the recipe. {answer.reason}", _SHOWN)
