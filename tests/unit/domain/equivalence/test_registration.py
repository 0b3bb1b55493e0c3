"""What the chain keeps of an equivalence: ids as Solidity computes them, and what a recipe asks."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.equivalence.registration import (
    ASKED,
    DATA_DOMAIN,
    PLAN_DOMAIN,
    SITES_MAX,
    Outcome,
    Registration,
    RegistrationError,
    blind,
    covered_by,
    is_asked,
)
from guildmark.domain.equivalence.verdict import Verdict
from guildmark.domain.identifiers import (
    Bytes32,
    DesignId,
    Digest,
    EquivalencePlanId,
    IdentityId,
    RecipeId,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.recipes.recipe import NO_RECIPE, Change, Recipe

SITE = IdentityId(sha256(b"site"))
PLAN = Registration(
    recipe=RecipeId(sha256(b"recipe")),
    sponsor=IdentityId(sha256(b"sponsor")),
    evaluator=IdentityId(sha256(b"evaluator")),
    document=sha256(b"document"),
    commit_by=5,
    reveal_by=6,
    sites=(SITE, IdentityId(sha256(b"reference"))),
)


def test_a_plans_id_is_that_of_the_contract() -> None:
    struct = "(bytes32,bytes32,bytes32,bytes32,uint40,uint40,bytes32[])"
    values = (
        *(PLAN.recipe, PLAN.sponsor, PLAN.evaluator, PLAN.document),
        *(5, 6, list(PLAN.sites)),
    )

    assert bytes(PLAN.id()) == keccak256(encode(["bytes32", struct], [PLAN_DOMAIN, values]))


def test_a_blind_root_is_that_of_the_contract() -> None:
    plan, root, salt = EquivalencePlanId(sha256(b"p")), sha256(b"r"), Bytes32(sha256(b"s"))

    words = [DATA_DOMAIN, plan, SITE, root, salt]
    assert blind(plan, SITE, root, salt) == keccak256(encode(["bytes32"] * 5, words))


@pytest.mark.parametrize(
    "change",
    [{"sites": ()}, {"sites": (SITE,) * (SITES_MAX + 1)}, {"commit_by": 0}, {"commit_by": 6}],
)
def test_a_registration_that_no_contract_takes_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(RegistrationError):
        replace(PLAN, **change)  # type: ignore[arg-type]  # the members are of the parameters


def test_a_registration_names_up_to_64_sites() -> None:
    assert len(replace(PLAN, sites=(SITE,) * SITES_MAX).sites) == 64


def test_the_chain_has_a_number_for_each_verdict() -> None:
    assert [Outcome.of(verdict) for verdict in Verdict] == [1, 3, 2, 4]


def clause(
    path: str = ASKED, value: str = "required", klass: ClauseClass = ClauseClass.CORE
) -> Clause:
    return Clause(
        path=ClausePath(path),
        type=ClauseType.TEXT,
        klass=klass,
        salt=Bytes32(sha256(path.encode())),
        value=value,
    )


@pytest.mark.parametrize(
    ("clauses", "found"),
    [
        ((), False),
        ((clause("/qa/equivalences"),), False),
        ((clause("/qa/inspection"), clause()), True),
        ((clause(value="perhaps"),), None),
        ((clause(klass=ClauseClass.SITE),), None),
        ((clause(f"{ASKED}/part"),), None),
        ((clause(), clause(f"{ASKED}/part")), None),
    ],
)
def test_one_core_clause_asks_for_equivalence(
    clauses: tuple[Clause, ...], found: bool | None
) -> None:
    assert is_asked(clauses) is found


@pytest.mark.parametrize("change", list(Change))
def test_certificates_speak_for_what_changed_little(change: Change) -> None:
    before = NO_RECIPE if change is Change.NONE else RecipeId(sha256(b"before"))
    recipe = Recipe(
        root=Digest(sha256(b"root")),
        design=DesignId(sha256(b"design")),
        revision=1,
        supersedes=before,
        change=change,
    )

    small = change in {Change.EDITORIAL, Change.MINOR}
    assert covered_by(recipe) == ((recipe.id(), before) if small else (recipe.id(),))
