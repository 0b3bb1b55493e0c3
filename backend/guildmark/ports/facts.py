"""What the registries say, as the index has read it."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from guildmark.domain.chain.facts import Fact
from guildmark.ports.chain import Block, RawLog

FactT = TypeVar("FactT", bound=Fact)


class Facts(Protocol):
    """What the registries say, at the block up to which the index has read."""

    def cursor(self) -> Block | None:
        """Return the block up to which all events were read."""
        ...

    def get(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact under a key."""
        ...

    def floor(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact with the greatest key up to ``key`` that shares all but its last part."""
        ...

    def each(self, kind: type[FactT], *prefix: bytes | int) -> Sequence[FactT]:
        """Return the facts whose keys begin with ``prefix``, in order."""
        ...


class FactWriter(Facts, Protocol):
    """The index inside one transaction."""

    def put(self, *facts: Fact) -> None:
        """Keep facts, each instead of the one under its key."""
        ...

    def move(self, cursor: Block) -> None:
        """Say up to which block all events were read."""
        ...

    def forget(self) -> None:
        """Drop every fact, and up to which block events were read; logs are kept."""
        ...


class IndexWriter(FactWriter, Protocol):
    """The index inside one transaction, with the logs that its facts follow from."""

    def keep(self, blocks: Sequence[Block], logs: Sequence[RawLog]) -> None:
        """Keep blocks and their logs as they were read."""
        ...

    def kept(self, before: int) -> Sequence[tuple[Block, Sequence[RawLog]]]:
        """Return the blocks below a number that were kept, in order, with their logs."""
        ...

    def drop(self, first: int) -> None:
        """Drop the blocks from a number on, and their logs."""
        ...
