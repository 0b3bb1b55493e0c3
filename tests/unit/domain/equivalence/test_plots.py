import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import comparing
from guildmark.domain.equivalence.columns import Summary, table
from guildmark.domain.equivalence.engine import run, summaries
from guildmark.domain.equivalence.plan import Kind, Transformation
from guildmark.domain.equivalence.planning import operating_curve
from guildmark.domain.equivalence.plots import pictures
from guildmark.domain.equivalence.plots.album import album
from guildmark.domain.equivalence.plots.svg import Axis
from guildmark.domain.equivalence.stability import control_charts
from guildmark.domain.equivalence.verdict import EquivalenceResult

WANTED = comparing.characteristic(lower="19.8", upper="20.2", min_cpk="1.4")
PLAN = comparing.plan(
    characteristics=(WANTED,), sites=(comparing.SITE, comparing.OTHER, "0x" + "dd" * 32)
)
DATA = comparing.dataset(
    comparing.drawn(comparing.REFERENCE, 1),
    comparing.drawn(comparing.SITE, 2),
    comparing.drawn(comparing.OTHER, 3, mean=20.115),
    comparing.drawn("0x" + "dd" * 32, 4, mean=20.3),
)
NAMES = {comparing.SITE: "Graz & <sons>"}


def result() -> EquivalenceResult:
    return run(PLAN, DATA)


def series() -> Summary:
    return summaries(PLAN, table(PLAN, DATA))[comparing.SITE, comparing.WIDTH]


def chart() -> bytes:
    located = control_charts(PLAN, series())[0]
    signal = replace(located, signals={3: PLAN.rules[0]})
    return pictures.control(signal, "width", "mm")


PICTURES: dict[str, Callable[[], bytes]] = {
    "intervals": lambda: pictures.intervals(result().gates, NAMES),
    "control": chart,
    "histogram": lambda: pictures.histogram(series().numbers.tolist(), WANTED, "width"),
    "capability": lambda: pictures.capability(result().gates, {comparing.WIDTH: "1.4"}, NAMES),
    "operating": lambda: pictures.operating(
        operating_curve(12, margin=0.1, deviations=(0.1, 0.1), alpha=0.05),
        0.1,
        0.05,
        0.8,
        "/tolerance/width, mm",
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_equal_bytes_and_stays_inside_its_frame(name: str) -> None:
    first = PICTURES[name]()

    root = ElementTree.fromstring(first)

    assert PICTURES[name]() == first
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    places = [
        ("x" if "x" in axis else "y", float(value))
        for one in root.iter()
        for axis, value in one.attrib.items()
        if re.fullmatch("c?[xy][12]?", axis) and not one.tag.endswith("svg")
    ]
    assert len(places) > 20
    assert all(-1 <= value <= (width if axis == "x" else height) for axis, value in places)
    assert "prefers-color-scheme:dark" in first.decode()
    assert root.attrib["aria-label"]


def test_outcomes_differ_in_shape_not_only_in_colour() -> None:
    drawn = PICTURES["intervals"]().decode()

    assert drawn.count('<circle class="good"') == 2
    assert drawn.count('<circle class="open"') == 2
    # The legend's cross and the interval's: two strokes each, and the interval's three lines.
    assert drawn.count('<line class="bad"') == 7


def test_names_are_shown_as_they_are_and_sites_without_one_by_their_ids() -> None:
    drawn = PICTURES["intervals"]().decode()

    assert "/tolerance/width, Graz &amp; &lt;sons&gt;" in drawn
    assert "/tolerance/width, 0xcccccccc" in drawn


def test_an_operating_curve_says_of_what() -> None:
    assert "true difference of /tolerance/width, mm" in PICTURES["operating"]().decode()


def test_a_point_that_breaks_a_rule_is_a_cross() -> None:
    drawn = PICTURES["control"]().decode()

    assert drawn.count("<circle") == 11
    assert drawn.count('class="bad"') == 2
    assert "out of control: 4." in drawn


def test_each_value_is_in_one_bar() -> None:
    values = [1.0, 1.0, 2.0, 3.0]

    width, counts = pictures._counted(values)

    assert sum(counts) == 4
    assert width == 1.0
    assert pictures._counted([5.0, 5.0]) == (1.0, [2, 0])


def test_a_histogram_needs_no_limits_and_no_variation() -> None:
    drawn = pictures.histogram([5.0], comparing.characteristic(), "width").decode()

    assert "limit 5" not in drawn
    assert "1 values from 5 to 5 mm" in drawn


def test_an_album_holds_all_pictures_of_a_result() -> None:
    drawn = album(PLAN, DATA, result(), NAMES)

    sites = range(1, 5)
    assert set(drawn) == {
        "intervals.svg",
        "capability.svg",
        "operating-1.svg",
        *(f"control-means-1-{at}.svg" for at in sites),
        *(f"control-ranges-1-{at}.svg" for at in sites),
        *(f"histogram-1-{at}.svg" for at in sites),
    }
    assert b"/tolerance/width, Graz &amp;" in drawn["histogram-1-2.svg"]


def test_an_album_leaves_out_data_that_may_not_be_used() -> None:
    few = replace(DATA, readings=DATA.readings[1:])
    plan = replace(PLAN, sites=PLAN.sites[:1], characteristics=(comparing.characteristic(),))
    few = replace(few, readings=tuple(one for one in few.readings if one.site in plan.all_sites))

    drawn = album(plan, few, run(plan, few), NAMES)

    assert "control-means-1-1.svg" not in drawn
    assert "control-means-1-2.svg" in drawn
    assert "capability.svg" not in drawn
    assert "operating-1.svg" not in drawn


def test_an_album_shows_ratios_as_people_measure_them() -> None:
    wanted = comparing.characteristic(margin="1.01", transformation=Transformation.LOG)
    window = comparing.characteristic(
        path=comparing.HEIGHT, margin="1.01", transformation=Transformation.LOG, kind=Kind.PROCESS
    )
    plan = replace(PLAN, sites=PLAN.sites[:1], characteristics=(window, wanted))
    readings = tuple(one for one in DATA.readings if one.site in plan.all_sites)
    windows = tuple(
        replace(one, characteristic=comparing.HEIGHT, value=one.value + 1) for one in readings
    )
    data = replace(DATA, readings=(*readings, *windows))

    drawn = album(plan, data, run(plan, data), NAMES)

    assert b"ln mm" in drawn["control-means-2-1.svg"]
    assert b"true difference of /tolerance/width, ln mm" in drawn["operating-2.svg"]
    assert b"to 20." in drawn["histogram-2-1.svg"]
    assert "histogram-1-1.svg" not in drawn


def test_nothing_to_draw_is_an_empty_frame() -> None:
    assert b"</svg>" in pictures.intervals([], {})
    assert b"</svg>" in pictures.capability([], {}, {})


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-1.5, 1.5, ["-1.5", "-1.0", "-0.5", "0.0", "0.5", "1.0", "1.5"]),
        (73.98, 74.03, ["73.98", "73.99", "74.00", "74.01", "74.02", "74.03"]),
        (0, 900, ["0", "200", "400", "600", "800"]),
    ],
)
def test_ticks_are_round_and_written_alike(low: float, high: float, labels: list[str]) -> None:
    axis = Axis(low=low, high=high, start=0, end=100)

    assert [label for _, label in axis.ticks()] == labels


def test_an_axis_shows_what_is_beyond_it_at_its_edge() -> None:
    axis = Axis(low=0, high=1, start=0, end=100)

    assert [axis.at(value) for value in (0, 0.5, 1, 9, -9)] == [0, 50, 100, 102, -2]
