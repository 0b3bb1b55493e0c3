"""The process's log as lines of JSON on stderr; nothing in it opens, signs or names a person."""

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

import orjson

_QUIET = ("uvicorn", "httpx", "httpcore", "alembic", "web3", "asyncio")


class JsonLines(logging.Formatter):
    """A record as one line of JSON, with the fields that its caller gave."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(line).decode()
        except TypeError:
            # Half of a surrogate pair, or an integer beyond 64 bits.
            return json.dumps(line)


def _moment(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}+00:00"


@lru_cache(maxsize=2)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Lines(logging.StreamHandler[TextIO]):
    """Writes lines to a stream, those of one turn of an event loop together.

    A write lets other threads have the interpreter, and they keep it for a while: a loop that
    wrote each line by itself would wait as often. What warns of something is written at once.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line; the handler's lock is held."""
        try:
            self._waiting.append(self.format(record) + self.terminator)
            if record.levelno >= logging.WARNING or not self._is_put_off():
                self.flush()
        except Exception:  # noqa: BLE001 - as every handler: no line may stop what it tells of
            self.handleError(record)

    def flush(self) -> None:
        """Write what waits."""
        self.acquire()
        try:
            waiting, self._waiting = self._waiting, []
            self.stream.write("".join(waiting))
            super().flush()
        finally:
            self.release()

    def _is_put_off(self) -> bool:
        """Return whether a loop of this thread writes what waits, after its turn."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if len(self._waiting) == 1:
            loop.call_soon(self.flush)
        return True


def log_as_json(stream: TextIO | None = None) -> None:
    """Send the log of this process to a stream, stderr by default, instead of where it went."""
    handler = Lines(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # No line says what these find out for each ("Optimization" in logging's how-to).
    logging._srcfile = None  # noqa: SLF001 - as documented there
    logging.logThreads = logging.logProcesses = False
    logging.logMultiprocessing = False
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
