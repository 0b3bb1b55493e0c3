"""What is disclosed is kept only where it opens what the chain commits to."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fakes.world import RECIPE, SITE, Tools, World, claim, make_world
from guildmark.domain.chain.facts import ClaimFact, IdentityFact
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import JsonValue, parse_object
from guildmark.domain.identifiers import Bytes32, Cid, MalformedHexError, to_hex
from guildmark.domain.identity.identity import IdentityKind, MalformedNameError, profile_digest
from guildmark.domain.recipes.clauses import DisclosureMismatchError, disclose, disclose_all
from guildmark.domain.rights.fileset import EncryptedList, FileMismatchError
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import (
    DisclosedThingUnknownError,
    DocumentUnknownError,
    ListedOtherwiseError,
    ProfileMismatchError,
    clauses_body,
    shown_claim,
    shown_clauses,
    shown_list,
)

UNKNOWN = sha256(b"unknown")


@pytest.fixture
def world() -> World:
    return make_world()


def test_disclosed_clauses_are_shown_as_they_came(world: World) -> None:
    shown = disclose(RECIPE.clauses, ["/material/polymer"])

    world.tools.disclosing.receive(DocumentKind.RECIPE, world.recipe.id(), clauses_body(shown))

    with world.tools.store.reading() as view:
        assert shown_clauses(view.documents, DocumentKind.RECIPE, world.recipe.id()) == shown
        assert shown_clauses(view.documents, DocumentKind.RECIPE, UNKNOWN) is None


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (["/material/polymer"], ["/process/nozzle"]),
        (["/material/polymer", "/process/nozzle"], ["/process/nozzle"]),
        (["/process/nozzle"], ["/material/polymer", "/process/nozzle"]),
    ],
)
def test_a_clause_that_was_opened_stays_open(
    world: World, first: list[str], then: list[str]
) -> None:
    recipe = world.recipe.id()
    for paths in (first, then):
        shown = clauses_body(disclose(RECIPE.clauses, paths))
        world.tools.disclosing.receive(DocumentKind.RECIPE, recipe, shown)

    with world.tools.store.reading() as view:
        kept = view.documents.get(DocumentKind.RECIPE, recipe)
    both = disclose(RECIPE.clauses, ["/material/polymer", "/process/nozzle"])
    assert kept == clauses_body(both)


def test_a_refused_disclosure_takes_nothing_away(world: World) -> None:
    recipe, shown = world.recipe.id(), disclose(RECIPE.clauses, ["/material/polymer"])
    world.tools.disclosing.receive(DocumentKind.RECIPE, recipe, clauses_body(shown))

    with pytest.raises(DisclosureMismatchError):
        world.tools.disclosing.receive(
            DocumentKind.RECIPE, recipe, clauses_body(disclose_all(RECIPE.clauses[:2]))
        )

    with world.tools.store.reading() as view:
        assert shown_clauses(view.documents, DocumentKind.RECIPE, recipe) == shown


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (DocumentKind.TERMS, lambda world: world.license),
        (DocumentKind.RECIPE, lambda world: world.recipe.id()),
        (DocumentKind.SITE_RECIPE, lambda world: world.site_recipe),
    ],
)
def test_clauses_of_another_tree_are_refused(
    world: World, kind: DocumentKind, key: Callable[[World], bytes]
) -> None:
    other = clauses_body(disclose_all(RECIPE.clauses[:2]))

    with pytest.raises(DisclosureMismatchError):
        world.tools.disclosing.receive(kind, key(world), other)

    with world.tools.store.reading() as view:
        assert view.documents.get(kind, key(world)) is None


@pytest.mark.parametrize(
    "kind", [DocumentKind.TERMS, DocumentKind.RECIPE, DocumentKind.SITE_RECIPE]
)
def test_clauses_of_nothing_are_refused(world: World, kind: DocumentKind) -> None:
    body = clauses_body(disclose_all(RECIPE.clauses))

    with pytest.raises(DisclosedThingUnknownError) as caught:
        world.tools.disclosing.receive(kind, UNKNOWN, body)

    assert caught.value.code == "disclosure.thingUnknown"


def test_disclosed_claim_is_opened(world: World) -> None:
    made, body = claim(world.tools, world.issuer, world.maker)
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        fact = known(view.facts, ClaimFact, made)
        before = shown_claim(view.documents, fact)

    world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)

    with world.tools.store.reading() as view:
        opened = shown_claim(view.documents, fact)
    assert before is None
    assert opened is not None
    assert (opened.issuer, opened.subject) == (world.issuer, world.maker)
    assert opened.claim.scheme == "LEI"


def test_claim_that_nobody_made_is_refused(world: World) -> None:
    made, body = claim(world.tools, world.issuer, world.maker)

    with pytest.raises(DisclosedThingUnknownError):
        world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)


def test_claim_under_another_id_is_refused(world: World) -> None:
    _, body = claim(world.tools, world.issuer, world.maker)
    world.tools.indexing().follow()

    with pytest.raises(DisclosedThingUnknownError):
        world.tools.disclosing.receive(DocumentKind.CLAIM, UNKNOWN, body)


def profile_of(world: World) -> bytes:
    with world.tools.store.reading() as view:
        body = view.documents.get(DocumentKind.PROFILE, world.site)
    assert body is not None
    return body


def test_own_profile_can_be_disclosed(world: World) -> None:
    body = profile_of(world)

    world.tools.disclosing.receive(DocumentKind.PROFILE, world.site, body)

    assert profile_of(world) == body


def test_changed_profile_is_refused(world: World) -> None:
    changed = canonical({**parse_object(profile_of(world)), "name": "Another"})

    with pytest.raises(ProfileMismatchError) as caught:
        world.tools.disclosing.receive(DocumentKind.PROFILE, world.site, changed)

    assert caught.value.code == "profile.mismatch"


def test_profile_without_a_salt_is_refused(world: World) -> None:
    with pytest.raises(MalformedHexError):
        world.tools.disclosing.receive(DocumentKind.PROFILE, world.site, b'{"name":"S"}')


def test_profile_of_nobody_is_refused(world: World) -> None:
    with pytest.raises(DisclosedThingUnknownError):
        world.tools.disclosing.receive(DocumentKind.PROFILE, UNKNOWN, profile_of(world))


def test_profile_with_an_unreadable_name_is_neither_registered_nor_taken(world: World) -> None:
    profile: dict[str, JsonValue] = {"name": "V\u200bolta"}
    salt = Bytes32(bytes(32))
    with pytest.raises(MalformedNameError):
        world.tools.identities(SITE).register(IdentityKind.SITE, profile)
    with world.tools.store.writing() as work:
        site = known(work.facts, IdentityFact, world.site)
        work.facts.put(replace(site, profile=profile_digest(profile, salt)))
    body = canonical({**profile, "salt": to_hex(salt)})

    with pytest.raises(MalformedNameError) as caught:
        world.tools.disclosing.receive(DocumentKind.PROFILE, world.site, body)

    assert (caught.value.code, caught.value.exit_code) == ("identity.malformedName", 2)


def test_encrypted_files_are_listed_where_the_chain_commits_to_them(world: World) -> None:
    disclosing, revision = world.tools.disclosing, world.revision
    kind, design = DocumentKind.ENCRYPTED_FILES, revision.design
    body = disclosing.show(kind, design)
    listed = EncryptedList.parse(body)
    moved = replace(listed, files=(replace(listed.files[0], cid=Cid("bafkreib")),))

    with pytest.raises(DisclosedThingUnknownError):
        disclosing.receive(kind, UNKNOWN, body)
    with pytest.raises(DisclosedThingUnknownError):
        disclosing.receive(kind, design, replace(listed, revision=2).encode())
    with pytest.raises(FileMismatchError):
        disclosing.receive(kind, design, replace(listed, files=listed.files * 2).encode())
    for _ in range(2):
        disclosing.receive(kind, design, body)
    with pytest.raises(ListedOtherwiseError):
        disclosing.receive(kind, design, moved.encode())

    with world.tools.store.reading() as view:
        assert shown_list(view.documents, revision) == listed
    other = Tools(chain=world.tools.chain)
    other.indexing().follow()
    for home, unknown in ((disclosing, UNKNOWN), (other.disclosing, design)):
        with pytest.raises(DocumentUnknownError):
            home.show(kind, unknown)
