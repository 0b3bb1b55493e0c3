"""One file of a design, shown alone."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from fakes.world import DESIGNER, Tools
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import DesignId, Digest
from guildmark.domain.recipes.clauses import DisclosureMismatchError, disclose_all
from guildmark.domain.rights.fileset import FileMismatchError, Manifest
from guildmark.domain.rights.geometry import Geometry, Mesh
from guildmark.services.rights.designs import DesignFilesUnknownError, SourceFile
from guildmark.services.rights.filelists import (
    FileEvidence,
    FileNotRegisteredError,
    FileUnknownError,
)

CUBE = Geometry(unit="mm", mesh=Mesh(box=("1", "1", "1"), triangles=12, volume="1"))
NAMES = ("a.stl", "b.gcode", "c.pdf")


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
def design(tools: Tools) -> DesignId:
    return tools.designs(DESIGNER).register(
        [
            SourceFile(
                name=name,
                media_type="model/stl",
                content=BytesIO(name.encode()),
                geometry=CUBE if name == "a.stl" else None,
            )
            for name in NAMES
        ]
    )


@pytest.fixture
def proof(tools: Tools, design: DesignId) -> bytes:
    tools.indexing().follow()
    return tools.filelists.show(design, "a.stl")


def changed(proof: bytes, **members: Any) -> bytes:
    evidence = codec.load(FileEvidence, parse_object(proof))
    return canonical(codec.dump(replace(evidence, **members)))


def test_a_file_is_proven_without_the_others(tools: Tools, design: DesignId, proof: bytes) -> None:
    shown = tools.filelists.check(proof)

    assert (shown.revision.design, shown.revision.number) == (design, 1)
    assert (shown.name, shown.media_type, shown.size) == ("a.stl", "model/stl", 5)
    assert shown.digest == sha256(b"a.stl")
    assert shown.geometry == CUBE.text()
    for other in NAMES[1:]:
        assert other.encode() not in proof


def test_what_was_not_measured_has_no_geometry(
    tools: Tools, design: DesignId, proof: bytes
) -> None:
    shown = tools.filelists.check(tools.filelists.show(design, "b.gcode"))

    assert (shown.name, shown.geometry) == ("b.gcode", "")


def test_the_file_itself_is_compared(tools: Tools, proof: bytes) -> None:
    shown = tools.filelists.check(proof)

    shown.check(size=5, digest=sha256(b"a.stl"))
    for size, digest in ((4, sha256(b"a.stl")), (5, sha256(b"b.stl"))):
        with pytest.raises(FileMismatchError):
            shown.check(size=size, digest=digest)


def test_a_file_that_is_told_otherwise_does_not_lead_to_the_root(
    tools: Tools, proof: bytes
) -> None:
    other = proof.replace(b"triangles=12", b"triangles=13")
    assert other != proof

    with pytest.raises(DisclosureMismatchError):
        tools.filelists.check(other)


def test_a_revision_that_is_not_on_chain_proves_nothing(tools: Tools, proof: bytes) -> None:
    revision = codec.load(FileEvidence, parse_object(proof)).revision

    for other in (
        replace(revision, number=2),
        replace(revision, at=revision.at + 1),
        replace(revision, manifest=Digest(bytes(32))),
    ):
        with pytest.raises(FileNotRegisteredError):
            tools.filelists.check(changed(proof, revision=other))


def test_one_file_is_shown_at_a_time(tools: Tools, design: DesignId, proof: bytes) -> None:
    manifest = Manifest.parse(tools.designs(DESIGNER).files(design).manifest)
    whole = disclose_all([file.clause(at) for at, file in enumerate(manifest.files)])

    for files in (whole, replace(whole, opened={})):
        with pytest.raises(FileNotRegisteredError):
            tools.filelists.check(changed(proof, files=files))


def test_a_file_that_the_design_lacks_is_unknown(
    tools: Tools, design: DesignId, proof: bytes
) -> None:
    with pytest.raises(FileUnknownError):
        tools.filelists.show(design, "d.stl")


def test_a_design_of_another_home_is_unknown(tools: Tools) -> None:
    with pytest.raises(DesignFilesUnknownError):
        tools.filelists.show(DesignId(sha256(b"elsewhere")), "a.stl")


def test_a_design_that_is_not_final_is_not_shown(tools: Tools, design: DesignId) -> None:
    with pytest.raises(FileNotRegisteredError):
        tools.filelists.show(design, "a.stl")
