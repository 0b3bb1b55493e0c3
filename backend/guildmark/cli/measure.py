"""``guildmark measure``: files of measured values, read into what `build` commands take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.measuring.qif import read_results
from guildmark.adapters.measuring.tables import TableForm, read_table
from guildmark.cli.answers import Answer, say
from guildmark.cli.arguments import AsJson
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.encoding.fields import Fields, read_object
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import ZERO32, to_hex
from guildmark.domain.measurement.conformity import decide, rounded
from guildmark.domain.measurement.document import MeasuredPart, MeasurementFile
from guildmark.domain.measurement.quality_plan import QualityPlan
from guildmark.domain.measurement.schema import measurements_schema
from guildmark.domain.recipes.clause import Clause, ClausePath, ClauseType
from guildmark.domain.recipes.recipe import DOCUMENT_LIMITS

app = typer.Typer(help="Read measured values, and judge them by a recipe.", no_args_is_help=True)

_TOLERANCE = "/tolerance/"
_NOT_MEASURED = "not measured"
_QIF = frozenset({".qif", ".xml"})


class MeasurementFormatError(UsageError):
    """A file of measured values whose name says no format that is read."""

    code = "measurement.formatUnknown"
    hint = "Name the file .csv, .json, .qif or .xml."


class OptionFormError(UsageError):
    """An option that names a column is not of its form."""

    code = "measurement.optionForm"
    hint = "Write --column NAME=HEADER and --set NAME=VALUE, for example --set unit=mm."


class PartNotNamedError(UsageError):
    """A file of several parts, and nobody says which one is meant."""

    code = "measurement.partNotNamed"
    hint = "Name the part: --part."


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, JSON or QIF 3 results.")
    ],
    part: Annotated[
        str | None, typer.Option(metavar="NAME", help="The part, where the file has several.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The recipe that the values are judged by."),
    ] = None,
    raw: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The instrument's own file about the part."),
    ] = None,
    delimiter: Annotated[str, typer.Option(help="CSV: what stands between cells.")] = ",",
    decimal: Annotated[str, typer.Option(help="CSV: what stands before decimals, . or ,")] = ".",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=HEADER", help="CSV: a column that has another header."),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="CSV: what every row has, as unit=mm."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a file of measured values, recompute what it claims, and tell what they prove.

    The JSON answer is what `build inspect --measurements` takes. A file about one part is its own
    raw data where it names none. Claimed statistics that do not recompute, and raw data that two
    parts share, are refused.
    """
    form = TableForm(
        delimiter=delimiter, decimal=decimal, columns=_pairs(column), given=_pairs(given)
    )
    data = file.read_bytes()
    found = _read(file, data, form)
    clauses = () if recipe is None else _clauses(recipe.read_bytes())
    found.check({one.path: one for one in clauses})
    chosen = _one(found, part)
    if raw is not None or len(found.parts) == 1:
        own = data if raw is None else raw.read_bytes()
        chosen = replace(found, parts=(chosen,)).with_raw_data(sha256(own)).parts[0]
    judged = list(_judged(chosen, clauses))
    if as_json:
        members = {str(one.characteristic): _without_path(one) for one in chosen.measurements}
        say({"part": chosen.part, "measurements": members, "judged": judged}, as_json=True)
    else:
        say({"part": chosen.part, "values": judged}, as_json=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of files of measured values, guildmark/measurements/v1."""
    say(measurements_schema(), as_json=True)


def _read(file: Path, data: bytes, form: TableForm) -> MeasurementFile:
    kind = file.suffix.lower()
    if kind == ".csv":
        return read_table(data, form)
    if kind == ".json":
        return MeasurementFile.parse(data)
    if kind in _QIF:
        return read_results(data)
    message = f"{file.name[:80]!r} says no format that is read."
    raise MeasurementFormatError(message, file=file.name[:80])


def _one(found: MeasurementFile, part: str | None) -> MeasuredPart:
    if part is not None:
        return found.of(part)
    if len(found.parts) != 1:
        message = f"The file has {len(found.parts)} parts."
        raise PartNotNamedError(message, parts=[one.part for one in found.parts][:10])
    return found.parts[0]


def _pairs(texts: Sequence[str] | None) -> Mapping[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts or ())
    if not all(pairs.values()):
        message = "An option is not written as NAME=TEXT."
        raise OptionFormError(message)
    return pairs


def _clauses(data: bytes) -> Sequence[Clause]:
    """Return the clauses of a recipe, with or without its salts."""
    fields = Fields(parse_object(data, DOCUMENT_LIMITS))
    found = []
    for number, members in enumerate(fields.array("clauses")):
        if not isinstance(members, Mapping):
            fields.refuse(f"clauses[{number}]", "an object")
        salted = {"salt": to_hex(ZERO32), **members}
        found.append(read_object(salted, Clause.read, f"clauses[{number}]"))
    return found


def _judged(part: MeasuredPart, clauses: Sequence[Clause]) -> Iterator[Answer]:
    """Yield a row for each value, and for each tolerance that nothing answers."""
    plan = QualityPlan.of(clauses)
    tolerances = {
        one.path: one
        for one in clauses
        if one.path.startswith(_TOLERANCE) and one.type is ClauseType.QUANTITY
    }
    for one in part.measurements:
        yield _row(one, tolerances.pop(one.characteristic, None), plan)
    for path, bound in tolerances.items():
        yield _answer(path, allowed=_allowed(bound), proves=_NOT_MEASURED)


def _row(one: Measurement, bound: Clause | None, plan: QualityPlan) -> Answer:
    said = None if one.uncertainty is None else f"{one.uncertainty} (k = {one.coverage_factor})"
    value = f"{one.value} {one.unit}"
    if bound is None:
        return _answer(one.characteristic, value=value, uncertainty=said)
    decision = decide(one, bound, plan.rule, plan.least_ratio)
    return _answer(
        one.characteristic,
        value=value,
        uncertainty=said,
        allowed=_allowed(bound),
        ratio=None if decision.ratio is None else rounded(decision.ratio, 1),
        proves=decision.outcome.value,
        reason=decision.reason or None,
    )


def _answer(
    characteristic: ClausePath,
    *,
    value: str | None = None,
    uncertainty: str | None = None,
    allowed: str | None = None,
    ratio: str | None = None,
    proves: str | None = None,
    reason: str | None = None,
) -> Answer:
    return {
        "characteristic": characteristic,
        "value": value,
        "uncertainty": uncertainty,
        "allowed": allowed,
        "ratio": ratio,
        "proves": proves,
        "reason": reason,
    }


def _allowed(bound: Clause) -> str:
    if not bound.is_bounded:
        return f"{bound.value} {bound.unit}"
    return f"{bound.minimum or '...'} to {bound.maximum or '...'} {bound.unit}"


def _without_path(one: Measurement) -> Answer:
    return {
        name: value if isinstance(value, int) else str(value)
        for name, value in one.to_json().items()
        if name != "characteristic"
    }
