"""Recalls as they are read: which of them, in what order, and why they were issued."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.facts import RecallFact
from guildmark.domain.chain.refusals import RecallUnknownError
from guildmark.domain.identifiers import Bytes32, Digest, Index, LogNumber
from guildmark.domain.recall import RecallCause, RecallId, Thing
from guildmark.domain.recall_reason import RecallReason
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, Documents, View
from guildmark.services.recalls.reaching import recalls_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which recalls are asked for; None, and 0, ask for all.

    Args:
        issuer: An identity or, with twelve zero bytes in front, an account.
        since: Issued or closed at that block time, or later.
        few: No more than the newest so many that one issuer has of one thing in one list.
    """

    cause: RecallCause | None = None
    thing: Thing | None = None
    part: tuple[LogNumber, Index] | None = None
    issuer: Bytes32 | None = None
    is_open: bool | None = None
    since: int = 0
    few: int = 0

    def admits(self, fact: RecallFact) -> bool:
        """Return whether a recall is asked for, whatever part it reaches."""
        has_state = self.is_open is None or self.is_open != bool(fact.closed_at)
        has_cause = self.cause in {None, fact.thing.cause}
        has_issuer = self.issuer in {None, fact.issuer}
        is_of_thing = self.thing in {None, fact.thing}
        is_recent = max(fact.at, fact.closed_at) >= self.since
        return has_state and has_cause and has_issuer and is_of_thing and is_recent


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some recalls, the newest first, and after which one the next page begins.

    Args:
        after: None where this page is the last one.
    """

    recalls: tuple[RecallFact, ...]
    after: RecallId | None


def listed(asked: Asked, view: View, *, most: int, after: RecallId | None = None) -> Page:
    """Return a page of recalls, the newest first.

    Raises:
        RecalledPartUnknownError: This node's log has no such part.
        RecallUnknownError: No final block holds the recall that the page shall follow.
    """
    found = sorted(filter(asked.admits, _all(asked, view)), key=_newest_first)
    if asked.few:
        found = [*_fewest(found, asked.few)]
    if after is not None:
        place = _newest_first(recall_of(after, view.facts))
        found = [fact for fact in found if _newest_first(fact) > place]
    more = len(found) > most
    return Page(recalls=tuple(found[:most]), after=found[most - 1].id if more else None)


def recall_of(wanted: RecallId, facts: Facts) -> RecallFact:
    """Return a recall.

    Raises:
        RecallUnknownError: No final block holds it.
    """
    fact = facts.get(RecallFact, wanted.key, wanted.by, wanted.number)
    if fact is None:
        message = f"No final block holds the recall {wanted.text()}."
        raise RecallUnknownError(message, recall=wanted.text())
    return fact


def shown_reason(digest: Digest, documents: Documents) -> str | None:
    """Return the text behind a digest, None where nobody published it here."""
    body = documents.get(DocumentKind.RECALL_REASON, digest)
    return None if body is None else RecallReason.parse(body).text


def _all(asked: Asked, view: View) -> Sequence[RecallFact]:
    if asked.part is not None:
        return recalls_of(*asked.part, view)
    if asked.thing is not None:
        return view.facts.each(RecallFact, asked.thing.key())
    return view.facts.each(RecallFact)


def group_of(fact: RecallFact) -> tuple[bytes, bytes, bytes]:
    """Return what recalls have in common that one issuer has of one thing in one list."""
    return (fact.thing.key(), fact.by, fact.issuer)


def _fewest(found: Sequence[RecallFact], few: int) -> Iterator[RecallFact]:
    taken = Counter[tuple[bytes, bytes, bytes]]()
    for fact in found:
        taken[group_of(fact)] += 1
        if taken[group_of(fact)] <= few:
            yield fact


def _newest_first(fact: RecallFact) -> tuple[int, bytes, bytes, int]:
    return (-fact.at, fact.thing.key(), fact.by, -fact.number)
