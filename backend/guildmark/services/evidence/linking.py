"""What this node can show of a thing that a Digital Link names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.identifiers import Index, LogNumber, to_hex
from guildmark.domain.labels.digital_link import SERIALS, DigitalLink
from guildmark.domain.labels.linkset import Item, Link, LinkType
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.queue import Logged
from guildmark.ports.store import NodeStore

PAGES = "/page"
"""In front of the path of a link, it is the path of the page behind it."""

Place: TypeAlias = tuple[LogNumber, Index]

_ZIP = "application/zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """Finds the links behind a Digital Link.

    Args:
        store: Of this node.
        locate: Returns where a label's first known entry is, None for none.
        base: The node's own address, without a last slash.
    """

    store: NodeStore
    locate: Callable[[str], Place | None]
    base: str

    def items(self, link: DigitalLink) -> Sequence[Item]:
        """Return what a link names, from the most closely named thing up to the kind of things.

        GS1-Conformant Resolver Standard 1.2, 2.5.9: links at each level, without a redirect.
        """
        found = self.part(link)
        one = [] if found is None else [self._part(*found)]
        kind = None if link.is_own else self._kind(link.kind)
        return one if kind is None else [*one, kind]

    def part(self, link: DigitalLink) -> tuple[DigitalLink, Place] | None:
        """Return a part's link as its label writes it, and where its entry is.

        A code may name batch or variant beside a serial that is unique without them (2.5.9).
        """
        serial = tuple(each for each in link.qualifiers if each[0] in SERIALS)
        for each in dict.fromkeys([link, replace(link, qualifiers=serial)] if serial else [link]):
            place = self.locate(each.label)
            if place is not None:
                return each, place
        return None

    def _part(self, link: DigitalLink, place: Place) -> Item:
        log, index = place
        page = link.path if link.is_own else PAGES + link.path
        links = (
            Link(type=LinkType.PAGE, href=self.base + page, title="What is proven of this part"),
            Link(
                type=LinkType.TRACEABILITY,
                href=f"{self.base}/evidence/{log}.{index}",
                title="Its evidence, to verify without this node",
                media_type=_ZIP,
            ),
            *self._qualified(log, index),
        )
        return Item(anchor=link.label, description="A part on record", links=links)

    def _kind(self, link: DigitalLink) -> Item | None:
        with self.store.reading() as view:
            newest = view.log.newest_below(f"{link.label}/")
        if newest is None:
            return None
        design = Link(
            type=LinkType.PAGE,
            href=f"{self.base}/designs/{to_hex(_statement(newest).external.design)}",
            title="The design that it is built from",
        )
        return Item(anchor=link.label, description="A kind of parts", links=(design,))

    def _qualified(self, log: LogNumber, index: Index) -> Sequence[Link]:
        """Return the way to the sites of a part's recipe, where this node's own log has it."""
        with self.store.reading() as view:
            logged = view.log.logged(log, index)
        if logged is None or logged.queued.entry.kind is not EntryKind.BUILD:
            return []
        recipe = to_hex(_statement(logged).external.recipe)
        return [
            Link(
                type=LinkType.CERTIFICATION,
                href=f"{self.base}/recipes/{recipe}/sites",
                title="Sites that are qualified for its recipe",
            )
        ]


def _statement(logged: Logged) -> BuildStatement:
    return BuildStatement.parse(Envelope.parse(logged.queued.envelope).payload)
