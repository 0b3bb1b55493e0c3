"""Runs the steps of the schema's history, by Alembic."""

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


def run(connection: Connection) -> None:
    """Bring the schema to its newest state, within the connection's transaction."""
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    context = EnvironmentContext(config, scripts)

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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
