"""A package opens for its site alone, and only where every part of it is what the chain says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BufferedIOBase, BytesIO

import pytest

from fakes.store import MemoryNodeStore
from fakes.world import DESIGNER, RECIPE, World, make_world
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.domain.recipes.recipe import Change, RecipeDocument, Status
from guildmark.domain.rights.fileset import FileMismatchError, FileName, Manifest
from guildmark.domain.rights.release import ContentKeys
from guildmark.ports.content import ContentMissingError
from guildmark.ports.keys import KeyAlgorithm, KeyName, SealBrokenError
from guildmark.ports.store import DocumentKind
from guildmark.services.recipes.disclosing import shown_clauses
from guildmark.services.release.packages import (
    Package,
    PackageLicenseEndedError,
    PackageMismatchError,
    PackageNotLicensedError,
    Packages,
    ReleaseRefusedError,
)
from guildmark.services.rights.designs import SourceFile

SEALED = KeyName("packages")
SOME = Digest(sha256(b"something else"))


@pytest.fixture
def world() -> World:
    world = make_world()
    world.tools.keys.create(SEALED, KeyAlgorithm.X25519)
    return world


def package_of(world: World) -> Package:
    return Package(
        terms=world.terms,
        members=world.members,
        recipe=world.recipe,
        document=RECIPE,
        revision=world.revision,
        manifest=world.tools.designs(DESIGNER).files(world.revision.design).manifest,
    )


def keys_of(world: World) -> ContentKeys:
    return ContentKeys(keys=world.tools.designs(DESIGNER).files(world.revision.design).keys)


def site_packages(world: World) -> Packages:
    return replace(world.tools.packages, store=MemoryNodeStore())


def sealed_to_site(world: World, package: Package) -> bytes:
    return world.tools.packages.seal(package, site=world.site, recipient=b"key")


def forged(world: World, package: Package) -> bytes:
    """Return a sealed package that nobody looked at before."""
    packages = world.tools.packages
    body = canonical(codec.dump(package))
    return packages.vault.seal(body, b"key", info=packages._info(world.site))


class Folder:
    """Files that were extracted."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    @contextmanager
    def sink(self, name: FileName) -> Iterator[BufferedIOBase]:
        target = BytesIO()
        yield target
        self.files[name] = target.getvalue()


def test_package_has_the_files_of_its_recipes_revision(world: World) -> None:
    tools = world.tools
    world.disclose()
    package_of(world)
    tools.designs(DESIGNER).revise(
        world.revision.design,
        [SourceFile(name="new.stl", media_type="model/stl", content=BytesIO(b"new"))],
    )
    recipe = replace(
        world.recipe, revision=2, supersedes=world.recipe.id(), change=Change.REQUALIFY
    )
    tools.recipes(DESIGNER).publish(recipe, RECIPE, status=Status.QUALIFIED)
    tools.indexing().follow()

    packages = [tools.packages.gather(world.license, one.id()) for one in (world.recipe, recipe)]

    names = [[file.name for file in Manifest.parse(package.manifest).files] for package in packages]
    assert names == [["part.stl"], ["new.stl"]]
    assert [package.revision.number for package in packages] == [1, 2]
    for package in packages:
        tools.packages.check(package)


def test_package_comes_out_as_it_was_sealed(world: World) -> None:
    package = package_of(world)

    opened = site_packages(world).open(sealed_to_site(world, package), site=world.site, key=SEALED)

    assert opened == package


def test_opened_package_shows_terms_and_recipe(world: World) -> None:
    packages = site_packages(world)

    packages.open(sealed_to_site(world, package_of(world)), site=world.site, key=SEALED)

    with packages.store.reading() as view:
        documents = view.documents
        terms = shown_clauses(documents, DocumentKind.TERMS, world.license)
        recipe = shown_clauses(documents, DocumentKind.RECIPE, world.recipe.id())
        document = documents.get(DocumentKind.RECIPE_DOCUMENT, world.recipe.id())
    assert terms == disclose_all(world.members)
    assert recipe == disclose_all(RECIPE.clauses)
    assert document == RECIPE.encode()


def test_package_of_another_site_does_not_open(world: World) -> None:
    sealed = sealed_to_site(world, package_of(world))
    other = IdentityId(sha256(b"other site"))

    with pytest.raises(SealBrokenError):
        site_packages(world).open(sealed, site=other, key=SEALED)


def test_license_that_is_not_granted_releases_no_key(world: World) -> None:
    package = package_of(world)
    ungranted = replace(package, terms=replace(world.terms, units=61))

    with pytest.raises(PackageNotLicensedError) as caught:
        world.tools.packages.seal(ungranted, site=world.site, recipient=b"key")

    assert caught.value.code == "package.notLicensed"


def test_license_that_is_stopped_from_some_time_on_releases_no_key(world: World) -> None:
    package = package_of(world)
    world.tools.licenses(DESIGNER).stop(world.license, at=world.tools.chain.now + 500)

    with pytest.raises(PackageLicenseEndedError, match="ended or is stopped"):
        sealed_to_site(world, package)


def test_license_releases_keys_until_its_end(world: World) -> None:
    package, chain = package_of(world), world.tools.chain
    while chain.now < world.terms.not_after - 1:
        chain.mine()
    assert sealed_to_site(world, package)
    chain.mine()

    with pytest.raises(PackageLicenseEndedError, match="ended or is stopped"):
        sealed_to_site(world, package)


def test_license_that_the_index_does_not_know_releases_no_key(world: World) -> None:
    packages = replace(world.tools.packages, store=MemoryNodeStore())

    with pytest.raises(PackageNotLicensedError):
        packages.seal(package_of(world), site=world.site, recipient=b"key")


def test_site_that_the_license_does_not_name_gets_no_key(world: World) -> None:
    with pytest.raises(ReleaseRefusedError) as caught:
        world.tools.packages.seal(package_of(world), site=world.maker, recipient=b"key")

    assert caught.value.code == "package.releaseRefused"


def other_members(package: Package) -> Package:
    return replace(package, members=package.members[:-1])


def other_document(package: Package) -> Package:
    return replace(package, document=RecipeDocument(name="x", clauses=RECIPE.clauses[:-1]))


def other_recipe(package: Package) -> Package:
    return replace(package, recipe=replace(package.recipe, root=SOME))


def other_revision(package: Package) -> Package:
    return replace(package, revision=replace(package.revision, root=SOME))


def other_manifest(package: Package) -> Package:
    return replace(package, manifest=package.manifest.replace(b"part.stl", b"copy.stl"))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (other_members, "terms"),
        (other_document, "recipe"),
        (other_recipe, "recipe"),
        (other_revision, "revision"),
        (other_manifest, "manifest"),
    ],
)
def test_part_that_is_not_the_chains_is_refused(
    world: World, change: Callable[[Package], Package], what: str
) -> None:
    packages = site_packages(world)
    sealed = forged(world, change(package_of(world)))

    with pytest.raises(PackageMismatchError) as caught:
        packages.open(sealed, site=world.site, key=SEALED)

    assert caught.value.code == "package.mismatch"
    assert caught.value.detail == {"what": what}
    with packages.store.reading() as view:
        assert view.documents.get(DocumentKind.PACKAGE, world.license) is None


def test_extracted_files_are_the_registered_ones(world: World) -> None:
    folder = Folder()

    manifest = world.tools.packages.extract(package_of(world), keys_of(world), folder.sink)

    assert folder.files == {"part.stl": b"solid"}
    assert [file.name for file in manifest.files] == ["part.stl"]


def test_file_that_is_not_here_is_missed(world: World) -> None:
    world.tools.vault.content.files.clear()

    with pytest.raises(ContentMissingError):
        world.tools.packages.extract(package_of(world), keys_of(world), Folder().sink)


def test_file_under_another_key_is_not_the_registered_one(world: World) -> None:
    other = ContentKeys(keys=(Bytes32(SOME),))

    with pytest.raises(FileMismatchError) as caught:
        world.tools.packages.extract(package_of(world), other, Folder().sink)

    assert caught.value.code == "design.fileMismatch"
    assert caught.value.detail["name"] == "part.stl"


@pytest.mark.parametrize("count", [0, 2])
def test_each_file_has_one_key(world: World, count: int) -> None:
    keys = ContentKeys(keys=keys_of(world).keys[:1] * count)

    with pytest.raises(PackageMismatchError) as caught:
        world.tools.packages.extract(package_of(world), keys, Folder().sink)

    assert caught.value.detail == {"what": "keys"}


def test_package_holds_no_key_of_a_file(world: World) -> None:
    sealed = sealed_to_site(world, package_of(world))

    assert not any(key.hex().encode() in sealed for key in keys_of(world).keys)
