"""What a home may show or hand over: only what it holds, as the chain commits to it."""

import pytest

from fakes.world import DESIGNER, ISSUER, RECIPE, SITE, World, claim, make_world
from guildmark.domain.chain.facts import ClaimFact, KeyFact
from guildmark.domain.chain.refusals import RecipeUnknownError
from guildmark.domain.identifiers import Bytes32, ClaimId, LicenseId, RecipeId
from guildmark.domain.identity.identity import ClaimDocument, IdentityKind, key_id
from guildmark.domain.recipes.clauses import ClauseUnknownError, clause_root, disclose_all
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.services.index.projection import FactMissingError, known
from guildmark.services.recipes.disclosing import (
    DocumentUnknownError,
    claim_body,
    clauses_body,
    shown_clauses,
)
from guildmark.services.release.packages import PackageIncompleteError, PackageNotLicensedError


@pytest.fixture
def world() -> World:
    return make_world()


def keep_terms(world: World) -> None:
    body = clauses_body(disclose_all(world.members))
    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.TERMS, world.license, body)


def forget(world: World, kind: DocumentKind, key: bytes) -> None:
    state = world.tools.store.__dict__["_state"]
    del state.documents[kind, key]


def test_gathered_package_is_what_the_chain_commits_to(world: World) -> None:
    keep_terms(world)

    package = world.tools.packages.gather(world.license, world.recipe.id())

    assert package.terms == world.terms
    assert package.members == world.members
    assert (package.recipe, package.document) == (world.recipe, RECIPE)
    assert package.revision == world.revision
    files = world.tools.designs(DESIGNER).files(world.revision.design)
    assert package.manifest == files.manifest


def test_unknown_license_cannot_be_gathered(world: World) -> None:
    with pytest.raises(PackageNotLicensedError):
        world.tools.packages.gather(LicenseId(bytes(32)), world.recipe.id())


def test_unknown_recipe_cannot_be_gathered(world: World) -> None:
    with pytest.raises(RecipeUnknownError):
        world.tools.packages.gather(world.license, RecipeId(bytes(32)))


def test_package_without_terms_is_incomplete(world: World) -> None:
    with pytest.raises(PackageIncompleteError, match="terms"):
        world.tools.packages.gather(world.license, world.recipe.id())


def test_package_without_files_is_incomplete(world: World) -> None:
    keep_terms(world)
    forget(world, DocumentKind.FILES, world.revision.design)

    with pytest.raises(PackageIncompleteError, match="files"):
        world.tools.packages.gather(world.license, world.recipe.id())


def test_whole_recipe_is_shown_by_default(world: World) -> None:
    body = world.tools.disclosing.show(DocumentKind.RECIPE, world.recipe.id())

    assert body == clauses_body(disclose_all(RECIPE.clauses))


def test_single_clauses_of_a_site_recipe_can_be_shown(world: World) -> None:
    path = "/material/polymer"

    body = world.tools.disclosing.show(DocumentKind.SITE_RECIPE, world.site_recipe, paths=[path])

    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.SITE_RECIPE, world.site_recipe, body)
        shown = shown_clauses(work.documents, DocumentKind.SITE_RECIPE, world.site_recipe)
    assert shown is not None
    opened = shown.verify(clause_root(world.site_document.clauses)).opened
    assert [clause.path for clause in opened.values()] == [path]


def test_clause_that_a_recipe_lacks_cannot_be_shown(world: World) -> None:
    with pytest.raises(ClauseUnknownError):
        world.tools.disclosing.show(
            DocumentKind.RECIPE, world.recipe.id(), paths=["/material/glue"]
        )


def test_profile_is_shown_as_it_was_kept(world: World) -> None:
    body = world.tools.disclosing.show(DocumentKind.PROFILE, world.site)

    world.tools.disclosing.receive(DocumentKind.PROFILE, world.site, body)


def test_document_that_is_not_here_cannot_be_shown(world: World) -> None:
    with pytest.raises(DocumentUnknownError, match="claim"):
        world.tools.disclosing.show(DocumentKind.CLAIM, bytes(32))


def test_notice_of_a_key_is_a_fact(world: World) -> None:
    key = key_id(world.machine, signing_key(world.tools.keys, KeyName("machine")))

    world.tools.identities(SITE).give_notice(world.machine, key, suspected_from=7)

    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        fact = known(view.facts, KeyFact, key)
    assert (fact.notice_at, fact.suspected_from) == (world.tools.chain.now, 7)


def test_revoked_claim_ends(world: World) -> None:
    made, _ = claim(world.tools, world.issuer, world.maker)

    world.tools.identities(ISSUER).revoke_claim(world.issuer, ClaimId(made))

    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        fact = known(view.facts, ClaimFact, made)
    assert fact.until == world.tools.chain.now


def test_revocation_of_an_unknown_claim_stops_the_index(world: World) -> None:
    world.tools.identities(ISSUER).revoke_claim(world.issuer, ClaimId(bytes(32)))

    with pytest.raises(FactMissingError):
        world.tools.indexing().follow()


def test_what_opens_a_claim_is_kept_by_who_made_it(world: World) -> None:
    document = ClaimDocument(scheme="BPN", value="BPNL00000003AYRE", salt=Bytes32(bytes(32)))

    made = world.tools.identities(ISSUER).claim(world.issuer, world.maker, document)

    body = world.tools.disclosing.show(DocumentKind.CLAIM, made)
    assert body == claim_body(world.issuer, world.maker, document)


def test_what_opens_a_digest_is_kept_before_it_is_sent(world: World) -> None:
    world.tools.outbox.held = True

    identity = world.tools.identities(ISSUER).register(IdentityKind.AUTHORITY, {"name": "Late"})

    body = world.tools.disclosing.show(DocumentKind.PROFILE, identity)
    world.tools.outbox.advance()
    world.tools.indexing().follow()
    world.tools.disclosing.receive(DocumentKind.PROFILE, identity, body)
