"""What a G-code file makes a printer do, held against a recipe's clauses.

Temperatures, layers, speeds and fan are read from the commands that lay material; what no command
says (material, nozzle, walls) from the settings that slicers write behind them as comments.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Self

from guildmark.domain.builds.predicate import Setting
from guildmark.domain.errors import GuildmarkError, MalformedError, NonconformingError
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath
from guildmark.domain.recipes.importing.settings import (
    BED_HEAT,
    FAN,
    LAYER,
    NOZZLE_HEAT,
    PRUSA,
    SPEED,
    Target,
    import_settings,
    plain,
)
from guildmark.domain.recipes.quantity import converted, measures_alike

LINES_MAX = 20_000_000
_LINE_MAX = 10_000
# A line's number and asides in parentheses are for the sender; a command stands before its words.
_ASIDE = re.compile(r"\([^)]*\)?")
_COMMAND = re.compile(r"\s*(?:N\s*[0-9]+\s*)?([A-Z])\s*([0-9]{1,6})(?![0-9])", re.ASCII)
_WORD = re.compile(r"([A-Z])\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))", re.ASCII)
_DIGITS = 12
_COMMENT = re.compile(r";\s*([a-z0-9_]{1,60}) ?= ?(.{0,400})", re.ASCII)
_MILLIMETRES_PER_INCH = Decimal("25.4")
_FAN_FULL = 255
_SLACK = Fraction(1, 1000)
_OBSERVED = frozenset(one.path for one in (BED_HEAT, FAN, LAYER, NOZZLE_HEAT, SPEED))


class JobMalformedError(MalformedError):
    """A file that is no G-code, or lays no material."""

    code = "gcode.malformed"
    hint = "Slice the part again and name the file that goes to the printer."


class JobDepartsError(NonconformingError):
    """A job makes the printer do what the recipe does not admit."""

    code = "recipe.jobDeparts"
    hint = "Slice the part again by the recipe; `guildmark recipe check` tells each clause."


class SettingContradictedError(NonconformingError):
    """A setting that is recorded is not what the job file makes the printer do."""

    code = "recipe.settingContradicted"
    hint = "Record what the job does, or name the job file that was printed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a job does, by the clause that bounds it.

    Args:
        path: The clause.
        least: The least value, or the text.
        most: The greatest value, or the text.
        unit: Of quantities.
    """

    path: ClausePath
    least: str
    most: str
    unit: str | None

    @classmethod
    def recorded(cls, setting: Setting) -> Self:
        """Return what a machine says that a job was set to."""
        value, unit = setting.value, setting.unit
        return cls(path=setting.path, least=value, most=value, unit=unit)

    @property
    def setting(self) -> Setting | None:
        """Return it as a statement records it, none where the job uses more than one value."""
        if self.least != self.most:
            return None
        return Setting(path=self.path, value=self.most, unit=self.unit)

    def agrees(self, setting: Setting) -> bool:
        """Return whether a recorded quantity is among what the job does; texts are not compared."""
        if self.unit is None or setting.unit is None:
            return True
        if not measures_alike(setting.unit, self.unit):
            return False
        value = converted(setting.value, setting.unit, self.unit)
        slack = Fraction(1) if self.unit == FAN.unit else _SLACK
        return Fraction(self.least) - slack <= value <= Fraction(self.most) + slack

    def departs(self, clause: Clause) -> str | None:
        """Return the value that a clause does not admit, none where it admits both."""
        if (clause.unit is None) is not (self.unit is None):
            return self.most
        values = (self.least, self.most)
        return next((one for one in values if not clause.admits(one, self.unit)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a job stands to a recipe.

    Args:
        kept: The paths that the job keeps.
        departures: What it does otherwise, the first clause first, with the value.
        silent: The core and window clauses of the process about which it says nothing.
    """

    kept: Sequence[str]
    departures: Sequence[tuple[Clause, str]]
    silent: Sequence[str]


@dataclass(slots=True)
class _Span:
    least: Decimal | None = None
    most: Decimal | None = None

    def take(self, value: Decimal) -> None:
        self.least = value if self.least is None else min(self.least, value)
        self.most = value if self.most is None else max(self.most, value)


@dataclass(slots=True)
class _Printer:
    """A printer's state, as far as laying material depends on it."""

    at: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys("XYZEF", Decimal(0)))
    relative: bool = False
    relative_e: bool = False
    scale: Decimal = Decimal(1)
    pace: Decimal = Decimal(1)
    nozzle: Decimal = Decimal(0)
    bed: Decimal = Decimal(0)
    fan: Decimal = Decimal(0)
    layers: set[Decimal] = field(default_factory=set)
    spans: dict[str, _Span] = field(default_factory=dict)

    def obey(self, name: str, words: Mapping[str, Decimal]) -> None:
        if name in _MOVES:
            self._move(words, is_curve=_MOVES[name])
        elif name == "G92":
            given = {axis: words[axis] * self.scale for axis in "XYZE" if axis in words}
            self.at |= given or dict.fromkeys("XYZE", Decimal(0))
        elif name in _MODES:
            setattr(self, *_MODES[name])
        elif name in _TARGETS and words.keys() & {"S", "R"}:
            setattr(self, _TARGETS[name], words["S"] if "S" in words else words["R"])
        elif name == "M220" and "S" in words:
            self.pace = words["S"] / 100
        elif name == "M106":
            self.fan = words.get("S", Decimal(_FAN_FULL)) * 100 / _FAN_FULL
        elif name == "M107":
            self.fan = Decimal(0)

    def _move(self, words: Mapping[str, Decimal], *, is_curve: bool) -> None:
        before = dict(self.at)
        for axis, value in words.items():
            if axis == "F":
                self.at["F"] = value * self.scale
            elif axis in self.at:
                is_relative = self.relative or (axis == "E" and self.relative_e)
                self.at[axis] = value * self.scale + (before[axis] if is_relative else 0)
        # A curve may end where it began.
        across = is_curve or any(self.at[axis] != before[axis] for axis in "XY")
        if across and self.at["E"] > before["E"]:
            self._lay()

    def _lay(self) -> None:
        self.layers.add(self.at["Z"])
        for path, value in (
            (NOZZLE_HEAT.path, self.nozzle),
            (BED_HEAT.path, self.bed),
            (SPEED.path, self.at["F"] / 60 * self.pace),
            (FAN.path, self.fan),
        ):
            self.spans.setdefault(path, _Span()).take(value)


# What moves the nozzle, and whether along a curve.
_MOVES = {"G0": False, "G1": False, "G2": True, "G3": True, "G5": True}
_MODES: Mapping[str, tuple[str, bool | Decimal]] = {
    "G90": ("relative", False),
    "G91": ("relative", True),
    "M82": ("relative_e", False),
    "M83": ("relative_e", True),
    "G20": ("scale", _MILLIMETRES_PER_INCH),
    "G21": ("scale", Decimal(1)),
}
_TARGETS = {"M104": "nozzle", "M109": "nozzle", "M140": "bed", "M190": "bed"}


def observe(lines: Iterable[str]) -> tuple[Observed, ...]:
    """Return what a job does, in the order of the clauses' paths.

    Of speeds and of the fan the greatest value counts alone: printers slow down on purpose.

    Raises:
        JobMalformedError: It lays no material, or is longer than any job.
    """
    printer, comments = _Printer(), dict[str, str]()
    for number, line in enumerate(lines):
        if number >= LINES_MAX or len(line) > _LINE_MAX:
            message = f"Line {number + 1} goes beyond what is read of a job."
            raise JobMalformedError(message, line=number + 1)
        said = _COMMENT.match(line)
        if said:
            comments[said[1]] = said[2].strip()
        else:
            _obey(printer, number, _ASIDE.sub(" ", line.partition(";")[0]).upper())
    if not printer.layers:
        message = "The file lays no material."
        raise JobMalformedError(message)
    found = {one.path: one for one in (*_told(comments), *_done(printer))}
    return tuple(found[path] for path in sorted(found))


def judge(observed: Iterable[Observed], clauses: Sequence[Clause]) -> Judgement:
    """Return how what a job does stands to the clauses of a recipe or a site's recipe."""
    by_path = {one.path: one for one in observed}
    kept, departures, silent = [], [], []
    for clause in clauses:
        one = by_path.get(clause.path)
        value = None if one is None else one.departs(clause)
        if value is not None:
            departures.append((clause, value))
        elif one is not None:
            kept.append(str(clause.path))
        elif clause.group == "process" and clause.klass in {ClauseClass.CORE, ClauseClass.WINDOW}:
            silent.append(str(clause.path))
    return Judgement(kept=kept, departures=departures, silent=silent)


def check_job(observed: Iterable[Observed], clauses: Sequence[Clause]) -> Judgement:
    """Return how a job stands to a recipe that it keeps.

    Raises:
        JobDepartsError: It departs; the first clause is named.
    """
    judgement = judge(observed, clauses)
    if judgement.departures:
        clause, value = judgement.departures[0]
        message = f"The job sets {clause.path} to {value}, which the recipe does not admit."
        raise JobDepartsError(
            message, path=clause.path, found=value, min=clause.minimum, max=clause.maximum
        )
    return judgement


def settled(
    observed: Iterable[Observed], given: Sequence[Setting], clauses: Sequence[Clause]
) -> tuple[Setting, ...]:
    """Return the settings of a job: what is given, and what the job says of further clauses.

    Raises:
        SettingContradictedError: A given setting is not what the job does.
    """
    by_path = {one.path: one for one in observed}
    for setting in given:
        one = by_path.get(setting.path)
        if one is not None and not one.agrees(setting):
            value = f"{setting.value} {setting.unit}"
            message = f"{setting.path} is recorded as {value}; the job sets {one.most} {one.unit}."
            raise SettingContradictedError(message, path=setting.path, found=one.most)
    named = {setting.path for setting in given}
    said = [by_path[one.path].setting for one in clauses if one.path in by_path.keys() - named]
    return (*given, *(one for one in said if one is not None))


def _obey(printer: _Printer, number: int, line: str) -> None:
    command = _COMMAND.match(line)
    if command is None:
        return
    words = {each: Decimal(value) for each, value in _WORD.findall(line, command.end())}
    if any(value and value.adjusted() >= _DIGITS for value in words.values()):
        message = f"Line {number + 1} goes beyond what is read of a job."
        raise JobMalformedError(message, line=number + 1)
    printer.obey(f"{command[1]}{int(command[2])}", words)


def _done(printer: _Printer) -> Iterator[Observed]:
    heights = sorted(printer.layers)
    steps = _Span()
    for below, above in pairwise(heights):
        steps.take(above - below)
    for target, span in (
        (LAYER, steps),
        (NOZZLE_HEAT, printer.spans[NOZZLE_HEAT.path]),
        (BED_HEAT, printer.spans[BED_HEAT.path]),
    ):
        if span.least is not None and span.most is not None:
            yield _quantity(target, span.least, span.most)
    speed, fan = (printer.spans[one.path].most or Decimal(0) for one in (SPEED, FAN))
    yield _quantity(SPEED, speed, speed)
    # Printers take 256 steps of it: more than whole percents nobody sets.
    yield _quantity(FAN, round(fan, 0), round(fan, 0))


def _quantity(target: Target, least: Decimal, most: Decimal) -> Observed:
    path = ClausePath(target.path)
    return Observed(path=path, least=_short(least), most=_short(most), unit=target.unit)


def _short(value: Decimal) -> str:
    """Return a value without what a machine's numbers add behind: 37.49996 mm/s is 37.5."""
    return plain(value.quantize(Decimal("0.001")))


def _told(comments: Mapping[str, str]) -> Iterator[Observed]:
    """Yield what slicers write behind the commands, but for what the commands say better."""
    try:
        clauses = import_settings(comments, PRUSA).clauses
    except GuildmarkError:
        return
    for clause in clauses:
        if clause.path not in _OBSERVED and clause.value is not None:
            yield Observed(
                path=clause.path, least=clause.value, most=clause.value, unit=clause.unit
            )
