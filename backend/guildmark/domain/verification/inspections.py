"""Inspections by others than the maker: which count, and which part they keep out of doubt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.inspection import Inspection, Result
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IdentityWord, IntervalWord, KeyWord
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import IdentityId, Index, LogNumber
from guildmark.domain.identity.identity import IdentityKind, key_id
from guildmark.domain.log.entry import Entry
from guildmark.domain.log.merkle import verify_inclusion
from guildmark.domain.log.record import Record
from guildmark.domain.signatures import PublicKey
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
        measurements: What the inspector measured himself.
    """

    place: tuple[LogNumber, Index]
    time: int
    inspector: IdentityId | None = None
    result: Result | None = None
    lack: str = ""
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """An inspection that can be read."""

    shown: InspectionDisclosure
    key: PublicKey
    envelope: Envelope
    said: Inspection
    entry: Entry

    @property
    def record(self) -> Record:
        return self.shown.proof.record

    @property
    def time(self) -> int:
        return self.record.time


_Rule: TypeAlias = Callable[[Case, _Opened], str]


def inspected(case: Case) -> Sequence[Inspected]:
    """Return all shown inspections, the oldest first, each with why it does not count.

    Those that another bundle of this very entry shows are among them, each judged at its block.
    """
    found: dict[tuple[LogNumber, Index], Inspected] = {}
    for each in (case, *case.same):
        for shown in each.disclosed.inspections:
            one = _inspected(each, shown)
            if one.place not in found or not one.lack:
                found[one.place] = one
    return sorted(found.values(), key=lambda one: (one.time, one.place))


def failed(case: Case) -> Sequence[Inspected]:
    """Return the last word of each inspector who says that the part failed."""
    return [one for one in last_words(case) if one.result is Result.FAILED]


def last_words(case: Case) -> Sequence[Inspected]:
    """Return the newest inspection that counts of each inspector."""
    return list({one.inspector: one for one in inspected(case) if not one.lack}.values())


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
    except GuildmarkError:
        return Inspected(place=place, time=time, lack="it cannot be read.")
    lack = "the key that signed it is not shown."
    if shown.key is not None:
        opened = _Opened(shown=shown, key=shown.key, envelope=envelope, said=said, entry=entry)
        lack = _lack(case, opened)
    return Inspected(
        place=place,
        time=time,
        inspector=said.inspector,
        result=said.result,
        lack=lack,
        measurements=said.measurements,
    )


def _lack(case: Case, opened: _Opened) -> str:
    try:
        return next(filter(None, (rule(case, opened) for rule in _RULES)), "")
    except UndecidedError as undecided:
        return undecided.finding.reason


def _about_this_build(case: Case, opened: _Opened) -> str:
    entry, said = case.core.entry, opened.said
    is_same = (said.subject, said.envelope) == (entry.subject, entry.envelope)
    return "" if is_same else "it is about another build."


def _of_another_organization(case: Case, opened: _Opened) -> str:
    return "the maker made it." if opened.said.inspector == case.core.entry.maker else ""


def _by_a_listed_inspector(case: Case, opened: _Opened) -> str:
    trust, inspector = case.trust, opened.said.inspector
    is_listed = trust is not None and trust.lists_inspector(inspector, opened.time)
    return "" if is_listed else "its inspector is not on your list."


def _signed(_: Case, opened: _Opened) -> str:
    try:
        opened.envelope.verify({key_id(opened.said.machine, opened.key): opened.key.verify})
    except GuildmarkError:
        return "its signature does not hold."
    return ""


def _in_the_record(_: Case, opened: _Opened) -> str:
    proof, record = opened.shown.proof, opened.record
    if opened.said.log != record.log:
        return "it stands in another log than it names."
    try:
        verify_inclusion(
            data=opened.entry.leaf_data(proof.salt),
            index=proof.position,
            count=record.count,
            path=proof.path,
            root=record.root,
        )
    except GuildmarkError:
        return "it does not stand at its place in the record."
    return ""


def _on_chain(case: Case, opened: _Opened) -> str:
    proof, record = opened.shown.proof, opened.record
    found = case.word(storage.RECORDS.at(record.log, record.seq))
    if found != int.from_bytes(record.digest(), "big"):
        return "its record is not on chain."
    fate = case.word(storage.FATES.at(record.log, record.index_of(proof.position)))
    return "its entry is void." if fate else ""


def _by_a_sound_key(case: Case, opened: _Opened) -> str:
    machine, time = opened.said.machine, opened.time
    name = key_id(machine, opened.key)
    word = KeyWord.decode(case.word(storage.KEYS.at(name)))
    if not _holds(IntervalWord(since=word.since, until=word.until), time):
        return "the key that signed it was not in force."
    if any(doubt.weight(time) is not Weight.NONE for doubt in of_key(case, name, word)):
        return "the key that signed it is doubted, too."
    if _is_doubted(case, machine, word.since):
        return "the key that signed it was added by somebody who is doubted."
    return ""


def _registered(case: Case, opened: _Opened) -> str:
    kinds = {
        opened.said.machine: IdentityKind.MACHINE,
        opened.said.site: IdentityKind.SITE,
        opened.said.inspector: IdentityKind.ORGANIZATION,
    }
    for identity, kind in kinds.items():
        if IdentityWord.decode(case.word(storage.IDENTITIES.at(identity))).kind != kind:
            return f"its {kind.name.lower()} is not registered as one."
    return ""


def _by_the_inspectors_instrument(case: Case, opened: _Opened) -> str:
    said, shown = opened.said, opened.shown
    below = _linked(case, shown.site_link, (said.machine, said.site), opened.time)
    above = (said.site, said.inspector)
    return below or _linked(case, shown.inspector_link, above, opened.time)


def _linked(
    case: Case, link: LinkDisclosure | None, ends: tuple[IdentityId, IdentityId], time: int
) -> str:
    if link is None or (link.child, link.parent) != ends:
        return "the links from its instrument to the inspector are not shown."
    count = case.word(storage.LINK_COUNTS.at(*ends))
    if count > link.count:
        return "not all intervals of its links are shown."
    words = [case.word(storage.LINKS.at(*ends, number)) for number in range(1, count + 1)]
    held = [one for one in map(IntervalWord.decode, words) if _holds(one, time)]
    if not held:
        return "its instrument did not belong to the inspector."
    if any(_is_doubted(case, side, one.since) for one in held for side in ends):
        return "a link of its instrument was made by somebody who is doubted."
    return ""


def _is_doubted(case: Case, identity: IdentityId, time: int) -> bool:
    return any(doubt.weight(time) is not Weight.NONE for doubt in of_act(case, identity, time))


def _holds(interval: IntervalWord, time: int) -> bool:
    # What nobody added has no beginning; an open interval from 0 on would be for ever.
    return interval.since > 0 and cover([interval], Window(begin=time, end=time)) is Cover.FULL


_RULES: Sequence[_Rule] = (
    _about_this_build,
    _of_another_organization,
    _by_a_listed_inspector,
    _signed,
    _in_the_record,
    _on_chain,
    _by_a_sound_key,
    _registered,
    _by_the_inspectors_instrument,
)
