"""What recalls hold back: no keys go out for what is recalled, or held back by hand."""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.domain.chain.facts import RecallFact
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.recall import RecallCause, Thing
from guildmark.domain.trust import Trust
from guildmark.ports import Clock, Facts, NodeStore, RecallHook

# An id is a hash: it names one thing of one of these kinds.
_CAUSES = (RecallCause.DESIGN, RecallCause.RECIPE, RecallCause.MACHINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Answers for this node's operator and for the registry; fulfils ``RecallHook``.

    Args:
        blocking: What the operator holds back by hand.
        trust: Whose authorities' recalls count beside the owners'.
    """

    blocking: RecallHook
    store: NodeStore
    clock: Clock
    trust: Trust

    def reason(self, *things: bytes) -> str | None:
        """Return why one of these is held back or recalled, None for none."""
        held = self.blocking.reason(*things)
        if held is not None:
            return held
        with self.store.reading() as view:
            found = next(self._recalls(things, view.facts), None)
        if found is None:
            return None
        cause = found.thing.cause.name.lower()
        by = "its owner" if found.is_owners else f"the authority {to_hex(found.by)}"
        return f"{cause} {found.thing.text()} is recalled by {by} (recall {found.number})."

    def _recalls(self, things: tuple[bytes, ...], facts: Facts) -> Iterator[RecallFact]:
        now = self.clock.now()
        for thing in (Thing(cause=each, id=Bytes32(one)) for one in things for each in _CAUSES):
            for fact in facts.each(RecallFact, thing.key()):
                if fact.reaches(now) and self._counts(fact):
                    yield fact

    def _counts(self, fact: RecallFact) -> bool:
        return fact.is_owners or self.trust.lists_authority(fact.by, fact.at)
