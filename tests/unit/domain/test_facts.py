"""What the index keeps: every class of facts is on the list of them."""

import inspect

import pytest

from guildmark.domain.chain import facts
from guildmark.domain.chain.facts import RecipeFact
from guildmark.domain.identifiers import ZERO32, DesignId, Digest, RecipeId
from guildmark.domain.recipes.recipe import Change, Recipe


def test_every_class_of_facts_is_listed() -> None:
    classes = [
        kind
        for name, kind in inspect.getmembers(facts, inspect.isclass)
        if name.endswith("Fact") and kind is not facts.Fact
    ]

    assert set(facts.KINDS) == set(classes)
    assert len(facts.KINDS) == len(classes)


@pytest.mark.parametrize(
    ("time", "expected"),
    [(9, (20, 30)), (10, (10, 20, 30)), (19, (10, 20, 30)), (20, (20, 30)), (31, (30,))],
)
def test_a_recipes_steps_since_a_time_begin_with_the_one_that_held(
    time: int, expected: tuple[int, ...]
) -> None:
    recipe = Recipe(
        root=Digest(ZERO32),
        design=DesignId(ZERO32),
        revision=1,
        supersedes=RecipeId(ZERO32),
        change=Change.REQUALIFY,
        plan=Digest(ZERO32),
    )
    fact = RecipeFact(id=recipe.id(), recipe=recipe, published_at=10, status=1, changed_at=(20, 30))

    assert fact.steps_since(time) == expected
    assert fact.steps == 3
