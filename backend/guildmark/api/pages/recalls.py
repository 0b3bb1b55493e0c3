"""The recall console: what is recalled, by whom, whom it reaches here, and what was closed."""

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

from guildmark.api.pages.verdict import in_words, shortened
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import RecallFact
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.recall import RecallCause, RecallId, Severity, Thing, issuer_text
from guildmark.ports.store import View
from guildmark.services.identity.naming import name_of
from guildmark.services.recalls.reaching import Reach, reach
from guildmark.services.recalls.reading import Asked, group_of, listed, shown_reason

_MOST = 20
_FEW = 3
"""So many of one issuer and one thing: who writes a hundred hides nobody else's."""
_OPEN, _CLOSED = "open", "closed"
_STATES = {_OPEN: True, _CLOSED: False}

_WORDS = {
    RecallCause.SERIAL: "Part",
    RecallCause.LOT: "Lot",
    RecallCause.MACHINE: "Machine",
    RecallCause.RECIPE: "Recipe",
    RecallCause.SITE_RECIPE: "Site recipe",
    RecallCause.CERTIFICATE: "Certificate",
    RecallCause.DESIGN: "Design",
    RecallCause.KEY: "Machine key",
}
_SEVERITIES = {
    Severity.INSPECT: "inspect before use",
    Severity.WITHDRAW: "do not use",
    Severity.DANGER: "danger",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRow:
    """A recall in words.

    Args:
        href: The page of what is recalled, empty where it has none.
        thing: What is recalled, in full.
        counts: Why the recall counts by this node's list, or that it does not.
        reason: The text that says why, empty where nobody published it here.
        digest: Its digest.
        closed: When and why it was closed, empty while it is open.
        more: That its issuer has more of the same thing than are shown, empty where not.
        more_href: Where all of them are.
    """

    name: str
    href: str
    thing: str
    tone: str
    state: str
    issuer: str
    issuer_id: str
    issuer_href: str
    counts: str
    at: str
    window: str
    reaches: str
    reason: str
    digest: str
    closed: str
    program: str
    more: str
    more_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A way to narrow the list."""

    name: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallsPage:
    """Everything that the template shows.

    Args:
        following: The path of the next page, empty where this one is the last.
    """

    headline: str
    choices: tuple[Choice, ...]
    recalls: tuple[RecallRow, ...]
    following: str


def recalls_page(node: ServedNode, *, show: str, after: str) -> RecallsPage:
    """Return a page of recalls, the newest first.

    Raises:
        RecallIdMalformedError: ``after`` names no recall.
        RecallUnknownError: No final block holds it.
    """
    asked = Asked(is_open=_STATES.get(show), few=_FEW)
    before = RecallId.parse(after) if after else None
    with node.store.reading() as view:
        recalls = view.facts.each(RecallFact)
        count = sum(not fact.closed_at for fact in recalls)
        groups = Counter(group_of(fact) for fact in recalls if asked.admits(fact))
        page = listed(asked, view, most=_MOST, after=before)
        rows = tuple(_row(fact, groups[group_of(fact)], node, view) for fact in page.recalls)
    one = "recall is" if count == 1 else "recalls are"
    return RecallsPage(
        headline=f"{count} {one} open" if count else "No recall is open",
        choices=tuple(_choice(name, show) for name in ("", _OPEN, _CLOSED)),
        recalls=rows,
        following="" if page.after is None else _path(show, page.after.text()),
    )


def _path(show: str, after: str = "") -> str:
    query = {name: value for name, value in (("show", show), ("after", after)) if value}
    return "/recalls" + (f"?{urlencode(query)}" if query else "")


def _choice(name: str, show: str) -> Choice:
    chosen = show if show in _STATES else ""
    return Choice(name=name.capitalize() or "All", href=_path(name), is_chosen=name == chosen)


def _row(fact: RecallFact, of_group: int, node: ServedNode, view: View) -> RecallRow:
    severity = Severity(fact.severity)
    issuer = IdentityId(fact.issuer)
    is_account = issuer_text(fact.issuer) != to_hex(issuer)
    name = "" if is_account else name_of(issuer, view.documents)
    return RecallRow(
        name=_WORDS[fact.thing.cause],
        href=_href(fact.thing, node),
        thing=fact.thing.text(),
        tone=_tone(fact),
        state="closed" if fact.closed_at else _SEVERITIES[severity],
        issuer=name or shortened(issuer_text(fact.issuer)),
        issuer_id=issuer_text(fact.issuer),
        issuer_href="" if is_account else f"/orgs/{to_hex(issuer)}",
        counts=_counts(fact, node),
        at=in_words(fact.at),
        window=_window(fact),
        reaches=_reaches(reach(fact, node.settings.log, view), node.settings.log),
        reason=shown_reason(fact.reason, view.documents) or "",
        digest=to_hex(fact.reason),
        closed=_closed(fact, view),
        program=f"/v1/recalls/{fact.id.text()}",
        more=_more(of_group),
        more_href=_all_of(fact) if of_group > _FEW else "",
    )


def _more(of_group: int) -> str:
    if of_group <= _FEW:
        return ""
    return f"Its issuer has {of_group} recalls of this; the newest {_FEW} are listed."


def _all_of(fact: RecallFact) -> str:
    query = {"thing": fact.thing.name(), "issuer": issuer_text(fact.issuer)}
    return f"/v1/recalls?{urlencode(query)}"


def _tone(fact: RecallFact) -> str:
    if fact.closed_at:
        return "none"
    return "care" if fact.severity == Severity.INSPECT else "bad"


def _href(thing: Thing, node: ServedNode) -> str:
    match thing.cause:
        case RecallCause.SERIAL if thing.log == node.settings.log:
            return f"/parts/{thing.text()}"
        case RecallCause.DESIGN:
            return f"/designs/{thing.text()}"
        case RecallCause.RECIPE:
            return f"/recipes/{thing.text()}/sites"
        case RecallCause.MACHINE:
            return f"/orgs/{thing.text()}"
        case _:
            return ""


def _counts(fact: RecallFact, node: ServedNode) -> str:
    if fact.is_owners:
        return "As the owner of what is recalled, by the contract's own reckoning."
    if node.judging.trust.lists_authority(fact.by, fact.at):
        return "As an authority on this node's list."
    return "As an authority that is not on this node's list: it counts for who lists it."


def _window(fact: RecallFact) -> str:
    since = f"from {in_words(fact.since)}" if fact.since else ""
    until = f"before {in_words(fact.until)}" if fact.until else ""
    told = " and ".join(filter(None, (since, until)))
    return f"Parts recorded {told}." if told else "Parts of any time."


def _reaches(found: Reach, log: int) -> str:
    if found.parts is None:
        return "Which parts are of the lot, only their maker knows."
    most = "At most " if found.is_most else ""
    some = "1 part" if found.parts == 1 else f"{found.parts} parts"
    return f"{most}{some} in log {log} of this node; other operators' parts are not counted here."


def _closed(fact: RecallFact, view: View) -> str:
    if not fact.closed_at:
        return ""
    why = shown_reason(fact.closing, view.documents)
    told = f"Closed by its issuer on {in_words(fact.closed_at)}."
    return f"{told} {why}" if why else f"{told} Why was not published here."
