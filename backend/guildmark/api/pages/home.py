"""The node's home: what it is, and the newest entries of its log."""

from dataclasses import dataclass

from guildmark.api.pages.verdict import Fact
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import LogFact
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import IdentityId, Index, LogNumber
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.queue import Logged
from guildmark.ports.store import DocumentKind, View

_NEWEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """An entry of the log."""

    entry: str
    href: str
    label: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """Everything that the template shows."""

    operator: str
    log: str
    facts: tuple[Fact, ...]
    parts: tuple[EntryRow, ...]


def home_page(node: ServedNode) -> HomePage:
    """Return the home page of a node."""
    log = node.settings.log
    pin = node.ledger.pin()
    with node.store.reading() as view:
        cursor, head = view.facts.cursor(), view.facts.get(LogFact, log)
        name = _name(view, node.settings.operator)
        rows = _newest(view, log, 0 if head is None else head.size)
    return HomePage(
        operator=name or "This node",
        log=str(log),
        facts=(
            Fact(name="Log", value=str(log)),
            Fact(name="Entries", value="0" if head is None else str(head.size)),
            Fact(name="Chain", value=f"{pin.chain_id} ({pin.chain_class.value})"),
            Fact(name="Read up to", value="-" if cursor is None else f"block {cursor.number}"),
        ),
        parts=rows,
    )


def _name(view: View, operator: IdentityId) -> str:
    """Return the operator's name as its profile, once disclosed to this node, gives it."""
    document = view.documents.get(DocumentKind.PROFILE, operator)
    name = None if document is None else parse_object(document).get("name")
    return name if isinstance(name, str) else ""


def _newest(view: View, log: LogNumber, size: int) -> tuple[EntryRow, ...]:
    indexes = range(size - 1, max(-1, size - 1 - _NEWEST), -1)
    found = (view.log.logged(log, Index(index)) for index in indexes)
    # Receipts and the like are entries too, and no parts.
    return tuple(
        _row(logged)
        for logged in found
        if logged is not None and logged.queued.entry.kind.is_counted
    )


def _row(logged: Logged) -> EntryRow:
    entry = f"{logged.log}.{logged.build.index}"
    unit = logged.build.unit
    is_scrap = logged.queued.entry.kind is EntryKind.SCRAP
    return EntryRow(
        entry=entry,
        href=f"/parts/{entry}",
        label=logged.queued.label.rsplit("/", 1)[-1],
        unit=("none" if unit is None else str(unit)) + ", scrapped" * is_scrap,
    )
