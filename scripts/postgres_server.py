"""A real PostgreSQL on this machine for tests and bench: a cluster of their own, to be killed."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.places import DatabaseUrl

_SECONDS = 60
_EMPTIED = "emptied"
_EMPTY = """
DO $$
DECLARE found record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR found IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP EXECUTE format('DELETE FROM %I', found.tablename); END LOOP;
    FOR found IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'
    LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', found.sequencename); END LOOP;
END $$
"""


def program(name: str) -> str | None:
    """Return where a program of the server is; Debian keeps them off everybody's path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = (shutil.which(name, path=str(place)) for place in places)
    return next((one for one in found if one), None) or shutil.which(name)


class Postgres:
    """A cluster with one user, whose password is in every URL."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="guildmark-postgresql-"))
        self.password = f"canary-{secrets.token_hex(8)}"
        self.port = 0
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "password").write_text(self.password)
        self._give(self.folder, self.folder / "password")
        self._run(
            *(_program("initdb"), "--pgdata", str(self.folder / "data"), "--encoding", "UTF8"),
            *("--locale", "C", "--username", "guildmark", "--auth", "scram-sha-256"),
            *("--pwfile", str(self.folder / "password"), "--no-instructions", "--no-sync"),
        )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Return the server's first process.

        Raises:
            RuntimeError: It does not run.
        """
        if self._process is None:
            message = "The server does not run."
            raise RuntimeError(message)
        return self._process

    def start(self) -> None:
        """Start it, again where the port was taken or the last one's children still end."""
        end = time.monotonic() + _SECONDS
        while not self._start():
            if time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text()[-2_000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a crash does; what was committed comes back with the next start."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it, and leave nothing."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str, *, password: str | None = None, port: int | None = None) -> str:
        """Return the URL of a database, through another port where one is named."""
        place = f"127.0.0.1:{port or self.port}/{name}"
        return f"postgresql://guildmark:{password or self.password}@{place}"

    def empty(self) -> DatabaseUrl:
        """Make a database without tables."""
        return self._new("template0")

    def fresh(self) -> DatabaseUrl:
        """Return a database at the newest schema without rows, the same one again and again."""
        url = DatabaseUrl(self.url(_EMPTIED))
        if not self._query("SELECT 1 FROM pg_database WHERE datname = %s", _EMPTIED):
            self._query(f"CREATE DATABASE {_EMPTIED} TEMPLATE template0")
            open_database(url).dispose()
        with psycopg.connect(url.reveal()) as connection:
            # Rows of a few pages: faster to delete than to truncate.
            connection.execute(_EMPTY)
        return url

    def copy(self) -> DatabaseUrl:
        """Return a database like the fresh one that nobody else uses."""
        self.fresh()
        return self._new(_EMPTIED)

    def _new(self, template: str) -> DatabaseUrl:
        self._made += 1
        name = f"home_{self._made}"
        self._query(f"CREATE DATABASE {name} TEMPLATE {template}")
        return DatabaseUrl(self.url(name))

    def _query(self, statement: str, *values: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def _start(self) -> bool:
        if self.port == 0:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        words = [*("-D", str(self.folder / "data")), *("-k", str(self.folder))]
        words += ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_nobody("--pdeathsig", "QUIT"), _program("postgres"), *words],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        while self._process.poll() is None:
            try:
                self._query("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        self._process = None
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def _run(self, *words: str) -> None:
        subprocess.run(
            [*_as_nobody(), *words], check=True, capture_output=True, cwd=self.folder, timeout=120
        )

    def _give(self, *paths: Path) -> None:
        if os.getuid() == 0:
            for path in paths:
                shutil.chown(path, _user())


def _program(name: str) -> str:
    found = program(name)
    if found is None:
        message = f"There is no {name}."
        raise RuntimeError(message)
    return found


def _user() -> str:
    """Return who runs the server where root runs the tests: it refuses root."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as_nobody(*words: str) -> list[str]:
    if os.getuid() != 0:
        return ["setpriv", *words] if words else []
    entry = pwd.getpwnam(_user())
    ids = ("--reuid", str(entry.pw_uid), "--regid", str(entry.pw_gid), "--clear-groups")
    return ["setpriv", *ids, *words]
