"""Where a node says that entries of a label are: its answer, read strictly."""

from collections.abc import Sequence

from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.identifiers import Index, LogNumber

Place = tuple[LogNumber, Index]


def read_positions(data: bytes) -> Sequence[Place]:
    """Return the positions in a node's answer, the first known one first.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: A member is missing, unknown or of another type.
    """
    return read_document(data, _positions)


def read_position(data: bytes) -> Place:
    """Return the one position in a node's answer.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: A member is missing, unknown or of another type.
    """
    return read_document(data, _position)


def _positions(fields: Fields) -> Sequence[Place]:
    return [_position(fields), *fields.objects("others", _position)]


def _position(fields: Fields) -> Place:
    return LogNumber(fields.integer("log")), Index(fields.integer("index"))
