"""The schema's history: one step a number, each in a transaction of its own."""

import sqlite3
from collections.abc import Sequence

from guildmark.domain.errors import SettingsError

STEPS: Sequence[Sequence[str]] = (
    (
        "CREATE TABLE machine (name TEXT PRIMARY KEY, doc BLOB NOT NULL) STRICT",
        "CREATE TABLE lane (number INTEGER PRIMARY KEY, doc BLOB NOT NULL) STRICT",
        "CREATE TABLE job (number INTEGER PRIMARY KEY AUTOINCREMENT, machine TEXT NOT NULL,"
        " job TEXT NOT NULL, state TEXT NOT NULL, doc BLOB NOT NULL, UNIQUE (machine, job)) STRICT",
        "CREATE INDEX job_by_state ON job (state, number)",
        "CREATE TABLE signed (number INTEGER PRIMARY KEY AUTOINCREMENT, machine TEXT NOT NULL,"
        " job TEXT NOT NULL, counter INTEGER NOT NULL, lane INTEGER NOT NULL, unit INTEGER,"
        " state TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, doc BLOB NOT NULL,"
        " envelope BLOB NOT NULL) STRICT",
        # The counter's promise: of the envelopes that stand, none shares it with another.
        "CREATE UNIQUE INDEX signed_by_counter ON signed (machine, counter)"
        " WHERE state <> 'replaced'",
        "CREATE INDEX signed_by_state ON signed (state, number)",
        "CREATE INDEX signed_by_job ON signed (machine, job, number)",
        "CREATE INDEX signed_by_lane ON signed (lane, state, unit)",
        "CREATE TABLE chunk (machine TEXT NOT NULL, job TEXT NOT NULL, place INTEGER NOT NULL,"
        " doc BLOB NOT NULL, PRIMARY KEY (machine, job, place)) STRICT",
        "CREATE TABLE ciphertext (digest BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT",
        "CREATE TABLE note (number INTEGER PRIMARY KEY AUTOINCREMENT, doc BLOB NOT NULL) STRICT",
    ),
    (
        "ALTER TABLE job ADD COLUMN stored INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX job_by_stored ON job (stored, state, number)",
    ),
    (
        # What is asked of a long queue is answered by an index, without reading its envelopes.
        "ALTER TABLE signed ADD COLUMN code TEXT",
        "ALTER TABLE signed ADD COLUMN log INTEGER",
        "UPDATE signed SET code = json_extract(CAST(doc AS TEXT), '$.code'),"
        " log = json_extract(CAST(doc AS TEXT), '$.log')",
        "CREATE INDEX signed_by_code ON signed (lane, state, code, log)",
        "CREATE INDEX signed_by_unit ON signed (lane, unit)",
        "CREATE INDEX signed_by_machine ON signed (machine, state, number)",
    ),
    (
        "CREATE TABLE lot (key BLOB PRIMARY KEY, doc BLOB NOT NULL) STRICT",
        # Whether the node is to be shown what an envelope declares: few are, at any time.
        "ALTER TABLE signed ADD COLUMN shows INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX signed_by_shows ON signed (number) WHERE shows = 1",
    ),
)


class AgentStoreNewerError(SettingsError):
    """A later release wrote the agent's database."""

    code = "agent.storeNewer"
    hint = "Use the release that wrote it, or a later one."


def upgrade(connection: sqlite3.Connection, steps: Sequence[Sequence[str]] = STEPS) -> None:
    """Bring the schema to its newest state.

    Raises:
        AgentStoreNewerError: It is newer than this release knows.
    """
    # Two agents that start together: the second finds the first one's work done.
    for number, statements in enumerate(steps, start=1):
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(steps):
            connection.execute("ROLLBACK")
            message = f"The agent's database has schema {version}, this release knows {len(steps)}."
            raise AgentStoreNewerError(message, found=version, known=len(steps))
        if version < number:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
