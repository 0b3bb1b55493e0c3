"""Block seconds as people read them."""

from datetime import UTC, datetime

_YEAR_10000 = 253_402_300_800


def as_time(seconds: int) -> str:
    """Return block seconds as people read them: ISO 8601, UTC."""
    if not 0 <= seconds < _YEAR_10000:
        return f"second {seconds}"
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")
