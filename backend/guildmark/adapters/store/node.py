"""A home's store in SQL: index, own log and documents in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from guildmark.adapters.store.engine import forget_deleted, reading, writing
from guildmark.adapters.store.facts import DOCUMENTS, Sealing, SqlDocuments, SqlFacts
from guildmark.adapters.store.letters import SqlLetters
from guildmark.adapters.store.log import ENVELOPES, QUEUE, SqlLog
from guildmark.ports.letters import LetterReader
from guildmark.ports.store import View, Work


class SqlNodeStore:
    """The store of one home; fulfils ``NodeStore``."""

    def __init__(self, engine: Engine, sealing: Sealing | None = None) -> None:
        self._engine = engine
        self._sealing = sealing

    @contextmanager
    def reading(self) -> Iterator[View]:
        """Open one state, the last commit; it holds up nobody."""
        with reading(self._engine) as connection:
            yield View(
                facts=SqlFacts(connection),
                log=SqlLog(connection),
                documents=SqlDocuments(connection, self._sealing),
            )

    @contextmanager
    def reading_letters(self) -> Iterator[LetterReader]:
        """Open what was told of recalls, as of the last commit; it holds up nobody."""
        with reading(self._engine) as connection:
            yield SqlLetters(connection)

    @contextmanager
    def writing(self) -> Iterator[Work]:
        """Open one exclusive transaction; leaving it commits durably, an error undoes it all."""
        with writing(self._engine) as connection:
            facts = SqlFacts(connection)
            yield Work(
                facts=facts,
                log=SqlLog(connection),
                documents=SqlDocuments(connection, self._sealing),
                letters=SqlLetters(connection),
            )
            facts.flush()

    def forget_deleted(self) -> None:
        """Write what was erased out of the database: old pages and its log still hold it."""
        forget_deleted(self._engine, QUEUE.name, ENVELOPES.name, DOCUMENTS.name)
