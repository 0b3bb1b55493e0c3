"""The page of a license's reconciliation: who got keys, who drew units, what does not fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from guildmark.api.pages.design import path_of
from guildmark.api.pages.verdict import in_words, shortened
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import LicenseFact, LicenseNumberFact
from guildmark.domain.identifiers import IdentityId, LicenseId, to_hex
from guildmark.domain.rights.reconciliation import Difference, Row
from guildmark.domain.rights.terms import NO_LICENSE, Terms
from guildmark.ports.store import View
from guildmark.services.identity.naming import name_of
from guildmark.services.index.projection import known

_WORDS: Mapping[Difference, str] = MappingProxyType(
    {
        Difference.UNRELEASED: "Copies were made, but no receipt says that this site got the keys.",
        Difference.AFTER_STOP: "The files were opened after the license was stopped.",
        Difference.LATE: "A receipt came on record more than an hour after the keys were released.",
        Difference.FOREIGN_LANE: "The files were opened for units that this site does not hold.",
        Difference.UNDRAWN: "The files were opened; no copy is on record yet. That is no alarm.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference in words."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRow:
    """A lane in words."""

    lane: int
    site: str
    href: str
    drawn: str
    released: str
    when: str
    machines: str
    releasers: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationPage:
    """Everything that the template shows."""

    number: int
    headline: str
    tone: str
    stopped: str | None
    waiting: int
    counted: str
    rows: tuple[LaneRow, ...]
    license: str
    design: str
    design_href: str


def reconciliation_page(license_id: LicenseId, node: ServedNode) -> ReconciliationPage:
    """Return a license's reconciliation, by the receipts that this node holds.

    Raises:
        LicenseUnknownError: No final block grants it.
    """
    found = node.reconciling.of(license_id)
    with node.store.reading() as view:
        number = known(view.facts, LicenseNumberFact, license_id).number
        granted = known(view.facts, LicenseFact, number)
        rows = tuple(_row(one, view) for one in found.rows)
        releasers = {one for row in found.rows for one in row.releasers}
        names = sorted(_name(one, view) for one in releasers)
    alerts = sum(any(one.is_alert for one in row.differences) for row in found.rows)
    return ReconciliationPage(
        number=number,
        headline=_headline(alerts, len(rows)),
        tone="bad" if alerts else "good",
        stopped=in_words(found.stopped_at) if found.stopped_at else None,
        waiting=node.receipts.waiting(license_id),
        counted=", ".join(names) or "nobody",
        rows=rows,
        license=to_hex(license_id),
        design=to_hex(granted.terms.design),
        design_href=_design(granted.terms, node),
    )


def _design(terms: Terms, node: ServedNode) -> str:
    """Return the address of the design's page: with a ticket where the licensor is its owner."""
    path = path_of(to_hex(terms.design))
    is_owner = terms.parent == NO_LICENSE
    return f"{path}?ticket={node.tickets.make(path)}" if is_owner else path


def _headline(alerts: int, rows: int) -> str:
    if alerts:
        places = "One place needs" if alerts == 1 else f"{alerts} places need"
        return f"{places} a look"
    return "Files opened and copies made fit" if rows else "No file was opened, no copy made yet"


def _row(row: Row, view: View) -> LaneRow:
    when = "never"
    if row.released:
        first, last = in_words(row.first_at), in_words(row.last_at)
        when = first if first == last else f"{first} to {last}"
    return LaneRow(
        lane=row.lane,
        site=_name(row.site, view),
        href=f"/orgs/{to_hex(row.site)}",
        drawn=f"{row.drawn} of {row.units}",
        released={0: "never", 1: "once"}.get(row.released, f"{row.released} times"),
        when=when,
        machines=", ".join(_name(one, view) for one in row.machines) or "the site itself",
        releasers=", ".join(_name(one, view) for one in row.releasers) or "nobody",
        findings=tuple(_finding(one) for one in row.differences),
    )


def _finding(one: Difference) -> Finding:
    return Finding(text=_WORDS[one], tone="bad" if one.is_alert else "none")


def _name(identity: IdentityId, view: View) -> str:
    return name_of(identity, view.documents) or shortened(to_hex(identity))
