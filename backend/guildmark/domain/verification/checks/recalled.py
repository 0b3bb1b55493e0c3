"""(12) No open recall reaches the part, by anything that it has in common with others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from guildmark.domain.builds.dependencies import NO_DEPENDENCIES, dependencies_root
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IntervalWord, RecallWord
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, to_hex
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.domain.trust import Policy
from guildmark.domain.verification.case import AUTHORITY_MISSING, Case, UndecidedError
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.equivalence import certified_by
from guildmark.domain.verification.naming import display_name
from guildmark.domain.verification.report import Cause, Finding, State
from guildmark.domain.verification.rights import Cover, Window, cover
from guildmark.domain.verification.slots import part_things
from guildmark.domain.verification.state import Unproven
from guildmark.domain.verification.times import as_time

_CHAIN = "chain/recalls.json"
_DECLARED = "disclosed/dependencies.json"

RECALLED = Cause(
    code="verify.recalled",
    state=State.FAIL,
    meaning="What the part has in common with others is recalled by its owner, or by an authority "
    "on your list, and the recall is open.",
)
DECLARED_MISMATCH = Cause(
    code="verify.declaredMismatch",
    state=State.FAIL,
    meaning="What is shown as declared by the maker is not what the log entry commits to.",
)
RECALLED_PARTLY = Cause(
    code="verify.recalledPartly",
    state=State.UNKNOWN,
    meaning="An open recall reaches only a part of the time between beacon and record: perhaps "
    "not the part.",
)
RECALLS_HIDDEN = Cause(
    code="verify.recallsHidden",
    state=State.UNKNOWN,
    meaning="The chain counts more recalls than the bundle shows.",
)
RECALL_KEYS_UNPROVEN = Cause(
    code="verify.recallKeysUnproven",
    state=State.UNKNOWN,
    meaning="By what the part could be recalled is not all shown: the machine's key, or the plans "
    "by which the site was certified.",
)
RECALLS_STALE = Cause(
    code="verify.recallsStale",
    state=State.UNKNOWN,
    meaning="The evidence is older than your policy allows: a later recall would not show.",
)
DECLARED_WITHHELD = Cause(
    code="verify.declaredWithheld",
    state=State.WITHHELD,
    meaning="The maker declared lots or other things that the part could be recalled by, and they "
    "are not shown.",
)

_BEHIND_WHOM = "; "

_WHOSE: Mapping[RecallCause, str] = MappingProxyType(
    {
        RecallCause.SERIAL: "the site",
        RecallCause.LOT: "the lot's maker",
        RecallCause.MACHINE: "the machine's controller",
        RecallCause.RECIPE: "the design's owner",
        RecallCause.SITE_RECIPE: "the site",
        RecallCause.CERTIFICATE: "the evaluator",
        RecallCause.DESIGN: "the design's owner",
        RecallCause.KEY: "the machine's controller",
    }
)
_NAMES: Mapping[RecallCause, str] = MappingProxyType(
    {cause: cause.name.lower().replace("_", " ") for cause in RecallCause}
    | {RecallCause.SERIAL: "part"}
)
_WHAT_TO_DO: Mapping[int, str] = MappingProxyType(
    {
        Severity.INSPECT: "inspect it before use",
        Severity.WITHDRAW: "do not use it",
        Severity.DANGER: "danger, do not use it",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRecall:
    """A recall as proven.

    Args:
        by: Whose list it is in.
        number: Its number there.
        reason: Digest of what says why, 0 where it is not shown.
    """

    thing: Thing
    by: IdentityId
    number: int
    word: RecallWord
    reason: int

    @property
    def is_open(self) -> bool:
        """Return whether nobody closed it."""
        return self.word.closed_at == 0

    @property
    def times(self) -> IntervalWord:
        """Return when the parts were built that it reaches."""
        return IntervalWord(since=self.word.since, until=self.word.until)


def recall_notes(case: Case) -> Iterator[str]:
    """Yield the recalls that were closed: they stay on record."""
    for one in _reaching(case):
        if not one.is_open:
            yield f"Closed at {as_time(one.word.closed_at)}: {_words(case, one)}"


def recall_events(case: Case) -> Iterator[tuple[int, str]]:
    """Yield when recalls that reach the part were issued and closed, with what was said."""
    for one in _reaching(case):
        yield one.word.at, _words(case, one)
        if not one.is_open:
            yield one.word.closed_at, f"The recall of {_name(one.thing)} was closed."


def _reaching(case: Case) -> Iterator[ShownRecall]:
    """Yield the recalls that reach the time of the build, open or closed, as far as proven."""
    try:
        window = case.window
        things = tuple(_shown_things(case))
    except UndecidedError:
        # The check says why.
        return
    for thing in things:
        for one in _recalls(case, thing):
            if isinstance(one, ShownRecall) and _reaches(one, window):
                yield one


def _declared(case: Case) -> Iterator[Finding]:
    """Yield what is wrong with the list of what only the maker knew."""
    shown, root = case.disclosed.dependencies, case.core.entry.dependencies
    if shown and root != dependencies_root(shown):
        reason = "The log entry commits to another list than the one that is shown."
        yield DECLARED_MISMATCH.found(reason, _DECLARED)
    elif root != NO_DEPENDENCIES and not shown:
        reason = "What the maker declared that the part could be recalled by is not shown."
        yield DECLARED_WITHHELD.found(reason, _DECLARED)


def _all_shown(case: Case) -> Iterator[Finding]:
    if case.disclosed.key is None:
        reason = "The machine's key is not shown: whether it is recalled is not known."
        yield RECALL_KEYS_UNPROVEN.found(reason, "disclosed")
    try:
        certified_by(case)
    except UndecidedError as error:
        reason = "Whether a certificate of the site is recalled is not known."
        yield RECALL_KEYS_UNPROVEN.found(reason, error.finding.evidence)


def _open_recalls(case: Case) -> Iterator[Finding]:
    window = case.window
    for thing in _shown_things(case):
        found: list[ShownRecall] = []
        for one in _recalls(case, thing):
            if isinstance(one, Finding):
                yield one
            elif one.is_open:
                found.append(one)
        yield from _reached(case, found, window)


def _reached(case: Case, recalls: Sequence[ShownRecall], window: Window) -> Iterator[Finding]:
    """Yield what open recalls of one thing say: together they may cover the whole window."""
    covered = cover([one.times for one in recalls], window)
    cause = RECALLED if covered is Cover.FULL else RECALLED_PARTLY
    for one in sorted(recalls, key=lambda each: each.word.at):
        if _reaches(one, window):
            yield cause.found(_words(case, one), _CHAIN)


def _fresh(case: Case) -> Iterator[Finding]:
    policy = Policy() if case.trust is None else case.trust.policy
    now, header = case.question.now, case.header
    if now is not None and header is not None and header.time + policy.max_age < now:
        days = (now - header.time) // 86_400
        reason = f"Block {header.number} is {days} days old; a later recall would not show."
        yield RECALLS_STALE.found(reason, "chain/header.rlp")


def _shown_things(case: Case) -> Iterator[Thing]:
    """Yield what the part can be recalled by, as far as it is shown.

    Raises:
        UndecidedError: The statement cannot be read.
    """
    statement = case.statement
    yield from part_things(case.core, case.disclosed)
    site = Bytes32(statement.run.site)
    for plan in _certified(case):
        yield Thing(cause=RecallCause.CERTIFICATE, id=plan, detail=site)
    yield from (one.thing for one in case.disclosed.dependencies)


def _certified(case: Case) -> Sequence[Bytes32]:
    try:
        return [Bytes32(one.id()) for one in certified_by(case)]
    except UndecidedError:
        # Said once, by the rule about what is shown.
        return ()


def _recalls(case: Case, thing: Thing) -> Iterator[ShownRecall | Finding]:
    """Yield the recalls of a thing that count for the reader, and what is not proven of them."""
    key = thing.key()
    for by, name in _lists(case):
        place = storage.RECALL_COUNTS.at(key, by)
        if by != OWNERS and case.state.word(place) is Unproven.MISSING:
            reason = f"What the authority {name} recalled is not proven by this bundle."
            yield AUTHORITY_MISSING.found(reason, _CHAIN)
            continue
        try:
            count = case.word(place)
        except UndecidedError as undecided:
            yield undecided.finding
            continue
        yield from _of_list(case, thing, by, count)


def _of_list(
    case: Case, thing: Thing, by: IdentityId, count: int
) -> Iterator[ShownRecall | Finding]:
    key = thing.key()
    for number in range(1, count + 1):
        if case.state.word(storage.RECALLS.at(key, by, number)) is Unproven.MISSING:
            reason = f"Of {count} recalls of {_name(thing)}, recall {number} is not shown."
            yield RECALLS_HIDDEN.found(reason, _CHAIN)
            # One that is missing says enough: the count may be as large as anybody made it.
            yield from _beyond(case, thing, by, range(number + 1, count + 1))
            return
        yield from _proven(case, thing, by, number)


def _beyond(
    case: Case, thing: Thing, by: IdentityId, numbers: range
) -> Iterator[ShownRecall | Finding]:
    """Yield the recalls that are proven behind one that is not: nobody drowns what reaches."""
    key = Bytes32(thing.key())
    for one in case.disclosed.recalls:
        if (one.key, one.by) == (key, by):
            for number in one.beyond:
                place = storage.RECALLS.at(key, by, number)
                if number in numbers and case.state.word(place) is not Unproven.MISSING:
                    yield from _proven(case, thing, by, number)


def _proven(
    case: Case, thing: Thing, by: IdentityId, number: int
) -> Iterator[ShownRecall | Finding]:
    key = thing.key()
    try:
        word = RecallWord.decode(case.word(storage.RECALLS.at(key, by, number)))
    except UndecidedError as undecided:
        yield undecided.finding
        return
    if by == OWNERS or _is_listed(case, by, word.at):
        reason_word = case.state.word(storage.RECALL_REASONS.at(key, by, number))
        yield ShownRecall(
            thing=thing,
            by=by,
            number=number,
            word=word,
            reason=reason_word if isinstance(reason_word, int) else 0,
        )


def _lists(case: Case) -> Sequence[tuple[IdentityId, str]]:
    """Return whose recalls count for the reader: the owners', and those whom he lists."""
    authorities = () if case.trust is None else case.trust.authorities
    named = {listed.id: listed.name or to_hex(listed.id) for listed in authorities}
    return [(OWNERS, ""), *named.items()]


def _is_listed(case: Case, authority: IdentityId, at: int) -> bool:
    return case.trust is not None and case.trust.lists_authority(authority, at)


def _reaches(one: ShownRecall, window: Window) -> bool:
    return cover([one.times], window) is not Cover.NONE


def _words(case: Case, one: ShownRecall) -> str:
    """Return what a recall says: by whom, since when, of what, and what is to be done."""
    what_to_do = _WHAT_TO_DO.get(one.word.severity, "unknown severity")
    reason = f" Its reason has the SHA-256 {_hex(one.reason)}." if one.reason else ""
    return (
        f"Recalled since {as_time(one.word.at)} by {_who(case, one)}{_BEHIND_WHOM}"
        f"{_name(one.thing)}{_times(one.word)}: {what_to_do}.{reason}"
    )


def recalled_by(reason: str) -> str:
    """Return who recalls and since when, of what a finding of `RECALLED` says."""
    return reason.split(_BEHIND_WHOM, 1)[0]


def _who(case: Case, one: ShownRecall) -> str:
    if one.by != OWNERS:
        return f"the authority {dict(_lists(case))[one.by]}"
    whose = _WHOSE[one.thing.cause]
    named = {
        RecallCause.LOT: one.thing.id,
        RecallCause.SERIAL: case.statement.run.site,
        RecallCause.SITE_RECIPE: case.statement.run.site,
    }.get(one.thing.cause)
    return whose if named is None else f"{whose}, {display_name(case, IdentityId(Bytes32(named)))}"


def _name(thing: Thing) -> str:
    return f"{_NAMES[thing.cause]} {thing.text()}"


def _times(word: RecallWord) -> str:
    since = f" from {as_time(word.since)}" if word.since else ""
    until = f" until {as_time(word.until)}" if word.until else ""
    return f", as far as built{since}{until}" if since or until else ""


def _hex(word: int) -> str:
    return to_hex(Digest(word.to_bytes(32, "big")))


RECALLS = Check(
    number=12,
    name="recalls",
    asks="No owner, and no authority on your list, recalls the part by anything that the maker "
    "declared.",
    looked_at=_CHAIN,
    causes=(
        RECALLED,
        DECLARED_MISMATCH,
        RECALLED_PARTLY,
        RECALLS_HIDDEN,
        RECALL_KEYS_UNPROVEN,
        RECALLS_STALE,
        DECLARED_WITHHELD,
    ),
    rules=(_open_recalls, _declared, _all_shown, _fresh),
)
