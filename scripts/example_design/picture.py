"""A picture of a mesh: a small rasteriser with smooth shading, shadows and drawn edges."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from example_design.mesh import Mesh

Array = Any  # numpy is installed in the examples' environment only, where no types are checked

_SIZE = (1200, 900)
_FINER = 3  # drawn so many times larger, then averaged
_MARGIN = 0.10
_TURN, _RISE = math.radians(-32), math.radians(24)
_KEY = (-0.50, 0.80, 0.30)
_FILL = (0.55, 0.25, 0.80)
_PAPER = (250, 250, 248)
_PLASTIC = (245, 124, 52)
_INK = (66, 28, 8)
_CREASE = math.cos(math.radians(20))


@dataclass(frozen=True, slots=True)
class _Screen:
    """What a pixel shows: how near it is, the surface's direction there; minus infinity: none."""

    depth: Array
    normal: Array

    @property
    def hit(self) -> Array:
        return np.isfinite(self.depth)


def picture(mesh: Mesh) -> bytes:
    """Return a PNG of ``mesh`` as it lies on its plate."""
    corners, normals = _surface(mesh)
    view = _view()
    scale, shift = _fit(corners.reshape(-1, 3) @ view.T)
    placed = corners @ view.T * scale + shift
    height, width = _SIZE[1] * _FINER, _SIZE[0] * _FINER
    screen = _raster(placed, normals @ view.T, shape=(height, width))
    lit = _light(screen, view) * (1 - 0.45 * _in_shadow(screen, corners, (view, scale, shift)))
    image = _background(corners, (view, scale, shift), shape=(height, width))
    image[screen.hit] = _coloured(lit)[screen.hit]
    image[_lines(screen)] = _INK
    return _png(image)


def _surface(mesh: Mesh) -> tuple[Array, Array]:
    """Return each triangle's corners and the smooth normals there, as the part lies in use."""
    triangles = np.array(mesh.triangles)
    corners = np.array(mesh.vertices)[triangles]
    area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = area / np.linalg.norm(area, axis=1, keepdims=True)
    normals = np.empty_like(corners)
    for at, around in _fans(triangles):
        same = flat[around] @ flat[at // 3] > _CREASE
        total = area[around][same].sum(axis=0)
        normals[at // 3, at % 3] = total / np.linalg.norm(total)
    return corners, normals


def _fans(triangles: Array) -> Iterator[tuple[int, Array]]:
    order = np.argsort(triangles, axis=None, kind="stable")
    ends = np.cumsum(np.bincount(triangles.ravel()))
    for fan in np.split(order, ends[:-1]):
        for at in fan:
            yield int(at), fan // 3


def _view() -> Array:
    turn = np.array(
        [[math.cos(_TURN), 0, -math.sin(_TURN)], [0, 1, 0], [math.sin(_TURN), 0, math.cos(_TURN)]]
    )
    rise = np.array(
        [[1, 0, 0], [0, math.cos(_RISE), -math.sin(_RISE)], [0, math.sin(_RISE), math.cos(_RISE)]]
    )
    return rise @ turn


def _fit(points: Array) -> tuple[float, Array]:
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array(_SIZE) * _FINER * (1 - 2 * _MARGIN)
    scale = float((room / (high - low)[:2]).min())
    middle = (low + high) / 2 * scale
    shift = np.array([_SIZE[0] * _FINER / 2, _SIZE[1] * _FINER / 2, 0.0])
    return scale, shift - (middle[0], middle[1], 0.0)


def _raster(corners: Array, normals: Array, *, shape: tuple[int, int]) -> _Screen:
    depth = np.full(shape, -np.inf)
    normal = np.zeros((*shape, 3))
    for triangle, directions in zip(corners, normals, strict=True):
        place, weights = _covered(triangle, shape)
        if place is None:
            continue
        near = weights @ triangle[:, 2]
        first = near > depth[place]
        rows, columns = place[0][first], place[1][first]
        depth[rows, columns] = near[first]
        normal[rows, columns] = weights[first] @ directions
    length = np.linalg.norm(normal, axis=2, keepdims=True)
    return _Screen(depth, normal / np.where(length == 0, 1, length))


def _covered(triangle: Array, shape: tuple[int, int]) -> tuple[Any, Array]:
    """Return the pixels (rows, columns) inside a triangle and their barycentric weights."""
    (ax, ay), (bx, by), (cx, cy) = triangle[:, :2]
    twice = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    if abs(twice) < 1e-9:  # noqa: PLR2004 - seen edge-on
        return None, twice
    low = np.maximum(np.floor(triangle[:, :2].min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(triangle[:, :2].max(axis=0)).astype(int) + 1, shape[::-1])
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
    b = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / twice
    c = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / twice
    inside = (b >= 0) & (c >= 0) & (b + c <= 1)
    weights = np.stack([1 - b - c, b, c], axis=-1)[inside]
    return (shape[0] - 1 - y[inside], x[inside]), weights


def _light(screen: _Screen, view: Array) -> Array:
    key, fill = (view @ (np.array(way) / np.linalg.norm(way)) for way in (_KEY, _FILL))
    half = key + np.array((0, 0, 1))
    half /= np.linalg.norm(half)
    diffuse = 0.40 + 0.56 * np.clip(screen.normal @ key, 0, 1)
    diffuse += 0.24 * np.clip(screen.normal @ fill, 0, 1)
    gloss = 0.22 * np.clip(screen.normal @ half, 0, 1) ** 40
    return np.stack([diffuse, gloss], axis=-1)


def _in_shadow(screen: _Screen, corners: Array, camera: tuple[Array, float, Array]) -> Array:
    """Return, per pixel, how much of the key light the part itself takes away."""
    view, scale, shift = camera
    rows, columns = np.nonzero(screen.hit)
    height = screen.depth.shape[0]
    seen = np.stack([columns, height - 1 - rows, screen.depth[rows, columns]], axis=-1)
    points = ((seen - shift) / scale) @ view
    away = np.array(_KEY) / np.linalg.norm(_KEY)
    side = np.cross(away, (0, 0, 1))
    side /= np.linalg.norm(side)
    sun = np.stack([side, np.cross(away, side), away])
    fine, room = 14.0, 1400
    depth = _raster(corners @ sun.T * fine + room / 2, corners, shape=(room, room)).depth
    found = points @ sun.T * fine + room / 2
    dark = np.zeros(len(points))
    steps = range(-3, 4)
    for across in steps:
        for along in steps:
            x = np.clip(np.rint(found[:, 0]).astype(int) + across, 0, room - 1)
            y = np.clip(room - 1 - np.rint(found[:, 1]).astype(int) + along, 0, room - 1)
            dark += depth[y, x] > found[:, 2] + 0.35 * fine
    shadow = np.zeros((*screen.depth.shape, 1))
    shadow[rows, columns, 0] = dark / len(steps) ** 2
    return shadow


def _background(
    corners: Array, camera: tuple[Array, float, Array], *, shape: tuple[int, int]
) -> Array:
    """Return the paper with the part's soft shadow on it."""
    view, scale, shift = camera
    fall = corners[:, :, 1:2] / _KEY[1] * np.array(_KEY)
    flat = (corners - fall) @ view.T * scale + shift
    dark = _raster(flat, corners, shape=shape).hit
    blurred = Image.fromarray((dark * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(9 * _FINER)
    )
    strength = np.asarray(blurred)[..., None] / 255 * 0.42
    return (np.array(_PAPER) * (1 - strength)).astype(np.uint8)


def _coloured(lit: Array) -> Array:
    base = np.array(_PLASTIC) * lit[..., :1] + 255 * lit[..., 1:]
    return np.clip(base, 0, 255).astype(np.uint8)


def _lines(screen: _Screen) -> Array:
    """Return the pixels at outlines and at sharp edges."""
    depth = np.where(screen.hit, screen.depth, -1e4)
    line = np.zeros(depth.shape, dtype=bool)
    for axis in (0, 1):
        jump = np.abs(np.diff(depth, axis=axis)) > 5 * _FINER
        bend = (np.diff(screen.normal, axis=axis) ** 2).sum(axis=2) > 2 - 2 * _CREASE
        line |= _beside(jump | bend, axis)
    return line


def _beside(found: Array, axis: int) -> Array:
    """Return the pixels on both sides of the borders along an axis, and their neighbours."""
    whole = [(1, 1) if a == axis else (0, 0) for a in (0, 1)]
    wide = np.pad(found, whole)
    return np.delete(wide, 0, axis) | np.delete(wide, -1, axis)


def _png(image: Array) -> bytes:
    small = Image.fromarray(image).resize(_SIZE, Image.Resampling.BOX)
    out = io.BytesIO()
    small.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
