"""What is wrong or unwise in a recipe that somebody writes: each finding says what to write."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClauseType, Criticality
from guildmark.domain.recipes.quantity import UCUM_CODES, measures_alike, parse_decimal, worth
from guildmark.domain.recipes.recipe import GROUPS
from guildmark.domain.recipes.templates import UNSAID

TOLERANCE_GROUP = "tolerance"
RESOLUTION = "/qa/resolution"
"""What the instruments read: for all tolerances, or below it for the one of the same name."""

RESOLUTION_SHARE = 10
"""A tolerance is at least this many steps of its instrument wide (the rule of ten)."""

_MEANT = {
    "°C": "Cel",
    "C": "Cel",
    "degC": "Cel",
    "°F": "[degF]",
    "F": "[degF]",
    "in": "[in_i]",
    "inch": "[in_i]",
    '"': "[in_i]",
    "mil": "[mil_i]",
    "thou": "[mil_i]",
    "micron": "um",
    "µm": "um",
    "μm": "um",
    "sec": "s",
    "hr": "h",
    "rpm": "{rev}/min",
    "mm2/s": "mm/s",
    "g/cm^3": "g/cm3",
    "g/cc": "g/cm3",
    "mm/s^2": "mm/s2",
    "mm³": "mm3",
    "mm²": "mm2",
    "percent": "%",
    "°": "deg",
    "kWh": "kW.h",
    "Nm": "N.m",
    "ohm": "Ohm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One finding about a recipe.

    Args:
        rule: Which one, as users name it.
        path: The clause, none where it is about the whole.
        reason: What is wrong.
        instead: What to write.
        blocks: Whether the recipe is refused as it is.
        member: Which member of the clause, none where it is about more than one.
    """

    rule: str
    path: str | None
    reason: str
    instead: str
    blocks: bool = False
    member: str | None = None


def lint_members(clauses: Sequence[JsonValue]) -> Iterator[Advice]:
    """Yield what makes clauses unreadable, from the members as they were written."""
    paths = []
    for number, clause in enumerate(clauses):
        if not isinstance(clause, Mapping):
            yield _blocked("lint.noClause", f"clauses[{number}]", "This is no object.", "a clause")
            continue
        path = str(clause.get("path", f"clauses[{number}]"))
        paths.append(path)
        yield from _members_of(path, clause)
    if paths != sorted(set(paths)):
        reason = "Clauses stand in the order of their paths, each path once."
        misplaced = next(two for one, two in pairwise(paths) if one >= two)
        yield _blocked("lint.order", misplaced, reason, "sort the clauses by path", member="path")


def lint_clauses(clauses: Sequence[Clause]) -> Iterator[Advice]:
    """Yield what is unwise in clauses that can be read."""
    for clause in clauses:
        yield from _unwise(clause)
    yield from _unproven(clauses)
    yield from _too_fine(clauses)


def unreadable(error: GuildmarkError) -> Advice:
    """Return the finding that a reader's refusal is."""
    found = error.detail.get("path", error.detail.get("member"))
    path = None if found is None else str(found)
    return _blocked(error.code, path, error.message, error.next_step)


def _blocked(
    code: str, path: str | None, reason: str, instead: str, *, member: str | None = None
) -> Advice:
    return Advice(rule=code, path=path, reason=reason, instead=instead, blocks=True, member=member)


def _members_of(path: str, clause: Mapping[str, JsonValue]) -> Iterator[Advice]:
    if path.split("/")[1:2] not in [[group] for group in GROUPS]:
        groups = ", ".join(f"/{group}" for group in GROUPS)
        yield _blocked(
            "lint.group", path, "The path begins with no known group.", groups, member="path"
        )
    if clause.get("type") == "quantity":
        yield from _unit_of(path, clause)
        yield from _numbers_of(path, clause)
        yield from _reversed(path, clause)
    if clause.get("class") == "window":
        yield from _window_of(path, clause)


def _unit_of(path: str, clause: Mapping[str, JsonValue]) -> Iterator[Advice]:
    unit, klass = clause.get("unit"), str(clause.get("class", "clause"))
    if unit is None:
        reason = f"A {klass} without unit: a number alone says nothing."
        yield _blocked(
            "lint.unitMissing", path, reason, '"unit": "mm", or another UCUM code', member="unit"
        )
    elif unit not in UCUM_CODES:
        meant = _MEANT.get(str(unit))
        instead = f'"unit": "{meant}"' if meant else "a UCUM code, as `recipe schema` lists them"
        reason = f"{str(unit)[:40]!r} is no UCUM code of the list."
        yield _blocked("lint.unitUnknown", path, reason, instead, member="unit")


def _numbers_of(path: str, clause: Mapping[str, JsonValue]) -> Iterator[Advice]:
    for name in ("value", "min", "max"):
        written = clause.get(name)
        if written is not None and _number(written) is None:
            reason = f"{name} is {str(written)[:40]!r}, no decimal string."
            comma = str(written).replace(",", ".")
            instead = f'"{name}": "{comma}"' if _number(comma) is not None else f'"{name}": "0.20"'
            yield _blocked("lint.number", path, reason, instead, member=name)


def _reversed(path: str, clause: Mapping[str, JsonValue]) -> Iterator[Advice]:
    names = [name for name in ("min", "value", "max") if _number(clause.get(name)) is not None]
    numbers = [_number(clause.get(name)) for name in names]
    if numbers != sorted(one for one in numbers if one is not None):
        reason = "The least value, the nominal one and the greatest are not in this order."
        yield _blocked(
            "lint.boundsReversed", path, reason, f"{' <= '.join(names)}", member=names[0]
        )


def _window_of(path: str, clause: Mapping[str, JsonValue]) -> Iterator[Advice]:
    missing = [name for name in ("min", "max") if clause.get(name) is None]
    if missing and clause.get("value") is None:
        reason = "A window says between which values a site may choose."
        instead = " and ".join(f'"{name}"' for name in missing)
        instead = f"add {instead}, or class site"
        yield _blocked("lint.windowOpen", path, reason, instead, member=missing[0])


def _number(written: JsonValue) -> Decimal | None:
    try:
        return parse_decimal(written) if isinstance(written, str) else None
    except GuildmarkError:
        return None


def _unwise(clause: Clause) -> Iterator[Advice]:
    if clause.value in UNSAID:
        yield Advice(
            rule="lint.unsaid",
            path=clause.path,
            reason="The template leaves this to you, and the recipe does not say it yet.",
            instead=f'"value": {clause.value.removeprefix("say ")}',
            member="value",
        )
    if clause.klass is ClauseClass.WINDOW and clause.minimum == clause.maximum is not None:
        reason = "The window holds one value: no site has a choice."
        yield Advice(
            rule="lint.windowShut",
            path=clause.path,
            reason=reason,
            instead='"class": "core" with "value", or wider bounds',
            member="class",
        )
    if clause.klass is ClauseClass.CUSTOM and not (clause.is_bounded or clause.value):
        reason = "A customer may have anything at all put here."
        yield Advice(
            rule="lint.customUnbounded",
            path=clause.path,
            reason=reason,
            instead='"max": how many characters at most, or "value": the variants, one a line',
            member="max",
        )
    is_free = clause.klass is ClauseClass.SITE
    if is_free and clause.criticality is Criticality.CRITICAL:
        yield Advice(
            rule="lint.criticalFree",
            path=clause.path,
            reason="A critical clause that each site may choose freely.",
            instead='"class": "core" or "window"',
            member="class",
        )


def _unproven(clauses: Sequence[Clause]) -> Iterator[Advice]:
    if any(clause.group == "qa" for clause in clauses):
        return
    for clause in clauses:
        if clause.criticality is Criticality.CRITICAL:
            yield Advice(
                rule="lint.criticalWithoutQa",
                path=clause.path,
                reason="The clause is critical, and nothing says how it is inspected.",
                instead='a clause /qa/inspection, say "each part, all tolerances"',
                member="criticality",
            )


def _too_fine(clauses: Sequence[Clause]) -> Iterator[Advice]:
    known = {clause.path: clause for clause in clauses if clause.path.startswith(RESOLUTION)}
    for clause in clauses:
        if clause.group == TOLERANCE_GROUP and clause.type is ClauseType.QUANTITY:
            own = known.get(_resolution_path(clause), known.get(RESOLUTION))  # type: ignore[call-overload]
            yield from _against(clause, own)


def _resolution_path(clause: Clause) -> str:
    return RESOLUTION + clause.path.removeprefix(f"/{TOLERANCE_GROUP}")


def _against(clause: Clause, resolution: Clause | None) -> Iterator[Advice]:
    if resolution is None or resolution.value is None or resolution.unit is None:
        return
    width = _width(clause)
    if width is None or not measures_alike(clause.unit or "", resolution.unit):
        return
    step = worth(resolution.value, resolution.unit) - worth("0", resolution.unit)
    if width < RESOLUTION_SHARE * step:
        reason = (
            f"The tolerance is finer than its instrument: {float(width / step):.3g} steps of "
            f"{resolution.value} {resolution.unit}, at least {RESOLUTION_SHARE} are wanted."
        )
        yield Advice(
            rule="lint.toleranceTooFine",
            path=clause.path,
            reason=reason,
            instead=f"a finer instrument at {resolution.path}, or a wider tolerance",
            member="min",
        )


def _width(clause: Clause) -> Fraction | None:
    if clause.minimum is None or clause.maximum is None or clause.unit is None:
        return None
    return worth(clause.maximum, clause.unit) - worth(clause.minimum, clause.unit)
