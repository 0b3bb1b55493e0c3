"""Claimed statistics: never believed, recomputed from the values, exactly.

A claim is a rounded number. It recomputes where the true figure lies within half a unit of the
claim's last digit, both ends included.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from types import MappingProxyType
from typing import Self

from guildmark.domain.builds.predicate import present
from guildmark.domain.encoding.fields import Fields
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.errors import MalformedError, NonconformingError
from guildmark.domain.measurement.conformity import Limits
from guildmark.domain.recipes.clause import ClausePath, parse_path
from guildmark.domain.recipes.quantity import check_unit, parse_decimal

COUNT_MAX = 1_000_000

_MORE_DIGITS = 2
_PRECISION = 60
_SIGMAS = 3


class StatisticsMismatchError(NonconformingError):
    """A claimed statistic is not that of the values."""

    code = "measurement.statisticsMismatch"
    hint = "Have the measuring program compute again, or leave its statistics out."


class StatisticsUncheckableError(MalformedError):
    """A claimed statistic that the values cannot give."""

    code = "measurement.statisticsUncheckable"
    hint = "Give the values and the recipe with the tolerance, or leave the statistic out."


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedStatistics:
    """What a file claims of the values of one characteristic.

    Args:
        characteristic: The path of the tolerance.
        unit: The UCUM code of all figures but `cpk`.
        n: How many values there are.
        mean: Their mean.
        deviation: Their standard deviation s, with n - 1.
        minimum: The least of them.
        maximum: The greatest of them.
        cpk: The lesser distance of the mean to a limit, over 3 s.
    """

    characteristic: ClausePath
    unit: str
    n: int | None = None
    mean: str | None = None
    deviation: str | None = None
    minimum: str | None = None
    maximum: str | None = None
    cpk: str | None = None

    def __post_init__(self) -> None:
        parse_path(self.characteristic)
        check_unit(self.unit)
        for text in (self.mean, self.deviation, self.minimum, self.maximum, self.cpk):
            if text is not None:
                parse_decimal(text)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the claim that a document makes."""
        return cls(
            characteristic=ClausePath(fields.text("characteristic")),
            unit=fields.text("unit"),
            n=fields.maybe("n", lambda name: fields.integer(name, most=COUNT_MAX)),
            mean=fields.maybe("mean", fields.text),
            deviation=fields.maybe("s", fields.text),
            minimum=fields.maybe("min", fields.text),
            maximum=fields.maybe("max", fields.text),
            cpk=fields.maybe("cpk", fields.text),
        )

    def to_json(self) -> JsonObject:
        """Return the claim as a document makes it."""
        return present(
            {
                "characteristic": self.characteristic,
                "unit": self.unit,
                "n": self.n,
                "mean": self.mean,
                "s": self.deviation,
                "min": self.minimum,
                "max": self.maximum,
                "cpk": self.cpk,
            }
        )

    def check(self, values: Sequence[Fraction], limits: Limits | None) -> None:
        """Compare the claim with the values.

        Args:
            values: The values, in the claim's unit.
            limits: The limits of the tolerance in that unit, where they are known.

        Raises:
            StatisticsMismatchError: A figure is not that of the values; both are told.
            StatisticsUncheckableError: The values, or the limits, do not give a figure.
        """
        if self.n is not None and self.n != len(values):
            self._refuse("n", str(self.n), str(len(values)))
        for name, said, figure in self._claims(values, limits):
            if not figure.is_near(said):
                self._refuse(name, said, figure.shown(said))

    def _claims(
        self, values: Sequence[Fraction], limits: Limits | None
    ) -> Iterator[tuple[str, str, "_Figure"]]:
        wanted: dict[str, tuple[str | None, Callable[[], _Figure]]] = {
            "mean": (self.mean, lambda: _Figure(ratio=_mean(values))),
            "min": (self.minimum, lambda: _Figure(ratio=min(values))),
            "max": (self.maximum, lambda: _Figure(ratio=max(values))),
            "s": (self.deviation, lambda: _Figure(root=_variance(values))),
            "cpk": (self.cpk, lambda: _capability(values, limits)),
        }
        for name, (said, figure) in wanted.items():
            if said is None:
                continue
            if not _gives(name, values, limits):
                message = f"The values do not give the {name} claimed of {self.characteristic}."
                raise StatisticsUncheckableError(
                    message, characteristic=self.characteristic, statistic=name, claimed=said
                )
            yield name, said, figure()

    def _refuse(self, name: str, claimed: str, recomputed: str) -> None:
        message = (
            f"The file claims {name} = {claimed} of {self.characteristic};"
            f" its values give {recomputed}."
        )
        raise StatisticsMismatchError(
            message,
            characteristic=self.characteristic,
            statistic=name,
            claimed=claimed,
            recomputed=recomputed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """A number of the form ratio * sqrt(root): exact, though it may be irrational."""

    ratio: Fraction = Fraction(1)
    root: Fraction = Fraction(1)

    def is_near(self, said: str) -> bool:
        """Return whether the number is what a claim's digits can be rounded from."""
        claimed, half = Fraction(parse_decimal(said)), Fraction(1, 2 * 10 ** _places(said))
        return self._reaches(claimed - half) and not self._exceeds(claimed + half)

    def shown(self, said: str) -> str:
        """Return the number with some more digits than a claim has."""
        with localcontext(prec=_PRECISION, rounding=ROUND_HALF_EVEN):
            ratio = Decimal(self.ratio.numerator) / Decimal(self.ratio.denominator)
            root = (Decimal(self.root.numerator) / Decimal(self.root.denominator)).sqrt()
            step = Decimal(1).scaleb(-_places(said) - _MORE_DIGITS)
            return f"{(ratio * root).quantize(step):f}"

    def _reaches(self, bound: Fraction) -> bool:
        return self._signed_square() >= _signed(bound)

    def _exceeds(self, bound: Fraction) -> bool:
        return self._signed_square() > _signed(bound)

    def _signed_square(self) -> Fraction:
        return _signed(self.ratio) * self.root


def _signed(number: Fraction) -> Fraction:
    """Return the square with the number's sign: it grows as the number does."""
    return number * abs(number)


def _places(text: str) -> int:
    return len(text.partition(".")[2])


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _variance(values: Sequence[Fraction]) -> Fraction:
    mean = _mean(values)
    return sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1)


def _capability(values: Sequence[Fraction], limits: Limits | None) -> _Figure:
    mean, variance = _mean(values), _variance(values)
    ends = () if limits is None else (limits.lower, limits.upper)
    signs = (1, -1)
    nearest = min(
        sign * (mean - end) for end, sign in zip(ends, signs, strict=False) if end is not None
    )
    return _Figure(ratio=nearest / _SIGMAS, root=1 / variance)


def _has_spread(values: Sequence[Fraction]) -> bool:
    return len(set(values)) > 1


def _has_limit(limits: Limits | None) -> bool:
    return limits is not None and not (limits.lower is None and limits.upper is None)


_NEEDS: MappingProxyType[str, Callable[[Sequence[Fraction], Limits | None], bool]] = (
    MappingProxyType(
        {
            "s": lambda values, _: len(values) > 1,
            "cpk": lambda values, limits: _has_spread(values) and _has_limit(limits),
        }
    )
)


def _gives(name: str, values: Sequence[Fraction], limits: Limits | None) -> bool:
    """Return whether there is such a figure: s needs two values, Cpk a spread and a limit."""
    needs = _NEEDS.get(name)
    return bool(values) if needs is None else needs(values, limits)
