"""Recipes and site recipes: ids against eth_abi, documents, and what a site may choose."""

from itertools import count

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.fields import MemberInvalidError
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import Bytes32, DesignId, Digest, IdentityId, RecipeId
from guildmark.domain.recipes import recipe as re
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType, NewSalt
from guildmark.domain.recipes.clauses import (
    ClauseUnknownError,
    DisclosedClauses,
    MalformedClauseTreeError,
    clause_root,
    compare,
    disclose_all,
)
from guildmark.domain.recipes.quantity import MalformedDecimalError

WORDS = st.binary(min_size=32, max_size=32)


@given(st.tuples(*[WORDS] * 4), st.integers(0, 2**40 - 1), st.sampled_from(re.Change))
def test_recipe_id_is_keccak_of_domain_and_struct(
    ids: tuple[bytes, bytes, bytes, bytes], revision: int, change: re.Change
) -> None:
    recipe = re.Recipe(
        root=Digest(ids[0]),
        design=DesignId(ids[1]),
        revision=revision,
        supersedes=RecipeId(ids[2]),
        change=change,
        plan=Digest(ids[3]),
    )

    layout = ["bytes32", "(bytes32,bytes32,uint40,bytes32,uint8,bytes32)"]
    struct = (ids[0], ids[1], revision, ids[2], int(change), ids[3])
    theirs = encode(layout, [keccak256(b"guildmark/recipe/v1"), struct])
    assert bytes(recipe.id()) == keccak256(theirs)


@given(st.tuples(*[WORDS] * 4))
def test_site_recipe_id_is_keccak_of_domain_and_struct(
    ids: tuple[bytes, bytes, bytes, bytes],
) -> None:
    recipe = re.SiteRecipe(
        master=RecipeId(ids[0]),
        site=IdentityId(ids[1]),
        model=Digest(ids[2]),
        root=Digest(ids[3]),
    )

    layout = ["bytes32", "(bytes32,bytes32,bytes32,bytes32)"]
    theirs = encode(layout, [keccak256(b"guildmark/site-recipe/v1"), ids])
    assert bytes(recipe.id()) == keccak256(theirs)


def new_salts() -> NewSalt:
    numbers = count(1000)
    return lambda: Bytes32(next(numbers).to_bytes(32, "big"))


def quantity(path: str, klass: ClauseClass, value: str | None, *bounds: str) -> Clause:
    minimum, maximum = bounds or (None, None)
    return Clause(
        path=ClausePath(path),
        type=ClauseType.QUANTITY,
        klass=klass,
        salt=Bytes32(sha256(path.encode())),
        value=value,
        minimum=minimum,
        maximum=maximum,
        unit="mm",
    )


MASTER = re.RecipeDocument(
    name="Bracket in PA12",
    clauses=(
        quantity("/process/custom", ClauseClass.CUSTOM, None, "1", "9"),
        quantity("/process/layer_height", ClauseClass.WINDOW, "0.2", "0.1", "0.3"),
        quantity("/process/nozzle", ClauseClass.SITE, None),
        quantity("/tolerance/bore", ClauseClass.CORE, "8", "7.9", "8.1"),
    ),
)


def test_recipe_documents_are_read_back() -> None:
    assert re.RecipeDocument.parse(MASTER.encode()) == MASTER
    assert MASTER.root() == clause_root(MASTER.clauses)


def test_a_site_derives_its_recipe_and_keeps_all_that_it_did_not_choose() -> None:
    choices = {"/process/layer_height": "0.1", "/process/nozzle": "0.4"}

    site = MASTER.derive(choices, name="Bracket in Oslo", new_salt=new_salts())

    assert site.clauses[0] is MASTER.clauses[0]
    assert site.clauses[3] is MASTER.clauses[3]
    assert [one.value for one in site.clauses[1:3]] == ["0.1", "0.4"]
    assert len({one.salt for one in (*site.clauses, *MASTER.clauses)}) == 6
    assert compare(opened(MASTER), opened(site)) is None


def opened(document: re.RecipeDocument) -> DisclosedClauses:
    return disclose_all(document.clauses).verify(document.root())


def test_a_site_that_chooses_nothing_has_the_master_s_root() -> None:
    assert MASTER.derive({}, name="Same", new_salt=new_salts()).root() == MASTER.root()


def test_a_value_that_a_core_clause_admits_is_no_choice() -> None:
    recorded = MASTER.derive({"/tolerance/bore": "8"}, name="Same", new_salt=new_salts())

    assert recorded.root() == MASTER.root()


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        ({"/process/layer_height": "0.31"}, re.WindowExceededError),
        ({"/process/layer_height": "0.09"}, re.WindowExceededError),
        ({"/process/layer_height": "thin"}, MalformedDecimalError),
        ({"/process/nozzle": "wide"}, MalformedDecimalError),
        ({"/tolerance/bore": "9"}, re.ChoiceForbiddenError),
        ({"/process/custom": "2"}, re.ChoiceForbiddenError),
        ({"/process/speed": "2"}, ClauseUnknownError),
    ],
)
def test_choices_that_are_not_the_site_s_are_refused(
    choices: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        MASTER.derive(choices, name="x", new_salt=new_salts())


def test_a_choice_outside_the_window_is_named_with_the_window() -> None:
    with pytest.raises(re.WindowExceededError) as caught:
        MASTER.derive({"/process/layer_height": "0.5"}, name="x", new_salt=new_salts())

    assert caught.value.detail == {
        "path": "/process/layer_height",
        "found": "0.5",
        "min": "0.1",
        "max": "0.3",
    }


def test_recipes_without_clauses_or_with_unknown_groups_are_refused() -> None:
    with pytest.raises(MalformedClauseTreeError):
        re.RecipeDocument(name="x", clauses=())
    with pytest.raises(re.MalformedRecipeError) as caught:
        re.RecipeDocument(name="x", clauses=(quantity("/terms/x", ClauseClass.SITE, None),))
    assert caught.value.detail == {"path": "/terms/x"}


def test_documents_of_another_type_are_refused() -> None:
    with pytest.raises(MemberInvalidError):
        re.RecipeDocument.parse(MASTER.encode().replace(b"recipe/v1", b"recipe/v2"))
