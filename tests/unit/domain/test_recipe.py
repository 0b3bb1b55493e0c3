"""Ids of recipes and site recipes against eth_abi."""

from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain import recipe as re
from guildmark.domain.hashing import keccak256
from guildmark.domain.identifiers import DesignId, Digest, IdentityId, RecipeId

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
