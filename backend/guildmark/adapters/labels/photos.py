"""A photo of a label: its QR code's text, read in a child process with limits."""

from collections.abc import Mapping
from importlib.util import find_spec
from io import BufferedIOBase
from types import MappingProxyType

from guildmark.adapters.labels import refusals
from guildmark.adapters.shapes.confined import Reading, run
from guildmark.adapters.shapes.confinement import Bounds
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import GuildmarkError, MalformedError

TEXT_MAX = 4_296
"""Characters that the largest QR code holds (ISO/IEC 18004)."""

_ANSWER = Limits(size=16 * TEXT_MAX, depth=2, values=4)
_BOUNDS = Bounds(memory=1 << 30, seconds=10, output=64 * 1024)
_REFUSALS: Mapping[str, type[GuildmarkError]] = MappingProxyType(
    {
        kind.code: kind
        for kind in (
            refusals.CodePictureUnreadableError,
            refusals.CodePictureTooLargeError,
            refusals.CodeMissingError,
            refusals.CodesSeveralError,
        )
    }
)
_READING = Reading(
    module="guildmark.adapters.labels.decoding",
    packages=("PIL", "zxingcpp"),
    missing=refusals.CodeReaderMissingError,
    costly=refusals.CodePictureTooCostlyError,
    refusals=_REFUSALS,
)


def is_installed() -> bool:
    """Return whether what reads codes is installed: the extra `scan`."""
    return all(find_spec(name) is not None for name in _READING.packages)


def code_in(source: BufferedIOBase) -> str:
    """Return the text of the one QR code in a picture; ``source`` is read from its beginning.

    Raises:
        UsageError: One of the errors of ``refusals``.
    """
    found = run("code", source, {}, _BOUNDS, _READING)
    # The child may be another's by now: what it says is looked at like any other file.
    try:
        text = parse_object(found, _ANSWER).get("text")
    except MalformedError as error:
        raise refusals.CodePictureUnreadableError(error.message) from error
    if not isinstance(text, str) or len(text) > TEXT_MAX:
        message = "What was read is no text that a QR code holds."
        raise refusals.CodePictureUnreadableError(message)
    return text
