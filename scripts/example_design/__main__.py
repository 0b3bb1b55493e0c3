"""Writes what is made below examples/; what is written by hand there stays as it is."""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from environments import ROOT
from example_design import solid
from example_design.bracket import Bracket
from example_design.drawing import drawing
from example_design.mesh import Mesh, stl, three_mf
from example_design.picture import picture
from example_design.slicing import SlicingError, slice_part
from reports import dump

_EXAMPLES = ROOT / "examples"
_NAME = "Pipe bracket 22"
_METADATA = (
    ("Title", _NAME),
    ("Designer", "The Guildmark authors"),
    ("Description", "Wall bracket that a pipe of 22 mm snaps into; two M4 countersunk screws"),
    ("LicenseTerms", "Apache-2.0"),
    ("Application", "Guildmark make examples"),
)
_MEDIA_TYPES: Mapping[str, str] = {
    ".step": "model/step",
    ".stl": "model/stl",
    ".3mf": "model/3mf",
    ".gcode": "text/x-gcode",
}


def main() -> int:
    """Make every file, or say what is wrong."""
    bracket = Bracket()
    shape = solid.solid(bracket)
    surface = solid.mesh(shape)
    if not solid.is_valid(shape) or not surface.is_watertight():
        print("The part is no closed solid: change its measures.", file=sys.stderr)
        return 1
    try:
        for path, content in _files(bracket, shape, surface):
            _EXAMPLES.joinpath(path).write_bytes(content)
            print(f"{path}: {len(content)} bytes")
    except SlicingError as error:
        print(error, file=sys.stderr)
        return 1
    facts = _facts(surface, volume=solid.volume(shape))
    (_EXAMPLES / "facts.json").write_text(dump(facts))
    return 0


def _files(bracket: Bracket, shape: solid.Shape, surface: Mesh) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as scratch:
        yield "part.step", solid.step(shape, name=_NAME, folder=Path(scratch))
    yield "part.stl", stl(surface, title=f"{_NAME}, in millimetres, made by Guildmark")
    yield "part.3mf", three_mf(surface, name=_NAME, metadata=_METADATA)
    yield "part.png", picture(surface)
    yield "drawing.svg", drawing(bracket).encode()
    for file in sorted((_EXAMPLES / "sites").glob("*.json")):
        site = json.loads(file.read_text())
        profile = _EXAMPLES / site["profile"]
        code = slice_part(_EXAMPLES / "part.stl", profile, slicer=site["slicer"])
        yield site["job"], code


def _facts(surface: Mesh, *, volume: float) -> dict[str, object]:
    least, greatest = surface.box()
    return {
        "name": _NAME,
        "volume": {"value": f"{volume:.2f}", "unit": "mm3"},
        "mesh": {
            "volume": {"value": f"{surface.volume():.2f}", "unit": "mm3"},
            "least": [f"{part:.4f}" for part in least],
            "greatest": [f"{part:.4f}" for part in greatest],
            "unit": "mm",
            "triangles": len(surface.triangles),
            "watertight": surface.is_watertight(),
        },
        "files": [_file_facts(path) for path in sorted(_EXAMPLES.rglob("*")) if _is_design(path)],
    }


def _is_design(path: Path) -> bool:
    return path.suffix in _MEDIA_TYPES


def _file_facts(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {
        "path": path.relative_to(_EXAMPLES).as_posix(),
        "mediaType": _MEDIA_TYPES[path.suffix],
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


if __name__ == "__main__":
    sys.exit(main())
