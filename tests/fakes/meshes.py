"""Small files of shapes, whole and hostile: what each lacks is named by its argument."""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

CUBE_CORNERS = [(x, y, z) for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)]
CUBE_FACES = [
    *((0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)),
    *((2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)),
]
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
RELATIONSHIPS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r0" Target="/3D/3dmodel.model" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>{more}</Relationships>'
)
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" '
    'ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>'
    '<Default Extension="png" ContentType="image/png"/></Types>'
)


def binary_stl(count: int | None = None, *, corner: float | None = None) -> bytes:
    """Return a cube; its header may announce another count, a corner may be anything."""
    records = bytearray()
    for face in CUBE_FACES:
        numbers = [value for at in face for value in CUBE_CORNERS[at]]
        records += struct.pack("<12fH", 0, 0, 0, *numbers, 0)
    if corner is not None:
        records[12:16] = struct.pack("<f", corner)
    return b"solid".ljust(80) + struct.pack("<I", count or len(CUBE_FACES)) + bytes(records)


def text_stl(corner: str = "0") -> bytes:
    """Return the cube as text; the first number may be anything."""
    lines = ["solid cube of text"]
    for face in CUBE_FACES:
        lines += ["facet normal 0 0 0", " outer loop"]
        lines += ["  vertex {} {} {}".format(*CUBE_CORNERS[at]) for at in face]
        lines += [" endloop", "endfacet"]
    lines[3] = f"  vertex {corner} 0 0"
    return "\n".join([*lines, "endsolid cube of text", ""]).encode()


def mesh_xml(faces: Sequence[tuple[object, ...]] = tuple(CUBE_FACES), corner: str = "0.0") -> str:
    """Return a cube's mesh; the first number may be anything."""
    corners = [tuple(map(str, one)) for one in CUBE_CORNERS]
    corners[0] = (corner, "0.0", "0.0")
    vertices = "".join('<vertex x="{}" y="{}" z="{}"/>'.format(*one) for one in corners)
    triangles = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*one) for one in faces)
    return f"<mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh>"


def model_xml(
    objects: str | None = None,
    items: str = '<item objectid="1"/>',
    unit: str = "millimeter",
) -> bytes:
    """Return a model part with a cube, or with other objects."""
    inside = objects or f'<object id="1" type="model">{mesh_xml()}</object>'
    return (
        f'<?xml version="1.0"?><model unit="{unit}" xmlns="{CORE}" xmlns:p="{PRODUCTION}" '
        f'requiredextensions="p"><resources>{inside}</resources><build>{items}</build></model>'
    ).encode()


def threemf(model: bytes | None = None, more: Mapping[str, bytes] | None = None) -> bytes:
    """Return a package with a model part and more."""
    return packed(
        {
            "[Content_Types].xml": TYPES.encode(),
            "_rels/.rels": RELATIONSHIPS.format(more="").encode(),
            "3D/3dmodel.model": model or model_xml(),
            **(more or {}),
        }
    )


def packed(entries: Mapping[str, bytes]) -> bytes:
    """Return an archive."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return sink.getvalue()
