"""What carries requests to a node of the chain in tests: a function that answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from guildmark.adapters.chain.carrier import Answer


@dataclass(frozen=True)
class Told:
    """An answer that is there already."""

    body: bytes = b""
    status: int = 200

    def pieces(self) -> Iterator[bytes]:
        yield self.body

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Answering:
    """Carries the parsed body to ``answer``, and back what it gives: JSON, bytes or an answer.

    What ``answer`` raises is what happens on the way.
    """

    answer: Callable[[Any], Any]
    is_closed: bool = False

    def post(self, body: bytes, *, timeout: float) -> Answer:
        found = self.answer(orjson.loads(body))
        if isinstance(found, Told):
            return found
        return Told(found if isinstance(found, bytes) else orjson.dumps(found))

    def close(self) -> None:
        self.is_closed = True
