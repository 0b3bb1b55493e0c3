"""Licenses as they were on a date: replayed from the chain's events, never kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import Fact, Key
from guildmark.domain.errors import NotFoundError
from guildmark.ports.chain import Block, Ledger
from guildmark.services.index.projection import project

FactT = TypeVar("FactT", bound=Fact)

_BLOCKS_A_STEP = 1000


class BeforeChainError(NotFoundError):
    """The time is before the chain's first block."""

    code = "history.beforeChain"
    hint = "Name a time at which the chain was there."


@dataclass(slots=True)
class PastFacts:
    """Facts in memory, as they were at a block; fulfils ``FactWriter``."""

    _facts: dict[tuple[str, Key], Fact] = field(default_factory=dict)
    _cursor: Block | None = None

    def cursor(self) -> Block | None:
        """Return the block at which the facts were so."""
        return self._cursor

    def get(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return a fact, None where there was none."""
        return cast("FactT | None", self._facts.get((kind.__name__, key)))

    def floor(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact with the greatest key up to this one."""
        found = [fact for fact in self.each(kind, *key[:-1]) if fact.key <= key]
        return found[-1] if found else None

    def each(self, kind: type[FactT], *prefix: bytes | int) -> Sequence[FactT]:
        """Return the facts whose keys begin with the prefix, in order."""
        found = [
            cast("FactT", fact)
            for (name, key), fact in self._facts.items()
            if name == kind.__name__ and key[: len(prefix)] == prefix
        ]
        return sorted(found, key=lambda fact: fact.key)

    def put(self, *facts: Fact) -> None:
        """Keep facts instead of those under their keys."""
        for fact in facts:
            self._facts[type(fact).__name__, fact.key] = fact

    def move(self, cursor: Block) -> None:
        """Say at which block the facts were so."""
        self._cursor = cursor

    def forget(self) -> None:
        """Drop every fact."""
        self._facts.clear()
        self._cursor = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Use cases around what was."""

    ledger: Ledger

    def licenses(self, time: int) -> PastFacts:
        """Return licenses, lanes and payments as they were at a time.

        Raises:
            BeforeChainError: The chain began later.
            LedgerUnavailableError: The chain cannot be reached.
        """
        last = self._block_at(time)
        facts, block = PastFacts(), self.ledger.block(0)
        for first in range(0, last.number + 1, _BLOCKS_A_STEP):
            until = min(first + _BLOCKS_A_STEP - 1, last.number)
            for event in self.ledger.events(first, until):
                if event.contract is ContractName.LICENSES:
                    if event.block_number != block.number:
                        block = self.ledger.block(event.block_number)
                    project(event, block.time, facts)
        facts.move(last)
        return facts

    def _block_at(self, time: int) -> Block:
        """Return the last final block whose time is not after ``time``; block times ascend."""
        low, high = 0, self.ledger.head(final=True).number
        if self.ledger.block(0).time > time:
            message = f"The chain's first block is of {self.ledger.block(0).time}."
            raise BeforeChainError(message, time=time)
        while low < high:
            middle = (low + high + 1) // 2
            if self.ledger.block(middle).time <= time:
                low = middle
            else:
                high = middle - 1
        return self.ledger.block(low)
