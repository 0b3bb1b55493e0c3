"""Reports are read strictly: JSON, CSV and QIF tell the same job alike."""

import json
from typing import Any

import pytest

from guildmark.adapters.machines.markup import ELEMENTS_MAX, parse_markup
from guildmark.adapters.machines.reports import (
    UnfinishedReportError,
    read_csv,
    read_json,
    read_qif,
)
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.jobs import JobEvent, JobPhase, MalformedReportError, Piece

BORE = Measurement(
    characteristic=ClausePath("/bore/diameter"), value="8.02", unit="mm", instrument="CAL-7"
)
WIDTH = Measurement(
    characteristic=ClausePath("/slot/width"), value="3", unit="mm", instrument="CAL-7"
)
JOB = JobEvent(
    job="b7c1f0ce-0000-4000-8000-000000000001",
    phase=JobPhase.FINISHED,
    at=1_800_000_000,
    pieces=(
        Piece(measurements=(BORE, WIDTH), conforming=True, serial="S-1"),
        Piece(measurements=(BORE,), conforming=False, serial="S-2"),
        Piece(),
    ),
)

JSON: dict[str, Any] = {
    "format": "guildmark/job/v1",
    "job": JOB.job,
    "at": JOB.at,
    "pieces": [
        {
            "serial": "S-1",
            "conforming": True,
            "measurements": [BORE.to_json(), WIDTH.to_json()],
        },
        {"serial": "S-2", "conforming": False, "measurements": [BORE.to_json()]},
        {},
    ],
}

CSV = f"""\
job,at,piece,serial,conforming,characteristic,value,unit,instrument
{JOB.job},1800000000,1,S-1,true,/bore/diameter,8.02,mm,CAL-7
{JOB.job},1800000000,1,S-1,,/slot/width,3,mm,CAL-7
{JOB.job},1800000000,2,S-2,false,/bore/diameter,8.02,mm,CAL-7
{JOB.job},1800000000,3,,,,,,
# end
"""

_BORE = """<DiameterCharacteristicMeasurement><CharacteristicItemId>5</CharacteristicItemId>
<MeasurementDeviceIds><Id>9</Id></MeasurementDeviceIds><Value>8.0200</Value>
</DiameterCharacteristicMeasurement>"""
_WIDTH = """<WidthCharacteristicMeasurement><CharacteristicItemId>6</CharacteristicItemId>
<MeasurementDeviceIds><Id>9</Id></MeasurementDeviceIds><Value>3.0</Value>
<TimeStamp>2027-01-15T08:00:00Z</TimeStamp></WidthCharacteristicMeasurement>"""
QIF = f"""<?xml version="1.0" encoding="UTF-8"?>
<q:QIFDocument xmlns:q="http://qifstandards.org/xsd/qif3"
 xmlns="http://qifstandards.org/xsd/qif3" versionQIF="3.0.0">
<QPId>{JOB.job}</QPId>
<FileUnits><PrimaryUnits><LinearUnit><UnitName>millimeter</UnitName></LinearUnit></PrimaryUnits>
</FileUnits>
<MeasurementResources><MeasurementDevices><Caliper id="9"><Name>Caliper</Name>
<SerialNumber>CAL-7</SerialNumber></Caliper></MeasurementDevices></MeasurementResources>
<Characteristics><CharacteristicItems>
<DiameterCharacteristicItem id="5"><Name>/bore/diameter</Name></DiameterCharacteristicItem>
<WidthCharacteristicItem id="6"><Name>W</Name><Description>/slot/width</Description>
</WidthCharacteristicItem></CharacteristicItems></Characteristics>
<MeasurementsResults><MeasurementResultsSet>
<MeasurementResults><MeasuredCharacteristics><CharacteristicMeasurements>{_BORE}{_WIDTH}
</CharacteristicMeasurements></MeasuredCharacteristics>
<InspectionStatus><InspectionStatusEnum>PASS</InspectionStatusEnum></InspectionStatus>
<ActualComponentIds><Id>1</Id></ActualComponentIds></MeasurementResults>
<MeasurementResults><MeasuredCharacteristics><CharacteristicMeasurements>{_BORE}
</CharacteristicMeasurements></MeasuredCharacteristics>
<InspectionStatus><InspectionStatusEnum>FAIL</InspectionStatusEnum></InspectionStatus>
<ActualComponentIds><Id>2</Id></ActualComponentIds></MeasurementResults>
<MeasurementResults/>
</MeasurementResultsSet>
<ActualComponentSets><ActualComponentSet><ActualComponents>
<ActualComponent id="1"><SerialNumber>S-1</SerialNumber></ActualComponent>
<ActualComponent id="2"><SerialNumber>S-2</SerialNumber></ActualComponent>
</ActualComponents></ActualComponentSet></ActualComponentSets></MeasurementsResults>
</q:QIFDocument>
"""


def test_the_three_formats_tell_one_job_alike() -> None:
    told = [
        read_json(json.dumps(JSON).encode()).events,
        read_csv(CSV.encode()).events,
        read_qif(QIF.encode(), at=0).events,
    ]

    assert told == [(JOB,)] * 3


def test_a_qif_document_without_times_has_that_of_its_file() -> None:
    timeless = QIF.replace("<TimeStamp>2027-01-15T08:00:00Z</TimeStamp>", "")

    assert read_qif(timeless.encode(), at=7).events[0].at == 7


def test_a_finished_job_gives_one_piece_where_none_is_named_and_a_stopped_one_none() -> None:
    bare = {name: value for name, value in JSON.items() if name != "pieces"}

    finished = read_json(json.dumps(bare).encode()).events[0]
    stopped = read_json(json.dumps({**bare, "phase": "stopped"}).encode()).events[0]

    assert finished.pieces == (Piece(),)
    assert (stopped.phase, stopped.pieces) == (JobPhase.STOPPED, ())


def test_everything_that_a_json_report_may_say_is_read() -> None:
    more = {
        "fileName": "bracket.gcode",
        "file": "0x" + "ab" * 32,
        "firmware": "Marlin 2.1",
        "technician": "T-4",
        "note": "first of the day",
        "settings": [{"path": "/print/nozzle", "value": "210", "unit": "Cel"}],
        "lots": ["PETG 4711", "PETG 4711", "ink 7"],
    }

    event = read_json(json.dumps({**JSON, **more}).encode()).events[0]

    assert event.file == bytes.fromhex("ab" * 32)
    assert (event.file_name, event.firmware) == ("bracket.gcode", "Marlin 2.1")
    assert (event.technician, event.note) == ("T-4", "first of the day")
    assert event.settings[0].path == "/print/nozzle"
    assert event.lots == ("PETG 4711", "PETG 4711", "ink 7")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "guildmark/job/v2"}, "format"),
        ({"job": ""}, "1 to 200"),
        ({"at": -1}, "at"),
        ({"phase": "half"}, "phase"),
        ({"phase": "stopped"}, "not finished has given pieces"),
        ({"surprise": 1}, "surprise"),
        ({"lots": [""]}, "printable characters"),
        ({"lots": ["a\nb"]}, "printable characters"),
        ({"lots": [f"lot {number}" for number in range(33)]}, "33 lots"),
        ({"pieces": [{"measurements": [{**BORE.to_json(), "value": "8,02"}]}]}, "plain decimal"),
        ({"pieces": [{"measurements": [{**BORE.to_json(), "unit": "inch"}]}]}, "list of units"),
    ],
)
def test_a_json_report_outside_its_schema_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedReportError, match=reason):
        read_json(json.dumps({**JSON, **change}).encode())


def test_a_json_report_may_be_unfinished_at_every_byte() -> None:
    whole = json.dumps(JSON).encode()
    for end in range(len(whole)):
        with pytest.raises(UnfinishedReportError):
            read_json(whole[:end])


def test_a_csv_report_may_be_unfinished_at_every_byte() -> None:
    whole = CSV.strip().encode()
    for end in range(len(whole)):
        with pytest.raises(UnfinishedReportError):
            read_csv(whole[:end])


def test_a_qif_report_may_be_unfinished_at_every_byte() -> None:
    whole = QIF.strip().encode()
    for end in range(len(whole)):
        with pytest.raises(UnfinishedReportError):
            read_qif(whole[:end], at=0)


@pytest.mark.parametrize(
    ("found", "instead", "reason"),
    [
        ("job,at", "job,when", "columns"),
        ("job,at,piece", "job,at,at", "columns"),
        (",true,/bore", ",yes,/bore", "neither conforming"),
        (",S-1,,/slot", ",S-9,,/slot", "column serial"),
        (",1800000000,3", ",1800000001,3", "column at"),
        (",1800000000,3", ",1800000000,", "Row 5"),
        (",3,,,,,,", ",3,,,", "Row 5"),
        (",3,,,,,,", ",3,,,,,,,,", "Row 5"),
        (",3,,,,,,", ',3,,,,,,"', "malformed"),
        ("8.02,mm,CAL-7\n", "8.02,mm,\n", "instrument"),
        ("/bore/diameter", "bore", "path"),
    ],
)
def test_a_csv_report_outside_its_form_is_refused(found: str, instead: str, reason: str) -> None:
    with pytest.raises(MalformedReportError, match=reason):
        read_csv(CSV.replace(found, instead).encode())


@pytest.mark.parametrize("data", [b"# end", b"\xff\n# end", b"\n# end"])
def test_a_csv_without_columns_or_text_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedReportError):
        read_csv(data)


def test_a_csv_of_too_many_rows_is_refused() -> None:
    row = "j,1,1\n"
    assert read_csv(f"job,at,piece\n{row * 99_999}# end".encode()).events[0].job == "j"

    with pytest.raises(MalformedReportError, match="100000 rows"):
        read_csv(f"job,at,piece\n{row * 100_000}# end".encode())


@pytest.mark.parametrize("time", ["2027-01-15T08:00:00Z", "2027-01-15T09:00:00+01:00"])
def test_times_may_be_written_for_people(time: str) -> None:
    assert read_csv(CSV.replace(str(JOB.at), time).encode()).events == (JOB,)


@pytest.mark.parametrize("time", ["2027-01-15T08:00:00", "soon", "²"])
def test_a_time_without_an_offset_is_refused(time: str) -> None:
    with pytest.raises(MalformedReportError, match="is no time"):
        read_csv(CSV.replace(str(JOB.at), time).encode())


def test_a_csv_tells_of_several_jobs_and_of_the_job_file() -> None:
    columns = "job,at,piece,file,fileName,technician,note,lots"
    rows = f"{columns}\na,1,1,0x{'ab' * 32},f.nc,T,n,A; B;\nb,2,1,,,,,\n"

    first, second = read_csv(f"{rows}# end".encode()).events

    assert (first.job, first.file, second.job) == ("a", bytes.fromhex("ab" * 32), "b")
    assert (first.file_name, first.technician, first.note) == ("f.nc", "T", "n")
    assert (first.lots, second.lots) == (("A", "B"), ())


@pytest.mark.parametrize(
    ("found", "instead", "reason"),
    [
        (f"<QPId>{JOB.job}</QPId>", "", "QPId"),
        ("<Name>/bore/diameter</Name>", "<Name>bore</Name>", "names no characteristic"),
        ("<Value>3.0</Value>", "", "Line 16, .* has no value"),
        ("<Value>3.0</Value>", "<Value>NaN</Value>", "plain decimal"),
        ("<Value>3.0</Value>", "<Value>three</Value>", "no decimal"),
        ("<SerialNumber>CAL-7</SerialNumber>", "<SerialNumber/>", ""),
        ('<Caliper id="9">', '<Caliper id="8">', "no measurement device"),
        ("millimeter", "furlong", "list of units"),
        ("xsd/qif3", "xsd/qif2", "QIF 3"),
        ('versionQIF="3.0.0"', 'versionQIF="2.1.0"', "QIF 3"),
        ("<QPId>", "<QPId", "malformed"),
        ('<?xml version="1.0" encoding="UTF-8"?>', "<!DOCTYPE q>", "document type"),
    ],
)
def test_a_qif_report_outside_its_form_is_refused(found: str, instead: str, reason: str) -> None:
    changed = QIF.replace(found, instead)
    if not reason:  # the device's name stands in for its number
        assert read_qif(changed.encode(), at=0).events[0].pieces[1].measurements[0] != BORE
        return
    with pytest.raises(MalformedReportError, match=reason):
        read_qif(changed.encode(), at=0)


def test_an_instrument_is_named_by_its_id_where_the_document_has_it() -> None:
    named = QIF.replace("<Name>Caliper</Name>", f"<Name>0x{'cd' * 32}</Name>")

    piece = read_qif(named.encode(), at=0).events[0].pieces[1]
    assert piece.measurements[0].instrument == "0x" + "cd" * 32


def test_angles_are_in_degrees() -> None:
    angles = QIF.replace("WidthCharacteristicMeasurement", "AngleCharacteristicMeasurement")

    pieces = read_qif(angles.encode(), at=0).events[0].pieces
    assert [one.unit for one in pieces[0].measurements] == ["mm", "deg"]


def test_a_qif_document_without_results_gives_no_piece() -> None:
    head = QIF[: QIF.index("<QPId>")]
    bare = f"{head}<QPId>{JOB.job}</QPId></q:QIFDocument>"

    assert read_qif(bare.encode(), at=1).events[0].pieces == ()


def test_xml_of_too_many_elements_is_refused() -> None:
    inner = b"<a/>" * (ELEMENTS_MAX - 1)
    assert len(parse_markup(b"<q>" + inner + b"</q>").children) == ELEMENTS_MAX - 1

    with pytest.raises(MalformedReportError, match="50000 elements"):
        parse_markup(b"<q>" + inner + b"<a/></q>")


def test_xml_of_too_many_levels_is_refused() -> None:
    assert parse_markup(b"<q>" * 64 + b"</q>" * 64).name == "q"

    with pytest.raises(MalformedReportError, match="64 deep"):
        parse_markup(b"<q>" * 65 + b"</q>" * 65)


def test_a_csv_report_may_state_uncertainty_and_raw_data() -> None:
    raw = "0x" + "ab" * 32
    columns = "uncertainty,coverageFactor,resolution,rawData,operator"
    head = f"job,at,piece,characteristic,value,unit,instrument,{columns}"
    row = f"j,7,1,/bore/diameter,8.02,mm,CAL-7,0.01,2,0.001,{raw},op-7"

    (event,) = read_csv(f"{head}\n{row}\n# end\n".encode()).events

    (bore,) = event.pieces[0].measurements
    assert (bore.uncertainty, bore.coverage_factor, bore.resolution) == ("0.01", "2", "0.001")
    assert (bore.operator, bore.raw_data) == ("op-7", bytes.fromhex("ab" * 32))
