"""Lots of material: a maker names one, and its parts share a digest that nobody can guess."""

import re
from dataclasses import dataclass
from typing import Protocol

from guildmark.domain.builds.lots import check_lot
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId
from guildmark.domain.recall import RecallCause, Thing, lot_digest
from guildmark.ports.clock import Entropy
from guildmark.ports.store import DocumentKind, DocumentWriter, NodeStore

_SALT_SIZE = 32
_OTHERS = re.compile(r"0x[0-9a-f]{64}:0x[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLot:
    """A lot that this home named: the salt makes its digest what nobody finds by trying."""

    maker: IdentityId
    name: str
    salt: Bytes32


class LotBook(Protocol):
    """Where the salts of a maker's lots are kept."""

    def lot(self, key: Digest) -> bytes | None:
        """Return what is kept of a lot, None where it is new."""
        ...

    def keep_lot(self, key: Digest, body: bytes) -> None:
        """Keep what a lot of the maker is called, and its salt."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lots:
    """Use cases around the lots that a maker's parts are made from."""

    store: NodeStore
    entropy: Entropy

    def named(self, maker: IdentityId, text: str) -> Thing:
        """Return the lot that a text names; this home keeps the salt that a name gets at first.

        Raises:
            LotNameError: The name is empty, too long or not printable.
        """
        with self.store.writing() as work:
            return lot_named(maker, text, _Shelf(documents=work.documents), self.entropy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    documents: DocumentWriter

    def lot(self, key: Digest) -> bytes | None:
        return self.documents.get(DocumentKind.LOT, key)

    def keep_lot(self, key: Digest, body: bytes) -> None:
        self.documents.put(DocumentKind.LOT, key, body)


def lot_named(maker: IdentityId, text: str, book: LotBook, entropy: Entropy) -> Thing:
    """Return the lot that a text names: MAKER:DIGEST, or a name of the maker's own.

    Args:
        maker: Whose own lots are meant by a name.
        text: MAKER:DIGEST as somebody gave it, or the name.
        book: Keeps the salt that a name gets at first.
        entropy: Draws it.

    Raises:
        LotNameError: The name is empty, too long or not printable.
    """
    if _OTHERS.fullmatch(text):
        return Thing.parse(RecallCause.LOT, text)
    key = sha256(maker + check_lot(text).encode())
    body = book.lot(key)
    if body is not None:
        kept = codec.load(KeptLot, parse_object(body))
    else:
        kept = KeptLot(maker=maker, name=text, salt=Bytes32(entropy.token(_SALT_SIZE)))
        book.keep_lot(key, canonical(codec.dump(kept)))
    return Thing.lot(maker, Digest(lot_digest(kept.name, kept.salt)))
