"""What a disclosure keeps secret: tolerances are shown, process clauses withstand guessing."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from guildmark.domain.identifiers import ZERO32, Bytes32, Digest
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.recipes.clauses import Disclosure, clause_root, disclose


def salt(name: str) -> Bytes32:
    return Bytes32(hashlib.sha256(b"nobody knows " + name.encode()).digest())


def quantity(path: str, unit: str, value: str) -> Clause:
    return Clause(
        path=ClausePath(path),
        type=ClauseType.QUANTITY,
        klass=ClauseClass.CORE,
        salt=salt(path),
        value=value,
        unit=unit,
    )


RECIPE = (
    quantity("/process/layer_height", "mm", "0.18"),
    quantity("/process/nozzle_temperature", "Cel", "237"),
    quantity("/tolerance/bore", "mm", "22.20"),
)
SHOWN = (RECIPE[2].path,)


def unsalted(clauses: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """Return the control: the same recipe as a design without salts would publish it."""
    return tuple(replace(one, salt=ZERO32) for one in clauses)


def dictionary() -> Iterator[Clause]:
    """Yield what a rival tries: each layer in steps of 0.01 mm, each temperature of a nozzle.

    He knows paths, units and how values are written; a salt he can only take as absent.
    """
    for hundredths in range(5, 60):
        yield replace(RECIPE[0], value=f"{hundredths / 100:.2f}", salt=ZERO32)
    for degrees in range(180, 300):
        yield replace(RECIPE[1], value=str(degrees), salt=ZERO32)


def guessed(disclosure: Disclosure) -> list[str | None]:
    """Return the hidden values that the rival finds among the leaves that he sees."""
    leaves: set[Digest] = set(disclosure.leaves)
    return [guess.value for guess in dictionary() if guess.leaf_data() in leaves]


def test_the_attack_reads_every_secret_of_an_unsalted_recipe() -> None:
    shown = disclose(unsalted(RECIPE), SHOWN)

    assert shown.verify(clause_root(unsalted(RECIPE))).find("/process/layer_height") is None
    assert guessed(shown) == ["0.18", "237"]


def test_the_attack_reads_nothing_of_ours() -> None:
    shown = disclose(RECIPE, SHOWN)

    assert guessed(shown) == []


def test_even_one_shown_salt_opens_no_other_clause() -> None:
    known = RECIPE[2].salt
    leaves = set(disclose(RECIPE, SHOWN).leaves)

    assert not [one for one in dictionary() if replace(one, salt=known).leaf_data() in leaves]


@pytest.mark.parametrize("clause", RECIPE)
def test_each_clause_opens_alone(clause: Clause) -> None:
    shown = disclose(RECIPE, [clause.path]).verify(clause_root(RECIPE))

    assert list(shown.opened.values()) == [clause]
    assert str(clause.value) in str(disclose(RECIPE, [clause.path]).to_json())
    others = [one for one in RECIPE if one is not clause]
    assert not any(f"'{one.value}'" in str(shown) for one in others)
