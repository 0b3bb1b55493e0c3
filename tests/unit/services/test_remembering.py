"""A remembered fact is asked for once, and answers as the index did."""

from fakes.store import MemoryNodeStore
from guildmark.domain.chain.facts import LaneFact, LinkFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest, IdentityId, LaneNumber
from guildmark.ports import Block
from guildmark.services.remembering import RememberedFacts

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
