"""What a part's QR code says: its link, and the log position as a hint to be checked."""

from dataclasses import replace

from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import Index, LogNumber, PartId, parse_hint
from guildmark.domain.labels.digital_link import DigitalLink

HINT_PARAMETER = "p"
# Version 5 at level M holds 84 bytes; a longer link needs cells that small labels blur.
LINK_QR_MAX = 84


class LinkTooLongError(UsageError):
    """A link that does not fit a code of a size that phones read from a small label."""

    code = "label.linkTooLong"
    hint = "Use a shorter host name or shorter serials."


def link_text(label: str, part: PartId | None = None, *, base: str | None = None) -> str:
    """Return the text of a part's link QR code.

    Args:
        label: The part's label.
        part: Its position, once known; readers check it and never trust it.
        base: Where phones find the page instead of the label's own host, without a last slash.

    Raises:
        MalformedLinkError: The label is no canonical link.
        LinkTooLongError: The text does not fit.
    """
    link = DigitalLink.parse_label(label)
    if part is not None:
        link = replace(link, query=((HINT_PARAMETER, part.hint),))
    text = str(link)
    if base is not None:
        text = base + text.removeprefix(f"https://{link.host}")
    if len(text) > LINK_QR_MAX:
        message = f"The link has {len(text)} characters, the limit is {LINK_QR_MAX}."
        raise LinkTooLongError(message, link=text, limit=LINK_QR_MAX)
    return text


def read_link(text: str) -> tuple[str, tuple[LogNumber, Index] | None]:
    """Return the label that a scanned link names, and the position that it hints at.

    Raises:
        MalformedError: It is no link, or its hint is no position.
    """
    link = DigitalLink.parse(text)
    hint = dict(link.query).get(HINT_PARAMETER)
    return link.label, None if hint is None else parse_hint(hint)
