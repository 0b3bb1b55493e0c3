"""QIF 3 results are read with their uncertainties, and what they claim of their values."""

from typing import Any

import pytest

from guildmark.adapters.measuring.qif import read_results
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.measurement.document import MeasurementFile
from guildmark.domain.measurement.statistics import ClaimedStatistics, StatisticsMismatchError
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.jobs import MalformedReportError

BORE = ClausePath("/tolerance/bore")


def result(value: str, kind: str = "Diameter", item: int = 5, device: int = 9) -> str:
    return f"""<{kind}CharacteristicMeasurement>
<CharacteristicItemId>{item}</CharacteristicItemId>
<MeasurementDeviceIds><Id>{device}</Id></MeasurementDeviceIds>{value}
</{kind}CharacteristicMeasurement>"""


def piece(number: int, *results: str) -> str:
    return f"""<MeasurementResults><MeasuredCharacteristics><CharacteristicMeasurements>
{"".join(results)}</CharacteristicMeasurements></MeasuredCharacteristics>
<ActualComponentIds><Id>{number}</Id></ActualComponentIds></MeasurementResults>"""


def document(*pieces: str, more: str = "", unit: str = "millimeter") -> bytes:
    components = "".join(
        f'<ActualComponent id="{n}"><SerialNumber>S-{n}</SerialNumber></ActualComponent>'
        for n in (1, 2)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<QIFDocument xmlns="http://qifstandards.org/xsd/qif3" versionQIF="3.0.0">
<FileUnits><PrimaryUnits><LinearUnit><UnitName>{unit}</UnitName></LinearUnit></PrimaryUnits>
</FileUnits>
<MeasurementResources><MeasurementDevices><Caliper id="9"><Name>Caliper</Name></Caliper>
</MeasurementDevices></MeasurementResources>
<Characteristics><CharacteristicItems>
<DiameterCharacteristicItem id="5"><Name>{BORE}</Name></DiameterCharacteristicItem>
<AngleCharacteristicItem id="6"><Name>/tolerance/slope</Name></AngleCharacteristicItem>
<DiameterCharacteristicItem id="7"><Name>B 12</Name></DiameterCharacteristicItem>
</CharacteristicItems></Characteristics>
<Results><MeasurementResultsSet>{"".join(pieces)}</MeasurementResultsSet></Results>
<ActualComponents>{components}</ActualComponents>{more}
</QIFDocument>
""".encode()


def one(*results: str, **said: Any) -> tuple[Measurement, ...]:
    return read_results(document(piece(1, *results), **said)).of("S-1").measurements


def test_value_is_read_exactly_with_its_standard_uncertainty() -> None:
    value = '<Value combinedUncertainty="0.00250">22.000000000000000010</Value>'

    (bore,) = one(result(value))

    assert bore == Measurement(
        characteristic=BORE,
        value="22.00000000000000001",
        unit="mm",
        instrument="Caliper",
        uncertainty="0.0025",
        coverage_factor="1",
    )


@pytest.mark.parametrize(
    ("name", "unit"),
    [("inch", "[in_i]"), ("Millimeter", "mm"), ("micrometer", "um"), ("meter", "m"), ("cm", "cm")],
)
def test_units_are_those_of_the_file_or_of_the_value(name: str, unit: str) -> None:
    (of_file,) = one(result("<Value>2</Value>"), unit=name)
    (of_value,) = one(result(f'<Value linearUnit="{name}">2</Value>'))

    assert of_file.unit == of_value.unit == unit


def test_angles_are_in_degrees_where_nothing_else_is_said() -> None:
    degrees, radians = (
        one(result(value, "Angle", 6))[0].unit
        for value in ("<Value>2</Value>", '<Value angularUnit="rad">2</Value>')
    )

    assert (degrees, radians) == ("deg", "rad")


def test_characteristic_that_was_not_measured_is_left_out() -> None:
    status = "<Status><CharacteristicStatusEnum>{}</CharacteristicStatusEnum></Status>"

    assert one(result(status.format("NOT_MEASURED"))) == ()
    with pytest.raises(MalformedReportError, match="has no value"):
        one(result(status.format("PASS")))


@pytest.mark.parametrize(
    ("given", "element", "reason"),
    [
        (result("<Value>x</Value>"), "Value", "no decimal"),
        (result("<Value>1_0</Value>"), "Value", "no decimal"),
        (result("<Value>\u0661</Value>"), "Value", "no decimal"),
        (result("<Value>0E-999999999</Value>"), "Value", "no plain decimal"),
        (result("<Value>INF</Value>"), "Value", "no plain decimal"),
        (result("<Value>1E-30</Value>"), "Value", "no plain decimal"),
        (result("<Value/>"), "DiameterCharacteristicMeasurement", "has no value"),
        (result("<Value>2</Value>", item=7), "DiameterCharacteristicMeasurement", "B 12|names no"),
        (result("<Value>2</Value>", item=8), "DiameterCharacteristicMeasurement", "names no"),
        (result("<Value>2</Value>", device=8), "DiameterCharacteristicMeasurement", "no measurem"),
        (
            result('<Value combinedUncertainty="0">2</Value>'),
            "DiameterCharacteristicMeasurement",
            "above 0",
        ),
        (
            result('<Value linearUnit="furlong">2</Value>'),
            "DiameterCharacteristicMeasurement",
            "list of units",
        ),
    ],
)
def test_result_that_is_none_is_refused_with_element_and_line(
    given: str, element: str, reason: str
) -> None:
    data = document(piece(1, given))
    line = data[: data.index(f"<{element}".encode())].count(b"\n") + 1

    with pytest.raises(MalformedReportError, match=reason) as caught:
        read_results(data)

    assert caught.value.detail == {"line": line, "element": element}


def test_part_that_nothing_tells_is_refused() -> None:
    with pytest.raises(MalformedReportError, match="which part it is"):
        read_results(document(piece(3, result("<Value>2</Value>"))))


@pytest.mark.parametrize(
    "data",
    [
        b"<QIFDocument/>",
        document().replace(b"xsd/qif3", b"xsd/qif2"),
        document().replace(b"3.0.0", b"2.1.0"),
        document().replace(b"QIFDocument", b"Document"),
        document().replace(b"?>", b"?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>"),
        b"part,value",
    ],
)
def test_document_that_is_no_qif_3_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedReportError):
        read_results(data)


def statistics(figures: str, item: int = 5) -> str:
    return f"""<Statistics><CharacteristicsStats><DiameterCharacteristicStatsEval>
<CharacteristicItemId>{item}</CharacteristicItemId>
<ValueStats>{figures}</ValueStats></DiameterCharacteristicStatsEval>
<WidthCharacteristicStatsEval><CharacteristicItemId>7</CharacteristicItemId>
</WidthCharacteristicStatsEval></CharacteristicsStats></Statistics>"""


def claimed(figures: str, item: int = 5) -> MeasurementFile:
    pieces = [piece(n, result(f"<Value>22.0{n}</Value>")) for n in (1, 2)]
    return read_results(document(*pieces, more=statistics(figures, item)))


def test_statistics_are_claims_that_are_recomputed() -> None:
    figures = """<Average><Value>22.0150</Value></Average><Minimum>22.01</Minimum>
<Maximum><Value>22.02</Value></Maximum><StandardDeviation><Value>0.0071</Value></StandardDeviation>
<Range><Value>7</Value></Range><TotalNumber><Value>2</Value></TotalNumber>"""

    file = claimed(figures)

    assert file.statistics == (
        ClaimedStatistics(
            characteristic=BORE,
            unit="mm",
            n=2,
            mean="22.015",
            deviation="0.0071",
            minimum="22.01",
            maximum="22.02",
        ),
    )
    file.check({})
    with pytest.raises(StatisticsMismatchError):
        claimed(figures.replace("22.0150", "22.0160")).check({})


@pytest.mark.parametrize("name", ["Cpk", "Ppk"])
def test_capability_of_a_document_is_a_claim(name: str) -> None:
    assert claimed(f"<{name}><Value>1.3</Value></{name}>").statistics[0].cpk == "1.3"


@pytest.mark.parametrize(
    ("figures", "item"),
    [
        ("<Average><Value>x</Value></Average>", 5),
        ("<TotalNumber><Value>two</Value></TotalNumber>", 5),
        ("<TotalNumber><Value>1000000000</Value></TotalNumber>", 5),
        ("<TotalNumber/>", 5),
        ("<Average><Value>1</Value></Average>", 7),
    ],
)
def test_claim_that_is_none_is_refused(figures: str, item: int) -> None:
    with pytest.raises(MalformedReportError) as caught:
        claimed(figures, item)

    assert caught.value.detail["line"]
