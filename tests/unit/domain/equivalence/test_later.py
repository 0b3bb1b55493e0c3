"""What was built after a certificate, as points of charts."""

import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import comparing
from guildmark.domain.equivalence.later import LaterReadingError, points
from guildmark.domain.equivalence.monitoring import reason
from guildmark.domain.equivalence.plan import Kind, Replication, Transformation
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recipes.clause import ClausePath

HEIGHT = ClausePath("/tolerance/height")


def later(build: int, part: int, value: str, **changes: Any) -> Reading:
    return comparing.reading(comparing.SITE, build, part, value, **changes)


def test_each_build_is_one_point_in_the_order_of_the_readings() -> None:
    readings = [later(9, 1, "20.1"), later(10, 1, "20.4"), later(9, 2, "20.3")]

    (means,) = points(comparing.plan(), comparing.SITE, readings).values()

    assert means == pytest.approx([20.2, 20.4])


@pytest.mark.parametrize(
    ("replication", "count"), [(Replication.PART, 4), (Replication.BUILD, 2), (Replication.LOT, 1)]
)
def test_a_point_is_what_the_plan_replicates(replication: Replication, count: int) -> None:
    readings = [later(build, part, "20.1", lot="L") for build in (1, 2) for part in (1, 2)]

    found = points(comparing.plan(replication=replication), comparing.SITE, readings)

    assert [len(means) for means in found.values()] == [count]
    nameless = [replace(one, lot=None) for one in readings]
    assert len(points(comparing.plan(replication=replication), comparing.SITE, nameless)) == 1


def test_logarithms_are_taken_where_the_plan_takes_them() -> None:
    logs = comparing.characteristic(margin="1.1", transformation=Transformation.LOG)
    plan = comparing.plan(characteristics=(logs,))

    (means,) = points(plan, comparing.SITE, [later(1, 1, "20"), later(1, 2, "80")]).values()

    assert means == pytest.approx([math.log(40)])
    with pytest.raises(LaterReadingError, match="no logarithm"):
        points(plan, comparing.SITE, [later(1, 1, "0")])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"site": comparing.OTHER}, "is of the site"),
        ({"unit": "cm"}, "is in cm, planned is mm"),
        ({"characteristic": HEIGHT}, "does not compare /tolerance/height"),
    ],
)
def test_a_reading_of_something_else_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(LaterReadingError, match=said):
        points(comparing.plan(), comparing.SITE, [replace(later(1, 1, "20"), **changes)])


def test_windows_of_processes_are_no_points() -> None:
    plan = comparing.plan(
        characteristics=(comparing.characteristic(kind=Kind.PROCESS),),
    )

    with pytest.raises(LaterReadingError, match="does not compare"):
        points(plan, comparing.SITE, [later(1, 1, "20")])


def test_nothing_at_all_shows_no_stability() -> None:
    with pytest.raises(LaterReadingError, match="Nothing was measured"):
        points(comparing.plan(), comparing.SITE, [])


def test_points_without_certified_data_are_compared_with_nothing() -> None:
    data = comparing.dataset(comparing.drawn(comparing.REFERENCE, 1))

    with pytest.raises(LaterReadingError, match="nothing to compare"):
        reason(comparing.plan(), data, comparing.SITE, {comparing.WIDTH: [20.0]})


def test_a_logged_value_counts_as_exactly_as_it_was_written() -> None:
    readings = [replace(later(1, 1, "1"), value=Decimal("0.1")) for _ in range(10)]

    (means,) = points(comparing.plan(), comparing.SITE, readings).values()

    assert means == [0.1]
