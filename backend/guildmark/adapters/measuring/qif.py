"""QIF 3 (ANSI/DMSC QIF 3.0, ISO 23952): results, what they refer to, and claimed statistics."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import NoReturn, Self

from guildmark.adapters.machines.markup import Element, parse_markup
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.errors import MalformedError
from guildmark.domain.measurement.document import MeasuredPart, MeasurementFile
from guildmark.domain.measurement.readings import plain_decimal
from guildmark.domain.measurement.statistics import ClaimedStatistics
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.jobs import MalformedReportError

NAMESPACE = "http://qifstandards.org/xsd/qif3"

_ROOT = "QIFDocument"
_VERSION = "3."
_UNITS = MappingProxyType(
    {"millimeter": "mm", "meter": "m", "micrometer": "um", "centimeter": "cm", "inch": "[in_i]"}
)
_NOT_MEASURED = frozenset({"NOT_ANALYZED", "NOT_MEASURED"})
# Where statistics of one characteristic stand (QIF Statistics), and what we call them. Cpk is
# taken over all values, as Ppk is: what subgroups there were, no value says.
_STATISTICS = "StatsEval"
_FIGURES = MappingProxyType(
    {
        "Average": "mean",
        "StandardDeviation": "deviation",
        "Minimum": "minimum",
        "Maximum": "maximum",
        "Cpk": "cpk",
        "Ppk": "cpk",
    }
)
_COUNT = "TotalNumber"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One set of results: one piece.

    Args:
        serial: The serial of the piece, empty where none is said.
        status: How the document judges it, empty where it does not.
    """

    measurements: tuple[Measurement, ...]
    serial: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a document's results refer to, by id."""

    paths: Mapping[str, str]
    serials: Mapping[str, str]
    devices: Mapping[str, str]
    unit: str

    @classmethod
    def of(cls, document: Element) -> Self:
        """Return what a document defines."""
        items = document.first("Characteristics", "CharacteristicItems")
        devices = document.first("MeasurementResources", "MeasurementDevices")
        unit = document.said("FileUnits", "PrimaryUnits", "LinearUnit", "UnitName") or ""
        components = document.all("ActualComponent")
        return cls(
            paths={_id(item): _path(item) for item in _inside(items)},
            serials={_id(one): one.said("SerialNumber") or "" for one in components},
            devices={_id(one): _instrument(one) for one in _inside(devices)},
            unit=_unit(unit),
        )

    def results(self, found: Element) -> Results:
        """Return one set of results.

        Raises:
            MalformedError: A result refers to nothing, or is none; element and line are named.
        """
        measured = found.first("MeasuredCharacteristics", "CharacteristicMeasurements")
        return Results(
            measurements=tuple(
                self._measurement(one) for one in _inside(measured) if not _is_left_out(one)
            ),
            serial=self.serials.get(found.said("ActualComponentIds", "Id") or "", ""),
            status=found.said("InspectionStatus", "InspectionStatusEnum") or "",
        )

    def statistics(self, document: Element) -> Iterator[ClaimedStatistics]:
        """Yield what a document claims of its values.

        Raises:
            MalformedError: A figure is none, or of no characteristic; element and line are named.
        """
        for one in _walk(document):
            stats = one.first("ValueStats") if one.name.endswith(_STATISTICS) else None
            if stats is not None:
                yield self._claim(one, stats)

    def _claim(self, one: Element, stats: Element) -> ClaimedStatistics:
        path = self._path(one)
        figures: dict[str, str] = {}
        for figure in stats.children:
            name = _FIGURES.get(figure.name)
            if name is not None:
                figures[name] = _number(figure, _value(figure))
        count = stats.first(_COUNT)
        n = None if count is None else _value(count)
        if n is not None and not (n.isascii() and n.isdigit() and len(n) < len("1000000000")):
            _refuse(one, f"{n[:40]!r} is no count.")
        return ClaimedStatistics(
            characteristic=path,
            unit=self._unit_of(one, stats),
            n=None if n is None else int(n),
            **figures,
        )

    def _measurement(self, one: Element) -> Measurement:
        value = one.first("Value")
        path = self._path(one)
        if value is None or not value.text.strip():
            _refuse(one, f"the result of {path} has no value.")
        device = self.devices.get(one.said("MeasurementDeviceIds", "Id") or "", "")
        if not device:
            _refuse(one, f"the result of {path} names no measurement device.")
        uncertainty = value.attributes.get("combinedUncertainty")
        try:
            return Measurement(
                characteristic=path,
                value=_number(value, value.text.strip()),
                unit=self._unit_of(one, value),
                instrument=device,
                uncertainty=None if uncertainty is None else _number(value, uncertainty),
                # QIF states the combined standard uncertainty: k is 1.
                coverage_factor=None if uncertainty is None else "1",
            )
        except MalformedReportError:
            raise
        except MalformedError as error:
            _refuse(one, error.message, error)

    def _path(self, one: Element) -> ClausePath:
        item = one.said("CharacteristicItemId") or ""
        path = self.paths.get(item, "")
        if not path:
            reason = f"it names no characteristic ({item[:40]!r}) by a path of the recipe."
            next_step = "Name each characteristic by its path in the recipe, as /bore/diameter."
            _refuse(one, reason, next_step=next_step)
        return ClausePath(path)

    def _unit_of(self, one: Element, value: Element) -> str:
        if one.name.startswith("Angle"):
            return _unit(value.attributes.get("angularUnit", "deg"))
        return _unit(value.attributes.get("linearUnit", "")) or self.unit


def qif_document(data: bytes) -> Element:
    """Return the outermost element of a QIF 3 document.

    Raises:
        MalformedReportError: It is no XML, declares a document type, or is no QIF 3 document.
    """
    document = parse_markup(data)
    version = document.attributes.get("versionQIF", "")
    is_qif = (document.name, document.namespace) == (_ROOT, NAMESPACE)
    if not (is_qif and version.startswith(_VERSION)):
        message = f"The document is {document.name[:40]!r} {version[:20]!r}, no {_ROOT} of QIF 3."
        raise MalformedReportError(message, namespace=document.namespace[:200])
    return document


def result_sets(document: Element) -> Sequence[Element]:
    """Return the sets of results of a document, one a piece."""
    return list(document.all("MeasurementResults"))


def read_results(data: bytes) -> MeasurementFile:
    """Return the measured values of a QIF 3 document, with what it claims of them.

    Raises:
        MalformedError: It is not as it should be; element and line are named.
        RawDataReusedError: Two parts have one file of an instrument.
    """
    document = qif_document(data)
    terms = Terms.of(document)
    parts = []
    for found in result_sets(document):
        results = terms.results(found)
        if not results.serial:
            _refuse(found, "no ActualComponent with a SerialNumber tells which part it is.")
        parts.append(MeasuredPart(part=results.serial, measurements=results.measurements))
    return MeasurementFile(parts=tuple(parts), statistics=tuple(terms.statistics(document)))


def _walk(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from _walk(child)


def _inside(element: Element | None) -> Sequence[Element]:
    return () if element is None else element.children


def _id(element: Element) -> str:
    return element.attributes.get("id", "")


def _unit(name: str) -> str:
    return _UNITS.get(name.lower(), name)


def _path(item: Element) -> str:
    """Return the path of the recipe that a characteristic's name or description is."""
    said = (item.said("Name") or "", item.said("Description") or "")
    return next((text for text in said if text.startswith("/")), "")


def _instrument(device: Element) -> str:
    """Return the id under which a device is registered, or else what its maker calls it."""
    said = [device.said(name) or "" for name in ("SerialNumber", "Name", "Description")]
    ids = (text for text in said if text.startswith("0x"))
    return next(ids, "") or next(filter(None, said), "")


def _is_left_out(one: Element) -> bool:
    """Return whether a result says that there is none: it proves nothing, and is no fault."""
    status = one.said("Status", "CharacteristicStatusEnum")
    return status in _NOT_MEASURED and one.first("Value") is None


def _value(figure: Element) -> str:
    """Return a figure's text, which may stand in an element of its own."""
    return figure.said("Value") or figure.text.strip()


def _number(element: Element, text: str) -> str:
    """Return a decimal of XML as documents write it, exactly, without zeros at its end."""
    # XML writes digits of ASCII alone; `Decimal` takes those of every script, and underscores.
    if not text.isascii() or "_" in text:
        _refuse(element, f"{text[:40]!r} is no decimal.")
    try:
        plain = plain_decimal(Decimal(text))
    except InvalidOperation as error:
        _refuse(element, f"{text[:40]!r} is no decimal.", error)
    except MalformedError as error:
        _refuse(element, error.message, error)
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _refuse(
    element: Element,
    reason: str,
    cause: Exception | None = None,
    *,
    next_step: str | None = None,
) -> NoReturn:
    message = f"Line {element.line}, element {element.name}: {reason}"
    raise MalformedReportError(
        message, next_step=next_step, line=element.line, element=element.name
    ) from cause
