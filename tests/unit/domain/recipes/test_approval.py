"""Approvals: what is signed against eth_account's typed data, and files that hold them."""

from dataclasses import replace

import pytest
from eth_account.messages import encode_typed_data

from fakes.world import RECIPE
from guildmark.domain.chain.eip712 import recipes_domain
from guildmark.domain.encoding.fields import MemberUnknownError
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import Address, ChainId, DesignId, IdentityId, RecipeId
from guildmark.domain.recipes.approval import (
    Approval,
    ApprovalMalformedError,
    KeptApprovals,
    Proposal,
    SignedApproval,
    approval_digest,
)
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
    ],
)
def test_an_approval_says_who_why_and_under_which_standard(members: dict[str, str]) -> None:
    replace(SAID, reason="x" * 400, standard="x" * 400)
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
