"""Small pictures of shapes: an image or a package's own one, made anew; else the mesh, drawn."""

import io
from typing import Any

import numpy as np
import trimesh
from PIL import Image, ImageDraw, PngImagePlugin

from guildmark.adapters.shapes.archive import open_archive
from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.measuring import bodies
from guildmark.adapters.shapes.refusals import PictureRefusedError
from guildmark.adapters.shapes.threemf import THUMBNAIL, targets

EDGE = 256
_MARGIN = 0.9
# Drawn larger, then made smaller: soft edges.
_FINER = 2
_PAPER = (255, 255, 255)
_INK = np.array([94.0, 129.0, 172.0])
_DIMMEST = 0.35
# A view from the front, right and above (rows: right, up, towards the eye); the light beside it.
_VIEW = np.array([[0.866, 0.5, 0.0], [-0.25, 0.433, 0.866], [0.433, -0.75, 0.5]])
_LIGHT = np.array([0.267, 0.535, 0.802])
_FORMATS = ("PNG", "JPEG")
_IMAGES = frozenset({"jpeg", "jpg", "png"})


def picture(data: bytes, kind: str, limits: Limits) -> bytes:
    """Return a PNG of at most 256 x 256 pixels that shows a file's shape, or an image smaller.

    Args:
        data: The file.
        kind: Its ending, without the dot: stl, 3mf, png, jpg or jpeg.
        limits: How much is read.

    Raises:
        PictureRefusedError: The image is none, or too large; or the file is of another kind.
        ContentError: One of the errors of ``refusals``.
    """
    if kind in _IMAGES:
        return _encoded(_decoded(data, limits))
    if kind not in {"3mf", "stl"}:
        message = "Only meshes and images have a picture; a STEP file has none."
        raise PictureRefusedError(message, kind=kind)
    archive = open_archive(data, limits) if kind == "3mf" else None
    own = targets(archive, THUMBNAIL, limits) if archive else []
    if archive and own:
        return _encoded(_decoded(archive.read(own[0]), limits))
    seen = [_seen(one) for one in bodies(data, kind, limits)]
    return _encoded(_drawn(np.concatenate(seen) @ _VIEW.T))


def _decoded(data: bytes, limits: Limits) -> Image.Image:
    try:
        found = Image.open(io.BytesIO(data), formats=_FORMATS)
        if found.width * found.height > limits.pixels:
            message = f"The picture has {found.width} x {found.height} pixels."
            raise PictureRefusedError(message, width=found.width, height=found.height)
        return found.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        message = "The picture is no PNG or JPEG, or is damaged."
        raise PictureRefusedError(message) from exc


def _encoded(image: Image.Image) -> bytes:
    """Return a new PNG of the pixels alone: nothing else of the old file stays."""
    image.thumbnail((EDGE, EDGE))
    plain = Image.new("RGB", image.size)
    plain.paste(image)
    sink = io.BytesIO()
    plain.save(sink, "PNG", pnginfo=PngImagePlugin.PngInfo())
    return sink.getvalue()


def _seen(body: trimesh.Trimesh) -> Any:
    """Return the triangles of a body that can face the eye: of a closed one, only its outside."""
    if not body.is_watertight or body.volume <= 0:
        return body.triangles
    return body.triangles[body.face_normals @ _VIEW[2] > 0]


def _drawn(turned: Any) -> Image.Image:
    """Draw triangles from behind to the front, each the brighter the more it faces the light."""
    size = EDGE * _FINER
    low, high = turned.min(axis=(0, 1)), turned.max(axis=(0, 1))
    scale = size * _MARGIN / max(float(np.max(high[:2] - low[:2])), 1e-9)
    flat = (turned - (low + high) / 2)[:, :, :2] * (scale, -scale) + size / 2
    order = np.argsort(turned[:, :, 2].mean(axis=1))
    image = Image.new("RGB", (size, size), _PAPER)
    draw = ImageDraw.Draw(image)
    corners = flat[order].reshape(-1, 6).tolist()
    for points, ink in zip(corners, _inks(turned)[order].tolist(), strict=True):
        draw.polygon(points, fill=tuple(ink))
    return image


def _inks(turned: Any) -> Any:
    normals = np.cross(turned[:, 1] - turned[:, 0], turned[:, 2] - turned[:, 0])
    lengths = np.maximum(np.linalg.norm(normals, axis=1), 1e-30)
    facing = np.abs(normals @ _LIGHT) / lengths
    return (_INK * (_DIMMEST + (1 - _DIMMEST) * facing)[:, None]).astype(np.int64)
