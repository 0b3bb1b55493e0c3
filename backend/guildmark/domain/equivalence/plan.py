"""What is compared, how, and what counts as equivalent: fixed before any data."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, cast

from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue, Limits
from guildmark.domain.equivalence.leaves import SaltedList
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import UINT40_MAX, Bytes32, Digest, RecipeId, bytes32_from_hex
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.recipes.clause import ClausePath, parse_path
from guildmark.domain.recipes.quantity import check_unit, parse_decimal

ENGINE_VERSION = 3
"""Grows with every change that gives other bytes for the same plan and data."""

CHARACTERISTICS_MAX = 256
SITES_MAX = 256
DRAWN_MAX = 1 << 20
DRAWN_CHUNKS_MAX = 100
LEAST_REPLICATES = 3
PLAN_LIMITS = Limits(size=1 << 20, depth=6, values=20_000)

_ONE = Decimal(1)
_HALF = Decimal("0.5")
_SIGMAS_MAX = Decimal(8)
_NAME_MAX = 256
_AUTHORITIES_MAX = 64


class MalformedPlanError(MalformedError):
    """A plan that contradicts itself, or leaves open what data could then choose."""

    code = "equivalence.planMalformed"
    hint = "Correct the member that is named; a plan is complete before any data is looked at."


class Replication(StrEnum):
    """What counts as one independent observation."""

    LOT = "lot"
    BUILD = "build"
    PART = "part"


class Method(StrEnum):
    """How locations are compared."""

    PARAMETRIC = "parametric"
    RANKS = "ranks"


class Transformation(StrEnum):
    """What is done to each value before anything is computed; under a log margins are ratios."""

    NONE = "none"
    LOG = "log"


class Comparison(StrEnum):
    """Which sites are compared."""

    REFERENCE = "reference"
    PAIRS = "pairs"


class FamilyRule(StrEnum):
    """How several characteristics share the error rate.

    "All are equivalent" is one claim and needs no correction (intersection-union); Holm's rule
    lets each characteristic be claimed by itself.
    """

    INTERSECTION = "intersection-union"
    HOLM = "holm"


class Chart(StrEnum):
    """Which control chart shows stability.

    X-bar limits come from the ranges within builds, so that any difference between builds is out
    of control; individuals limits come from the differences of one replicate to the next.
    """

    INDIVIDUALS = "individuals"
    XBAR = "xbar-r"


class RunRule(StrEnum):
    """A pattern of points that a stable process hardly ever shows (Western Electric, 1956)."""

    BEYOND_LIMITS = "beyond-limits"
    NINE_ON_ONE_SIDE = "nine-on-one-side"
    SIX_IN_ONE_DIRECTION = "six-in-one-direction"
    FOURTEEN_ALTERNATING = "fourteen-alternating"
    TWO_OF_THREE_BEYOND_TWO = "two-of-three-beyond-two"
    FOUR_OF_FIVE_BEYOND_ONE = "four-of-five-beyond-one"


class Kind(StrEnum):
    """What a characteristic speaks of: the part itself, or the process in a window of a build."""

    PART = "part"
    PROCESS = "process"


class TraceStatistic(StrEnum):
    """What one figure a build's telemetry is reduced to.

    The mean counts each value once; the greatest deviation is from the middle of the window.
    """

    MEAN = "mean"
    DEVIATION = "max-deviation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a plan promises of a channel of each build's telemetry.

    Args:
        channel: The channel; it counts by what is drawn of the build's chunks.
        min_coverage: The least share of the values that the machine told, of those it should have:
            what its source lost, and what is no number in the plan's unit, is missing.
        max_missing: How many of the drawn chunks of a build may stay closed.
        min_inside: The least share of a build's values inside ``lower`` to ``upper``.
    """

    channel: str
    statistic: TraceStatistic = TraceStatistic.MEAN
    min_coverage: str = "1"
    max_missing: int = 0
    min_inside: str = "1"

    def __post_init__(self) -> None:
        if not 0 < len(self.channel) <= _NAME_MAX:
            message = f"A channel has a name of 1 to {_NAME_MAX} characters."
            raise MalformedPlanError(message, member="channel")
        for member in ("min_coverage", "min_inside"):
            if not 0 < parse_decimal(getattr(self, member)) <= 1:
                message = f"The {member} of {self.channel} is above 0 and at most 1."
                raise MalformedPlanError(message, member=member)
        if self.max_missing < 0:
            message = f"The max_missing of {self.channel} is at least 0."
            raise MalformedPlanError(message, member="max_missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicPlan:
    """One characteristic and what makes two sites equivalent in it. Numbers are decimal strings.

    Args:
        path: The clause of the recipe that it belongs to, or the window of a machine's channel.
        unit: The UCUM code that every value has.
        margin: The greatest difference of means that does not matter; under a log a ratio above 1.
        spread_margin: The greatest ratio of standard deviations that does not matter; None where
            spread is not compared.
        least: No value below it can be true: it ends in INVALID, as does one above ``most``.
        lower: The least value that conforms, where capability is asked for.
        upper: The greatest value that conforms.
        min_cpk: What the lower confidence bound of Ppk must reach; None where it is not asked.
        max_gauge: The greatest share of the study variation that the gauge may have; None where
            the plan takes the gauge as known.
        kind: Whether it speaks of the part or of the process.
        trace: Of which telemetry a process's values are computed, ``lower`` to ``upper`` being the
            window; None where they are what the site states.
    """

    path: ClausePath
    unit: str
    margin: str
    spread_margin: str | None = None
    least: str | None = None
    most: str | None = None
    lower: str | None = None
    upper: str | None = None
    min_cpk: str | None = None
    max_gauge: str | None = "0.3"
    method: Method = Method.PARAMETRIC
    transformation: Transformation = Transformation.NONE
    kind: Kind = Kind.PART
    trace: Trace | None = None

    def __post_init__(self) -> None:
        parse_path(self.path)
        check_unit(self.unit)
        is_ratio = self.transformation is Transformation.LOG
        self._above("margin", _ONE if is_ratio else Decimal(0))
        self._above("spread_margin", _ONE)
        self._above("min_cpk", Decimal(0))
        self._above("max_gauge", Decimal(0))
        self._ordered("least", "most")
        self._ordered("lower", "upper")
        if self.min_cpk is not None and self.lower is None and self.upper is None:
            self._refuse("min_cpk", "needs a lower or upper limit")
        if self.min_cpk is not None and self.method is Method.RANKS:
            self._refuse("min_cpk", "needs the parametric method")
        if is_ratio:
            self._positive("least", "lower", "upper")
        if self.trace is not None:
            self._check_trace()

    def _check_trace(self) -> None:
        if self.kind is not Kind.PROCESS:
            self._refuse("trace", "is of a process, not of a part")
        if self.lower is None or self.upper is None:
            self._refuse("trace", "needs a window: lower and upper")

    def _above(self, member: str, bound: Decimal) -> None:
        text = getattr(self, member)
        if text is not None and parse_decimal(text) <= bound:
            self._refuse(member, f"must be above {bound}")

    def _ordered(self, low: str, high: str) -> None:
        texts = (getattr(self, low), getattr(self, high))
        numbers = [parse_decimal(text) for text in texts if text is not None]
        if numbers != sorted(set(numbers)):
            self._refuse(low, f"must be below {high}")

    def _positive(self, *members: str) -> None:
        for member in members:
            self._above(member, Decimal(0))

    def _refuse(self, member: str, reason: str) -> NoReturn:
        message = f"{member} of {self.path} {reason}."
        raise MalformedPlanError(message, characteristic=self.path, member=member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What watches a site after its certificate: both charts of builds, in standard deviations.

    Defaults give a stable process about 500 builds between false alarms (Lucas and Saccucci,
    1990, for EWMA; Montgomery for CUSUM).

    Args:
        weight: The weight of the newest build in the moving average.
        limit: Its control limit.
        slack: The shift that CUSUM lets pass, a half of the one to be found.
        decision: CUSUM's decision interval.
    """

    weight: str = "0.2"
    limit: str = "2.962"
    slack: str = "0.5"
    decision: str = "5.07"

    def __post_init__(self) -> None:
        if not 0 < parse_decimal(self.weight) <= 1:
            message = "The weight of the newest build is above 0 and at most 1."
            raise MalformedPlanError(message, member="weight")
        for member in ("limit", "slack", "decision"):
            if parse_decimal(getattr(self, member)) <= 0:
                message = f"The {member} of the monitoring must be above 0."
                raise MalformedPlanError(message, member=member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What instruments must be calibrated for, from each part's beacon to its record.

    Args:
        standard: The standard, for example ISO/IEC 17025.
        authorities: On whom the chain of a calibration's issuers must end, their ids in hex,
            ascending: fixed in the plan, since readers have lists of their own.
    """

    standard: str
    authorities: tuple[str, ...]

    def __post_init__(self) -> None:
        # Says what a standard may be called.
        ScopeDocument(standard=self.standard)
        is_sorted = list(self.authorities) == sorted(set(self.authorities))
        if not 0 < len(self.authorities) <= _AUTHORITIES_MAX or not is_sorted:
            _refuse(
                "calibration", f"names 1 to {_AUTHORITIES_MAX} authorities, each once, ascending"
            )
        for one in self.authorities:
            bytes32_from_hex(one)


@dataclass(frozen=True, slots=True, kw_only=True)
class EquivalencePlan(Document):
    """An experiment, complete before its data.

    Args:
        recipe: The recipe version that all sites follow.
        reference: The site that others are compared with, its id in hex.
        sites: The other sites, their ids in hex, ascending.
        characteristics: Ascending by path.
        evaluator: Who computes and certifies, its id in hex.
        engine: What computes; see `engine_digest`.
        units: How many parts of each site are drawn and measured.
        replicates: The least number of independent replicates a site needs.
        replication: What one of them is.
        commit_by: Until when a site may commit to its data, in block seconds.
        reveal_by: Until when it may open them.
        salt: 32 random bytes, from which the salts of the leaves follow.
        alpha: The greatest probability of a wrong EQUIVALENT.
        power: The probability of EQUIVALENT that the number of replicates was chosen for.
        chart: The control chart of gate 3.
        sigmas: Its limits, in standard deviations.
        rules: Patterns that say "out of control".
        normality: Below this p-value replicates are not taken as normal.
        mixes_instruments: Whether one site may measure a characteristic with several instruments.
        machine_model: The scope of the certificate, where it is narrower than the site.
        material_class: Likewise.
        drawn_from: From how many units of each site that were logged after it joined the measured
            ones are drawn; None where the plan draws none, and a site chooses what it measures.
        max_passed: The greatest share of the drawn parts that may be passed over as not built for
            the plan; None where the plan sets no limit.
        calibration: What instruments must be calibrated for; None where registered ones do.
        chunks: How many chunks of each drawn build's telemetry are drawn; None where no
            characteristic is of telemetry.
    """

    LIMITS = PLAN_LIMITS

    recipe: RecipeId
    reference: str
    sites: tuple[str, ...]
    characteristics: tuple[CharacteristicPlan, ...]
    evaluator: str
    engine: Digest
    units: int
    replicates: int
    commit_by: int
    reveal_by: int
    salt: Bytes32 = field(repr=False)
    replication: Replication = Replication.BUILD
    alpha: str = "0.05"
    power: str = "0.8"
    chart: Chart = Chart.INDIVIDUALS
    sigmas: str = "3"
    rules: tuple[RunRule, ...] = (RunRule.BEYOND_LIMITS, RunRule.NINE_ON_ONE_SIDE)
    normality: str = "0.01"
    comparison: Comparison = Comparison.REFERENCE
    family: FamilyRule = FamilyRule.INTERSECTION
    mixes_instruments: bool = False
    machine_model: str | None = None
    material_class: str | None = None
    monitoring: Monitoring = Monitoring()
    drawn_from: int | None = None
    max_passed: str | None = None
    calibration: Calibration | None = None
    chunks: int | None = None

    def __post_init__(self) -> None:
        self._check_sites()
        self._check_characteristics()
        self._check_sizes()
        self._between("alpha", Decimal(0), _HALF)
        self._between("power", Decimal(0), _ONE)
        self._between("normality", Decimal(0), _HALF)
        self._between("sigmas", Decimal(0), _SIGMAS_MAX)
        if not self.rules or len(set(self.rules)) != len(self.rules):
            _refuse("rules", "are at least one, each once")

    @property
    def all_sites(self) -> tuple[str, ...]:
        """Return the reference and the others."""
        return (self.reference, *self.sites)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return which sites are compared, the reference or the earlier one first."""
        if self.comparison is Comparison.REFERENCE:
            return tuple((self.reference, site) for site in self.sites)
        everyone = self.all_sites
        return tuple(
            (first, second) for at, first in enumerate(everyone) for second in everyone[at + 1 :]
        )

    def leaves(self) -> SaltedList:
        """Return what is shown of the plan leaf by leaf: its head, then each characteristic."""
        head: dict[str, JsonValue] = dict(cast("JsonObject", codec.dump(self)))
        for name in ("salt", "characteristics"):
            del head[name]
        members = [codec.dump(one) for one in self.characteristics]
        return SaltedList(secret=self.salt, items=tuple(map(canonical, (head, *members))))

    def digest(self) -> Digest:
        """Return what is registered: the root over the plan's salted leaves."""
        return self.leaves().root()

    def _check_sites(self) -> None:
        named = (*self.all_sites, self.evaluator)
        if not 0 < len(self.sites) <= SITES_MAX or list(self.sites) != sorted(set(self.sites)):
            _refuse("sites", f"are 1 to {SITES_MAX}, each once, ascending")
        if self.reference in self.sites:
            _refuse("reference", "is compared with other sites, not with itself")
        if not all(0 < len(name) <= _NAME_MAX for name in named):
            _refuse("sites", f"and evaluator have names of 1 to {_NAME_MAX} characters")

    def _check_characteristics(self) -> None:
        paths = [one.path for one in self.characteristics]
        if not 0 < len(paths) <= CHARACTERISTICS_MAX or paths != sorted(set(paths)):
            _refuse("characteristics", f"are 1 to {CHARACTERISTICS_MAX}, each once, ascending")

    def _check_sizes(self) -> None:
        if not LEAST_REPLICATES <= self.replicates <= self.units <= UINT40_MAX:
            _refuse("replicates", f"are at least {LEAST_REPLICATES}, at most one a unit")
        if self.drawn_from is not None:
            self._check_drawn(self.drawn_from)
        if self.max_passed is not None:
            self._check_passed(self.max_passed)
        if self.calibration is not None and self.drawn_from is None:
            _refuse("calibration", "needs drawn_from: the log alone tells when a value was taken")
        self._check_chunks()
        if not 0 < self.commit_by < self.reveal_by <= UINT40_MAX:
            _refuse("commit_by", "comes before reveal_by")

    def _check_drawn(self, count: int) -> None:
        if not self.units <= count <= DRAWN_MAX:
            _refuse("drawn_from", f"is at least units, at most {DRAWN_MAX}")
        if self.replication is Replication.LOT:
            _refuse("replication", "is build or part where units are drawn: logs name no lot")

    def _check_chunks(self) -> None:
        traced = [one.trace for one in self.characteristics if one.trace is not None]
        if bool(traced) != (self.chunks is not None):
            _refuse("chunks", "are named where a characteristic is of telemetry, and only there")
        if self.chunks is None:
            return
        if self.drawn_from is None:
            _refuse("chunks", "need drawn_from: the log alone tells whose telemetry it is")
        least = max(one.max_missing for one in traced) + 1
        if not least <= self.chunks <= DRAWN_CHUNKS_MAX:
            _refuse("chunks", f"are {least} to {DRAWN_CHUNKS_MAX}")

    def _check_passed(self, share: str) -> None:
        if self.drawn_from is None:
            _refuse("max_passed", "needs drawn_from: nothing is passed over where none are drawn")
        if not 0 <= parse_decimal(share) < _ONE:
            _refuse("max_passed", "is at least 0, below 1")

    def _between(self, member: str, low: Decimal, high: Decimal) -> None:
        if not low < parse_decimal(getattr(self, member)) < high:
            _refuse(member, f"is between {low} and {high}")


def engine_digest(version: int = ENGINE_VERSION) -> Digest:
    """Return what names an engine in plans: SHA-256 of its name and version."""
    return sha256(canonical({"engine": "guildmark.equivalence", "version": version}))


def _refuse(member: str, reason: str) -> NoReturn:
    message = f"The plan's {member} {reason}."
    raise MalformedPlanError(message, member=member)
