"""Who has a name: several may, and what looks like it counts."""

from dataclasses import dataclass

from guildmark.api.pages.verdict import in_words, shortened
from guildmark.api.serving import ServedNode
from guildmark.domain.identifiers import to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.services.identity.naming import name_of

_SHOWN_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRow:
    """An identity under the name, in words."""

    name: str
    kind: str
    id: str
    href: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesPage:
    """Everything that the template shows."""

    asked: str
    rows: tuple[NameRow, ...]
    more: int


def names_page(asked: str, node: ServedNode) -> NamesPage:
    """Return who has a name, the oldest first."""
    with node.store.reading() as view:
        found = node.naming.find(asked, view)
        rows = tuple(
            NameRow(
                name=name_of(fact.id, view.documents),
                kind=IdentityKind(fact.kind).name.lower(),
                id=shortened(to_hex(fact.id)),
                href=f"/orgs/{to_hex(fact.id)}",
                since=in_words(fact.since),
            )
            for fact in found[:_SHOWN_MAX]
        )
    return NamesPage(asked=asked, rows=rows, more=max(0, len(found) - _SHOWN_MAX))
