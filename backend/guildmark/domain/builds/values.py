"""Salted trees of what a statement records: one root commits to all values, each opens alone.

A leaf's data is SHA-256(domain || salt || path || value || ...), over the texts of a setting or of
a measurement in a fixed order: each its UTF-8 length in four bytes and its bytes, where it may be
absent behind a byte 0 (absent) or 1. Leaves stand in the order of their paths. A salt is 32 random
bytes of its own: who knows one value and its salt learns nothing of another.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Generic, Self, TypeAlias, TypeVar

from guildmark.domain.builds.predicate import Measurement, Setting
from guildmark.domain.encoding.abi import bytes32
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.errors import ContentError, MalformedError
from guildmark.domain.identifiers import Bytes32, Digest, to_hex
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.recipes.gaps import Gaps

SETTING_DOMAIN = keccak256(b"guildmark/setting/v1")
MEASUREMENT_DOMAIN = keccak256(b"guildmark/measurement/v1")
VALUES_MAX = 1024
"""How many settings, or measurements, one statement can commit to."""

NewSalt: TypeAlias = Callable[[], Bytes32]


class MalformedValuesError(MalformedError):
    """Opened values in another form than the one: too many, twice, or out of order."""

    code = "values.malformed"
    hint = "Ask for the values again, as the maker's agent wrote them."


class ValuesMismatchError(ContentError):
    """Shown values are not the ones that the statement commits to."""

    code = "values.mismatch"
    hint = "Ask for the values that were kept with this very envelope."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSetting:
    """A recorded setting with what opens it.

    Args:
        leaf: The number of its leaf.
        salt: 32 random bytes, known to whom the value is shown.
    """

    leaf: int
    salt: Bytes32 = field(repr=False)
    value: Setting

    @property
    def path(self) -> str:
        """Return the clause that the setting answers."""
        return self.value.path

    def leaf_data(self) -> Digest:
        """Return what the tree holds for this setting."""
        one = self.value
        return _leaf(SETTING_DOMAIN, self.salt, (one.path, one.value), (one.unit,))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMeasurement:
    """A measured value with what opens it.

    Args:
        leaf: The number of its leaf.
        salt: 32 random bytes, known to whom the value is shown.
    """

    leaf: int
    salt: Bytes32 = field(repr=False)
    value: Measurement

    @property
    def path(self) -> str:
        """Return the tolerance that the measurement answers."""
        return self.value.characteristic

    def leaf_data(self) -> Digest:
        """Return what the tree holds for this measurement."""
        one = self.value
        optional = (
            one.uncertainty,
            one.coverage_factor,
            one.resolution,
            None if one.raw_data is None else to_hex(one.raw_data),
            one.operator,
            None if one.measured_on is None else str(one.measured_on),
        )
        texts = (one.characteristic, one.value, one.unit, one.instrument)
        return _leaf(MEASUREMENT_DOMAIN, self.salt, texts, optional)


RecordedT = TypeVar("RecordedT", Setting, Measurement)
OpenedT = TypeVar("OpenedT", OpenedSetting, OpenedMeasurement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Generic[RecordedT]):
    """The values of one kind that a statement records, as far as they are known.

    Args:
        values: Those that are shown.
        count: How many there are, None where that is not shown.
        gaps: Where hidden ones may stand, None where they may stand anywhere.
    """

    values: tuple[RecordedT, ...] = ()
    count: int | None = 0
    gaps: Gaps | None = None

    @classmethod
    def in_clear(cls, values: tuple[RecordedT, ...]) -> Self:
        """Return values that a statement shows itself: none of them is hidden."""
        return cls(values=values, count=len(values))

    @property
    def is_none(self) -> bool:
        """Return whether the statement records nothing."""
        return self.count == 0

    @property
    def is_complete(self) -> bool:
        """Return whether no value is hidden."""
        return self.count == len(self.values)

    def may_hide(self, path: str) -> bool:
        """Return whether a value that is not shown can have this path, or one below it."""
        return not self.is_complete and (self.gaps is None or self.gaps.may_hide(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Disclosure(Generic[OpenedT]):
    """What somebody shows of recorded values: all leaf data in order, and some. Unchecked."""

    leaves: tuple[Digest, ...]
    opened: tuple[OpenedT, ...]

    def __post_init__(self) -> None:
        numbers: list[int] = [one.leaf for one in self.opened]
        is_ascending = all(one < other for one, other in pairwise((-1, *numbers, VALUES_MAX)))
        if not (0 < len(self.leaves) <= VALUES_MAX and is_ascending):
            message = f"1 to {VALUES_MAX} leaves are shown, each opened once and in their order."
            raise MalformedValuesError(message, leaves=len(self.leaves), opened=len(numbers))

    def root(self) -> Digest:
        """Return the root of the leaves."""
        return root_of(self.leaves)

    def only(self, shows: Callable[[str], bool]) -> Self:
        """Return the same with nothing opened but the paths that may be shown."""
        return replace(self, opened=tuple(one for one in self.opened if shows(one.path)))

    def gaps(self, root: Digest) -> Gaps:
        """Return where values that are not shown may stand below ``root``.

        Raises:
            ValuesMismatchError: The leaves lead to another root, or a value is not its leaf.
        """
        if self.root() != root:
            message = f"The leaves that are shown do not lead to {to_hex(root)}."
            raise ValuesMismatchError(message, root=to_hex(root))
        for one in self.opened:
            if one.leaf >= len(self.leaves) or one.leaf_data() != self.leaves[one.leaf]:
                message = f"The value of {one.path} is not leaf {one.leaf} of the tree."
                raise ValuesMismatchError(message, path=one.path, leaf=one.leaf)
        if any(one.path >= other.path for one, other in pairwise(self.opened)):
            message = "The values of the tree are not in the order of their paths."
            raise ValuesMismatchError(message, root=to_hex(root))
        return Gaps.between({one.leaf: one.path for one in self.opened}, len(self.leaves))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsDisclosure(_Disclosure[OpenedSetting]):
    """What somebody shows of recorded settings: all leaf data in order, and some. Unchecked."""

    opened: tuple[OpenedSetting, ...]

    @classmethod
    def seal(cls, settings: Iterable[Setting], new_salt: NewSalt) -> Self | None:
        """Return settings under fresh salts, all opened; None where there is none."""
        ordered = enumerate(sorted(settings, key=lambda one: one.path))
        opened = tuple(OpenedSetting(leaf=n, salt=new_salt(), value=one) for n, one in ordered)
        return cls(leaves=leaves_of(opened), opened=opened) if opened else None

    def verify(self, root: Digest) -> Recorded[Setting]:
        """Return the settings that ``root`` commits to.

        Raises:
            ValuesMismatchError: The leaves lead to another root, or a setting is not its leaf.
        """
        shown = tuple(one.value for one in self.opened)
        return Recorded(values=shown, count=len(self.leaves), gaps=self.gaps(root))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementsDisclosure(_Disclosure[OpenedMeasurement]):
    """What somebody shows of measured values: all leaf data in order, and some. Unchecked."""

    opened: tuple[OpenedMeasurement, ...]

    @classmethod
    def seal(cls, measurements: Iterable[Measurement], new_salt: NewSalt) -> Self | None:
        """Return measurements under fresh salts, all opened; None where there is none."""
        ordered = enumerate(sorted(measurements, key=lambda one: one.characteristic))
        opened = tuple(OpenedMeasurement(leaf=n, salt=new_salt(), value=one) for n, one in ordered)
        return cls(leaves=leaves_of(opened), opened=opened) if opened else None

    def verify(self, root: Digest) -> Recorded[Measurement]:
        """Return the measurements that ``root`` commits to.

        Raises:
            ValuesMismatchError: The leaves lead to another root, or a measurement is not its leaf.
        """
        shown = tuple(one.value for one in self.opened)
        return Recorded(values=shown, count=len(self.leaves), gaps=self.gaps(root))


def leaves_of(opened: Iterable[OpenedT]) -> tuple[Digest, ...]:
    """Return the data of the leaves of values, in their order."""
    return tuple(one.leaf_data() for one in opened)


def root_of(leaves: Iterable[Digest]) -> Digest:
    """Return the root over the data of leaves (RFC 9162, 2.1.1)."""
    return MerkleTree(leaves).root()


def _leaf(
    domain: bytes, salt: Bytes32, texts: Iterable[str], optional: Iterable[str | None]
) -> Digest:
    said = b"".join(map(_text, texts)) + b"".join(map(_optional_text, optional))
    return sha256(domain + bytes32(salt) + said)


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "big") + data


def _optional_text(text: str | None) -> bytes:
    return b"\0" if text is None else b"\1" + _text(text)
