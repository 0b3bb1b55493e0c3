"""Lots of material: a maker names one, and its parts share a digest that nobody can guess."""

from dataclasses import dataclass

from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId
from guildmark.domain.recall import Thing, lot_digest
from guildmark.ports.clock import Entropy
from guildmark.ports.store import DocumentKind, NodeStore

NAME_MAX = 200
_SALT_SIZE = 32


class LotNameError(MalformedError):
    """No name of a lot, or too long a one."""

    code = "lot.nameInvalid"
    hint = f"Write the lot as its supplier does, in 1 to {NAME_MAX} printable characters."


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLot:
    """A lot that this home named: the salt makes its digest what nobody finds by trying."""

    maker: IdentityId
    name: str
    salt: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Lots:
    """Use cases around the lots that a maker's parts are made from."""

    store: NodeStore
    entropy: Entropy

    def named(self, maker: IdentityId, name: str) -> Thing:
        """Return a lot of a maker by its name; this home keeps the salt that it gets at first.

        Raises:
            LotNameError: The name is empty, too long or not printable.
        """
        if not 0 < len(name) <= NAME_MAX or not name.isprintable():
            message = f"A lot's name has 1 to {NAME_MAX} printable characters."
            raise LotNameError(message)
        key = sha256(maker + name.encode())
        with self.store.writing() as work:
            body = work.documents.get(DocumentKind.LOT, key)
            if body is None:
                salt = Bytes32(self.entropy.token(_SALT_SIZE))
                kept = KeptLot(maker=maker, name=name, salt=salt)
                work.documents.put(DocumentKind.LOT, key, canonical(codec.dump(kept)))
            else:
                kept = codec.load(KeptLot, parse_object(body))
        return Thing.lot(maker, Digest(lot_digest(kept.name, kept.salt)))
