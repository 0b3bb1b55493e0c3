"""Machines' XML: no document type, bounded depth and count, as a small tree without namespaces."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.markup import Reader
from guildmark.domain.errors import ContentError
from guildmark.domain.shopfloor.jobs import MalformedReportError

ELEMENTS_MAX = 50_000

_LIMITS = Limits(depth=64)


@dataclass(slots=True, kw_only=True)
class Element:
    """One element: its local name, attributes, own text and children.

    Args:
        namespace: Its namespace, empty where it has none.
        line: The line of the document in which it begins.
    """

    name: str
    namespace: str = ""
    line: int = 0
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Self] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Self]:
        """Yield every element of a name below this one, in the document's order."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.all(name)

    def first(self, *path: str) -> Self | None:
        """Return the first element at a path of names, None where there is none."""
        found: Self | None = self
        for name in path:
            inner = () if found is None else found.children
            found = next((child for child in inner if child.name == name), None)
        return found

    def said(self, *path: str) -> str | None:
        """Return the text at a path, None where there is none."""
        found = self.first(*path)
        return None if found is None or not found.text.strip() else found.text.strip()


def parse_markup(data: bytes) -> Element:
    """Return a document's outermost element.

    Raises:
        MalformedReportError: It is no XML, declares a document type, or has too many elements.
    """
    builder = _Builder()
    reader = Reader(start=builder.start, end=builder.end, text=builder.say, limits=_LIMITS)
    builder.at = lambda: reader.line
    try:
        reader.read(data)
    except ContentError as error:
        raise MalformedReportError(error.message) from error
    return builder.top.children[0]


@dataclass(slots=True)
class _Builder:
    top: Element = field(default_factory=lambda: Element(name=""))
    at: Callable[[], int] = lambda: 0
    _open: list[Element] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self._open.append(self.top)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > ELEMENTS_MAX:
            message = f"The XML has more than {ELEMENTS_MAX} elements."
            raise MalformedReportError(message, limit=ELEMENTS_MAX)
        namespace, _, local = name.rpartition(" ")
        element = Element(
            name=local, namespace=namespace, line=self.at(), attributes=dict(attributes)
        )
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def say(self, text: str) -> None:
        self._open[-1].text += text
