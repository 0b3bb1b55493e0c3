"""Accreditations: scopes, chains of issuers up to a reader's list, and what held when.

An issuer accredits a subject for a scope. Who may accredit others in turn is said by the scope of
his own accreditation; the last issuer of a chain must be on the reader's list.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise
from typing import Self, TypeAlias

from guildmark.domain.chain.storage import AccreditationWord, IntervalWord
from guildmark.domain.encoding import abi, codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    ZERO32,
    AccreditationId,
    Bytes32,
    Digest,
    IdentityId,
    to_hex,
)
from guildmark.domain.verification.rights import Cover, Window, cover

ACCREDITATION_DOMAIN = keccak256(b"guildmark/accreditation/v1")

CHAIN_MAX = 4
"""How many accreditations a chain has at most, from a subject to a listed issuer."""

_SCOPE_TAG = b"guildmark/scope/v1"
_TEXT_MAX = 128
_MEMBERS_MAX = 64
_FOREVER = 2**40


class MalformedScopeError(MalformedError):
    """A scope that says nothing, or could be written in two ways."""

    code = "accreditation.malformedScope"
    hint = "Name a standard, and lists without repetitions; texts have no blanks at their ends."


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What somebody must be accredited for.

    Args:
        standard: The standard, for example ISO 13485.
        process: The process, empty where any will do.
        material: The material, empty where any will do.
        site: The site where it is done, None where none is asked for.
    """

    standard: str
    process: str = ""
    material: str = ""
    site: IdentityId | None = None

    def __str__(self) -> str:
        """Return the requirement as people read it."""
        return ", ".join(part for part in (self.standard, self.process, self.material) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeDocument:
    """What an accreditation covers; an empty list limits nothing.

    Args:
        standard: The standard, for example ISO 9001.
        processes: The processes, ascending.
        materials: The materials, ascending.
        sites: The sites, ascending.
        certificate: The certificate's number, for people.
        delegations: How many accreditations may follow below this one: 0 where the subject may
            not accredit others.
        salt: 32 random bytes, or none for a scope that anybody may recognise.
    """

    standard: str
    processes: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    sites: tuple[IdentityId, ...] = ()
    certificate: str = ""
    delegations: int = 0
    salt: Bytes32 = field(default=Bytes32(ZERO32), repr=False)

    def __post_init__(self) -> None:
        _check_text("standard", self.standard)
        if self.certificate:
            _check_text("certificate", self.certificate)
        for name, texts in (("processes", self.processes), ("materials", self.materials)):
            _check_members(name, texts)
            for text in texts:
                _check_text(name, text)
        _check_members("sites", self.sites)
        if not 0 <= self.delegations < CHAIN_MAX:
            message = f"A scope allows 0 to {CHAIN_MAX - 1} delegations, not {self.delegations}."
            raise MalformedScopeError(message, found=self.delegations)

    def digest(self) -> Digest:
        """Return the digest that the chain shows.

        SHA-256("guildmark/scope/v1" || salt || RFC 8785 text of the document without its salt).
        """
        unsalted = canonical(codec.dump(replace(self, salt=Bytes32(ZERO32))))
        return sha256(_SCOPE_TAG + abi.bytes32(self.salt) + unsalted)

    def admits(self, wanted: Requirement) -> bool:
        """Return whether the scope covers all that is required.

        Where any process will do, an accreditation for some process is one.
        """
        asked = (wanted.process, wanted.material, wanted.site or b"")
        inside = (
            not limit or not one or one in limit
            for limit, one in zip(self.limits, asked, strict=True)
        )
        return self.standard == wanted.standard and all(inside)

    def contains(self, narrower: Self) -> bool:
        """Return whether who holds this scope may give the narrower one to others."""
        limits = zip(self.limits, narrower.limits, strict=True)
        inside = (not ours or (theirs and set(theirs) <= set(ours)) for ours, theirs in limits)
        return self.standard == narrower.standard and all(inside)

    @property
    def limits(self) -> tuple[tuple[str | bytes, ...], ...]:
        """Return what the scope is limited to: processes, materials and sites."""
        return self.processes, self.materials, self.sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Accreditation:
    """A shown accreditation and what the chain holds of it, all zero where it holds none.

    Args:
        is_doubted: Whether a notice bears on who spoke for the issuer when he gave it.
    """

    issuer: IdentityId
    subject: IdentityId
    scope: ScopeDocument
    word: AccreditationWord
    is_doubted: bool = False

    @property
    def interval(self) -> IntervalWord:
        """Return when it held, a revocation included."""
        ends = [end for end in (self.word.until, self.word.revoked_at) if end]
        return IntervalWord(since=self.word.since, until=min(ends, default=0))


def accreditation_id(*, issuer: IdentityId, subject: IdentityId, scope: Digest) -> AccreditationId:
    """Return the id under which the chain keeps an accreditation."""
    ids = (issuer, subject, scope)
    return AccreditationId(keccak256(ACCREDITATION_DOMAIN + b"".join(map(abi.bytes32, ids))))


Roots: TypeAlias = Callable[[IdentityId], Sequence[IntervalWord]]
"""Tells when a reader accepts what rests on an identity; nothing where he does not list it."""


class Standing(Enum):
    """What became of a requirement, the best first."""

    HELD = "held"
    """A chain to a listed issuer held all the time."""
    PARTLY = "partly"
    """Chains to listed issuers held a part of the time."""
    LAPSED = "lapsed"
    """A chain held at no time that was asked for."""
    UNLISTED = "unlisted"
    """A chain held, and its last issuer is not on the reader's list."""
    DOUBTED = "doubted"
    """Somebody else may have given an accreditation in its issuer's name."""
    UNREGISTERED = "unregistered"
    """An accreditation that a chain needs is not on chain."""
    BROKEN = "broken"
    """A chain is too long, goes in a circle, or an issuer may not accredit others."""
    OUT_OF_SCOPE = "outOfScope"
    """Accreditations are shown, for something else."""
    ABSENT = "absent"
    """None is shown."""


_DEFECTS = (Standing.DOUBTED, Standing.UNREGISTERED, Standing.BROKEN, Standing.OUT_OF_SCOPE)
"""What can be wrong with a way, and which of several is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether somebody was accredited, and why.

    Args:
        standing: What was found.
        reason: The sentence that says it.
        chain: The accreditations that decided, the subject's own first.
    """

    standing: Standing
    reason: str
    chain: tuple[Accreditation, ...] = ()

    @property
    def is_held(self) -> bool:
        """Return whether the subject was accredited all the time."""
        return self.standing is Standing.HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """A way up from the subject: where it ends, and when all of it held."""

    links: tuple[Accreditation, ...]
    standing: Standing
    reason: str = ""
    held: tuple[IntervalWord, ...] = ()


def was_accredited(
    subject: IdentityId,
    wanted: Requirement,
    at: int,
    *,
    shown: Sequence[Accreditation],
    roots: Roots,
) -> Answer:
    """Return whether an identity was accredited at a second, with the reason."""
    window = Window(begin=at, end=at)
    return accredited_over([subject], wanted, window, shown=shown, roots=roots)


def accredited_over(
    subjects: Iterable[IdentityId],
    wanted: Requirement,
    window: Window,
    *,
    shown: Sequence[Accreditation],
    roots: Roots,
) -> Answer:
    """Return whether one of several identities was accredited over a whole window.

    Every link of a chain must hold; chains that follow one another in time add up.

    Args:
        subjects: Who may hold the accreditation, for example a maker and his site.
        wanted: What for.
        window: The seconds that count, both ends included.
        shown: The accreditations that are known.
        roots: The reader's list.
    """
    ways = [path for one in subjects for path in _ways(one, (), wanted, shown, roots)]
    listed = [path for path in ways if path.standing is Standing.HELD]
    if listed:
        return _judged(listed, wanted, window)
    unlisted = [path for path in ways if path.standing is Standing.UNLISTED]
    for path in unlisted:
        if cover(path.held, window) is not Cover.NONE:
            return Answer(standing=path.standing, reason=path.reason, chain=path.links)
    for standing in _DEFECTS:
        for path in ways:
            if path.standing is standing:
                return Answer(standing=standing, reason=path.reason, chain=path.links)
    if unlisted:
        return _lapsed(unlisted[0], wanted, window)
    return Answer(standing=Standing.ABSENT, reason=f"No accreditation for {wanted} is shown.")


def accredited_span(
    subjects: Iterable[IdentityId],
    wanted: Requirement,
    at: int,
    *,
    shown: Sequence[Accreditation],
    roots: Roots,
) -> IntervalWord | None:
    """Return since when and until when an accreditation holds without a gap around a second.

    Args:
        subjects: Who may hold it.
        wanted: What for.
        at: The second; None is returned where it does not hold then.
        shown: The accreditations that are known.
        roots: The reader's list.
    """
    ways = [path for one in subjects for path in _ways(one, (), wanted, shown, roots)]
    listed = (path for path in ways if path.standing is Standing.HELD)
    held = [interval for path in listed for interval in path.held]
    found, begin, end = None, 0, -1
    for each in sorted(held, key=lambda one: one.since):
        if each.since > end:
            begin, end = each.since, each.since
        end = max(end, each.until or _FOREVER)
        if begin <= at < end:
            found = IntervalWord(since=begin, until=end % _FOREVER)
    return found


def _judged(listed: Sequence[_Path], wanted: Requirement, window: Window) -> Answer:
    held = [interval for path in listed for interval in path.held]
    found = cover(held, window)
    if found is Cover.NONE:
        return _lapsed(listed[0], wanted, window)
    alone = (path for path in listed if cover(path.held, window) is found)
    links = next(alone, listed[0]).links
    if found is Cover.FULL:
        reason = f"Accredited for {wanted} {_by(links)}."
        return Answer(standing=Standing.HELD, reason=reason, chain=links)
    lapse = _lapse(links, window) or "The last issuer was on the list for a part of the time."
    reason = f"The accreditation for {wanted} held a part of the time only. {lapse}"
    return Answer(standing=Standing.PARTLY, reason=reason, chain=links)


def _lapsed(path: _Path, wanted: Requirement, window: Window) -> Answer:
    lapse = _lapse(path.links, window) or "Its links, or the list, never held at the same time."
    reason = f"The accreditation for {wanted} did not hold. {lapse}"
    return Answer(standing=Standing.LAPSED, reason=reason, chain=path.links)


def _lapse(links: Iterable[Accreditation], window: Window) -> str:
    """Return what is wrong with the first link that did not hold all the time, if one did not."""
    for link in links:
        word, of = link.word, f"of {to_hex(link.subject)} by {to_hex(link.issuer)}"
        if word.since > window.begin:
            return f"That {of} began at {word.since}."
        if word.revoked_at and word.revoked_at <= window.end:
            return f"That {of} was revoked at {word.revoked_at}."
        if word.until and word.until <= window.end:
            return f"That {of} ended at {word.until}."
    return ""


def _ways(
    subject: IdentityId,
    below: tuple[Accreditation, ...],
    wanted: Requirement,
    shown: Sequence[Accreditation],
    roots: Roots,
) -> Iterator[_Path]:
    """Yield the ways up from an identity: to listed issuers, and to where each other one ends."""
    listed = roots(subject) if below else ()
    if listed:
        held = tuple(_common(below, root) for root in listed)
        yield _Path(links=below, standing=Standing.HELD, held=held)
    upward = [link for link in shown if link.subject == subject]
    for link in upward:
        defect = _defect(link, below, wanted)
        if defect is None:
            yield from _ways(link.issuer, (*below, link), wanted, shown, roots)
        else:
            standing, reason = defect
            yield _Path(links=(*below, link), standing=standing, reason=reason)
    if below and not upward and not listed:
        held = (_common(below, IntervalWord(since=0, until=0)),)
        reason = (
            f"The accreditation for {wanted} rests on {to_hex(subject)}, which is not on the"
            " reader's list."
        )
        yield _Path(links=below, standing=Standing.UNLISTED, reason=reason, held=held)


def _defect(
    link: Accreditation, below: Sequence[Accreditation], wanted: Requirement
) -> tuple[Standing, str] | None:
    """Return why an accreditation cannot stand above others, None where it can."""
    named = f"The accreditation of {to_hex(link.subject)} by {to_hex(link.issuer)}"
    own = _own_defect(link, named, wanted)
    if own is not None:
        return own
    if below and not link.scope.contains(below[-1].scope):
        return Standing.BROKEN, f"{named} is narrower than the one that rests on it."
    if link.scope.delegations < len(below):
        reason = f"{named} allows {link.scope.delegations} accreditations below it, not more."
        return Standing.BROKEN, reason
    if any(link.issuer == other.subject for other in (*below, link)):
        return Standing.BROKEN, f"{named} closes a circle."
    return None


def _own_defect(
    link: Accreditation, named: str, wanted: Requirement
) -> tuple[Standing, str] | None:
    """Return what is wrong with an accreditation wherever it stands, None where nothing is."""
    if link.word.since == 0:
        return Standing.UNREGISTERED, f"{named} is not on chain."
    if link.is_doubted:
        reason = f"{named} was given when its issuer's account was doubted already."
        return Standing.DOUBTED, reason
    if not link.scope.admits(wanted):
        return Standing.OUT_OF_SCOPE, f"{named} does not cover {wanted}."
    return None


def _common(links: Iterable[Accreditation], root: IntervalWord) -> IntervalWord:
    """Return when all links held and the reader accepted the last issuer."""
    intervals = [root, *(link.interval for link in links)]
    since = max(each.since for each in intervals)
    until = min(each.until or _FOREVER for each in intervals)
    return IntervalWord(since=since, until=0 if until == _FOREVER else until)


def _by(links: Sequence[Accreditation]) -> str:
    issuers = [to_hex(link.issuer) for link in links]
    return "by " + ", under ".join(issuers)


def _check_text(name: str, text: str) -> None:
    is_plain = text.isprintable() and " ".join(text.split()) == text
    is_short = 0 < len(text) <= _TEXT_MAX
    if not (is_plain and is_short and unicodedata.is_normalized("NFC", text)):
        message = f"{text[:40]!r} cannot stand in a scope's {name}."
        raise MalformedScopeError(message, member=name)


def _check_members(name: str, members: Sequence[str | bytes]) -> None:
    texts = [member if isinstance(member, str) else member.hex() for member in members]
    if any(one >= other for one, other in pairwise(texts)) or len(texts) > _MEMBERS_MAX:
        message = f"A scope's {name} must ascend without repetitions, at most {_MEMBERS_MAX}."
        raise MalformedScopeError(message, member=name)
