"""A design as a whole: its revisions, who holds licenses of it, what became of their units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.facts import (
    IdentityFact,
    LaneFact,
    LicenseFact,
    RevisionFact,
    SpokenForFact,
)
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Address, DesignId, Digest, IdentityId, LicenseId
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.fileset import DesignFile, Manifest
from guildmark.domain.rights.terms import TermsKind, named_in
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, Documents
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import shown_clauses
from guildmark.services.rights.designs import SealedFiles, files_key
from guildmark.services.rights.licenses import paid_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A license of a design, and what became of its units.

    Args:
        above: The number of the license that it stands below, 0 for none.
        drawn: How many units were drawn, those of licenses below included.
        paid: For how many of them its royalty was paid.
    """

    license: LicenseFact
    above: int
    drawn: int
    paid: int

    @property
    def paid_amount(self) -> int:
        """Return what was paid in royalties, in the smallest unit of its coin."""
        return self.license.terms.royalty * self.paid

    @property
    def owed_amount(self) -> int:
        """Return what is owed in royalties for drawn units and not paid yet."""
        return self.license.terms.royalty * (self.drawn - self.paid)


def held(design: DesignId, facts: Facts) -> Sequence[Held]:
    """Return all licenses of a design, the oldest first."""
    granted = [fact for fact in facts.each(LicenseFact) if fact.terms.design == design]
    lanes: dict[int, list[LaneFact]] = {fact.number: [] for fact in granted}
    for lane in facts.each(LaneFact):
        if lane.license in lanes:
            lanes[lane.license].append(lane)
    numbers: Mapping[LicenseId, int] = {fact.id: fact.number for fact in granted}
    below: dict[LicenseId, list[LicenseFact]] = {}
    for fact in granted:
        below.setdefault(fact.terms.parent, []).append(fact)

    def drawing(one: LicenseFact) -> Iterator[LaneFact]:
        yield from lanes[one.number]
        for child in below.get(one.id, ()):
            yield from drawing(child)

    return [
        Held(
            license=one,
            above=numbers.get(one.terms.parent, 0),
            drawn=sum(lane.drawn for lane in drawing(one)),
            paid=sum(paid_units(lane, one, facts) for lane in drawing(one)),
        )
        for one in granted
    ]


def revisions(design: DesignId, facts: Facts) -> Sequence[Revision]:
    """Return a design's revisions, the newest first."""
    found = [fact.revision for fact in facts.each(RevisionFact, design)]
    return sorted(found, key=lambda one: -one.number)


def origins(revision: Revision, facts: Facts) -> Sequence[tuple[Digest, Revision | None]]:
    """Return what a revision builds on by digest, with the revision where this index knows it."""
    if not revision.derived_from:
        return ()
    held_by = {fact.revision.digest(): fact.revision for fact in facts.each(RevisionFact)}
    return [(digest, held_by.get(digest)) for digest in revision.derived_from]


def speakers(account: Address, facts: Facts) -> Sequence[IdentityId]:
    """Return the identities that an account speaks for now, the oldest first."""
    named = [known(facts, IdentityFact, one.identity) for one in facts.each(SpokenForFact, account)]
    speaking = [one for one in named if one.controller == account]
    return [one.id for one in sorted(speaking, key=lambda one: one.since)]


def texts(granted: LicenseFact, documents: Documents) -> Sequence[str]:
    """Return the license texts that a license's terms name, as far as this home holds them."""
    shown = shown_clauses(documents, DocumentKind.TERMS, granted.id)
    if shown is None:
        return ()
    try:
        members = shown.verify(granted.terms.terms_root)
    except GuildmarkError:
        # What was kept is checked when it comes; what does not fit is nothing.
        return ()
    return named_in(members, TermsKind.LICENSE_TEXT)


def files(revision: Revision, documents: Documents) -> Sequence[DesignFile]:
    """Return the files of a revision, nothing where this home did not register it."""
    body = documents.get(DocumentKind.FILES, files_key(revision))
    if body is None:
        return ()
    return Manifest.parse(codec.load(SealedFiles, parse_object(body)).manifest).files
