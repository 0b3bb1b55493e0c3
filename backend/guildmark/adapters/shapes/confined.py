"""Strangers' files, read in a child process; what comes back is checked as any document is."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from io import BufferedIOBase
from pathlib import PurePath
from shutil import copyfileobj
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from guildmark.adapters.shapes import refusals
from guildmark.adapters.shapes.child import ANSWER, REFUSAL
from guildmark.adapters.shapes.confinement import Bounds
from guildmark.adapters.shapes.limits import LIMITS
from guildmark.domain.encoding.fields import read_document
from guildmark.domain.encoding.strictjson import Limits as DocumentLimits
from guildmark.domain.errors import ContentError, GuildmarkError
from guildmark.domain.rights.geometry import Geometry
from guildmark.domain.rights.picture import PictureMalformedError, check_image

_CHILD = "guildmark.adapters.shapes.child"
_KEPT = ("PATH", "PYTHONPATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
_KINDS = frozenset({"3mf", "stl", "step", "stp"})
_IMAGES, _MESHES = (".jpeg", ".jpg", ".png"), (".3mf", ".stl")
# More than its processor time, so that a busy machine refuses nothing.
_PATIENCE = 10
_SMALL = DocumentLimits(size=16 * 1024, depth=4, values=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a child reads files with, and how it refuses them.

    Args:
        module: What it imports within its bounds; its ``run`` reads the file.
        packages: What that module needs.
        missing: Raised where a package is not installed.
        costly: Raised where a bound ended the child.
        refusals: What it may refuse a file with, by code.
    """

    module: str
    packages: tuple[str, ...]
    missing: type[GuildmarkError]
    costly: type[GuildmarkError]
    refusals: Mapping[str, type[GuildmarkError]]


SHAPES = Reading(
    module="guildmark.adapters.shapes.operations",
    packages=("numpy", "PIL", "trimesh"),
    missing=refusals.ShapeSupportError,
    costly=refusals.ShapeTooCostlyError,
    refusals=MappingProxyType(
        {
            kind.code: kind
            for kind in vars(refusals).values()
            if isinstance(kind, type)
            and issubclass(kind, ContentError)
            and kind is not ContentError
        }
    ),
)
"""Reads shapes: the extra `cad`."""


def kind_of(name: str) -> str | None:
    """Return the kind of shape that a file's name says, None where it says none."""
    kind = PurePath(name).suffix.lower().removeprefix(".")
    return kind if kind in _KINDS else None


def is_pictured(path: PurePath) -> bool:
    """Return whether a picture is made of a file of this name: of an image, or of a mesh."""
    return is_mesh(path) or path.suffix.lower() in _IMAGES


def is_mesh(path: PurePath) -> bool:
    """Return whether a file of this name is a mesh."""
    return path.suffix.lower() in _MESHES


def is_installed() -> bool:
    """Return whether what reads shapes is installed: the extra `cad`."""
    return _is_there(SHAPES)


def measure(source: BufferedIOBase, kind: str) -> Geometry:
    """Return what can be said of a file's shape; ``source`` is read from its beginning.

    Raises:
        ContentError: One of the errors of ``refusals``.
        ShapeSupportError: The extra `cad` is not installed.
    """
    return read_document(run("measure", source, {"kind": kind}), Geometry.read, _SMALL)


def picture(source: BufferedIOBase, kind: str) -> bytes:
    """Return a PNG that shows a mesh, or an image anew; ``source`` is read from its beginning.

    Raises:
        ContentError: One of the errors of ``refusals``.
        ShapeSupportError: The extra `cad` is not installed.
    """
    found = run("picture", source, {"kind": kind})
    # The child may be another's by now: what it says is looked at like any other file.
    try:
        check_image(found)
    except PictureMalformedError as error:
        raise refusals.PictureRefusedError(error.message) from error
    return found


def run(
    operation: str,
    source: BufferedIOBase,
    arguments: Mapping[str, Any],
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    reading: Reading = SHAPES,
) -> bytes:
    """Return what a child's operation finds in a file.

    Raises:
        GuildmarkError: One of the errors of ``reading``.
    """
    if not _is_there(reading):
        message = f"Such files are read by packages that are not installed: {reading.packages}."
        raise reading.missing(message)
    request = {
        "module": reading.module,
        "operation": operation,
        "arguments": arguments,
        "bounds": asdict(bounds),
    }
    with _described(source) as file, tempfile.TemporaryFile() as output:
        if not _ends_well(file.fileno(), json.dumps(request).encode() + b"\n", output, bounds):
            message = "Reading the file takes more time or memory than a file of its kind may."
            raise reading.costly(message)
        output.seek(0)
        said = output.read()
    if said.startswith(ANSWER):
        return said.removeprefix(ANSWER)
    raise _refused(said, reading)


def _is_there(reading: Reading) -> bool:
    return all(find_spec(name) is not None for name in reading.packages)


def _ends_well(descriptor: int, request: bytes, output: BinaryIO, bounds: Bounds) -> bool:
    """Run a child; return whether no bound of time, memory or of what it may write ended it."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # One thread: each more would take addresses that the limit counts.
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        ended = subprocess.run(  # noqa: S603 - this interpreter, a module of our own
            [sys.executable, "-B", "-s", "-m", _CHILD, str(descriptor)],
            input=request,
            stdout=output,
            stderr=subprocess.DEVNULL,
            pass_fds=(descriptor,),
            env=environment,
            timeout=bounds.seconds * _PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def _refused(said: bytes, reading: Reading) -> GuildmarkError:
    refusal = json.loads(said.removeprefix(REFUSAL))
    return reading.refusals[refusal["code"]](refusal["message"], **refusal["detail"])


@contextmanager
def _described(source: BufferedIOBase) -> Iterator[BinaryIO]:
    """Give a file that a child can inherit; what is in memory is written to one without name."""
    source.seek(0)
    try:
        source.fileno()
    except OSError:
        with tempfile.TemporaryFile() as copy:
            copyfileobj(source, copy)
            copy.flush()
            yield cast("BinaryIO", copy)
        return
    yield cast("BinaryIO", source)


def is_read(size: int) -> bool:
    """Return whether a file of that size is read at all."""
    return size <= LIMITS.size
