"""The five pictures of an equivalence: intervals, control chart, histogram, capability, power."""

import math
from collections.abc import Mapping, Sequence

from guildmark.domain.equivalence.plan import CharacteristicPlan
from guildmark.domain.equivalence.plots.svg import WIDTH, Axis, Drawing, left_of, number
from guildmark.domain.equivalence.stability import ControlChart
from guildmark.domain.equivalence.verdict import Gate, GateOutcome, Outcome

_ROW = 30
_TOP, _BOTTOM = 64.0, 56.0
_RIGHT = WIDTH - 24.0
_FLAT = 320.0
_KINDS: Mapping[Outcome, str] = {
    Outcome.PASSED: "good",
    Outcome.INCONCLUSIVE: "open",
    Outcome.FAILED: "bad",
}
_LOCATIONS = frozenset({Gate.LOCATION, Gate.PROCESS})
_BINS_MAX = 40


def intervals(gates: Sequence[GateOutcome], names: Mapping[str, str]) -> bytes:
    """Return the intervals of location by characteristic and site, each in its own margins.

    Args:
        gates: The outcomes of a result; those of location and process are drawn.
        names: What people call the sites.
    """
    drawn = [one for one in gates if one.gate in _LOCATIONS and "low" in one.figures]
    labels = [f"{one.characteristic}, {_named(one.sites[-1:], names)}" for one in drawn]
    spans = [
        [float(one.figures[name]) / float(one.figures["most"]) for name in _SPAN] for one in drawn
    ]
    reach = max([1.25, *(abs(edge) * 1.05 for span in spans for edge in span)])
    bottom = _TOP + _ROW * len(drawn)
    picture = Drawing(
        "Difference from the reference, in margins",
        "; ".join(f"{label}: {one.reason}" for label, one in zip(labels, drawn, strict=True)),
        bottom + _BOTTOM,
    )
    axis = Axis(low=-reach, high=reach, start=left_of(labels), end=_RIGHT)
    picture.box((axis.at(-1), _TOP), (axis.at(1) - axis.at(-1), bottom - _TOP), "band")
    picture.horizontal(axis, bottom, _TOP, "in margins; the band is equivalent")
    for margin in (-1, 1):
        picture.line((axis.at(margin), _TOP), (axis.at(margin), bottom), "limit")
    for place, (one, label, span) in enumerate(zip(drawn, labels, spans, strict=True)):
        y = _TOP + _ROW * (place + 0.5)
        _interval(picture, axis, y, span, _KINDS[one.outcome])
        picture.words((8, y + 4), label)
    _legend(picture)
    return picture.encode()


def control(chart: ControlChart, name: str, unit: str) -> bytes:
    """Return a control chart; points that break a rule are crosses."""
    signals = ", ".join(str(at + 1) for at in chart.signals) or "none"
    picture = Drawing(
        f"Control chart of {chart.name}: {name}",
        f"{len(chart.points)} points between {number(chart.lower)} and {number(chart.upper)}; "
        f"out of control: {signals}.",
        _FLAT,
    )
    low, high = _room([*chart.points, chart.lower, chart.upper])
    labels = [label for _, label in Axis(low=low, high=high, start=0, end=1).ticks(6)]
    down = Axis(low=low, high=high, start=_FLAT - _BOTTOM, end=_TOP)
    along = Axis(low=0, high=len(chart.points) + 1, start=left_of(labels), end=_RIGHT - 56)
    picture.vertical(down, along.start, along.end, unit)
    picture.line((along.start, down.start), (along.end, down.start), "axis")
    middle = (along.start + along.end) / 2
    picture.words(
        (middle, down.start + 24), f"{len(chart.points)} in their order", "soft", "middle"
    )
    for value, kind, said in (
        (chart.lower, "limit", "LCL"),
        (chart.upper, "limit", "UCL"),
        (chart.center, "center", "mean"),
    ):
        y = down.at(value)
        picture.line((along.start, y), (along.end, y), kind)
        picture.words((along.end + 6, y + 4), said, "soft")
    places = [(along.at(at + 1), down.at(value)) for at, value in enumerate(chart.points)]
    picture.path(places)
    for at, place in enumerate(places):
        picture.dot(place, "bad" if at in chart.signals else "dot")
    return picture.encode()


def histogram(values: Sequence[float], wanted: CharacteristicPlan, name: str) -> bytes:
    """Return how values are distributed, with the limits of a characteristic."""
    limits = [float(text) for text in (wanted.lower, wanted.upper) if text is not None]
    low, high = _room([*values, *limits])
    width, counts = _counted(values)
    start = min(values)
    picture = Drawing(
        f"Distribution: {name}",
        f"{len(values)} values from {number(start)} to {number(max(values))} {wanted.unit}.",
        _FLAT,
    )
    down = Axis(low=0, high=max(counts) * 1.1, start=_FLAT - _BOTTOM, end=_TOP)
    along = Axis(low=low, high=high, start=left_of([number(max(counts))]), end=_RIGHT)
    picture.vertical(down, along.start, along.end, "parts")
    picture.horizontal(along, down.start, down.start, wanted.unit)
    for at, count in enumerate(counts):
        left, right = along.at(start + at * width), along.at(start + (at + 1) * width)
        top = down.at(count)
        picture.box((left, top), (max(right - left - 1, 0.5), down.start - top), "bar")
    for limit in limits:
        x = along.at(limit)
        picture.line((x, down.end), (x, down.start), "limit")
        picture.words((x, down.end - 6), f"limit {number(limit)}", "soft", "middle")
    return picture.encode()


def capability(
    gates: Sequence[GateOutcome], minimum: Mapping[str, str], names: Mapping[str, str]
) -> bytes:
    """Return Ppk with its bounds by site and characteristic, and what the plan asks for.

    Args:
        gates: The outcomes of a result; those of capability are drawn.
        minimum: What the plan asks for, by characteristic.
        names: What people call the sites.
    """
    drawn = [one for one in gates if one.gate is Gate.CAPABILITY]
    labels = [f"{one.characteristic}, {_named(one.sites, names)}" for one in drawn]
    spans = [[float(one.figures[name]) for name in ("low", "ppk", "high")] for one in drawn]
    asked = [float(minimum[str(one.characteristic)]) for one in drawn]
    edges = [edge for span in spans for edge in span]
    bottom = _TOP + _ROW * len(drawn)
    picture = Drawing(
        "Capability (Ppk) with its bounds",
        "; ".join(f"{label}: {one.reason}" for label, one in zip(labels, drawn, strict=True)),
        bottom + _BOTTOM,
    )
    axis = Axis(
        low=min([0.0, *edges]),
        high=max([1.0, *edges, *asked]) * 1.08,
        start=left_of(labels),
        end=_RIGHT,
    )
    picture.horizontal(
        axis, bottom, _TOP, "Ppk (the dashed line is the least that the plan asks for)"
    )
    for place, (one, label, span) in enumerate(zip(drawn, labels, spans, strict=True)):
        y = _TOP + _ROW * (place + 0.5)
        x = axis.at(asked[place])
        picture.line((x, y - _ROW / 2), (x, y + _ROW / 2), "limit")
        _interval(picture, axis, y, span, _KINDS[one.outcome])
        picture.words((8, y + 4), label)
    _legend(picture)
    return picture.encode()


def operating(
    curve: Sequence[tuple[float, float]], margin: float, alpha: float, wanted: float, about: str
) -> bytes:
    """Return how likely EQUIVALENT is by the true difference.

    Args:
        curve: Differences and probabilities.
        margin: The greatest difference that does not matter.
        alpha: What the curve must not pass at the margin.
        wanted: The power that it should have at no difference.
        about: The characteristic, and the unit of its differences.
    """
    picture = Drawing(
        "Operating curve: how often the plan ends EQUIVALENT",
        f"{curve[0][1]:.0%} at no difference, at most {alpha:.0%} at the margin {number(margin)}.",
        _FLAT,
    )
    down = Axis(low=0, high=1, start=_FLAT - _BOTTOM, end=_TOP)
    along = Axis(low=0, high=curve[-1][0], start=left_of(["0.8"]), end=_RIGHT - 56)
    picture.vertical(down, along.start, along.end, "probability")
    picture.horizontal(along, down.start, down.start, f"true difference of {about}")
    for level, said in ((wanted, "power"), (alpha, "alpha")):
        y = down.at(level)
        picture.line((along.start, y), (along.end, y), "center")
        picture.words((along.end + 6, y + 4), said, "soft")
    x = along.at(margin)
    picture.line((x, down.end), (x, down.start), "limit")
    picture.words((x, down.end - 6), "margin", "soft", "middle")
    picture.path([(along.at(difference), down.at(chance)) for difference, chance in curve])
    return picture.encode()


_SPAN = ("low", "estimate", "high")


def _interval(picture: Drawing, axis: Axis, y: float, span: Sequence[float], kind: str) -> None:
    low, middle, high = map(axis.at, span)
    picture.line((low, y), (high, y), kind)
    for end in (low, high):
        picture.line((end, y - 5), (end, y + 5), kind)
    picture.dot((middle, y), kind)


def _legend(picture: Drawing) -> None:
    """Name the marks: colours alone say nothing to some."""
    x = 14.0
    for kind, said in (("good", "passed"), ("open", "inconclusive"), ("bad", "failed")):
        picture.dot((x, 44), kind)
        picture.words((x + 12, 48), said, "soft")
        x += 40 + 7.5 * len(said)


def _named(sites: Sequence[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(site, site[:10]) for site in sites)


def _room(values: Sequence[float]) -> tuple[float, float]:
    """Return an interval a little wider than all values."""
    low, high = min(values), max(values)
    edge = (high - low) * 0.06 or abs(high) * 0.06 or 1.0
    return low - edge, high + edge


def _counted(values: Sequence[float]) -> tuple[float, Sequence[int]]:
    """Return the width of bins and how many values are in each."""
    low, high = min(values), max(values)
    bins = min(_BINS_MAX, max(1, math.ceil(math.sqrt(len(values)))))
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    return width, counts
