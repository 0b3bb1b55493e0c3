"""When nothing can undo a block any more: a table by chain, and what an operator sets instead.

Sources: Ethereum's proof-of-stake specification (two epochs of 32 slots of 12 s); Gnosis Chain's
(16 slots of 5 s); OP Stack and Arbitrum documentation (an L2 block is final with the L1 block that
holds its batch); Polygon PoS (milestones); BEP-126 (BNB Smart Chain); Avalanche (at once).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.identifiers import ChainId

DEPTH_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalityRule:
    """When nothing can undo a block: the node says so, or it is that deep.

    Args:
        depth: How many blocks must follow; None asks the node for its ``finalized`` block.
    """

    depth: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finality:
    """A chain's finality, and how long it takes on a good day.

    Args:
        seconds: Between a block and its finality, at most, while nothing is wrong.
    """

    rule: FinalityRule = FinalityRule()
    seconds: int


_ETHEREUM = Finality(seconds=1_200)
_ROLLUP = Finality(seconds=3_600)

BY_CHAIN: Mapping[ChainId, Finality] = MappingProxyType(
    {
        ChainId(1): _ETHEREUM,
        ChainId(11_155_111): _ETHEREUM,
        ChainId(560_048): _ETHEREUM,
        ChainId(100): Finality(seconds=300),
        ChainId(10): _ROLLUP,
        ChainId(8_453): _ROLLUP,
        ChainId(42_161): _ROLLUP,
        ChainId(42_220): _ROLLUP,
        ChainId(137): Finality(seconds=120),
        ChainId(56): Finality(seconds=60),
        ChainId(43_114): Finality(rule=FinalityRule(depth=0), seconds=30),
    }
)
"""Chains whose finality is known by their own specifications."""

BY_CLASS: Mapping[ChainClass, Finality] = MappingProxyType(
    {
        # The keeper answers with its journal's head.
        ChainClass.LOCAL: Finality(seconds=60),
        # Final with their block (QBFT, IBFT 2.0); a node without the tag needs a depth set.
        ChainClass.CONSORTIUM: Finality(seconds=60),
        ChainClass.PUBLIC: _ROLLUP,
    }
)


def finality_of(chain: ChainId, kind: ChainClass, chosen: FinalityRule | None = None) -> Finality:
    """Return a chain's finality.

    Args:
        chain: Its id; of a chain that the table does not have the class decides.
        kind: Who can rewrite it. A local chain has a drawn id, which says nothing.
        chosen: What the operator set instead of the rule.
    """
    found = BY_CLASS[kind] if kind is ChainClass.LOCAL else BY_CHAIN.get(chain, BY_CLASS[kind])
    return found if chosen is None else Finality(rule=chosen, seconds=found.seconds)
