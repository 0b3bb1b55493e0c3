from soak.growth import (
    MEBI,
    Line,
    Sample,
    database_a_million,
    memory_a_million,
    memory_an_hour,
    settled,
)
from soak.life import Verdict


def samples(*resident: int, database: int = 3) -> list[Sample]:
    """Return samples of 1,000 builds a minute, with so many MiB in memory."""
    return [
        Sample(
            seconds=60.0 * number,
            entries=1_000 * number,
            resident={"node": size * MEBI},
            database=database * number * MEBI,
        )
        for number, size in enumerate(resident)
    ]


def test_the_first_quarter_is_the_beginning() -> None:
    found = samples(1, 90, 100, 100, 100, 100, 100, 100)

    assert [one.entries for one in settled(found)] == [2_000, 3_000, 4_000, 5_000, 6_000, 7_000]
    assert memory_an_hour(found, "node") == Line(slope=0.0, straightness=1.0)


def test_growth_is_told_an_hour_and_a_million_entries() -> None:
    found = samples(*range(100, 108))

    hour, million = memory_an_hour(found, "node"), memory_a_million(found, "node")
    database = database_a_million(found)

    assert hour is not None
    assert million is not None
    assert database is not None
    assert (round(hour.slope, 6), round(hour.straightness, 6)) == (60, 1)
    assert round(million.slope, 6) == 1_000
    assert (round(database.slope, 6), round(database.straightness, 6)) == (3_000, 1)


def test_what_wavers_is_not_straight() -> None:
    line = memory_an_hour(samples(0, 0, 100, 300, 100, 300, 100, 300), "node")

    assert line is not None
    assert line.straightness < 0.5


def test_too_few_samples_say_nothing() -> None:
    assert memory_an_hour(samples(1, 2), "node") is None
    assert database_a_million([samples(1)[0]] * 4) is None
    assert database_a_million(samples(1, 2, 3)) is not None


def test_a_verdict_is_clean_where_nothing_is_lost_doubled_or_different() -> None:
    clean = Verdict(acknowledged=3, lost=0, doubled=0, differences=())

    assert clean.is_clean
    assert not Verdict(acknowledged=3, lost=1, doubled=0, differences=()).is_clean
    assert not Verdict(acknowledged=3, lost=0, doubled=1, differences=()).is_clean
    assert not Verdict(acknowledged=3, lost=0, doubled=0, differences=("x",)).is_clean
