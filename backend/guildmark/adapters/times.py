"""Times as machines and instruments write them."""

from datetime import datetime


def instant(text: str) -> datetime | None:
    """Return an ISO 8601 time that states its offset, None where the text is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if time.tzinfo is None else time


def seconds(text: str) -> int | None:
    """Return seconds since 1970: digits, or an ISO 8601 time with its offset; None for others."""
    if text.isascii() and text.isdigit():
        return int(text[:20])
    time = instant(text)
    return None if time is None else int(time.timestamp())
