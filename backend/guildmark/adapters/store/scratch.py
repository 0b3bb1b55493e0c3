"""An index beside the home's own one, in memory: what the chain says if all of it is read anew."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import StaticPool, create_engine

from guildmark.adapters.store.engine import reading, writing
from guildmark.adapters.store.facts import SqlFacts
from guildmark.adapters.store.letters import SqlLetters
from guildmark.adapters.store.log import SqlLog
from guildmark.adapters.store.schema import METADATA
from guildmark.ports.letters import LetterReader
from guildmark.ports.store import DocumentKind, Documents, View, Work


class _Shown:
    """A home's documents, which stay as they are."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def get(self, kind: DocumentKind, key: bytes) -> bytes | None:
        return self._documents.get(kind, key)

    def put(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        """Keep nothing: no fact follows from what is kept on the way."""

    def drop(self, kind: DocumentKind, key: bytes) -> None:
        """Drop nothing: it is the home's own."""


class ScratchStore:
    """A store without a file; fulfils ``NodeStore``.

    Args:
        documents: The home's own, of which facts follow as well.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = _Shown(documents)
        self._engine = create_engine("sqlite://", poolclass=StaticPool)
        METADATA.create_all(self._engine)

    @contextmanager
    def reading(self) -> Iterator[View]:
        """Open one state."""
        with reading(self._engine) as connection:
            yield View(
                facts=SqlFacts(connection), log=SqlLog(connection), documents=self._documents
            )

    @contextmanager
    def reading_letters(self) -> Iterator[LetterReader]:
        """Open what was told of recalls, as of the last commit; it holds up nobody."""
        with reading(self._engine) as connection:
            yield SqlLetters(connection)

    @contextmanager
    def writing(self) -> Iterator[Work]:
        """Open one transaction."""
        with writing(self._engine) as connection:
            facts = SqlFacts(connection)
            yield Work(
                facts=facts,
                log=SqlLog(connection),
                documents=self._documents,
                letters=SqlLetters(connection),
            )
            facts.flush()

    def close(self) -> None:
        """Forget everything."""
        self._engine.dispose()
