"""What recalls hold back: no keys go out for what is recalled, or held back by hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import NO_DIGEST, RecallFact
from guildmark.domain.errors import UncheckableError
from guildmark.domain.identifiers import ZERO32, Bytes32, IdentityId, to_hex
from guildmark.domain.recall import OWNERS, RecallCause, RecallId, Thing
from guildmark.domain.trust import Trust
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.clock import Clock
from guildmark.ports.facts import Facts
from guildmark.ports.peers import RecallHook
from guildmark.ports.store import NodeStore

# An id is a hash: it names one thing of one of these kinds.
_CAUSES = (RecallCause.DESIGN, RecallCause.RECIPE, RecallCause.MACHINE)

UNREAD_MAX = 64
"""How many recalls are read of the chain, beyond those of the index, before one release."""

_LAST = 2**40 - 1


class RecallsUnreadError(UncheckableError):
    """The chain has more new recalls of the things than are read of it for one release."""

    code = "release.recallsUnread"
    hint = "Ask again when the node's index has caught up; `guildmark doctor` says how far it is."


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Answers for this node's operator and for the registry; fulfils ``RecallHook``.

    A recall counts as soon as a block has it: it is bad news, and waits for nothing. That it is
    closed counts when that is final.

    Args:
        blocking: What the operator holds back by hand.
        ledger: Tells what is recalled at the newest block.
        trust: Whose authorities' recalls count beside the owners'.
    """

    blocking: RecallHook
    ledger: Ledger
    store: NodeStore
    clock: Clock
    trust: Trust

    def reason(self, *things: bytes) -> str | None:
        """Return why one of these is held back or recalled, None for none.

        Raises:
            LedgerUnavailableError: The chain cannot be asked.
            RecallsUnreadError: The chain has too many recalls that the index does not have.
        """
        held = self.blocking.reason(*things)
        if held is not None:
            return held
        named = [Thing(cause=each, id=Bytes32(one)) for one in things for each in _CAUSES]
        with self.store.reading() as view:
            final = next(self._final(named, view.facts), None)
            counts = _counts(named, self._lists(), view.facts)
        if final is not None:
            return f"{_told(final)}."
        included = next(self._included(counts), None)
        return None if included is None else f"{_told(included)}, which is not final yet."

    def _final(self, things: Sequence[Thing], facts: Facts) -> Iterator[RecallFact]:
        now = self.clock.now()
        for thing in things:
            for fact in facts.each(RecallFact, thing.key()):
                if fact.reaches(now) and self._listed(fact):
                    yield fact

    def _included(self, counts: Mapping[tuple[Thing, IdentityId], int]) -> Iterator[RecallFact]:
        """Yield the recalls of the newest block that the index does not have yet."""
        now = self.clock.now()
        calls = [_call("recallCount", thing.key(), by) for thing, by in counts]
        unread = [
            (thing, RecallId(key=thing.key(), by=by, number=number))
            for ((thing, by), known), count in zip(
                counts.items(), self.ledger.read_all(calls), strict=True
            )
            for number in range(known + 1, min(count, known + UNREAD_MAX + 1) + 1)
        ]
        read = unread[:UNREAD_MAX]
        structs = self.ledger.read_all(
            [_call("recallOf", one.key, one.by, one.number) for _, one in read]
        )
        for (thing, wanted), struct in zip(read, structs, strict=True):
            fact = _fact(thing, wanted, struct)
            if fact.reaches(now) and self._listed(fact):
                yield fact
        if len(unread) > UNREAD_MAX:
            message = f"The chain has more than {UNREAD_MAX} new recalls that are not read yet."
            raise RecallsUnreadError(message, limit=UNREAD_MAX)

    def _lists(self) -> Sequence[IdentityId]:
        return (OWNERS, *dict.fromkeys(one.id for one in self.trust.authorities))

    def _listed(self, fact: RecallFact) -> bool:
        return fact.is_owners or self.trust.lists_authority(fact.by, fact.at)


def _counts(
    things: Sequence[Thing], lists: Sequence[IdentityId], facts: Facts
) -> Mapping[tuple[Thing, IdentityId], int]:
    newest = {
        (thing, by): facts.floor(RecallFact, thing.key(), by, _LAST)
        for thing in things
        for by in lists
    }
    return {place: 0 if fact is None else fact.number for place, fact in newest.items()}


def _call(function: str, *args: object) -> Call:
    return Call(contract=ContractName.RECALLS, function=function, args=args)


def _fact(thing: Thing, wanted: RecallId, struct: Mapping[str, Any]) -> RecallFact:
    """Return a recall as the newest block has it, open until the index says otherwise."""
    return RecallFact(
        thing=thing,
        by=wanted.by,
        number=wanted.number,
        issuer=Bytes32(ZERO32),
        at=struct["at"],
        since=struct["from"],
        until=struct["to"],
        severity=struct["severity"],
        reason=NO_DIGEST,
    )


def _told(fact: RecallFact) -> str:
    cause = fact.thing.cause.name.lower()
    by = "its owner" if fact.is_owners else f"the authority {to_hex(fact.by)}"
    return f"{cause} {fact.thing.text()} is recalled by {by} (recall {fact.number})"
