"""A chain and outbox that live in another process, so that they survive the death of their user."""

import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from guildmark.domain.errors import GuildmarkError

END = "end"


@dataclass
class Remote:
    """What a child process calls: every method is a question to the parent and its answer."""

    connection: Connection
    target: str
    at_step: Callable[[], None]

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self.at_step()
            self.connection.send((self.target, method, args, options))
            succeeded, answer = pickle.loads(self.connection.recv_bytes())
            # The answer may be lost although the call was heard.
            self.at_step()
            if succeeded:
                return answer
            raise answer

        return call


@dataclass
class Fuse:
    """Ends the process, as SIGKILL would, at the n-th step."""

    steps: int
    passed: int = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.steps:
            os._exit(9)


@dataclass
class Answering:
    """The parent's side: answers until the child ends, and keeps what the child reports."""

    targets: dict[str, Any]
    reports: list[Any] = field(default_factory=list)

    def until_end(self, connection: Connection) -> None:
        while True:
            try:
                target, method, args, options = connection.recv()
            except EOFError:
                return
            if target == END:
                self.reports.append(args)
            else:
                self._answer(connection, target, method, args, options)

    def _answer(
        self, connection: Connection, target: str, method: str, args: Sequence[Any], options: Any
    ) -> None:
        try:
            answer = (True, getattr(self.targets[target], method)(*args, **options))
        except GuildmarkError as error:
            answer = (False, error)
        try:
            connection.send_bytes(pickle.dumps(answer))
        except BrokenPipeError:
            # The child died while it waited.
            return
