"""Files of measured values: one form, refused whole where one thing in it is wrong."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.encoding.fields import MemberInvalidError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32
from guildmark.domain.measurement.document import (
    MeasuredPart,
    MeasuredPartUnknownError,
    MeasurementFile,
    MeasurementFileError,
    RawDataReusedError,
    refuse_reused,
)
from guildmark.domain.measurement.statistics import (
    ClaimedStatistics,
    StatisticsMismatchError,
    StatisticsUncheckableError,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType

BORE, MASS = ClausePath("/tolerance/bore"), ClausePath("/tolerance/mass")


def bore(value: str, **said: Any) -> Measurement:
    unit = said.pop("unit", "mm")
    return Measurement(characteristic=BORE, value=value, unit=unit, instrument="gauge", **said)


def part(name: str, *measured: Measurement, **said: Any) -> MeasuredPart:
    return MeasuredPart(part=name, measurements=measured, **said)


def tolerance(unit: str | None = "mm", **said: Any) -> dict[ClausePath, Clause]:
    kind = ClauseType.TEXT if unit is None else ClauseType.QUANTITY
    salt, klass = Bytes32(bytes(32)), ClauseClass.CORE
    return {BORE: Clause(path=BORE, type=kind, klass=klass, salt=salt, unit=unit, **said)}


FILE = MeasurementFile(
    parts=(
        part("S-1", bore("22.01"), build="job 1", site="a", lot="L"),
        part("S-2", bore("2.203", unit="cm"), build="job 1", site="a"),
    ),
    statistics=(ClaimedStatistics(characteristic=BORE, unit="mm", n=2, mean="22.02"),),
)


def test_file_is_written_and_read_alike() -> None:
    for one in (FILE, replace(FILE, statistics=())):
        assert MeasurementFile.parse(one.encode()) == one
    assert MeasurementFile.parse(b'{"format":"guildmark/measurements/v1","parts":[]}').parts == ()


def test_file_of_another_format_is_refused() -> None:
    with pytest.raises(MemberInvalidError):
        MeasurementFile.parse(b'{"format":"guildmark/measurements/v2","parts":[]}')


def test_claims_recompute_over_units_of_one_kind() -> None:
    FILE.check({})

    wrong = replace(FILE.statistics[0], mean="22.03")
    with pytest.raises(StatisticsMismatchError):
        replace(FILE, statistics=(wrong,)).check({})


def test_claim_over_values_of_another_kind_is_refused() -> None:
    odd = replace(FILE, parts=(*FILE.parts, part("S-3", bore("7", unit="g"))))

    with pytest.raises(MeasurementFileError) as caught:
        odd.check({})

    assert caught.value.detail == {"part": "S-3", "expected": "mm"}


@pytest.mark.parametrize(
    "known",
    [
        tolerance(minimum="21.9", maximum="22.1"),
        tolerance("cm", minimum="2.19", maximum="2.21"),
    ],
)
def test_capability_is_recomputed_with_the_recipes_tolerance(
    known: dict[ClausePath, Clause],
) -> None:
    # The mean is 22.02, s is 0.0141421.
    said = ClaimedStatistics(characteristic=BORE, unit="mm", cpk="1.886")
    replace(FILE, statistics=(said,)).check(known)

    one_sided = tolerance(minimum="21.9")
    replace(FILE, statistics=(replace(said, cpk="2.828"),)).check(one_sided)
    below = tolerance(maximum="22.1")
    replace(FILE, statistics=(said,)).check(below)


@pytest.mark.parametrize("known", [{}, tolerance("g", minimum="1"), tolerance(None, value="fits")])
def test_capability_without_limits_is_refused(known: dict[ClausePath, Clause]) -> None:
    said = ClaimedStatistics(characteristic=BORE, unit="mm", cpk="1.886")

    with pytest.raises(StatisticsUncheckableError):
        replace(FILE, statistics=(said,)).check(known)


def test_only_the_values_of_the_characteristic_count() -> None:
    mass = replace(bore("7"), characteristic=MASS, unit="g")

    more = replace(FILE, parts=(part("S-1", bore("22.01"), mass), FILE.parts[1]))

    more.check({})


def test_characteristic_measured_twice_on_a_part_is_refused() -> None:
    with pytest.raises(MeasurementFileError) as caught:
        part("S-1", bore("22"), bore("23"))

    assert caught.value.detail == {"part": "S-1", "characteristic": BORE}


def test_part_given_twice_is_refused_and_one_of_two_sites_is_not() -> None:
    with pytest.raises(MeasurementFileError):
        MeasurementFile(parts=(part("S-1", site="a"), part("S-1", site="a")))

    both = MeasurementFile(parts=(part("S-1", site="a"), part("S-1", site="b")))
    with pytest.raises(MeasuredPartUnknownError):
        both.of("S-1")


def test_raw_data_of_two_parts_or_sites_is_refused_with_both_places() -> None:
    scan = sha256(b"scan")
    here = part("S-1", bore("22", raw_data=scan), site="a")

    for there, place in (
        (part("S-2", bore("23", raw_data=scan)), "S-2"),
        (part("S-1", bore("23", raw_data=scan), site="b"), "S-1 of b"),
    ):
        with pytest.raises(RawDataReusedError) as caught:
            MeasurementFile(parts=(here, there))
        assert (caught.value.detail["first"], caught.value.detail["second"]) == ("S-1 of a", place)


def test_raw_data_of_several_characteristics_of_one_part_is_one_file() -> None:
    scan = sha256(b"scan")
    mass = replace(bore("7", raw_data=scan), characteristic=MASS, unit="g")

    refuse_reused([part("S-1", bore("22", raw_data=scan), mass), part("S-2", bore("22"))])


def test_raw_data_is_given_to_values_that_have_none() -> None:
    scan, own = sha256(b"scan"), sha256(b"own")
    mass = replace(bore("7", raw_data=own), characteristic=MASS, unit="g")
    one = MeasurementFile(parts=(part("S-1", bore("22"), mass),))

    given = one.with_raw_data(scan).of("S-1").measurements

    assert [each.raw_data for each in given] == [scan, own]
    with pytest.raises(RawDataReusedError):
        FILE.with_raw_data(scan)


def test_part_that_the_file_does_not_have_is_said() -> None:
    assert FILE.of("S-1") is FILE.parts[0]
    with pytest.raises(MeasuredPartUnknownError) as caught:
        FILE.of("S-9")
    assert caught.value.detail == {"part": "S-9", "found": 0}


def test_readings_say_where_each_value_comes_from() -> None:
    first, second = FILE.readings()

    assert (first.part, first.build, first.site, first.lot) == ("S-1", "job 1", "a", "L")
    assert (second.value, second.unit, second.instrument) == (Decimal("2.203"), "cm", "gauge")


def test_readings_need_site_and_build() -> None:
    loose = MeasurementFile(parts=(part("S-1", bore("22"), build="job 1"),))

    assert loose.readings(site="b")[0].site == "b"
    for one in (loose, MeasurementFile(parts=(part("S-1", bore("22"), site="a"),))):
        with pytest.raises(MeasuredPartUnknownError):
            one.readings()
