"""XML from strangers: no document type, no entities, nothing outside, bounded depth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias
from xml.parsers import expat

from guildmark.adapters.shapes.limits import Limits
from guildmark.adapters.shapes.refusals import (
    MarkupForbiddenError,
    NestingTooDeepError,
    ShapeMalformedError,
)

Start: TypeAlias = Callable[[str, Mapping[str, str]], None]
End: TypeAlias = Callable[[str], None]
Text: TypeAlias = Callable[[str], None]


def _nothing(_: str) -> None:
    return


@dataclass(slots=True)
class Reader:
    """Tells of elements as they come; names are ``namespace name``, parted by a space.

    Args:
        start: Called with an element's name and attributes.
        end: Called with its name.
        text: Called with text between tags, in pieces.
    """

    start: Start
    end: End = _nothing
    text: Text = _nothing
    limits: Limits = field(default_factory=Limits)
    _depth: int = field(default=0, init=False)
    _parser: expat.XMLParserType = field(init=False)

    @property
    def line(self) -> int:
        """Return the line that is being read."""
        return self._parser.CurrentLineNumber

    def read(self, data: bytes) -> None:
        """Read a whole document.

        Raises:
            ShapeMalformedError: It is no XML.
            MarkupForbiddenError: It declares a document type, an entity, or something outside.
            NestingTooDeepError: Elements stand in each other too deeply.
        """
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.text
        parser.StartDoctypeDeclHandler = _forbidden
        parser.EntityDeclHandler = _forbidden
        parser.ExternalEntityRefHandler = _forbidden
        parser.buffer_text = True
        try:
            parser.Parse(data, True)
        except expat.ExpatError as exc:
            message = f"The XML is malformed in line {exc.lineno}."
            raise ShapeMalformedError(message, line=exc.lineno) from exc

    @property
    def place(self) -> int:
        """Return at which byte the element begins that is told of."""
        return int(self._parser.CurrentByteIndex)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > self.limits.depth:
            message = f"Elements stand in each other more than {self.limits.depth} deep."
            raise NestingTooDeepError(message, depth=self.limits.depth)
        self.start(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self.end(name)


def _forbidden(*_: object) -> NoReturn:
    message = "The XML declares a document type or an entity."
    raise MarkupForbiddenError(message)
