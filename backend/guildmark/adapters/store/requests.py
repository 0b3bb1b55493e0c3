"""Names of requests in SQL: for a day, each stands for one body."""

from dataclasses import dataclass

from sqlalchemy import Column, Engine, LargeBinary, Table, delete, insert, select
from sqlalchemy import Index as SqlIndex

from guildmark.adapters.store.engine import writing
from guildmark.adapters.store.schema import METADATA, whole
from guildmark.domain.encoding.hashing import sha256
from guildmark.ports.clock import Clock
from guildmark.ports.store import RequestMismatchError

REQUESTS = Table(
    "requests",
    METADATA,
    Column("name", LargeBinary, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("at", whole(), nullable=False),
    SqlIndex("requests_by_time", "at"),
    sqlite_with_rowid=False,
)

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRequests:
    """The names of one node's requests; fulfils ``Requests``."""

    engine: Engine
    clock: Clock

    def claim(self, name: str, body: bytes) -> None:
        """Note durably that ``name`` stands for ``body``."""
        key, digest, now = sha256(name.encode()), sha256(body), self.clock.now()
        of_name = REQUESTS.c.name == key
        with writing(self.engine) as connection:
            connection.execute(delete(REQUESTS).where(REQUESTS.c.at <= now - _DAY))
            known = connection.execute(select(REQUESTS.c.body).where(of_name)).scalar_one_or_none()
            if known is None:
                row = {"name": key, "body": digest, "at": now}
                connection.execute(insert(REQUESTS).values(row))
        if known not in {None, digest}:
            message = "The Idempotency-Key stands for another body."
            raise RequestMismatchError(message)
