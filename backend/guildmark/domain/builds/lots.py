"""How people name the lots of material that go into parts."""

from collections.abc import Sequence

from guildmark.domain.builds.dependencies import DEPENDENCIES_MAX, DeclarationSizeError
from guildmark.domain.errors import MalformedError

LOT_NAME_MAX = 200


class LotNameError(MalformedError):
    """No name of a lot, or too long a one."""

    code = "lot.nameInvalid"
    hint = f"Write the lot as its supplier does, in 1 to {LOT_NAME_MAX} printable characters."


def check_lot(text: str) -> str:
    """Return a text that may name a lot.

    Raises:
        LotNameError: It is empty, too long or not printable.
    """
    if not 0 < len(text) <= LOT_NAME_MAX or not text.isprintable():
        message = f"A lot's name has 1 to {LOT_NAME_MAX} printable characters."
        raise LotNameError(message)
    return text


def check_lots(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the names of lots that go into one part, each once.

    Raises:
        LotNameError: One is empty, too long or not printable.
        DeclarationSizeError: They are more than a part can declare.
    """
    found = tuple(dict.fromkeys(check_lot(one) for one in texts))
    if len(found) > DEPENDENCIES_MAX:
        message = f"{len(found)} lots are named; a part has at most {DEPENDENCIES_MAX}."
        raise DeclarationSizeError(message, found=len(found))
    return found
