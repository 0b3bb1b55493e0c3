"""Whom a recall reaches, as far as a node's own log and index tell it."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.chain.facts import (
    KeyFact,
    LogFact,
    MachineKeyFact,
    PlanFact,
    RecallFact,
    RecipeFact,
    RecordFact,
    RecordStartFact,
    SitePlanFact,
    SiteRecipeFact,
)
from guildmark.domain.errors import UnknownPartError
from guildmark.domain.identifiers import Bytes32, Index, LogNumber, Seq
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.queue import Logged
from guildmark.domain.log.record import Record
from guildmark.domain.recall import RecallCause, Thing
from guildmark.ports.facts import Facts
from guildmark.ports.store import View
from guildmark.services.index.projection import known

Wanted: TypeAlias = Mapping[str, Sequence[bytes | int]]


class RecalledPartUnknownError(UnknownPartError):
    """This node's log has no such part: what recalls reach it cannot be told here."""

    code = "recall.partUnknown"
    hint = "Ask the node of the operator that logged the part, or verify the part's bundle."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many parts of a node's log a recall reaches.

    Args:
        parts: The count, None where only makers know it.
        is_most: Whether it may be fewer: the log does not tell them apart.
    """

    parts: int | None
    is_most: bool = False


def reach(fact: RecallFact, log: LogNumber, view: View) -> Reach:
    """Return how many parts of a log a recall reaches."""
    thing = fact.thing
    if thing.cause is RecallCause.LOT:
        # Entries commit to lots under salts.
        return Reach(parts=None)
    if thing.cause is RecallCause.SERIAL:
        logged = view.log.logged(log, thing.index) if thing.log == log else None
        return Reach(parts=int(logged is not None and logged.queued.entry.kind is EntryKind.BUILD))
    wanted, is_most = made_of(thing, view.facts)
    if not all(wanted.values()):
        return Reach(parts=0)
    seqs = _between(fact, log, view.facts)
    return Reach(parts=view.log.made(log, wanted, seqs), is_most=is_most)


def made_of(thing: Thing, facts: Facts) -> tuple[Wanted, bool]:
    """Return by what parts are found that a thing is common to, and whether others are, too."""
    match thing.cause:
        case RecallCause.MACHINE:
            return {"machine": [thing.id]}, False
        case RecallCause.KEY:
            key = facts.get(KeyFact, thing.id)
            if key is None:
                return {"machine": []}, False
            return {"machine": [key.machine]}, len(facts.each(MachineKeyFact, key.machine)) > 1
        case RecallCause.LOT:
            return {"maker": [thing.id]}, True
        case _:
            chosen = [one.id for one in facts.each(SiteRecipeFact) if _fits(one, thing, facts)]
            return {"site_recipe": chosen}, thing.cause is RecallCause.CERTIFICATE


def _fits(own: SiteRecipeFact, thing: Thing, facts: Facts) -> bool:
    common: Sequence[bytes]
    match thing.cause:
        case RecallCause.SITE_RECIPE:
            common = (own.id, thing.detail)
        case RecallCause.RECIPE:
            common = (own.recipe.master, thing.detail)
        case RecallCause.CERTIFICATE:
            plan = facts.get(PlanFact, thing.id)
            joined = plan is not None and plan.plan.recipe == own.recipe.master
            common = (thing.id if joined else b"", own.recipe.site)
        case _:
            master = facts.get(RecipeFact, own.recipe.master)
            common = (b"" if master is None else master.recipe.design, thing.detail)
    return tuple(common) == (thing.id, thing.detail)


def _between(fact: RecallFact, log: LogNumber, facts: Facts) -> range | None:
    """Return the records whose times are in a recall's window, None for all."""
    if not fact.since and not fact.until:
        return None
    head = facts.get(LogFact, log)
    seqs = range(0 if head is None else head.seq)

    def time_of(seq: int) -> int:
        return known(facts, RecordFact, log, Seq(seq)).record.time

    first = bisect_left(seqs, fact.since, key=time_of)
    end = bisect_left(seqs, fact.until, key=time_of) if fact.until else len(seqs)
    return range(first, end)


def recalls_of(log: LogNumber, index: Index, view: View) -> Sequence[RecallFact]:
    """Return the recalls, closed ones too, that reach a part of this node's log.

    Lots are left out: entries commit to them under salts.

    Raises:
        RecalledPartUnknownError: No final entry of this node's log is there.
    """
    things = list(things_of(log, index, view))
    record = record_at(log, index, view.facts)
    return [
        fact
        for thing in things
        for fact in view.facts.each(RecallFact, thing.key())
        if is_within(fact, record)
    ]


def things_of(log: LogNumber, index: Index, view: View) -> Iterator[Thing]:
    """Yield what a part of this node's log can be recalled by, lots left out.

    Raises:
        RecalledPartUnknownError: No final entry of a part is there.
    """
    logged = view.log.logged(log, index)
    if logged is None or not logged.queued.entry.kind.is_counted:
        message = f"This node's log has no part {log}.{index}."
        raise RecalledPartUnknownError(message, log=log, index=index)
    yield Thing.serial(log, index)
    yield from _common(logged, view.facts)


def record_at(log: LogNumber, index: Index, facts: Facts) -> Record | None:
    """Return the record that holds a position, None where no final block has one."""
    start = facts.floor(RecordStartFact, log, index)
    return None if start is None else known(facts, RecordFact, log, start.seq).record


def is_within(fact: RecallFact, record: Record | None) -> bool:
    """Return whether a record is there, and its parts are in a recall's window."""
    if record is None:
        return False
    return fact.since <= record.time and (not fact.until or record.time < fact.until)


def _common(logged: Logged, facts: Facts) -> Iterator[Thing]:
    """Yield what a part has in common with others, as far as a node knows it."""
    entry = logged.queued.entry
    yield Thing(cause=RecallCause.MACHINE, id=Bytes32(entry.machine))
    for signature in Envelope.parse(logged.queued.envelope).signatures:
        yield Thing(cause=RecallCause.KEY, id=Bytes32(signature.key))
    yield Thing(cause=RecallCause.SITE_RECIPE, id=Bytes32(entry.site_recipe))
    own = known(facts, SiteRecipeFact, entry.site_recipe).recipe
    yield Thing(cause=RecallCause.RECIPE, id=Bytes32(own.master))
    for joined in facts.each(SitePlanFact, own.master, own.site):
        yield Thing(
            cause=RecallCause.CERTIFICATE, id=Bytes32(joined.plan), detail=Bytes32(own.site)
        )
    design = known(facts, RecipeFact, own.master).recipe.design
    yield Thing(cause=RecallCause.DESIGN, id=Bytes32(design))
