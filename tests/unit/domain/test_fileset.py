"""Manifests: what they say of a file's shape, and what its leaf commits to."""

from dataclasses import replace

import pytest

from guildmark.domain.encoding.fields import DocumentError, Fields
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.identifiers import Bytes32, Cid, Digest, to_hex
from guildmark.domain.recipes.quantity import MalformedDecimalError
from guildmark.domain.rights.fileset import (
    FILES_MAX,
    DesignFile,
    EncryptedList,
    FileMismatchError,
    FileName,
    MalformedManifestError,
    Manifest,
)
from guildmark.domain.rights.geometry import Geometry, MalformedGeometryError, Mesh

CLOSED = Geometry(unit="mm", mesh=Mesh(box=("1", "2.5", "3"), triangles=12, volume="6"))
OPEN = Geometry(unit="unstated", mesh=Mesh(box=("1", "2", "3"), triangles=11))
STEP = Geometry(unit="mm", schema="AUTOMOTIVE_DESIGN")
DIGEST = Digest(b"\x11" * 32)


def file(geometry: Geometry | None, name: str = "part.stl") -> DesignFile:
    return DesignFile(
        name=FileName(name),
        media_type="model/stl",
        size=3,
        digest=DIGEST,
        cid=Cid("bafkreia"),
        ciphertext=Digest(b"\x12" * 32),
        salt=Bytes32(b"\x13" * 32),
        geometry=geometry,
    )


@pytest.mark.parametrize("geometry", [None, CLOSED, OPEN, STEP])
def test_a_manifest_holds_what_was_measured(geometry: Geometry | None) -> None:
    manifest = Manifest(files=(file(geometry),))

    assert Manifest.parse(manifest.encode()) == manifest


@pytest.mark.parametrize(
    ("geometry", "told"),
    [
        (None, ""),
        (CLOSED, " unit=mm box=1x2.5x3 triangles=12 watertight=yes volume=6"),
        (OPEN, " unit=unstated box=1x2x3 triangles=11 watertight=no"),
        (STEP, " unit=mm schema=AUTOMOTIVE_DESIGN"),
    ],
)
def test_a_leaf_commits_to_what_was_measured(geometry: Geometry | None, told: str) -> None:
    clause = file(geometry).clause(0)

    assert clause.value == f"part.stl model/stl 3 {to_hex(DIGEST)}{told}"


def test_other_facts_are_another_root() -> None:
    roots = {Manifest(files=(file(one),)).root() for one in (None, CLOSED, OPEN, STEP)}

    assert len(roots) == 4


@pytest.mark.parametrize("unit", ["", "mile", "mm mm"])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    with pytest.raises(MalformedGeometryError):
        Geometry(unit=unit)


@pytest.mark.parametrize("schema", ["", "lower", "A" * 65])
def test_what_cannot_be_a_schema_is_refused(schema: str) -> None:
    with pytest.raises(MalformedGeometryError):
        Geometry(unit="mm", schema=schema)


@pytest.mark.parametrize("box", [("1", "2"), ("1", "2", "3", "4")])
def test_a_box_has_three_extents(box: tuple[str, ...]) -> None:
    with pytest.raises(MalformedGeometryError):
        Mesh(box=box, triangles=1)


MESH: dict[str, JsonValue] = {
    "unit": "mm",
    "box": ["1", "2", "3"],
    "triangles": 1,
    "watertight": True,
    "volume": "6",
}


@pytest.mark.parametrize("change", [{"watertight": False}, {"volume": None}])
def test_only_what_is_watertight_has_a_volume(change: dict[str, JsonValue]) -> None:
    members = {name: value for name, value in (MESH | change).items() if value is not None}

    with pytest.raises(MalformedGeometryError):
        Geometry.read(Fields(members))


@pytest.mark.parametrize("box", [["1", "2", "1e3"], ["1", "2", "nan"], ["1", "2", ""]])
def test_extents_are_plain_decimals(box: list[str]) -> None:
    with pytest.raises((DocumentError, MalformedDecimalError)):
        Geometry.read(Fields({**MESH, "box": box}))


def test_a_list_says_where_encrypted_files_are_and_nothing_else() -> None:
    manifest = Manifest(files=(file(None), file(CLOSED, "other.stl")))

    listed = manifest.listed(3)

    listed.check(manifest.ciphertext())
    assert EncryptedList.parse(listed.encode()) == listed
    assert (listed.revision, [one.cid for one in listed.files]) == (3, ["bafkreia"] * 2)
    assert not any(word in listed.encode() for word in (b"stl", b"size", b"salt", b"name"))


def test_other_files_or_another_order_are_refused() -> None:
    first, second = file(None), replace(file(None, "other.stl"), ciphertext=DIGEST)
    manifest = Manifest(files=(first, second))

    for other in (Manifest(files=(second, first)), Manifest(files=(first,))):
        with pytest.raises(FileMismatchError):
            other.listed(1).check(manifest.ciphertext())


def test_a_list_has_as_many_files_as_a_revision_may_have() -> None:
    one = Manifest(files=(file(None),)).listed(1)

    assert len(replace(one, files=one.files * FILES_MAX).files) == FILES_MAX
    for count in (0, FILES_MAX + 1):
        with pytest.raises(MalformedManifestError):
            replace(one, files=one.files * count)
