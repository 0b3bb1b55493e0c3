"""Content keys at rest: a home seals the documents that hold them to a key of its own.

The key lies in the home's key store under its password, so that who copies the database alone, or a
backup of it, reads no file of a design.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Engine, or_, select, update

from guildmark.adapters.store.engine import (
    forget_deleted,
    overwrite_deleted,
    reading,
    writing,
)
from guildmark.adapters.store.facts import DOCUMENTS
from guildmark.ports.keys import KeyAlgorithm, KeyExistsError, KeyName, KeyStore
from guildmark.ports.store import DocumentKind
from guildmark_ipfs.keys import PublicKey

KEY = KeyName("home-seal")

SECRET = frozenset({DocumentKind.FILES, DocumentKind.PACKAGE, DocumentKind.WATCH_SECRET})
"""The documents that hold content keys, or what letters are signed with."""

_MARK = b"guildmark/sealed/v1\0"
# The first bytes behind all that begin with the mark.
_BEHIND_MARK = b"guildmark/sealed/v1\1"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSealing:
    """What seals and opens a home's secret documents; fulfils ``Sealing``."""

    keys: KeyStore

    def seal(self, kind: DocumentKind, key: bytes, body: bytes) -> bytes:
        """Return a document as it is kept: where it holds content keys, sealed to this home.

        Raises:
            PasswordWrongError: The home's first key for this cannot be made under its password.
        """
        if kind not in SECRET:
            return body
        return _MARK + PublicKey(self._public()).seal(body, info=_info(kind, key))

    def open(self, kind: DocumentKind, key: bytes, kept: bytes) -> bytes:
        """Return a document as it was put.

        Raises:
            KeyMissingError: The home's key for this is not in its key store.
            PasswordWrongError: The password does not open it.
            SealBrokenError: The document was changed, or moved.
        """
        if not kept.startswith(_MARK):
            return kept
        return self.keys.unseal(KEY, kept.removeprefix(_MARK), info=_info(kind, key))

    def make(self) -> None:
        """Make the home's key for this, unless it is there.

        Raises:
            PasswordWrongError: It cannot be made under the home's password.
        """
        self._public()

    def _public(self) -> bytes:
        if KEY not in self.keys.names():
            try:
                return self.keys.create(KEY, KeyAlgorithm.X25519).value
            except KeyExistsError:
                _logger.debug("another process made the key %s in the meantime", KEY)
        return self.keys.public_key(KEY).value


def seal_old(engine: Engine, sealing: HomeSealing) -> int:
    """Seal what an earlier version kept in clear, leave no trace of it, return how much it was.

    Raises:
        StoreUnavailableError: The database does not answer in time, or the disk is full.
        PasswordWrongError: The home's key for this cannot be made under its password.
    """
    clear = [
        DOCUMENTS.c.kind.in_([kind.value for kind in SECRET]),
        or_(DOCUMENTS.c.body < _MARK, DOCUMENTS.c.body >= _BEHIND_MARK),
    ]
    with reading(engine) as connection:
        if connection.execute(select(DOCUMENTS.c.key).where(*clear).limit(1)).first() is None:
            return 0
    with writing(engine) as connection:
        overwrite_deleted(connection)
        rows = connection.execute(select(DOCUMENTS).where(*clear)).all()
        for row in rows:
            sealed = sealing.seal(DocumentKind(row.kind), row.key, row.body)
            here = (DOCUMENTS.c.kind == row.kind, DOCUMENTS.c.key == row.key)
            connection.execute(update(DOCUMENTS).where(*here).values(body=sealed))
    forget_deleted(engine, DOCUMENTS.name)
    return len(rows)


def _info(kind: DocumentKind, key: bytes) -> bytes:
    # A sealed document opens in its own place alone.
    return b"guildmark/home/v1\0" + kind.value.encode() + b"\0" + key
