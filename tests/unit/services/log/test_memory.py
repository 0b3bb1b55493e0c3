"""A door that remembers answers as one that asks anew, whatever changed between two requests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import world as small
from fakes.keys import signing_key
from fakes.world import DESIGNER, ISSUER, MACHINE, OPERATOR, SITE, World, clause, make_world
from guildmark.domain.builds.predicate import Resource
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest, IdentityId, KeyId, LicenseId
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import key_id
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.recipes.clauses import disclose
from guildmark.domain.recipes.recipe import RecipeDocument, Status
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.ports.chain import Block
from guildmark.ports.store import DocumentKind
from guildmark.services.identity.notices import Suspicion
from guildmark.services.log import memory
from guildmark.services.log.ingest import Ingest
from guildmark.services.log.memory import Memory
from guildmark.services.recipes.disclosing import clauses_body

QUALITY = ScopeDocument(standard="ISO 9001")


@dataclass
class Doors:
    """A world with a door that has a memory, and one that is opened for each request.

    What is accepted is undone, so that only the memory goes from request to request.
    """

    world: World
    warm: Ingest
    given: list[Any] = field(default_factory=list)

    @classmethod
    def open(cls) -> "Doors":
        world = make_world()
        world.disclose()
        authorities = (Listed(id=world.issuer),)
        pin = world.tools.chain.pin()
        trust = Trust(version=VERSION, chain=pin, authorities=authorities)
        return cls(world=world, warm=replace(world.tools.ingest(world.log), trust=trust))

    def answers(self, envelopes: Sequence[bytes]) -> list[object]:
        """Return what both doors say, which must be the same."""
        cold = replace(self.warm, memory=Memory())
        asked, remembered = (self._said(one, envelopes) for one in (cold, self.warm))
        assert remembered == asked
        return [reason or reception for reception, reason, *_ in remembered]

    def code(self) -> object:
        (code,) = self.answers([self.world.envelope()])
        return code

    def _said(self, door: Ingest, envelopes: Sequence[bytes]) -> list[tuple[object, ...]]:
        store = self.world.tools.store
        before = store._state
        answers = door.receive(envelopes)
        store._state = before
        return [
            (
                str(answer.reception),
                answer.error and answer.error.code,
                answer.error and answer.error.message,
                answer.build,
            )
            for answer in answers
        ]

    def follow(self) -> None:
        self.world.tools.indexing(self.world.log).follow()

    def put(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        """Keep a document while the index stands still."""
        with self.world.tools.store.writing() as work:
            work.documents.put(kind, key, body)


def key_of(world: World) -> KeyId:
    return key_id(world.machine, signing_key(world.tools.keys, MACHINE))


def tick(doors: Doors) -> None:
    doors.world.tools.logs(OPERATOR).tick()
    doors.follow()


def end_key(doors: Doors) -> None:
    doors.world.tools.identities(SITE).end_key(doors.world.machine, key_of(doors.world))
    doors.follow()


def warn_of_key(doors: Doors) -> None:
    world = doors.world
    notices = world.tools.notices(ISSUER)
    notices.warn_of_key(world.issuer, world.machine, key_of(world), Suspicion(since=1))
    doors.follow()


def stop_license(doors: Doors) -> None:
    world = doors.world
    world.tools.licenses(DESIGNER).stop(world.license, at=world.tools.chain.now + 5)
    while world.tools.chain.now < world.beacon.time + 60:
        world.tools.logs(OPERATOR).tick()
    doors.follow()


def block_recipe(doors: Doors) -> None:
    recipe = doors.world.recipe.id()
    doors.world.tools.recipes(DESIGNER).set_status(recipe, Status.SUSPENDED)
    doors.follow()


def hide_setting(doors: Doors) -> None:
    """Show the site's recipe anew, without its settings, while the index stands still."""
    world = doors.world
    paths = [one.path for one in world.site_document.clauses if one.group != "process"]
    shown = clauses_body(disclose(world.site_document.clauses, paths))
    doors.put(DocumentKind.SITE_RECIPE, world.site_recipe, shown)


def forget_terms(doors: Doors) -> None:
    doors.world.tools.store.forget_documents(DocumentKind.TERMS)


def show_all(doors: Doors) -> None:
    doors.world.disclose()


CHANGES: dict[Callable[[Doors], None], str] = {
    end_key: "key.outsideWindow",
    warn_of_key: "build.madeInDoubt",
    stop_license: "license.stopped",
    block_recipe: "recipe.notInForce",
    hide_setting: "recipe.departs",
    forget_terms: "disclosure.missing",
}


@pytest.mark.parametrize(("change", "code"), CHANGES.items())
def test_what_changed_between_two_requests_refuses_at_once(
    change: Callable[[Doors], None], code: str
) -> None:
    doors = Doors.open()
    assert [doors.code(), doors.code()] == ["accepted", "accepted"]

    change(doors)

    assert doors.code() == code


def test_what_was_shown_again_is_taken_at_once() -> None:
    doors = Doors.open()
    hide_setting(doors)
    assert doors.code() == "recipe.departs"

    doors.world.disclose(DocumentKind.SITE_RECIPE)

    assert doors.code() == "accepted"


def test_an_accreditation_that_was_revoked_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = clause("/qa/accreditation/quality", ClauseClass.CORE, value="ISO 9001")
    leaves = sorted((*small.RECIPE.clauses, asked), key=lambda leaf: leaf.path)
    monkeypatch.setattr(small, "RECIPE", RecipeDocument(name="Bracket", clauses=tuple(leaves)))
    doors = Doors.open()
    issuing = doors.world.tools.accreditations(ISSUER)
    given = issuing.give(doors.world.issuer, doors.world.maker, QUALITY, until=0)
    beacon = doors.world.tools.logs(OPERATOR).tick()
    doors.follow()
    doors.world = replace(doors.world, beacon=beacon)
    assert doors.code() == "accepted"

    issuing.revoke(given)
    doors.follow()

    assert doors.code() == "build.notAccredited"


def departing(statement: BuildStatement) -> list[BuildStatement]:
    """Return statements of the same machine that differ in what jobs share, and in parts."""
    first, *others = statement.measurements
    external = statement.external
    lot = Resource(name="lot", digest=sha256(b"lot"))
    return [
        statement,
        replace(statement, measurements=(replace(first, value="22.50"), *others)),
        replace(statement, settings=()),
        replace(statement, resolved=(*statement.resolved, lot)),
        replace(statement, run=replace(statement.run, site=IdentityId(sha256(b"no site")))),
        replace(statement, beacon=replace(statement.beacon, record_digest=sha256(b"none"))),
        replace(statement, external=replace(external, license=LicenseId(sha256(b"none")))),
        replace(statement, label=statement.label.replace("/id/", "/ID/")),
    ]


STEPS = [*CHANGES, tick, show_all]


@settings(max_examples=12, deadline=None)
@given(
    steps=st.lists(st.sampled_from(STEPS), max_size=3),
    batches=st.lists(
        st.lists(st.tuples(st.integers(1, 3), st.integers(0, 7)), min_size=1, max_size=4),
        min_size=1,
        max_size=3,
    ),
)
def test_a_door_with_a_memory_answers_as_one_without(
    steps: list[Callable[[Doors], None]], batches: list[list[tuple[int, int]]]
) -> None:
    doors = Doors.open()
    world = doors.world
    kinds = [departing(world.statement(number)) for number in range(1, 4)]
    sent = [[world.sign(kinds[part - 1][kind]) for part, kind in each] for each in batches]

    for step in [tick, *dict.fromkeys(steps)]:
        step(doors)
        for envelopes in (*sent, [*sent[0], b"{}"]):
            doors.answers(envelopes)


BLOCK = Block(number=3, hash=Digest(sha256(b"block")), time=7)


def test_what_was_found_at_a_block_is_remembered_until_the_next_one() -> None:
    kept = Memory()
    first = kept.at(BLOCK)

    assert kept.at(BLOCK) is first
    assert kept.at(replace(BLOCK, hash=Digest(sha256(b"other")))) is not first
    assert kept.at(BLOCK) is not first


def test_a_memory_that_is_full_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ENTRIES_MAX", 2)
    kept = Memory()
    first = kept.at(BLOCK)
    first.answers["one"] = None
    assert kept.at(BLOCK) is first

    first.answers["two"] = None

    assert kept.at(BLOCK) is not first


# A payload with such a text makes no form.
@pytest.mark.parametrize("firmware", [None, "9007199254740003"])
def test_no_job_is_examined_twice_at_a_block(
    firmware: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = Doors.open()
    first, second = (
        doors.world.sign(replace(doors.world.statement(number), firmware=firmware))
        for number in (1, 2)
    )
    doors.warm.receive([first])

    def refuse(*_: object) -> None:
        pytest.fail("examined again")

    monkeypatch.setattr("guildmark.services.log.admission.compare", refuse)

    assert doors.warm.receive([second])[0].error is None
