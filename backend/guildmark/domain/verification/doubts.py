"""Notices that bear on a part: who doubts a key or a controller, and whether that is too late.

Anchor time decides, never a claimed one. What was done at or after a notice counts for nothing;
what was done before it, at a suspected time, is in doubt.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import AccountWord, IdentityWord, KeyWord, NoticeWord
from guildmark.domain.identifiers import ZERO32, Address, Bytes32, IdentityId, KeyId, to_hex
from guildmark.domain.identity.identity import controller_target
from guildmark.domain.verification.case import (
    AUTHORITY_MISSING,
    CONTROLLER_IN_DOUBT,
    CONTROLLER_UNDER_NOTICE,
    Case,
    UndecidedError,
)
from guildmark.domain.verification.report import Finding
from guildmark.domain.verification.state import Unproven

_FOREVER = 2**40
_IDENTITIES = "chain/identities.json"


class Weight(Enum):
    """What notices make of what was done at a time, the worst first."""

    VOID = "void"
    """A notice was given before: it counts for nothing."""
    DOUBT = "doubt"
    """It was done before the notice, when it is suspected already."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A notice that was given, and by whom.

    Args:
        giver: Who gave it, in words.
        is_certain: Whether it surely is about whoever acted: in the second of a change of
            controllers either may have.
    """

    notice: NoticeWord
    giver: str
    is_certain: bool = True

    def weight(self, time: int) -> Weight:
        """Return what the notice makes of something done at ``time``."""
        if time < self.notice.suspected_from:
            return Weight.NONE
        is_void = time >= self.notice.at and self.is_certain
        return Weight.VOID if is_void else Weight.DOUBT

    @property
    def words(self) -> str:
        """Return what the notice says."""
        since = self.notice.suspected_from
        return f"notice was given at {self.notice.at} by {self.giver}, suspected from {since}"


def of_key(case: Case, name: KeyId, key: KeyWord) -> Iterator[Doubt]:
    """Yield the notices on a machine's key: its controller's or guardians', then authorities'.

    Raises:
        UndecidedError: It is not proven whether there is one.
    """
    if key.notice_at:
        own = NoticeWord(at=key.notice_at, suspected_from=key.suspected_from)
        yield Doubt(notice=own, giver="the machine's controller or guardians")
    yield from _of_authorities(case, Bytes32(name))


def of_act(
    case: Case, identity: IdentityId, time: int, *, account: Address | None = None
) -> Iterator[Doubt]:
    """Yield the notices on whoever controlled an identity at ``time``.

    Args:
        case: The case.
        identity: The identity.
        time: When it acted.
        account: Of whom alone notices are yielded, None for anybody.

    Raises:
        UndecidedError: It is not proven whether there is one.
    """
    word = IdentityWord.decode(case.word(storage.IDENTITIES.at(identity)))
    begins = [word.since]
    for number in range(2, word.controllers + 1):
        found = case.word(storage.CONTROLLERS.at(identity, number))
        begins.append(AccountWord.decode(found).since)
    ends = [*begins[1:], _FOREVER]
    for number in range(1, word.controllers + 1):
        begin, end = begins[number - 1], ends[number - 1]
        if not begin <= time <= end:
            continue
        if account is None or account == _account(case, identity, number, word):
            target = controller_target(identity, number)
            yield from _of_controller(case, target, is_certain=time < end)


def _account(case: Case, identity: IdentityId, number: int, word: IdentityWord) -> Address:
    """Return the account of one of an identity's controllers."""
    if number == word.controllers:
        return word.controller
    return AccountWord.decode(case.word(storage.CONTROLLERS.at(identity, number))).account


def act_findings(
    case: Case,
    identity: IdentityId,
    time: int,
    act: str,
    evidence: str = _IDENTITIES,
    *,
    is_certain: bool = True,
) -> Iterator[Finding]:
    """Yield a finding for each notice that bears on what an identity's controller did.

    Args:
        case: The case.
        identity: Who acted.
        time: When.
        act: What was done, as a sentence without its time.
        evidence: Where in a bundle to look.
        is_certain: Whether it surely was he who acted; else nothing is void, only in doubt.

    Raises:
        UndecidedError: It is not proven whether there is one.
    """
    doubts = of_act(case, identity, time)
    yield from doubt_findings(doubts, time, act, evidence, is_certain=is_certain)


def doubt_findings(
    doubts: Iterable[Doubt], time: int, act: str, evidence: str, *, is_certain: bool = True
) -> Iterator[Finding]:
    """Yield a finding for each doubt that bears on what was done at a time."""
    for doubt in doubts:
        weight = replace(doubt, is_certain=doubt.is_certain and is_certain).weight(time)
        reason = f"{act} at {time}; on the controller {doubt.words}."
        if weight is Weight.VOID:
            yield CONTROLLER_UNDER_NOTICE.found(reason, evidence)
        elif weight is Weight.DOUBT:
            yield CONTROLLER_IN_DOUBT.found(reason, evidence)


def _of_controller(case: Case, target: Bytes32, *, is_certain: bool) -> Iterator[Doubt]:
    own = NoticeWord.decode(case.word(storage.NOTICES.at(target, ZERO32)))
    if own.at:
        yield Doubt(notice=own, giver="himself or the guardians", is_certain=is_certain)
    yield from _of_authorities(case, target, is_certain=is_certain)


def _of_authorities(case: Case, target: Bytes32, *, is_certain: bool = True) -> Iterator[Doubt]:
    trust = case.trust
    for listed in () if trust is None else trust.authorities:
        location = storage.NOTICES.at(target, listed.id)
        if case.state.word(location) is Unproven.MISSING:
            named = listed.name or to_hex(listed.id)
            reason = f"Whether the authority {named} gave notice is not proven by this bundle."
            raise UndecidedError(AUTHORITY_MISSING.found(reason, _IDENTITIES))
        notice = NoticeWord.decode(case.word(location))
        if notice.at and listed.holds_at(notice.at):
            giver = f"the authority {listed.name or to_hex(listed.id)}"
            yield Doubt(notice=notice, giver=giver, is_certain=is_certain)
