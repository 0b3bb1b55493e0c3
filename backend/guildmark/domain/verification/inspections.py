"""Inspections by others than the maker: which count, and which part they keep out of doubt."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from guildmark.domain import storage
from guildmark.domain.dsse import Envelope
from guildmark.domain.entry import Entry
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import IdentityId, Index, LogNumber
from guildmark.domain.identity import IdentityKind, key_id
from guildmark.domain.inspection import Inspection, Result
from guildmark.domain.merkle import verify_inclusion
from guildmark.domain.record import Record
from guildmark.domain.storage import IdentityWord, IntervalWord, KeyWord
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.doubts import Weight, of_act, of_key
from guildmark.domain.verification.evidence import InspectionDisclosure, LinkDisclosure
from guildmark.domain.verification.rights import Cover, Window, cover


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A shown inspection, and why it does not count.

    Args:
        inspector: Who inspected, None where it cannot be read.
        time: When it was on record, by its own record.
        lack: Why it does not count, empty where it does.
    """

    place: tuple[LogNumber, Index]
    time: int
    inspector: IdentityId | None = None
    result: Result | None = None
    lack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """An inspection that can be read."""

    shown: InspectionDisclosure
    envelope: Envelope
    said: Inspection
    entry: Entry

    @property
    def record(self) -> Record:
        return self.shown.proof.record

    @property
    def time(self) -> int:
        return self.record.time


_Rule: TypeAlias = Callable[[Case, _Opened], Iterator[str]]


def inspected(case: Case) -> Sequence[Inspected]:
    """Return all shown inspections, the oldest first, each with why it does not count."""
    found = [_inspected(case, shown) for shown in case.disclosed.inspections]
    return sorted(found, key=lambda one: (one.time, one.place))


def confirmation(case: Case, before: int) -> Inspected | None:
    """Return the inspection by which the part stands although its key is doubted.

    It passed, it was on record before ``before``, and its inspector took it back at no time.
    """
    counting = [one for one in inspected(case) if not one.lack]
    for at, one in enumerate(counting):
        taken_back = any(
            later.inspector == one.inspector and later.result is Result.FAILED
            for later in counting[at + 1 :]
        )
        if one.result is Result.PASSED and one.time < before and not taken_back:
            return one
    return None


def _inspected(case: Case, shown: InspectionDisclosure) -> Inspected:
    record = shown.proof.record
    place, time = (record.log, record.index_of(shown.proof.position)), record.time
    try:
        envelope, said, entry = shown.proof.opened()
    except GuildmarkError as error:
        return Inspected(place=place, time=time, lack=f"it cannot be read: {error.message}")
    opened = _Opened(shown=shown, envelope=envelope, said=said, entry=entry)
    return Inspected(
        place=place,
        time=time,
        inspector=said.inspector,
        result=said.result,
        lack=_lack(case, opened),
    )


def _lack(case: Case, opened: _Opened) -> str:
    try:
        return next((lack for rule in _RULES for lack in rule(case, opened)), "")
    except UndecidedError as undecided:
        return undecided.finding.reason


def _about_this_build(case: Case, opened: _Opened) -> Iterator[str]:
    entry = case.core.entry
    if (opened.said.subject, opened.said.envelope) != (entry.subject, entry.envelope):
        yield "it is about another build."


def _of_another_organization(case: Case, opened: _Opened) -> Iterator[str]:
    if opened.said.inspector == case.core.entry.maker:
        yield "the maker made it."


def _by_a_listed_inspector(case: Case, opened: _Opened) -> Iterator[str]:
    trust = case.trust
    if trust is None or not trust.lists_inspector(opened.said.inspector, opened.time):
        yield "its inspector is not on your list."


def _signed(_: Case, opened: _Opened) -> Iterator[str]:
    key = opened.shown.key
    if key is None:
        yield "the key that signed it is not shown."
        return
    try:
        opened.envelope.verify({key_id(opened.said.machine, key): key.verify})
    except GuildmarkError:
        yield "its signature does not hold."


def _on_record(case: Case, opened: _Opened) -> Iterator[str]:
    proof, record = opened.shown.proof, opened.record
    if opened.said.log != record.log:
        yield "it stands in another log than it names."
    try:
        verify_inclusion(
            data=opened.entry.leaf_data(proof.salt),
            index=proof.position,
            count=record.count,
            path=proof.path,
            root=record.root,
        )
    except GuildmarkError:
        yield "it does not stand at its place in the record."
    found = case.word(storage.RECORDS.at(record.log, record.seq))
    if found != int.from_bytes(record.digest(), "big"):
        yield "its record is not on chain."
    if case.word(storage.FATES.at(record.log, record.index_of(proof.position))):
        yield "its entry is void."


def _by_a_sound_key(case: Case, opened: _Opened) -> Iterator[str]:
    machine, key, time = opened.said.machine, opened.shown.key, opened.time
    # A key that is not shown is said above.
    if key is None:
        return
    name = key_id(machine, key)
    word = KeyWord.decode(case.word(storage.KEYS.at(name)))
    if not _holds([IntervalWord(since=word.since, until=word.until)], time):
        yield "the key that signed it was not in force."
    if any(doubt.weight(time) is not Weight.NONE for doubt in of_key(case, name, word)):
        yield "the key that signed it is doubted, too."
    yield from _soundly(case, machine, word.since, "the key that signed it was added")


def _by_the_inspectors_instrument(case: Case, opened: _Opened) -> Iterator[str]:
    said, shown = opened.said, opened.shown
    kinds = {
        said.machine: IdentityKind.MACHINE,
        said.site: IdentityKind.SITE,
        said.inspector: IdentityKind.ORGANIZATION,
    }
    for identity, kind in kinds.items():
        if IdentityWord.decode(case.word(storage.IDENTITIES.at(identity))).kind != kind:
            yield f"its {kind.name.lower()} is not registered as one."
    yield from _linked(case, shown.site_link, (said.machine, said.site), opened.time)
    yield from _linked(case, shown.inspector_link, (said.site, said.inspector), opened.time)


def _linked(
    case: Case, link: LinkDisclosure | None, ends: tuple[IdentityId, IdentityId], time: int
) -> Iterator[str]:
    if link is None or (link.child, link.parent) != ends:
        yield "the links from its instrument to the inspector are not shown."
        return
    count = case.word(storage.LINK_COUNTS.at(*ends))
    if count > link.count:
        yield "not all intervals of its links are shown."
        return
    words = [case.word(storage.LINKS.at(*ends, number)) for number in range(1, count + 1)]
    held = [one for one in map(IntervalWord.decode, words) if _holds([one], time)]
    if not held:
        yield "its instrument did not belong to the inspector."
    for one in held:
        for side in ends:
            yield from _soundly(case, side, one.since, "a link of its instrument was made")


def _soundly(case: Case, identity: IdentityId, time: int, act: str) -> Iterator[str]:
    if any(doubt.weight(time) is not Weight.NONE for doubt in of_act(case, identity, time)):
        yield f"{act} by somebody who is doubted."


def _holds(intervals: Sequence[IntervalWord], time: int) -> bool:
    # What nobody added has no beginning; an open interval from 0 on would be for ever.
    begun = [one for one in intervals if one.since]
    return cover(begun, Window(begin=time, end=time)) is Cover.FULL


_RULES: Sequence[_Rule] = (
    _about_this_build,
    _of_another_organization,
    _by_a_listed_inspector,
    _signed,
    _on_record,
    _by_a_sound_key,
    _by_the_inspectors_instrument,
)
