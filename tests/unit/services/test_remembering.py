"""A remembered fact is asked for once, and answers as the index did."""

import pytest

from fakes.store import MemoryNodeStore
from guildmark.domain.chain.facts import LaneFact, LinkFact, NameFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest, IdentityId, LaneNumber
from guildmark.ports.chain import Block
from guildmark.ports.store import DocumentKind
from guildmark.services.remembering import (
    NotedDocuments,
    RememberedDocuments,
    RememberedFacts,
    still_tell,
)

CHILD, PARENT = IdentityId(sha256(b"child")), IdentityId(sha256(b"parent"))
LINK = LinkFact(child=CHILD, parent=PARENT, number=1, since=5)


def test_each_question_is_answered_as_the_index_answers_it() -> None:
    store = MemoryNodeStore()
    with store.writing() as work:
        work.facts.put(LINK)
        work.facts.move(Block(number=3, hash=Digest(sha256(b"block")), time=7))

        facts = RememberedFacts(facts=work.facts)

        assert facts.cursor() == work.facts.cursor()
        assert facts.get(LinkFact, *LINK.key) == LINK
        assert facts.get(LaneFact, LaneNumber(1)) is None
        assert facts.floor(LinkFact, *LINK.key[:-1], 9) == LINK
        assert facts.each(LinkFact, CHILD) == [LINK]


def test_what_was_answered_once_is_not_asked_again() -> None:
    store = MemoryNodeStore()
    with store.writing() as work:
        facts = RememberedFacts(facts=work.facts)
        before = (facts.cursor(), facts.get(LinkFact, *LINK.key), facts.each(LinkFact, CHILD))

        work.facts.put(LINK)
        work.facts.move(Block(number=3, hash=Digest(sha256(b"block")), time=7))

        assert (
            facts.cursor(),
            facts.get(LinkFact, *LINK.key),
            facts.each(LinkFact, CHILD),
        ) == before
        assert facts.floor(LinkFact, *LINK.key) == LINK


def test_what_follows_from_documents_is_asked_for_each_time() -> None:
    store = MemoryNodeStore()
    name = NameFact(name=sha256(b"name"), identity=CHILD)
    with store.writing() as work:
        facts = RememberedFacts(facts=work.facts)
        assert facts.get(NameFact, *name.key) is None

        work.facts.put(name)

        assert facts.get(NameFact, *name.key) == name
        assert facts.floor(NameFact, *name.key) == name
        assert facts.each(NameFact, name.name) == [name]


def test_documents_are_asked_for_once_and_noted_each_time() -> None:
    store = MemoryNodeStore()
    with store.writing() as work:
        documents = RememberedDocuments(documents=work.documents)
        noted = NotedDocuments(documents=documents)
        assert noted.get(DocumentKind.TERMS, CHILD) is None
        assert noted.told == {(DocumentKind.TERMS, CHILD): None}

        work.documents.put(DocumentKind.TERMS, CHILD, b"terms")

        assert still_tell(noted.told, documents)
        assert not still_tell(noted.told, work.documents)
        assert NotedDocuments(documents=work.documents).get(DocumentKind.TERMS, CHILD) == b"terms"


@pytest.mark.parametrize("body", [b"terms", b"others"])
def test_a_document_still_tells_while_its_bytes_are_the_same(body: bytes) -> None:
    store = MemoryNodeStore()
    with store.writing() as work:
        work.documents.put(DocumentKind.TERMS, CHILD, b"terms")
        noted = NotedDocuments(documents=work.documents)
        noted.get(DocumentKind.TERMS, CHILD)

        work.documents.put(DocumentKind.TERMS, CHILD, body)

        assert still_tell(noted.told, work.documents) is (body == b"terms")
