"""Triangle meshes: volume, box and closedness, and their STL and 3MF files, byte for byte alike."""

import io
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

Vertex = tuple[float, float, float]
Triangle = tuple[int, int, int]

_CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_MODEL_TYPE = "application/vnd.ms-package.3dmanufacturing-3dmodel+xml"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """A surface of triangles that share their vertices, in millimetres."""

    vertices: Sequence[Vertex]
    triangles: Sequence[Triangle]

    def volume(self) -> float:
        """Return the enclosed volume in cubic millimetres, by the divergence theorem."""
        return sum(_signed_volume(*corners) for corners in self.corners())

    def box(self) -> tuple[Vertex, Vertex]:
        """Return the least and the greatest corner of the box around the mesh."""
        x, y, z = zip(*self.vertices, strict=True)
        return (min(x), min(y), min(z)), (max(x), max(y), max(z))

    def is_watertight(self) -> bool:
        """Return whether each edge is run through exactly once in each direction."""
        edges = Counter(edge for a, b, c in self.triangles for edge in ((a, b), (b, c), (c, a)))
        return all(n == 1 and edges[(b, a)] == 1 for (a, b), n in edges.items())

    def corners(self) -> Iterator[tuple[Vertex, Vertex, Vertex]]:
        """Yield the three corners of each triangle."""
        return (
            (self.vertices[a], self.vertices[b], self.vertices[c]) for a, b, c in self.triangles
        )


def stl(mesh: Mesh, *, title: str) -> bytes:
    """Return ``mesh`` as a binary STL file whose 80 bytes of header say ``title``."""
    head = title.encode("ascii").ljust(80)
    facets = (
        struct.pack("<12fH", *_normal(*corners), *corners[0], *corners[1], *corners[2], 0)
        for corners in mesh.corners()
    )
    return head + struct.pack("<I", len(mesh.triangles)) + b"".join(facets)


def three_mf(mesh: Mesh, *, name: str, metadata: Sequence[tuple[str, str]]) -> bytes:
    """Return ``mesh`` as a 3MF package of one object (3MF core specification 1.3)."""
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations(),
        "3D/3dmodel.model": _model(mesh, name=name, metadata=metadata),
    }
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for path, text in parts.items():
            # The oldest date that a zip can say: the same bytes on each day.
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode(), compresslevel=9)
    return package.getvalue()


def _signed_volume(a: Vertex, b: Vertex, c: Vertex) -> float:
    return (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    ) / 6


def _normal(a: Vertex, b: Vertex, c: Vertex) -> Vertex:
    u = tuple(q - p for p, q in zip(a, b, strict=True))
    v = tuple(q - p for p, q in zip(a, c, strict=True))
    cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    length = sum(part * part for part in cross) ** 0.5
    return (cross[0] / length, cross[1] / length, cross[2] / length)


def _content_types() -> str:
    return (
        f'{_HEAD}<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="model" ContentType="{_MODEL_TYPE}"/></Types>\n'
    )


def _relations() -> str:
    return (
        f'{_HEAD}<Relationships xmlns="{_RELATIONS}"><Relationship Id="model" '
        'Target="/3D/3dmodel.model" '
        'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>\n'
    )


def _model(mesh: Mesh, *, name: str, metadata: Sequence[tuple[str, str]]) -> str:
    lines = [
        f'{_HEAD}<model unit="millimeter" xml:lang="en-US" xmlns="{_CORE}">',
        *(f"<metadata name={quoteattr(key)}>{value}</metadata>" for key, value in metadata),
        f'<resources><object id="1" type="model" name={quoteattr(name)}><mesh><vertices>',
        *(f'<vertex x="{x:.7g}" y="{y:.7g}" z="{z:.7g}"/>' for x, y, z in mesh.vertices),
        "</vertices><triangles>",
        *(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in mesh.triangles),
        '</triangles></mesh></object></resources><build><item objectid="1"/></build></model>',
    ]
    return "\n".join(lines) + "\n"
