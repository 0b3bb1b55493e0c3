"""Names of identities: found by how they look, compared with each other, never refused for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.facts import IdentityFact, NameFact, ParentFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import Digest, IdentityId
from guildmark.ports.facts import Facts
from guildmark.ports.names import Names
from guildmark.ports.store import DocumentKind, Documents, View, Work
from guildmark.services.index.projection import known

LOOKALIKES_MAX = 16
"""How many identities of the same look are told of one."""

_MARKS = ".,;:!?()[]\"'&/+-"
_PARENTS_MAX = 8
# Writing systems that use several scripts (UTS 39, section 5.1).
_SYSTEMS = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "HANGUL"}),
    frozenset({"HAN", "BOPOMOFO"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """Another identity whose name looks the same.

    Args:
        is_older: Whether it was on record earlier.
    """

    identity: IdentityId
    name: str
    since: int
    is_older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Use cases around names."""

    names: Names

    def note(self, identity: IdentityId, work: Work) -> None:
        """Let an identity be found by its name, where this home holds its profile."""
        name = name_of(identity, work.documents)
        for digest in _digests(self._keys(name, *_words(name))):
            work.facts.put(NameFact(name=digest, identity=identity))

    def find(self, text: str, view: View) -> Sequence[IdentityFact]:
        """Return the identities whose names have every word of a text, or look as if; oldest first.

        Capitals and small letters are one.
        """
        found: set[IdentityId] | None = None
        for word in _words(text):
            held = set(self._named(word, view.facts))
            found = held if found is None else found & held
        facts = (known(view.facts, IdentityFact, one) for one in found or ())
        standing = [fact for fact in facts if self._has(text, fact, view)]
        return sorted(standing, key=lambda fact: (fact.since, fact.id))

    def lookalikes(self, fact: IdentityFact, view: View) -> Sequence[Lookalike]:
        """Return other identities under a name that looks the same; those of its own side are none.

        Of its own side are those that the same account speaks for, and those in one line of links.
        """
        own = _line(fact.id, view.facts)
        found = [
            _lookalike(other, fact, view.documents)
            for other in self.alike(name_of(fact.id, view.documents), view)
            if other.controller != fact.controller and own.isdisjoint(_line(other.id, view.facts))
        ]
        return found[:LOOKALIKES_MAX]

    def alike(self, name: str, view: View) -> Sequence[IdentityFact]:
        """Return the identities whose whole name looks like this one, the oldest first."""
        facts = (known(view.facts, IdentityFact, one) for one in {*self._named(name, view.facts)})
        found = [fact for fact in facts if self._looks_like(name, name_of(fact.id, view.documents))]
        return sorted(found, key=lambda fact: (fact.since, fact.id))

    def mixed(self, name: str) -> Sequence[str]:
        """Return the scripts that a word of a name mixes though no writing system does."""
        mixed = (self.names.scripts(word) for word in name.split())
        return sorted({script for found in mixed if _is_odd(found) for script in found})

    def _named(self, text: str, facts: Facts) -> Iterator[IdentityId]:
        for digest in _digests(self._keys(text)):
            for one in facts.each(NameFact, digest):
                yield one.identity

    def _has(self, text: str, fact: IdentityFact, view: View) -> bool:
        """Return whether the name that stands now has the words; the index keeps former ones."""
        words = [self._keys(word) for word in _words(name_of(fact.id, view.documents))]
        return all(any(self._keys(one) & word for word in words) for one in _words(text))

    def _looks_like(self, one: str, other: str) -> bool:
        return bool(self._keys(one) & self._keys(other))

    def _keys(self, *texts: str) -> frozenset[str]:
        """Return what a text shares with those that look like it, as written or in small letters.

        Both are needed: a capital I looks like a small L, and stands for a small i.
        """
        look = self.names.skeleton
        keys = {look(text.casefold()) for text in texts} | {
            look(look(text).casefold()) for text in texts
        }
        return frozenset(keys - {""})


def name_of(identity: IdentityId, documents: Documents) -> str:
    """Return the name in an identity's profile, empty where this home does not hold it."""
    body = documents.get(DocumentKind.PROFILE, identity)
    name = None if body is None else parse_object(body).get("name")
    return name if isinstance(name, str) else ""


def _words(text: str) -> Sequence[str]:
    """Return a text's words without the marks around them."""
    return [word for each in text.split() if (word := each.strip(_MARKS))]


def _digests(keys: Iterable[str]) -> Iterator[Digest]:
    return (sha256(key.encode()) for key in sorted(keys))


def _lookalike(other: IdentityFact, fact: IdentityFact, documents: Documents) -> Lookalike:
    return Lookalike(
        identity=other.id,
        name=name_of(other.id, documents),
        since=other.since,
        is_older=other.since < fact.since,
    )


def _line(identity: IdentityId, facts: Facts) -> frozenset[IdentityId]:
    """Return an identity with those that it belongs to, as both sides signed."""
    line = [identity]
    for _ in range(_PARENTS_MAX):
        found = facts.get(ParentFact, line[-1])
        if found is None or not any(found.parent):
            break
        line.append(found.parent)
    return frozenset(line)


def _is_odd(scripts: frozenset[str]) -> bool:
    return len(scripts) > 1 and not any(scripts <= system for system in _SYSTEMS)
