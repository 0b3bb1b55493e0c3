"""The process's log as lines of JSON on stderr; nothing in it opens, signs or names a person."""

import json
import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

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
        return json.dumps(line)


def _moment(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}+00:00"


@lru_cache(maxsize=2)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def log_as_json(stream: TextIO | None = None) -> None:
    """Send the log of this process to a stream, stderr by default, instead of where it went."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # No line says what these find out for each ("Optimization" in logging's how-to).
    logging._srcfile = None  # noqa: SLF001 - as documented there
    logging.logThreads = logging.logProcesses = False
    logging.logMultiprocessing = False
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
