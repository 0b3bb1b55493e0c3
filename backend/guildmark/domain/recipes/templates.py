"""Recipes to begin from: what each process usually fixes, and what it leaves to the site.

Limits are starting points that the designer replaces; powder-bed metal follows the parameters
that ISO/ASTM 52904 asks to be controlled.
"""

from collections.abc import Iterator, Sequence

from guildmark.domain.identifiers import ZERO32
from guildmark.domain.recipes.clause import (
    Clause,
    ClauseClass,
    ClausePath,
    ClauseType,
    Criticality,
)

# A clause a line: path, class, criticality, then `= value unit`, `least .. most unit`, `unit`
# alone (free), or `"text"`.
_COMMON = """
/design/form core critical "the CAD file governs; meshes follow it within 0.02 mm"
/material/lot site major
/qa/inspection core critical "each part, all tolerances"
/qa/resolution core major = 0.01 mm
/qa/temperature window major 18 .. 22 Cel
/safety/use core critical "say what the part is for, and what it is not for"
/tolerance/length core critical 99.8 .. 100.2 mm
"""
_FDM = """
/design/orientation core critical "say which face lies on the bed"
/material/filament_diameter core major = 1.75 mm
/material/polymer core critical "PETG"
/process/bed_temperature window major 75 .. 85 Cel
/process/fan_speed window major 30 .. 50 %
/process/infill_density window major 35 .. 50 %
/process/infill_pattern site minor
/process/layer_height window critical 0.15 .. 0.25 mm
/process/nozzle_diameter core critical = 0.4 mm
/process/nozzle_temperature window critical 230 .. 250 Cel
/process/print_speed window major 30 .. 60 mm/s
/process/wall_loops core critical = 3 {perimeter}
"""
_SLA = """
/design/orientation core critical "say how the part hangs from the plate"
/material/resin core critical "name and maker of the resin"
/post/cure_energy window critical 800 .. 1200 mJ/cm2
/post/cure_temperature window major 50 .. 60 Cel
/post/wash core major "isopropyl alcohol, two baths"
/process/exposure window critical 6 .. 9 s
/process/first_layers_exposure window major 30 .. 60 s
/process/irradiance window critical 2 .. 4 mW/cm2
/process/layer_height core critical = 0.05 mm
/process/lift_speed window minor 40 .. 80 mm/min
/process/resin_temperature window major 22 .. 28 Cel
/process/wavelength core critical = 405 nm
"""
_METAL = """
/material/alloy core critical "AlSi10Mg"
/material/particle_size_d10 window major 15 .. 25 um
/material/particle_size_d90 window major 45 .. 65 um
/material/reuse_cycles window critical 0 .. 10 1
/post/stress_relief_temperature window critical 265 .. 305 Cel
/post/stress_relief_time window critical 1.5 .. 2.5 h
/process/atmosphere core critical "argon"
/process/beam_diameter window major 70 .. 110 um
/process/hatch_distance window critical 0.10 .. 0.19 mm
/process/laser_power window critical 340 .. 380 W
/process/layer_height core critical = 0.03 mm
/process/oxygen window critical 0 .. 1000 [ppm]
/process/platform_temperature window major 150 .. 200 Cel
/process/recoater site minor
/process/scan_speed window critical 1200 .. 1500 mm/s
/process/scan_strategy core critical "stripes, turned by 67 deg each layer"
/qa/witness_specimens core critical "three tensile bars a build, ISO 6892-1"
/tolerance/density core critical 99.5 .. 100 %
"""
_CNC = """
/material/grade core critical "EN AW-6082 T6"
/process/coolant site minor
/process/cutting_depth window major 0.2 .. 2 mm
/process/cutting_speed window major 2 .. 6 m/s
/process/feed_rate window major 200 .. 1200 mm/min
/process/spindle_speed window major 6000 .. 12000 {rev}/min
/process/tool_diameter core critical = 6 mm
/tolerance/roughness core major 0 .. 1.6 um
/qa/resolution/roughness core major = 0.01 um
"""
_LASER = """
/material/grade core critical "S235JR"
/material/thickness core critical = 3 mm
/process/assist_gas core critical "nitrogen"
/process/cutting_speed window critical 40 .. 70 mm/s
/process/focus_offset window major -2 .. 0 mm
/process/gas_pressure window major 10 .. 14 bar
/process/kerf_width window major 0.15 .. 0.30 mm
/process/laser_power window critical 1800 .. 2200 W
/process/pulse_frequency site minor Hz
"""
_TITLES = {
    "fdm": ("Fused filament, PETG", _FDM),
    "sla": ("Vat photopolymer, resin", _SLA),
    "powder-bed-metal": ("Laser powder bed, metal (ISO/ASTM 52904)", _METAL),
    "cnc": ("Milling", _CNC),
    "laser-cutting": ("Laser cutting, sheet", _LASER),
}

TEMPLATES: Sequence[str] = tuple(_TITLES)

UNSAID = frozenset(
    {
        "say how the part hangs from the plate",
        "say what the part is for, and what it is not for",
        "say which face lies on the bed",
        "name and maker of the resin",
    }
)
"""What templates leave to the designer: a recipe that still says it says nothing."""


def template(name: str) -> tuple[str, Sequence[Clause]]:
    """Return a template's title and its clauses, in the order of their paths."""
    title, own = _TITLES[name]
    return title, sorted(_clauses(_COMMON + own), key=lambda clause: clause.path)


def _clauses(table: str) -> Iterator[Clause]:
    for line in filter(None, table.splitlines()):
        path, klass, criticality, *said = line.split(" ", 3)
        text = said[0] if said else ""
        is_text = not text or text.startswith('"')
        value, minimum, maximum, unit = (text.strip('"') or None, *[None] * 3)
        if not is_text:
            value, minimum, maximum, unit = _quantity(text.split())
        yield Clause(
            path=ClausePath(path),
            type=ClauseType.TEXT if is_text else ClauseType.QUANTITY,
            klass=ClauseClass[klass.upper()],
            criticality=Criticality[criticality.upper()],
            salt=ZERO32,
            value=value,
            minimum=minimum,
            maximum=maximum,
            unit=unit,
        )


def _quantity(words: Sequence[str]) -> tuple[str | None, str | None, str | None, str]:
    if words[0] == "=":
        return words[1], None, None, words[2]
    return (None, words[0], words[2], words[3]) if len(words) > 1 else (None, None, None, words[0])
