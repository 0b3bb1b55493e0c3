"""What trimesh measures of triangles that passed every check."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import trimesh

from guildmark.adapters.shapes.archive import open_archive
from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.refusals import ShapeMalformedError
from guildmark.adapters.shapes.step import read_step
from guildmark.adapters.shapes.stl import check_coordinates, read_stl
from guildmark.adapters.shapes.threemf import ObjectKey, Scene, Transform, read_threemf
from guildmark.domain.rights.geometry import UNSTATED, Geometry, Mesh

_FINEST = Decimal("0.000000001")


def measure(data: bytes, kind: str, limits: Limits) -> Geometry:
    """Return what can be said of a file's shape.

    Args:
        data: The file.
        kind: Its ending, without the dot: step, stp, stl or 3mf.
        limits: How much is read.

    Raises:
        ContentError: One of the errors of ``refusals``.
    """
    if kind in {"step", "stp"}:
        return read_step(data)
    return Geometry(unit="mm" if kind == "3mf" else UNSTATED, mesh=_measured(data, kind, limits))


def bodies(data: bytes, kind: str, limits: Limits) -> list[trimesh.Trimesh]:
    """Return every copy of every object of a file, where it is to be built."""
    if kind == "3mf":
        scene = read_threemf(open_archive(data, limits), limits)
        found = [_solid(corners, faces, limits) for corners, faces in _meshes(scene)]
        if not found:
            message = "What the file builds has no triangles."
            raise ShapeMalformedError(message)
        return found
    corners = read_stl(data, limits)
    faces = np.arange(len(corners) * 3).reshape(-1, 3)
    return [_solid(corners.reshape(-1, 3), faces, limits)]


def _measured(data: bytes, kind: str, limits: Limits) -> Mesh:
    found = bodies(data, kind, limits)
    low = np.min([body.bounds[0] for body in found], axis=0)
    high = np.max([body.bounds[1] for body in found], axis=0)
    is_closed = all(body.is_watertight for body in found)
    volume = sum(abs(float(body.volume)) for body in found)
    return Mesh(
        box=tuple(_decimal(float(extent)) for extent in high - low),
        triangles=sum(len(body.faces) for body in found),
        volume=_decimal(volume) if is_closed else None,
    )


def _solid(corners: Any, faces: Any, limits: Limits) -> trimesh.Trimesh:
    check_coordinates(corners, limits)
    body = trimesh.Trimesh(vertices=corners, faces=faces, process=False, validate=False)
    # Corners that are equal are one: STL repeats them for each triangle.
    body.merge_vertices(digits_vertex=9)
    return body


def _meshes(scene: Scene) -> Iterator[tuple[Any, Any]]:
    for item in scene.items:
        yield from _copies(scene, item.key, _matrix(item.transform))


def _copies(scene: Scene, key: ObjectKey, place: Any) -> Iterator[tuple[Any, Any]]:
    solid = scene.solids[key]
    if solid.triangles:
        corners = np.array(solid.corners, dtype=np.float64).reshape(-1, 3)
        placed = np.hstack([corners, np.ones((len(corners), 1))]) @ place
        yield placed[:, :3] * scene.scale, np.array(solid.triangles).reshape(-1, 3)
    for one in solid.components:
        yield from _copies(scene, one.key, _matrix(one.transform) @ place)


def _matrix(transform: Transform) -> Any:
    matrix = np.eye(4)
    matrix[:, :3] = np.array(transform).reshape(4, 3)
    return matrix


def _decimal(value: float) -> str:
    rounded = Decimal(f"{value:.6g}")
    if rounded.as_tuple().exponent < _FINEST.as_tuple().exponent:  # type: ignore[operator] # finite
        rounded = rounded.quantize(_FINEST)
    return f"{abs(rounded.normalize()):f}"
