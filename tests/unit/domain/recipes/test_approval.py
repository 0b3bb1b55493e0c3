"""Approvals: what is signed against eth_account's typed data, and files that hold them."""

from dataclasses import replace

import pytest
from eth_account.messages import encode_typed_data

from fakes.world import RECIPE
from guildmark.domain.chain.eip712 import recipes_domain
from guildmark.domain.encoding.fields import MemberUnknownError
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import Address, Bytes32, ChainId, DesignId, IdentityId, RecipeId
from guildmark.domain.recipes.approval import (
    APPROVALS_MAX,
    Approval,
    ApprovalMalformedError,
    KeptApprovals,
    Proposal,
    SignedApproval,
    approval_clause,
    approval_digest,
    asked_standard,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.recipes.recipe import Change, Recipe
from guildmark.domain.signatures import MalformedSignatureError

CONTRACT = Address(b"\x5a" * 20)
DOMAIN = recipes_domain(chain_id=ChainId(7), contract=CONTRACT)
SAID = Approval(
    recipe=RecipeId(sha256(b"recipe")),
    approved_on=1_800_000_000,
    reason="Prüfbericht 7",
    approver=IdentityId(sha256(b"org")),
    ruled=Change.REQUALIFY,
    standard="ISO 9001",
)
SIGNED = SignedApproval(approval=SAID, signature=b"\1" * 65)


def test_what_is_signed_is_the_typed_data_of_eth_account() -> None:
    kinds = ("bytes32", "bytes32", "uint8", "uint40", "string", "string")
    names = ("recipe", "approver", "ruled", "approvedOn", "standard", "reason")
    fields = [{"name": name, "type": kind} for name, kind in zip(names, kinds, strict=True)]

    theirs = encode_typed_data(
        domain_data={
            "name": "Guildmark Recipes",
            "version": "1",
            "chainId": 7,
            "verifyingContract": "0x" + CONTRACT.hex(),
        },
        message_types={"RecipeApproval": fields},
        message_data={
            "recipe": SAID.recipe,
            "approver": SAID.approver,
            "ruled": 3,
            "approvedOn": SAID.approved_on,
            "standard": SAID.standard,
            "reason": SAID.reason,
        },
    )

    digest = keccak256(b"\x19" + theirs.version + theirs.header + theirs.body)
    assert approval_digest(SAID, DOMAIN) == digest


def test_what_no_account_signed_has_no_signer() -> None:
    with pytest.raises(MalformedSignatureError):
        SIGNED.signer(DOMAIN)


@pytest.mark.parametrize(
    "members",
    [
        {"reason": ""},
        {"reason": "x" * 401},
        {"reason": "two\nlines"},
        {"standard": "x" * 401},
        {"standard": ""},
        {"approver": IdentityId(b"\0" * 32)},
        {"approved_on": -1},
        {"approved_on": 2**40},
    ],
)
def test_an_approval_says_who_why_when_and_under_which_standard(
    members: dict[str, object],
) -> None:
    replace(SAID, reason="x" * 400, standard="x" * 400, approved_on=0)
    replace(SAID, approved_on=2**40 - 1)
    with pytest.raises(ApprovalMalformedError):
        replace(SAID, **members)  # type: ignore[arg-type]  # of its members


def test_files_hold_all_of_it_and_nothing_else() -> None:
    recipe = Recipe(root=RECIPE.root(), design=DesignId(sha256(b"d")), revision=1)
    made = Proposal(recipe=recipe, name="B", clauses=RECIPE.clauses, approvals=(SIGNED,))

    assert SignedApproval.parse(SIGNED.encode()) == SIGNED
    assert Proposal.parse(made.encode()) == made
    assert KeptApprovals.parse(KeptApprovals(approvals=(SIGNED,)).encode()).approvals == (SIGNED,)
    assert KeptApprovals.parse(None).approvals == ()
    with pytest.raises(MemberUnknownError):
        SignedApproval.parse(SIGNED.encode().replace(b'"signature"', b'"more":1,"signature"'))


def test_a_proposal_holds_the_clauses_that_its_recipe_commits_to() -> None:
    recipe = Recipe(root=RECIPE.root(), design=DesignId(sha256(b"d")), revision=1)

    with pytest.raises(ApprovalMalformedError, match="not those"):
        Proposal(recipe=recipe, name="B", clauses=RECIPE.clauses[:1])


def approved(day: int, *, standard: str = "ISO 9001", reason: str = "x") -> SignedApproval:
    said = replace(SAID, approved_on=day, standard=standard, reason=reason)
    return SignedApproval(approval=said, signature=b"\1" * 65)


def test_who_approves_again_takes_back_no_agreement() -> None:
    less = approved(1)
    agreed = replace(less, approval=replace(less.approval, ruled=Change.NONE))
    plain = approved(2)

    kept = KeptApprovals(approvals=(agreed,)).joined(plain).joined(plain)

    assert kept.approvals == (agreed, plain)


def test_of_an_approver_under_a_standard_the_newest_stays() -> None:
    other = approved(1, standard="ISO 13485")
    kept = KeptApprovals(approvals=(approved(5), other))

    assert kept.joined(approved(4)).approvals == (other, approved(5))
    assert kept.joined(approved(6)).approvals == (other, approved(6))
    assert kept.joined(approved(5, reason="y")).approvals == (other, approved(5, reason="y"))


def test_kept_approvals_have_a_bound() -> None:
    many = [approved(1, standard=f"S {number}") for number in range(APPROVALS_MAX + 1)]
    full = KeptApprovals(approvals=tuple(many[:-1]))

    assert full.joined(many[-1]).approvals == tuple(many[1:])
    with pytest.raises(ApprovalMalformedError, match="More than 16 approvals"):
        KeptApprovals(approvals=tuple(many))


def asking(path: str = "/qa/approval", **members: object) -> Clause:
    said = {"type": ClauseType.TEXT, "klass": ClauseClass.CORE, "value": "ISO 9001"} | members
    return Clause(path=ClausePath(path), salt=Bytes32(bytes(32)), **said)  # type: ignore[arg-type]  # of its members


@pytest.mark.parametrize(
    ("clause", "standard"),
    [
        (asking(), "ISO 9001"),
        (asking(klass=ClauseClass.SITE), None),
        (asking(value=""), None),
        (asking("/qa/approval/second"), None),
        (asking(type=ClauseType.QUANTITY, value="1", unit="1"), None),
    ],
)
def test_a_core_text_says_what_the_approver_is_accredited_for(
    clause: Clause, standard: str | None
) -> None:
    assert approval_clause([asking("/qa/approvals"), clause]) == clause
    assert asked_standard(clause) == standard


def test_an_unknown_form_goes_first_and_others_ask_for_nothing() -> None:
    below = asking("/qa/approval/second")

    assert approval_clause([asking(), below]) == below
    assert approval_clause([asking("/qa/approvals"), asking("/qa/resolution")]) is None
