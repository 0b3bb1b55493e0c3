"""The card of an identity: what is proven of it, by whose word, and who states otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from guildmark.api.pages.verdict import Fact, in_words, shortened
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import ClaimFact, IdentityFact, NoticeFact, ParentFact
from guildmark.domain.chain.refusals import IdentityUnknownError
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.identity.accreditation import (
    Accreditation,
    Answer,
    Requirement,
    ScopeDocument,
    Standing,
    was_accredited,
)
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.store import View
from guildmark.services.identity.accreditations import accreditations_above
from guildmark.services.identity.cards import Stated, stated
from guildmark.services.identity.guardians import recovery
from guildmark.services.identity.identities import proposed
from guildmark.services.identity.naming import Lookalike, name_of
from guildmark.services.identity.notices import controllers, notices_on
from guildmark.services.timing import present

_SHOWN_MAX = 64
_ACCREDITED: Mapping[Standing, tuple[str, str]] = MappingProxyType(
    {
        Standing.HELD: ("holds now", "good"),
        Standing.UNLISTED: ("issuer not listed", "care"),
        Standing.LAPSED: ("does not hold now", "none"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An identity in words, with the path of its card."""

    name: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """A claim in words."""

    scheme: str
    value: str
    issuer: Named
    standing: str
    tone: str
    when: str
    rivals: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice in words."""

    about: str
    giver: Named
    standing: str
    tone: str
    when: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccreditationRow:
    """An accreditation in words, with its chain of issuers, the nearest first."""

    scope: str
    issuers: tuple[Named, ...]
    standing: str
    tone: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPage:
    """Everything that the template shows."""

    name: str
    kind: str
    host: str
    facts: tuple[Fact, ...]
    parent: Named | None
    claims: tuple[ClaimRow, ...]
    more: int
    notices: tuple[NoticeRow, ...]
    recovery: str
    proposed: str
    scripts: str
    older: tuple[Named, ...]
    newer: tuple[Named, ...]
    accreditations: tuple[AccreditationRow, ...]
    id: str


def card_page(identity: IdentityId, node: ServedNode) -> CardPage:
    """Return the card of an identity.

    Raises:
        IdentityUnknownError: No final block holds it.
    """
    with node.store.reading() as view:
        fact = view.facts.get(IdentityFact, identity)
        if fact is None:
            message = f"No final block holds the identity {to_hex(identity)}."
            raise IdentityUnknownError(message, identity=to_hex(identity))
        claims = stated(identity, view)
        alike = node.naming.lookalikes(fact, view)
        name, successor = _named(identity, view).name, proposed(identity, view.facts)
        return CardPage(
            name=name,
            proposed="" if successor is None else to_hex(successor),
            scripts=" and ".join(map(str.capitalize, node.naming.mixed(name))),
            older=tuple(_alike(one) for one in alike if one.is_older),
            newer=tuple(_alike(one) for one in alike if not one.is_older),
            kind=IdentityKind(fact.kind).name.lower(),
            host=node.judging.host,
            facts=_facts(fact),
            parent=_parent(identity, view),
            claims=tuple(_row(one, node, view) for one in claims[:_SHOWN_MAX]),
            more=max(0, len(claims) - _SHOWN_MAX),
            notices=tuple(_notices(fact, node, view)),
            recovery=_recovery(identity, view),
            accreditations=tuple(_accreditations(identity, node, view)),
            id=to_hex(identity),
        )


def _facts(fact: IdentityFact) -> tuple[Fact, ...]:
    return (
        Fact(name="Kind", value=IdentityKind(fact.kind).name.lower(), source="on chain"),
        Fact(name="On record since", value=in_words(fact.since), source="block time"),
        Fact(name="Speaks through", value=to_hex(fact.controller), source="on chain"),
    )


def _parent(identity: IdentityId, view: View) -> Named | None:
    found = view.facts.get(ParentFact, identity)
    return None if found is None or not any(found.parent) else _named(found.parent, view)


def _notices(fact: IdentityFact, node: ServedNode, view: View) -> Iterator[NoticeRow]:
    # Authorities that nobody here lists must not crowd out the others.
    given = [(_counts(one, node), one) for one in notices_on(fact.id, view.facts)]
    given.sort(key=lambda pair: not pair[0])
    newest = len(controllers(fact.id, view.facts))
    for counts, one in given[:_SHOWN_MAX]:
        yield NoticeRow(
            about=_about(one, newest),
            giver=_giver(one, view),
            standing="counts" if counts else "authority not listed",
            tone="bad" if counts else "care",
            when=in_words(one.notice_at),
            since=in_words(one.suspected_from),
        )


def _counts(notice: NoticeFact, node: ServedNode) -> bool:
    trust = node.judging.trust
    return not notice.is_by_authority or trust.lists_authority(notice.by, notice.notice_at)


def _about(notice: NoticeFact, newest: int) -> str:
    if not notice.number:
        return f"Key {shortened(to_hex(notice.target))}"
    word = "present" if notice.number == newest else "former"
    return f"The {word} controller (number {notice.number})"


def _giver(notice: NoticeFact, view: View) -> Named:
    if notice.is_by_authority:
        return _named(notice.by, view)
    side = "its guardians" if notice.by_guardians else "its own controller"
    return Named(name=side, href=_href(notice.identity))


def _recovery(identity: IdentityId, view: View) -> str:
    """Return in words whom guardians are about to let control it, empty where nobody."""
    running = recovery(identity, view.facts)
    if running is None:
        return ""
    who, when = to_hex(running.candidate), in_words(running.ready_at)
    return f"{who} may take it over from {when} on, unless its controller cancels that"


def _row(one: Stated, node: ServedNode, view: View) -> ClaimRow:
    standing, tone = _standing(one, node)
    fact = one.fact
    until = f" until {in_words(fact.until)}" if fact.until else ""
    return ClaimRow(
        scheme=one.scheme,
        value=one.value or "not shown to this node",
        issuer=_named(fact.issuer, view),
        standing=standing,
        tone=tone,
        when=f"{in_words(fact.since)}{until}",
        rivals=tuple(_rival(rival, one, view) for rival in one.rivals),
    )


def _accreditations(
    identity: IdentityId, node: ServedNode, view: View
) -> Iterator[AccreditationRow]:
    """Yield an identity's accreditations that this node can read, each judged alone and now."""
    shown = accreditations_above(identity, view, node.judging.trust)
    above = [link for link in shown if link.subject != identity]
    now = present(node.judging.clock, view.facts.cursor())
    for link in shown:
        if link.subject == identity:
            answer = was_accredited(
                identity,
                Requirement(standard=link.scope.standard),
                now,
                shown=[link, *above],
                roots=node.judging.trust.issuer_times,
            )
            yield _accreditation(link, answer, view)


def _accreditation(link: Accreditation, answer: Answer, view: View) -> AccreditationRow:
    standing, tone = _ACCREDITED.get(answer.standing, ("chain does not hold", "care"))
    ends = (link.word.until, link.word.revoked_at)
    until = min((end for end in ends if end), default=0)
    said = f" until {in_words(until)}" if until else ""
    return AccreditationRow(
        scope=_scope(link.scope),
        issuers=tuple(_named(each.issuer, view) for each in answer.chain or (link,)),
        standing="revoked" if link.word.revoked_at else standing,
        tone=tone,
        when=f"from {in_words(link.word.since)}{said}",
    )


def _scope(scope: ScopeDocument) -> str:
    limits = [scope.standard, *scope.processes, *scope.materials]
    limits += [f"site {shortened(to_hex(site))}" for site in scope.sites]
    named = f" (certificate {scope.certificate})" if scope.certificate else ""
    others = ", to accredit others" if scope.delegations else ""
    return f"{', '.join(limits)}{others}{named}"


def _standing(one: Stated, node: ServedNode) -> tuple[str, str]:
    if one.fact.until:
        return "revoked", "none"
    if one.value is None or one.is_malformed:
        return ("not shown", "none") if one.value is None else ("no such identifier", "bad")
    is_listed = _is_listed(one.fact, node)
    # Anybody can state anything: only a listed issuer's word weighs against a listed one's.
    if any(_is_listed(rival, node) for rival in one.rivals):
        return "contradicted", "bad"
    if is_listed:
        return "issuer listed", "good"
    if one.rivals:
        return "contradicted", "care"
    return ("own word" if one.is_own_word else "issuer not listed"), "care"


def _is_listed(claim: ClaimFact, node: ServedNode) -> bool:
    return node.judging.trust.lists_issuer(claim.issuer, claim.since)


def _rival(rival: ClaimFact, one: Stated, view: View) -> Named:
    """Name who states otherwise, and lead to whom that is stated of."""
    who = _named(rival.issuer, view).name
    if rival.subject == one.fact.subject:
        return Named(name=f"{who} states another {one.scheme}", href=_href(rival.issuer))
    holder = _named(rival.subject, view)
    return Named(name=f"{who} states it of {holder.name}", href=holder.href)


def _alike(one: Lookalike) -> Named:
    name = f"{one.name} ({shortened(to_hex(one.identity))})"
    return Named(name=name, href=_href(one.identity))


def _named(identity: IdentityId, view: View) -> Named:
    name = name_of(identity, view.documents) or shortened(to_hex(identity))
    return Named(name=name, href=_href(identity))


def _href(identity: IdentityId) -> str:
    return f"/orgs/{to_hex(identity)}"
