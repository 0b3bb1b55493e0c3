"""Tables are read as stated: what could be two numbers is refused, with line and column."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.adapters.measuring.tables import COLUMNS, TableForm, read_table
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import to_hex
from guildmark.domain.measurement.document import MeasurementFileError, RawDataReusedError
from guildmark.domain.recipes.clause import ClausePath

HEAD = "part,characteristic,value,unit,instrument"
ROW = "S-1,/tolerance/bore,22.040,mm,gauge"
BORE = Measurement(
    characteristic=ClausePath("/tolerance/bore"), value="22.040", unit="mm", instrument="gauge"
)
SCAN = to_hex(sha256(b"scan"))


def table(*lines: str, form: TableForm | None = None) -> Any:
    return read_table("\n".join(lines).encode(), form or TableForm())


def refused(*lines: str, form: TableForm | None = None) -> MeasurementFileError:
    with pytest.raises(MeasurementFileError) as caught:
        table(*lines, form=form)
    return caught.value


def test_row_is_a_value_and_keeps_its_digits() -> None:
    (part,) = table(HEAD, ROW, "S-1,/tolerance/mass,10.8,g,scale").parts

    assert part.part == "S-1"
    assert part.measurements[0] == BORE
    assert part.measurements[1].unit == "g"


def test_full_row_says_all_that_is_stated() -> None:
    head = ",".join(COLUMNS)
    cells = "S-1,/tolerance/bore,22.040,mm,gauge,0.01,2,0.001"

    (part,) = table(head, f"{cells},{SCAN},op-7,2027-01-15T08:00:00+01:00,job 1,a,L").parts

    assert (part.build, part.site, part.lot) == ("job 1", "a", "L")
    (one,) = part.measurements
    assert (one.uncertainty, one.coverage_factor, one.resolution) == ("0.01", "2", "0.001")
    assert (one.raw_data, one.operator, one.measured_on) == (sha256(b"scan"), "op-7", 1_799_996_400)


def test_table_of_another_country_is_read_where_it_is_stated() -> None:
    form = TableForm(
        delimiter=";",
        decimal=",",
        columns={"part": "Teil", "value": "Messwert", "characteristic": "Merkmal"},
        given={"unit": "mm", "instrument": "gauge"},
    )

    (part,) = table("\ufeffTeil;Merkmal;Messwert", "S-1;/tolerance/bore;22,040", form=form).parts

    assert part.measurements == (BORE,)


@pytest.mark.parametrize("value", ["1,234", "22,04", "1.234,5"])
def test_comma_under_a_decimal_point_is_refused(value: str) -> None:
    found = refused(HEAD, ROW, f'S-2,/tolerance/bore,"{value}",mm,gauge')

    assert found.detail == {"line": 3, "column": "value"}
    assert "State the decimal sign" in found.message


@pytest.mark.parametrize("value", ["1.234", "22.04", "1.234,5"])
def test_point_under_a_decimal_comma_is_refused(value: str) -> None:
    form = TableForm(delimiter=";", decimal=",")

    found = refused(HEAD.replace(",", ";"), f"S-1;/tolerance/bore;{value};mm;gauge", form=form)

    assert found.detail == {"line": 2, "column": "value"}


@given(whole=st.integers(0, 999), places=st.integers(0, 999_999))
def test_one_number_is_read_alike_under_both_signs(whole: int, places: int) -> None:
    form = TableForm(delimiter=";", decimal=",")
    row = f"S-1,/tolerance/bore,{whole}.{places:06d},mm,gauge"

    there = table(HEAD.replace(",", ";"), row.replace(",", ";").replace(".", ","), form=form)

    assert there == table(HEAD, row)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("S-1,/tolerance/bore,1e3,mm,gauge", "value"),
        ("S-1,/tolerance/bore,NaN,mm,gauge", "value"),
        ("S-1,/tolerance/bore,+1,mm,gauge", "value"),
        ("S-1,bore,22,mm,gauge", "characteristic"),
        ("S-1,/tolerance/bore,22,furlong,gauge", "unit"),
        ("S-1,/tolerance/bore,,mm,gauge", "value"),
        (",/tolerance/bore,22,mm,gauge", "part"),
        ("S-1,/tolerance/bore,22,mm, ", "instrument"),
    ],
)
def test_cell_that_is_none_is_refused_with_its_line(row: str, column: str) -> None:
    found = refused(HEAD, ROW.replace("S-1", "S-0"), row)

    assert found.detail == {"line": 3, "column": column}


@pytest.mark.parametrize(
    ("column", "cell"), [("rawData", "0x12"), ("uncertainty", "0.01"), ("uncertainty", "x")]
)
def test_cell_of_an_optional_column_is_refused_with_its_line(column: str, cell: str) -> None:
    found = refused(f"{HEAD},{column}", f"{ROW},{cell}")

    assert found.detail == {"line": 2, "column": column}


def test_member_that_is_too_long_names_its_column() -> None:
    found = refused(HEAD, f"S-1,/tolerance/bore,22,mm,{'x' * 201}")

    assert found.detail == {"line": 2, "column": "instrument"}


@pytest.mark.parametrize("time", ["yesterday", "2027-01-15T08:00:00", ""])
def test_time_is_seconds_or_has_its_offset(time: str) -> None:
    head, cells = f"{HEAD},measuredOn", f"{ROW},{time}"

    if time:
        assert refused(head, cells).detail == {"line": 2, "column": "measuredOn"}
    else:
        assert table(head, cells).parts[0].measurements[0].measured_on is None
    assert table(head, f"{ROW},7").parts[0].measurements[0].measured_on == 7


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace("value", "Wert"),
        f"{HEAD},colour",
        f"{HEAD},value",
        HEAD.replace(",instrument", ""),
        "",
    ],
)
def test_columns_are_those_that_are_stated(head: str) -> None:
    assert refused(head, ROW).detail["line"] == 1


def test_column_is_given_or_in_the_table_and_not_both() -> None:
    refused(HEAD, ROW, form=TableForm(given={"unit": "mm"}))


@pytest.mark.parametrize(
    "said",
    [
        {"delimiter": ",", "decimal": ","},
        {"delimiter": ";;"},
        {"delimiter": ""},
        {"delimiter": "\n"},
        {"decimal": "'"},
        {"columns": {"colour": "Farbe"}},
        {"given": {"colour": "red"}},
    ],
)
def test_form_that_leaves_no_row_clear_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(MeasurementFileError):
        TableForm(**said)


@pytest.mark.parametrize("row", ["S-1,/tolerance/bore,22,mm", f"{ROW},more"])
def test_row_with_other_cells_is_refused(row: str) -> None:
    assert refused(HEAD, row).detail["line"] == 2


def test_rows_of_one_part_contradict_one_another_nowhere() -> None:
    head, mass = f"{HEAD},build", "S-1,/tolerance/mass,10.8,g,scale"

    found = refused(head, f"{ROW},job 1", f"{mass},job 2")
    assert found.detail == {"line": 3, "column": "build"}
    assert refused(HEAD, ROW, ROW).detail == {"line": 3, "column": "characteristic"}


def test_part_of_two_sites_is_two_parts() -> None:
    found = table(f"{HEAD},site", f"{ROW},a", f"{ROW},b")

    assert [one.site for one in found.parts] == ["a", "b"]


def test_raw_data_of_two_parts_is_refused() -> None:
    with pytest.raises(RawDataReusedError):
        table(f"{HEAD},rawData", f"{ROW},{SCAN}", f"{ROW.replace('S-1', 'S-2')},{SCAN}")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (f"{HEAD}\n{ROW}\nS-2,\xff".encode("latin-1"), 3),
        (f'{HEAD}\n{ROW}\nS-2,"22'.encode(), 3),
        (f'{HEAD}\nS-2,"22"x,1,1,1'.encode(), 2),
    ],
)
def test_bytes_that_are_no_table_are_refused(data: bytes, line: int) -> None:
    with pytest.raises(MeasurementFileError) as caught:
        read_table(data, TableForm())

    assert caught.value.detail["line"] == line


def test_empty_lines_count_for_the_place_of_others() -> None:
    assert refused(HEAD, "", "S-1,/tolerance/bore,x,mm,gauge").detail["line"] == 3


def test_table_of_too_many_rows_or_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ROW.replace("S-1", "S-2")
    monkeypatch.setattr("guildmark.adapters.measuring.tables.ROWS_MAX", 2)
    assert len(table(HEAD, ROW, other).parts) == 2
    assert refused(HEAD, ROW, other, ROW.replace("S-1", "S-3")).detail == {"rows": 3}
    assert refused("").detail == {"rows": 0}

    size = len(f"{HEAD}\n{ROW}")
    monkeypatch.setattr("guildmark.adapters.measuring.tables.SIZE_MAX", size)
    assert table(HEAD, ROW).parts
    assert refused(HEAD, f"{ROW}0").detail == {"size": size + 1}
