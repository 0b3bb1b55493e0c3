"""From named settings to clauses, by one table a program; what no table knows is listed.

An imported clause is `core` with the value found: the designer opens windows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import ZERO32
from guildmark.domain.recipes.clause import (
    Clause,
    ClauseClass,
    ClausePath,
    ClauseType,
    Criticality,
)

SIZE_MAX = 4 << 20
SETTINGS_MAX = 10_000
TEXT_MAX = 1_000
_DIGITS = 12


class ProfileMalformedError(MalformedError):
    """A file that is no profile of the kind that it seems to be."""

    code = "profile.malformed"
    hint = "Export the profile from the slicer again; `guildmark recipe import --help` names kinds."


class ProfileEmptyError(MalformedError):
    """A profile in which no setting is known."""

    code = "profile.nothingKnown"
    hint = "Name the program that wrote it with --from."


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a profile became.

    Args:
        name: What the profile calls itself, if it does.
        clauses: In the order of their paths.
        unread: The settings that became no clause, by the names that the profile uses.
    """

    name: str | None
    clauses: Sequence[Clause]
    unread: Sequence[str]


@dataclass(frozen=True, slots=True)
class Target:
    """The clause that a setting becomes; without unit it is a text."""

    path: str
    unit: str | None = None
    criticality: Criticality = Criticality.MAJOR


_CRITICAL = Criticality.CRITICAL
_MINOR = Criticality.MINOR

LAYER = Target("/process/layer_height", "mm", _CRITICAL)
FIRST_LAYER = Target("/process/first_layer_height", "mm")
NOZZLE = Target("/process/nozzle_diameter", "mm", _CRITICAL)
NOZZLE_HEAT = Target("/process/nozzle_temperature", "Cel", _CRITICAL)
FIRST_NOZZLE_HEAT = Target("/process/first_layer_nozzle_temperature", "Cel")
BED_HEAT = Target("/process/bed_temperature", "Cel")
FIRST_BED_HEAT = Target("/process/first_layer_bed_temperature", "Cel")
FAN = Target("/process/fan_speed", "%")
WIDTH = Target("/process/line_width", "mm")
WALLS = Target("/process/wall_loops", "{perimeter}", _CRITICAL)
TOP = Target("/process/top_layers", "{layer}")
BOTTOM = Target("/process/bottom_layers", "{layer}")
INFILL = Target("/process/infill_density", "%")
PATTERN = Target("/process/infill_pattern", None, _MINOR)
SPEED = Target("/process/print_speed", "mm/s")
OUTER_SPEED = Target("/process/outer_wall_speed", "mm/s")
INFILL_SPEED = Target("/process/infill_speed", "mm/s")
TRAVEL = Target("/process/travel_speed", "mm/s", _MINOR)
RETRACTION = Target("/process/retraction", "mm", _MINOR)
SUPPORT = Target("/design/support")
FILAMENT = Target("/material/filament_diameter", "mm")
POLYMER = Target("/material/polymer", None, _CRITICAL)
DENSITY = Target("/material/density", "g/cm3")
BRAND = Target("/material/brand", None, _MINOR)

PRUSA: Mapping[str, Target] = {
    "layer_height": LAYER,
    "first_layer_height": FIRST_LAYER,
    "nozzle_diameter": NOZZLE,
    "temperature": NOZZLE_HEAT,
    "first_layer_temperature": FIRST_NOZZLE_HEAT,
    "bed_temperature": BED_HEAT,
    "first_layer_bed_temperature": FIRST_BED_HEAT,
    "max_fan_speed": FAN,
    "extrusion_width": WIDTH,
    "perimeters": WALLS,
    "top_solid_layers": TOP,
    "bottom_solid_layers": BOTTOM,
    "fill_density": INFILL,
    "fill_pattern": PATTERN,
    "perimeter_speed": SPEED,
    "external_perimeter_speed": OUTER_SPEED,
    "infill_speed": INFILL_SPEED,
    "travel_speed": TRAVEL,
    "retract_length": RETRACTION,
    "support_material": SUPPORT,
    "filament_diameter": FILAMENT,
    "filament_type": POLYMER,
    "filament_density": DENSITY,
    "filament_vendor": BRAND,
}
ORCA: Mapping[str, Target] = {
    "layer_height": LAYER,
    "initial_layer_print_height": FIRST_LAYER,
    "nozzle_diameter": NOZZLE,
    "nozzle_temperature": NOZZLE_HEAT,
    "nozzle_temperature_initial_layer": FIRST_NOZZLE_HEAT,
    "hot_plate_temp": BED_HEAT,
    "hot_plate_temp_initial_layer": FIRST_BED_HEAT,
    "fan_max_speed": FAN,
    "line_width": WIDTH,
    "wall_loops": WALLS,
    "top_shell_layers": TOP,
    "bottom_shell_layers": BOTTOM,
    "sparse_infill_density": INFILL,
    "sparse_infill_pattern": PATTERN,
    "inner_wall_speed": SPEED,
    "outer_wall_speed": OUTER_SPEED,
    "sparse_infill_speed": INFILL_SPEED,
    "travel_speed": TRAVEL,
    "retraction_length": RETRACTION,
    "enable_support": SUPPORT,
    "filament_diameter": FILAMENT,
    "filament_type": POLYMER,
    "filament_density": DENSITY,
    "filament_vendor": BRAND,
}
CURA: Mapping[str, Target] = {
    "layer_height": LAYER,
    "layer_height_0": FIRST_LAYER,
    "machine_nozzle_size": NOZZLE,
    "material_print_temperature": NOZZLE_HEAT,
    "material_print_temperature_layer_0": FIRST_NOZZLE_HEAT,
    "material_bed_temperature": BED_HEAT,
    "material_bed_temperature_layer_0": FIRST_BED_HEAT,
    "cool_fan_speed": FAN,
    "line_width": WIDTH,
    "wall_line_count": WALLS,
    "top_layers": TOP,
    "bottom_layers": BOTTOM,
    "infill_sparse_density": INFILL,
    "infill_pattern": PATTERN,
    "speed_wall_x": SPEED,
    "speed_wall_0": OUTER_SPEED,
    "speed_infill": INFILL_SPEED,
    "speed_travel": TRAVEL,
    "retraction_amount": RETRACTION,
    "support_enable": SUPPORT,
    "material_diameter": FILAMENT,
    "material_type": POLYMER,
    "material_brand": BRAND,
}
OKH: Mapping[str, Target] = {
    "material": POLYMER,
    "mass": Target("/design/mass", "g"),
    "manufacturing-process": Target("/process/method", None, _CRITICAL),
    "printing-process": Target("/process/method", None, _CRITICAL),
    "post-processing": Target("/post/finish"),
    "quality-instructions": Target("/qa/inspection", None, _CRITICAL),
    "risk-assessment": Target("/safety/risks", None, _CRITICAL),
    "intended-use": Target("/safety/use", None, _CRITICAL),
    "tsdc": Target("/qa/tsdc"),
    "standards-used": Target("/qa/standards"),
    "outer-dimensions": Target("/design/outer_dimensions"),
}
_SUPPORT_WORDS = {
    "0": "no support",
    "1": "with support",
    "false": "no support",
    "true": "with support",
}


def import_settings(
    settings: Mapping[str, str], table: Mapping[str, Target], *, name: str | None = None
) -> Imported:
    """Return the clauses that settings become, and what is left.

    Raises:
        ProfileEmptyError: The table knows none of them.
        ProfileMalformedError: There are too many.
    """
    if len(settings) > SETTINGS_MAX:
        message = f"The profile has {len(settings)} settings, at most {SETTINGS_MAX} are read."
        raise ProfileMalformedError(message, settings=len(settings))
    found: dict[str, Clause] = {}
    unread = []
    for key, written in settings.items():
        clause = _clause(table[key], written) if key in table else None
        if clause is None or clause.path in found:
            unread.append(key)
        else:
            found[clause.path] = clause
    if not found:
        message = "No setting of the profile is known."
        raise ProfileEmptyError(message, settings=len(settings))
    clauses = [found[path] for path in sorted(found)]
    return Imported(name=name, clauses=clauses, unread=sorted(unread))


def joined(values: Iterable[str]) -> str:
    """Return what several extruders are set to: one value where they agree, else all."""
    return ",".join(dict.fromkeys(value.strip() for value in values))


def _clause(target: Target, written: str) -> Clause | None:
    value = _text(target, written) if target.unit is None else _number(target.unit, written)
    if value is None:
        return None
    try:
        return Clause(
            path=ClausePath(target.path),
            type=ClauseType.TEXT if target.unit is None else ClauseType.QUANTITY,
            klass=ClauseClass.CORE,
            criticality=target.criticality,
            salt=ZERO32,
            value=value,
            unit=target.unit,
        )
    except GuildmarkError:
        return None


def _text(target: Target, written: str) -> str | None:
    text = joined(written.split(",") if target is not SUPPORT else [written]).strip('"; ')
    if target is SUPPORT:
        return _SUPPORT_WORDS.get(text.lower())
    is_formula = text.startswith("=")
    return text if 0 < len(text) <= TEXT_MAX and not is_formula else None


def _number(unit: str, written: str) -> str | None:
    text = joined(written.split(","))
    is_share = text.endswith("%")
    try:
        number = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        return None
    # Asked of its digits: of what is written as 1e999999999 nothing can be computed.
    is_far = not number.is_finite() or (bool(number) and number.adjusted() >= _DIGITS)
    if is_far or (is_share and unit != "%"):
        return None
    if unit == "g/cm3" and not number:
        # Slicers write 0 for "not known".
        return None
    return plain(number)


def plain(number: Decimal) -> str:
    """Return a number as documents write it, to at most 9 places."""
    text = f"{number.quantize(Decimal('1e-9')):f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short in {"-0", ""} else short


def sections(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield pairs, and refuse a name twice with another value."""
    seen: dict[str, str] = {}
    for key, value in pairs:
        if seen.setdefault(key, value) != value:
            message = f"The setting {key[:80]!r} stands twice with different values."
            raise ProfileMalformedError(message, setting=key[:80])
        yield key, value
