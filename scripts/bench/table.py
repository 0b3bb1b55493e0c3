"""The rows as people read them."""

from collections.abc import Sequence

from bench.rows import Row

HEADS = ("row", "what", "ours", "limit or peer", "ratio", "spread", "target", "met")
_RULES = ("---", "---", "---:", "---:", "---:", "---:", "---", "---")
_EXACT_FROM = 1_000
_SMALL_BELOW = 0.001


def cells(row: Row) -> tuple[str, ...]:
    """Return one row's cells, under ``HEADS``."""
    worst, metric = row.worst, row.metric
    return (
        metric.id,
        metric.text,
        f"{figure(worst.ours)} {metric.unit}",
        f"{figure(worst.reference)} ({metric.against})",
        figure(worst.ratio),
        f"{row.spread:.2%}",
        metric.promise() or "",
        _verdict(row),
    )


def text(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    lines = [HEADS, *map(cells, rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown(rows: Sequence[Row]) -> str:
    """Return the table for a page."""
    lines = [HEADS, _RULES, *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def figure(value: float) -> str:
    """Return a figure with its thousands parted, a smaller one with four digits."""
    if abs(value) >= _EXACT_FROM:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= _SMALL_BELOW else f"{value:.6f}"


def _verdict(row: Row) -> str:
    if not row.same_answer:
        return "OTHER ANSWER"
    if row.metric.target is None:
        return "-"
    return "yes" if row.is_ok else "NO"
