"""The process that reads a stranger's file, as its own limits allow; started by ``confined``.

Its standard input is one JSON line (module, operation, arguments, limits) and its argument the
number of the file's descriptor. What it found goes to standard output, behind a first line that
says whether it is an answer or a refusal.
"""

import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from guildmark.adapters.shapes.confinement import Bounds, confine, isolate
from guildmark.domain.errors import GuildmarkError

ANSWER, REFUSAL = b"answer\n", b"refusal\n"


def main(descriptor: int, request: Mapping[str, Any]) -> bytes:
    """Confine this process, read the file and return what is to be said of it."""
    confine(Bounds(**request["bounds"]))
    reader = import_module(request["module"])
    isolate()
    try:
        with os.fdopen(descriptor, "rb") as file:
            answer: bytes = reader.run(request["operation"], file, request["arguments"])
            return ANSWER + answer
    except GuildmarkError as exc:
        said = {"code": exc.code, "message": exc.message, "detail": dict(exc.detail)}
        return REFUSAL + json.dumps(said).encode()


if __name__ == "__main__":
    _answer = main(int(sys.argv[1]), json.loads(sys.stdin.buffer.readline()))
    sys.stdout.buffer.write(_answer)
