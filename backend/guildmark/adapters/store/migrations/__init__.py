"""The schema's history; one file a change, under ``versions``."""

from pathlib import Path
from threading import Lock
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from guildmark.adapters.store.schema import METADATA

# Alembic's `op` speaks to one connection a process.
_ONE_AT_A_TIME = Lock()


def upgrade(connection: Connection) -> None:
    """Bring the schema to its newest state, within the connection's transaction."""
    scripts = _scripts()
    context = EnvironmentContext(_config(), scripts)

    def steps(revision: Any, _context: MigrationContext) -> list[Any]:
        # The only way to run steps on a connection that is open already; `command` calls it too.
        return scripts._upgrade_revs("heads", revision)  # noqa: SLF001 - see above

    context.configure(
        connection=connection,
        target_metadata=METADATA,
        fn=steps,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with _ONE_AT_A_TIME:
        context.run_migrations()


def is_at_head(connection: Connection) -> bool:
    """Return whether the schema is in its newest state."""
    found = MigrationContext.configure(connection).get_current_heads()
    return set(found) == set(_scripts().get_heads())


def is_known(revision: str) -> bool:
    """Return whether this release has the step that led to a schema."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def unknown(connection: Connection) -> str | None:
    """Return the schema of the database where this release does not know it, else None."""
    heads = MigrationContext.configure(connection).get_current_heads()
    return next((head for head in heads if not is_known(head)), None)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
