"""Finality by chain: the table, the class behind it, and what an operator chose."""

import pytest

from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.chain.finality import (
    BY_CHAIN,
    BY_CLASS,
    Finality,
    FinalityRule,
    finality_of,
)
from guildmark.domain.identifiers import ChainId


def test_known_chain_is_read_by_its_row() -> None:
    ethereum = finality_of(ChainId(1), ChainClass.PUBLIC)
    avalanche = finality_of(ChainId(43_114), ChainClass.PUBLIC)

    assert (ethereum.rule.depth, ethereum.seconds) == (None, 1_200)
    assert avalanche.rule.depth == 0


@pytest.mark.parametrize("kind", list(ChainClass))
def test_unknown_chain_is_read_by_its_class(kind: ChainClass) -> None:
    assert finality_of(ChainId(7), kind) == BY_CLASS[kind]


def test_local_chain_is_never_read_by_a_row() -> None:
    assert finality_of(ChainId(43_114), ChainClass.LOCAL) == BY_CLASS[ChainClass.LOCAL]


def test_what_the_operator_chose_stands_instead_of_the_rule() -> None:
    found = finality_of(ChainId(1), ChainClass.PUBLIC, FinalityRule(depth=64))

    assert found == Finality(rule=FinalityRule(depth=64), seconds=1_200)


def test_every_row_takes_some_time() -> None:
    assert all(one.seconds > 0 for one in (*BY_CHAIN.values(), *BY_CLASS.values()))
    assert set(BY_CLASS) == set(ChainClass)
