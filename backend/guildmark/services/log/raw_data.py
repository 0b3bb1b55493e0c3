"""Instruments' own files at a log's door: each is about one part of one site."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import Digest, IdentityId, to_hex
from guildmark.domain.measurement.document import RawDataReusedError
from guildmark.ports.store import DocumentKind, Documents, DocumentWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPlace:
    """What raw data is about, by its label in the log, and the site whose instrument took it."""

    label: str
    site: IdentityId

    def __str__(self) -> str:
        """Return the place as people read it."""
        return f"{self.label[:120]} of {to_hex(self.site)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawData:
    """What a statement or an inspection names as its instruments' files, and what it is about."""

    place: RawPlace
    digests: tuple[Digest, ...] = ()

    @classmethod
    def of(cls, label: str, site: IdentityId, measurements: Sequence[Measurement]) -> Self:
        """Return what measurements name, each file once."""
        named = dict.fromkeys(one.raw_data for one in measurements)
        return cls(
            place=RawPlace(label=label, site=site),
            digests=tuple(one for one in named if one is not None),
        )

    def refuse_reused(self, documents: Documents) -> None:
        """Refuse a file that an earlier part of the log, or another site, has.

        Raises:
            RawDataReusedError: One has it; both places are named.
        """
        for digest in self.digests:
            body = documents.get(DocumentKind.RAW_DATA, digest)
            first = self.place if body is None else codec.load(RawPlace, parse_object(body))
            if first != self.place:
                message = f"{first} and {self.place} have the same raw data {to_hex(digest)}."
                raise RawDataReusedError(
                    message, rawData=to_hex(digest), first=str(first), second=str(self.place)
                )

    def keep(self, documents: DocumentWriter) -> None:
        """Keep whose the files are, so that no later part has them."""
        for digest in self.digests:
            body = canonical(codec.dump(self.place))
            documents.put(DocumentKind.RAW_DATA, digest, body)
