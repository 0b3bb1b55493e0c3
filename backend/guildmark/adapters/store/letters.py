"""Letters in SQL: who wants to hear of recalls, what was told, what waits to be sent."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    update,
)
from sqlalchemy import Index as SqlIndex

from guildmark.adapters.store.schema import METADATA, upsert, whole
from guildmark.domain.encoding.codec import dump, load
from guildmark.domain.letters import (
    Letter,
    LetterId,
    LetterState,
    RecallWatch,
    Stage,
    Told,
    WatchId,
)
from guildmark.domain.recall import RecallId

WATCHES = Table(
    "watches",
    METADATA,
    Column("id", String, primary_key=True),
    Column("body", Text, nullable=False),
)

TOLD = Table(
    "told",
    METADATA,
    Column("recall", String, primary_key=True),
    Column("stage", String, nullable=False),
    Column("body", Text, nullable=False),
    SqlIndex("told_by_stage", "stage"),
)

LETTERS = Table(
    "letters",
    METADATA,
    Column("number", whole(), primary_key=True),
    Column("id", String, nullable=False),
    Column("watch", String, nullable=False),
    Column("recall", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("due", whole(), nullable=False),
    Column("tries", whole(), nullable=False),
    Column("state", String, nullable=False),
    Column("code", String, nullable=False),
    Column("until", whole(), nullable=False, server_default="0"),
    UniqueConstraint("watch", "id"),
    SqlIndex("letters_by_state", "state", "due"),
    SqlIndex("letters_by_recall", "watch", "recall", "state"),
    sqlite_autoincrement=True,
)


class SqlLetters:
    """Letters over one connection; fulfils ``Letters``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def watches(self) -> Sequence[RecallWatch]:
        """Return who wants to hear of recalls."""
        query = select(WATCHES.c.body).order_by(WATCHES.c.id)
        bodies = self._connection.execute(query).scalars()
        return [load(RecallWatch, json.loads(body)) for body in bodies]

    def watch(self, watch: RecallWatch) -> None:
        """Keep a watch."""
        row = {"id": watch.id, "body": json.dumps(dump(watch))}
        self._connection.execute(WATCHES.insert().values(row))

    def unwatch(self, watch: WatchId) -> bool:
        """Forget a watch and its letters; return whether there was one."""
        self._connection.execute(delete(LETTERS).where(LETTERS.c.watch == watch))
        return self._connection.execute(delete(WATCHES).where(WATCHES.c.id == watch)).rowcount > 0

    def told(self, recall: RecallId) -> Told | None:
        """Return what was last told of a recall."""
        query = select(TOLD.c.body).where(TOLD.c.recall == recall.text())
        body = self._connection.execute(query).scalar_one_or_none()
        return None if body is None else load(Told, json.loads(body))

    def early(self) -> Sequence[Told]:
        """Return what was told before it was final."""
        query = select(TOLD.c.body).where(TOLD.c.stage == Stage.EARLY).order_by(TOLD.c.recall)
        return [load(Told, json.loads(body)) for body in self._connection.execute(query).scalars()]

    def keep(self, told: Told) -> None:
        """Keep what was told of a recall, instead of what was told before."""
        row = {"stage": told.stage.value, "body": json.dumps(dump(told))}
        statement = upsert(self._connection, TOLD).values(recall=told.recall.text(), **row)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["recall"], set_=row)
        )

    def post(self, letter: Letter) -> None:
        """Let a letter wait to be sent, unless its watch has that event already."""
        row = {
            "id": letter.id,
            "watch": letter.watch,
            "recall": letter.recall,
            "body": letter.body,
            "due": letter.due,
            "tries": letter.tries,
            "state": letter.state.value,
            "code": letter.code,
        }
        statement = upsert(self._connection, LETTERS).values(row)
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["watch", "id"]))

    def holders(self, letter: LetterId) -> Collection[WatchId]:
        """Return the watches that have, or will get, a letter."""
        query = select(LETTERS.c.watch).where(LETTERS.c.id == letter)
        return frozenset(map(WatchId, self._connection.execute(query).scalars()))

    def due(self, now: int) -> Sequence[WatchId]:
        """Return whose letters can be claimed, the longest waiting first."""
        query = select(LETTERS.c.watch).where(*_ready(now)).group_by(LETTERS.c.watch)
        ordered = query.order_by(func.min(LETTERS.c.number))
        return [WatchId(watch) for watch in self._connection.execute(ordered).scalars()]

    def claim(self, watch: WatchId, now: int, until: int) -> Letter | None:
        """Return the next letter of a watch that is due, and keep others from it for a while."""
        query = select(LETTERS).where(LETTERS.c.watch == watch, *_ready(now))
        row = self._connection.execute(query.order_by(LETTERS.c.number).limit(1)).one_or_none()
        if row is None:
            return None
        self._connection.execute(
            update(LETTERS).where(LETTERS.c.number == row.number).values(until=until)
        )
        return _letter(row)

    def settle(self, letter: Letter) -> None:
        """Keep what a try led to."""
        row = {
            "due": letter.due,
            "tries": letter.tries,
            "state": letter.state.value,
            "code": letter.code,
            "until": 0,
        }
        self._connection.execute(
            update(LETTERS).where(LETTERS.c.number == letter.number).values(row)
        )

    def revive(self, watch: WatchId) -> int:
        """Let the dead letters of a watch be sent as if they were new; return how many."""
        dead = (LETTERS.c.watch == watch) & (LETTERS.c.state == LetterState.DEAD)
        row = {"state": LetterState.WAITING.value, "due": 0, "tries": 0, "code": "", "until": 0}
        return self._connection.execute(update(LETTERS).where(dead).values(row)).rowcount

    def prune(self, before: int) -> int:
        """Forget the letters that were delivered before a time; return how many."""
        old = (LETTERS.c.state == LetterState.DELIVERED) & (LETTERS.c.due < before)
        return self._connection.execute(delete(LETTERS).where(old)).rowcount

    def dead_count(self) -> int:
        """Return how many letters are not sent again."""
        query = select(func.count()).where(LETTERS.c.state == LetterState.DEAD)
        return int(self._connection.execute(query).scalar_one())

    def letters(self, state: LetterState | None, most: int) -> Sequence[Letter]:
        """Return the newest letters, the newest first."""
        query = select(LETTERS).order_by(LETTERS.c.number.desc()).limit(most)
        chosen = query if state is None else query.where(LETTERS.c.state == state)
        return [_letter(row) for row in self._connection.execute(chosen)]


def _ready(now: int) -> Sequence[ColumnElement[bool]]:
    """Return what holds of a letter that is due, free, and the first of its watch and recall."""
    before = LETTERS.alias()
    earlier = select(before.c.number).where(
        before.c.watch == LETTERS.c.watch,
        before.c.recall == LETTERS.c.recall,
        before.c.state == LetterState.WAITING,
        before.c.number < LETTERS.c.number,
    )
    return (
        LETTERS.c.state == LetterState.WAITING,
        LETTERS.c.due <= now,
        LETTERS.c.until <= now,
        ~earlier.exists(),
    )


def _letter(row: Row[Any]) -> Letter:
    return Letter(
        number=row.number,
        id=LetterId(row.id),
        watch=WatchId(row.watch),
        recall=row.recall,
        body=row.body,
        due=row.due,
        tries=row.tries,
        state=LetterState(row.state),
        code=row.code,
    )
