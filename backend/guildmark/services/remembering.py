"""Facts and documents that are asked for once, for as long as what they answer stands."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from guildmark.domain.chain.facts import Fact, NameFact, NumberFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest
from guildmark.ports.chain import Block
from guildmark.ports.facts import Facts
from guildmark.ports.store import DocumentKind, Documents

FactT = TypeVar("FactT", bound=Fact)
T = TypeVar("T")

Told: TypeAlias = dict[tuple[DocumentKind, bytes], Digest | None]
"""Which documents were asked for, and the digests of what was found."""

_NOT_OF_THE_CHAIN = frozenset({NameFact, NumberFact})
"""What follows from documents: it changes while the index stands at one block."""

_CURSOR = "cursor"


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedFacts:
    """The index as it is at one block, each question asked once; fulfils ``Facts``.

    Args:
        facts: The index; it must not move meanwhile.
        answers: What was answered at this block before.
    """

    facts: Facts
    answers: dict[Hashable, Any] = field(default_factory=dict)

    def cursor(self) -> Block | None:
        """Return the block up to which all events were read."""
        if _CURSOR not in self.answers:
            self.answers[_CURSOR] = self.facts.cursor()
        cursor: Block | None = self.answers[_CURSOR]
        return cursor

    def get(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact under a key."""
        return self._once("get", kind, key, self.facts.get)

    def floor(self, kind: type[FactT], *key: bytes | int) -> FactT | None:
        """Return the fact with the greatest key up to ``key`` that shares all but its last part."""
        return self._once("floor", kind, key, self.facts.floor)

    def each(self, kind: type[FactT], *prefix: bytes | int) -> Sequence[FactT]:
        """Return the facts whose keys begin with ``prefix``, in order."""
        return self._once("each", kind, prefix, self.facts.each)

    def _once(
        self, way: str, kind: type[FactT], key: tuple[bytes | int, ...], ask: Callable[..., T]
    ) -> T:
        if kind in _NOT_OF_THE_CHAIN:
            return ask(kind, *key)
        question = (way, kind, key)
        if question not in self.answers:
            self.answers[question] = ask(kind, *key)
        answer: T = self.answers[question]
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedDocuments:
    """Documents as one transaction sees them, each asked for once; fulfils ``Documents``."""

    documents: Documents
    _found: dict[tuple[DocumentKind, bytes], bytes | None] = field(default_factory=dict)

    def get(self, kind: DocumentKind, key: bytes) -> bytes | None:
        """Return a document's bytes as they were kept."""
        if (kind, key) not in self._found:
            self._found[kind, key] = self.documents.get(kind, key)
        return self._found[kind, key]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedDocuments:
    """Documents, and a note of each that was asked for; fulfils ``Documents``."""

    documents: Documents
    told: Told = field(default_factory=dict)

    def get(self, kind: DocumentKind, key: bytes) -> bytes | None:
        """Return a document's bytes as they were kept."""
        body = self.documents.get(kind, key)
        self.told[kind, key] = _digest(body)
        return body


def still_tell(told: Told, documents: Documents) -> bool:
    """Return whether documents are what they were when they were noted."""
    return all(_digest(documents.get(*one)) == digest for one, digest in told.items())


def _digest(body: bytes | None) -> Digest | None:
    return None if body is None else sha256(body)
