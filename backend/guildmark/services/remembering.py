"""Facts that are asked for once: for as long as one transaction looks at one state."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from guildmark.domain.chain.facts import Fact
from guildmark.ports import Block, Facts

FactT = TypeVar("FactT", bound=Fact)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedFacts:
    """The index as one transaction sees it, each question asked once; fulfils ``Facts``.

    Args:
        facts: The index; it must not change meanwhile.
    """

    facts: Facts
    _answers: dict[Hashable, Any] = field(default_factory=dict)

    def cursor(self) -> Block | None:
        """Return the block up to which all events were read."""
        return self._once("cursor", self.facts.cursor)

    def get(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact under a key."""
        return self._once(("get", kind, key), lambda: self.facts.get(kind, *key))

    def floor(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact with the greatest key up to ``key`` that shares all but its last part."""
        return self._once(("floor", kind, key), lambda: self.facts.floor(kind, *key))

    def each(self, kind: type[FactT], *prefix: bytes | int) -> Sequence[FactT]:
        """Return the facts whose keys begin with ``prefix``, in order."""
        return self._once(("each", kind, prefix), lambda: self.facts.each(kind, *prefix))

    def _once(self, question: Hashable, ask: Callable[[], T]) -> T:
        if question not in self._answers:
            self._answers[question] = ask()
        answer: T = self._answers[question]
        return answer
