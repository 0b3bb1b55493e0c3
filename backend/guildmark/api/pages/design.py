"""The page of a design: whose it is, its revisions, who holds licenses, what is owed for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from guildmark.api.errors import ParameterInvalidError
from guildmark.api.pages.verdict import Fact, in_words, shortened
from guildmark.api.routes.reconciliations import page_of
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import DesignFact, LicenseFact
from guildmark.domain.chain.refusals import DesignUnknownError
from guildmark.domain.errors import NotFoundError
from guildmark.domain.identifiers import ZERO_ADDRESS, Address, DesignId, IdentityId, to_hex
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.fileset import DesignFile
from guildmark.domain.rights.geometry import UNSTATED, Geometry
from guildmark.ports.facts import Facts
from guildmark.ports.store import View
from guildmark.services.identity.naming import name_of
from guildmark.services.rights import overview
from guildmark.services.rights.history import History
from guildmark.services.rights.overview import Held
from guildmark.services.rights.pictures import shown_picture

_SHOWN_MAX = 64
_PERCENT = 100


class PictureUnknownError(NotFoundError):
    """A design's owner shows no picture of it at this node."""

    code = "design.pictureUnknown"
    hint = "Ask the owner; `guildmark design publish-picture` shows one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody or something in words, with the path of its page."""

    name: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file in words, for its owner alone."""

    name: str
    media_type: str
    size: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRow:
    """A revision in words."""

    number: int
    when: str
    origins: tuple[Named, ...]
    files: tuple[FileRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseRow:
    """A license in words.

    Args:
        percent: How much of it is drawn, for the bar.
        texts: Names or digests of the license texts; for the owner alone.
        reconciliation: Where releases and draws are compared; for the owner alone.
    """

    number: int
    holder: Named
    above: int
    drawn: str
    percent: int
    when: str
    standing: str
    tone: str
    royalty: str
    paid: str
    owed: str
    texts: tuple[str, ...]
    reconciliation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignPage:
    """Everything that the template shows.

    Args:
        headline: How many copies are licensed and drawn.
        asked_on: The date that was asked for, empty for now.
        as_of: The block that licenses are shown at, where it is not the newest one.
        ticket: What opened the page for its owner, empty for everybody else.
        picture: The path of the picture that the owner shows, empty where he shows none.
    """

    name: str
    headline: str
    facts: tuple[Fact, ...]
    speakers: tuple[Named, ...]
    revisions: tuple[RevisionRow, ...]
    licenses: tuple[LicenseRow, ...]
    more: int
    asked_on: str
    as_of: str
    ticket: str
    id: str
    picture: str


def path_of(design: str) -> str:
    """Return the path of a design's page."""
    return f"/designs/{design}"


def picture_path(design: str) -> str:
    """Return the path of the picture on a design's page."""
    return f"{path_of(design)}/picture.png"


def design_page(
    design: DesignId, node: ServedNode, *, ticket: str = "", asked_on: str = ""
) -> DesignPage:
    """Return the page of a design.

    Args:
        design: The design.
        node: The node that shows it.
        ticket: A ticket for the page that was checked, empty where nobody signed in.
        asked_on: The date as of whose end licenses are shown, empty for now.

    Raises:
        DesignUnknownError: No final block holds it.
        ParameterInvalidError: The date is none.
        BeforeChainError: The chain began later.
    """
    past = _past(node, asked_on) if asked_on and ticket else None
    with node.store.reading() as view:
        fact = _known(design, view)
        held = overview.held(design, view.facts if past is None else past)
        shown = [_license(one, node, view, ticket=ticket) for one in held[-_SHOWN_MAX:]]
        named = overview.revisions(design, view.facts)
        return DesignPage(
            name=f"Design {shortened(to_hex(design))}",
            headline=_headline(held),
            facts=_facts(fact, named),
            speakers=tuple(_named(one, view) for one in overview.speakers(fact.owner, view.facts)),
            revisions=tuple(_revision(one, view, is_owner=bool(ticket)) for one in named),
            licenses=tuple(reversed(shown)),
            more=max(0, len(held) - _SHOWN_MAX),
            asked_on=asked_on if past is not None else "",
            as_of=_as_of(past),
            ticket=ticket,
            id=to_hex(design),
            picture=picture_path(to_hex(design)) if shown_picture(fact, view.documents) else "",
        )


def design_picture(design: DesignId, node: ServedNode) -> bytes:
    """Return the PNG that a design's owner shows of it.

    Raises:
        DesignUnknownError: No final block holds it.
        PictureUnknownError: He shows none.
    """
    with node.store.reading() as view:
        image = shown_picture(_known(design, view), view.documents)
    if not image:
        message = f"The owner of design {to_hex(design)} shows no picture of it here."
        raise PictureUnknownError(message, design=to_hex(design))
    return image


def _known(design: DesignId, view: View) -> DesignFact:
    fact = view.facts.get(DesignFact, design)
    if fact is None:
        message = f"No final block holds the design {to_hex(design)}."
        raise DesignUnknownError(message, design=to_hex(design))
    return fact


def _past(node: ServedNode, asked_on: str) -> Facts:
    try:
        day = date.fromisoformat(asked_on)
    except ValueError as error:
        message = f"{asked_on[:20]!a} is no date, as 2026-09-30 is."
        raise ParameterInvalidError(message, parameter="on") from error
    ends = datetime.combine(day, time(23, 59, 59), tzinfo=UTC)
    return History(ledger=node.ledger).licenses(int(ends.timestamp()))


def _as_of(past: Facts | None) -> str:
    cursor = None if past is None else past.cursor()
    return "" if cursor is None else f"block {cursor.number}, {in_words(cursor.time)}"


def _headline(held: Sequence[Held]) -> str:
    roots = [one for one in held if not one.above]
    units, drawn = sum(one.license.units for one in roots), sum(one.drawn for one in roots)
    if not roots:
        return "Nobody holds a license yet"
    copies = "copy" if units == 1 else "copies"
    return f"{drawn} of {units} licensed {copies} made"


def _facts(fact: DesignFact, named: Sequence[Revision]) -> tuple[Fact, ...]:
    return (
        Fact(name="Owner's account", value=to_hex(fact.owner), source="on chain"),
        Fact(name="Priority", value=in_words(fact.priority), source="block time of the commitment"),
        Fact(name="Revisions", value=str(len(named)), source="on chain"),
        Fact(name="Changed hands", value=_times(fact.epoch), source="on chain"),
    )


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def _revision(one: Revision, view: View, *, is_owner: bool) -> RevisionRow:
    files = overview.files(one, view.documents) if is_owner else ()
    return RevisionRow(
        number=one.number,
        when=in_words(one.at),
        origins=tuple(_origins(one, view)),
        files=tuple(map(_file, files)),
    )


def _origins(one: Revision, view: View) -> Iterator[Named]:
    for digest, found in overview.origins(one, view.facts):
        if found is None:
            yield Named(name=f"a revision {shortened(to_hex(digest))}", href="")
        else:
            design = to_hex(found.design)
            name = f"revision {found.number} of design {shortened(design)}"
            yield Named(name=name, href=path_of(design))


def _file(one: DesignFile) -> FileRow:
    return FileRow(
        name=one.name,
        media_type=one.media_type,
        size=f"{one.size:,} bytes",
        facts=() if one.geometry is None else tuple(_geometry(one.geometry)),
    )


def _geometry(one: Geometry) -> Iterator[str]:
    unit = "(unit not stated)" if one.unit == UNSTATED else one.unit
    if one.schema is not None:
        yield f"STEP schema {one.schema}, not measured"
    if one.mesh is not None:
        yield f"box {' by '.join(one.mesh.box)} {unit}"
        yield f"{one.mesh.triangles:,} triangles"
        if one.mesh.volume is None:
            yield "not watertight, so that it has no volume"
        else:
            yield f"watertight, volume {one.mesh.volume} {unit}³"


def _license(one: Held, node: ServedNode, view: View, *, ticket: str) -> LicenseRow:
    fact, terms = one.license, one.license.terms
    standing, tone = _standing(fact, node.judging.clock.now())
    own = page_of(to_hex(fact.id))
    # Who licensed it on reconciles what stands below him.
    is_reconciled = bool(ticket) and not one.above
    return LicenseRow(
        number=fact.number,
        holder=_named(terms.holder, view),
        above=one.above,
        drawn=f"{one.drawn} of {fact.units}",
        percent=_PERCENT * one.drawn // fact.units,
        when=_window(fact),
        standing=standing,
        tone=tone,
        royalty=_amount(terms.royalty, terms.currency) if terms.royalty else "",
        paid=_amount(one.paid_amount, terms.currency),
        owed=_amount(one.owed_amount, terms.currency),
        texts=tuple(overview.texts(fact, view.documents)) if ticket else (),
        reconciliation=f"{own}?ticket={node.tickets.make(own)}" if is_reconciled else "",
    )


def _standing(fact: LicenseFact, now: int) -> tuple[str, str]:
    terms = fact.terms
    if fact.stop_at and fact.stop_at <= now:
        return "stopped", "bad"
    if fact.stop_at:
        return "ends by notice", "care"
    if terms.not_after and terms.not_after <= now:
        return "ended", "none"
    return ("not begun", "none") if now < terms.not_before else ("in force", "good")


def _window(fact: LicenseFact) -> str:
    terms = fact.terms
    begins = f"Granted on {in_words(fact.granted_at)}"
    ends = f"; units may be drawn until {in_words(terms.not_after)}" if terms.not_after else ""
    stop = f"; stopped from {in_words(fact.stop_at)} on" if fact.stop_at else ""
    return f"{begins}{ends}{stop}"


def _amount(amount: int, currency: Address) -> str:
    coin = "of the chain's coin" if currency == ZERO_ADDRESS else f"of coin {to_hex(currency)}"
    return f"{amount:,} {coin}, in its smallest unit" if amount else "nothing"


def _named(identity: IdentityId, view: View) -> Named:
    name = name_of(identity, view.documents) or shortened(to_hex(identity))
    return Named(name=name, href=f"/orgs/{to_hex(identity)}")
