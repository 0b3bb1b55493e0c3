"""The record of a batch as the chain commits to it, and which unit each of its entries has."""

from dataclasses import dataclass

from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    Index,
    LaneNumber,
    LogNumber,
    Seq,
    UnitNumber,
)

COUNT_MAX = 2**20
DRAWS_MAX = 32
PATH_MAX = 20


class MalformedRecordError(MalformedError):
    """Values that no contract would have written into a record."""

    code = "record.malformed"
    hint = "Take the record as the chain's event gives it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a draw got: units first_unit..first_unit+n-1 of a lane; first_unit 0 = refused."""

    lane: LaneNumber
    n: int
    first_unit: UnitNumber

    @property
    def is_refused(self) -> bool:
        """Return whether the draw got nothing."""
        return self.first_unit == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedUnit:
    """The unit that an entry has by its position."""

    lane: LaneNumber
    unit: UnitNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A batch on record: `IBuildLog.Record`.

    Args:
        log: The log, from 1; log 0 holds ticks only.
        seq: The number of the record in its log, from 0.
        first_index: The index of its first entry in the log.
        count: How many entries; 0 only for ticks.
        time: Block seconds.
        parent: Hash of the block before.
        root: RFC 9162 root of the entries' leaf data.
        grants: What the draws got, lying over the batch from its first entry on.
    """

    log: LogNumber
    seq: Seq
    first_index: Index
    count: int
    time: int
    parent: Bytes32
    root: Digest
    grants: tuple[Grant, ...] = ()

    def __post_init__(self) -> None:
        if self.count > COUNT_MAX or len(self.grants) > DRAWS_MAX:
            message = f"A record has at most {COUNT_MAX} entries and {DRAWS_MAX} grants."
            raise MalformedRecordError(message, count=self.count, grants=len(self.grants))
        if sum(grant.n for grant in self.grants) > self.count or not self._has_sound_grants():
            message = f"The grants do not lie inside the record's {self.count} entries."
            raise MalformedRecordError(message, count=self.count)

    def encode(self) -> bytes:
        """Return `abi.encode(Record)`.

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        words = (
            abi.uint(self.log, 40),
            abi.uint(self.seq, 40),
            abi.uint(self.first_index, 64),
            abi.uint(self.count, 40),
            abi.uint(self.time, 40),
            abi.bytes32(self.parent),
            abi.bytes32(self.root),
        )
        return abi.dynamic_struct(words, abi.array([_grant_words(g) for g in self.grants]))

    def digest(self) -> Digest:
        """Return what the chain keeps: keccak256(abi.encode(Record)).

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        return keccak256(self.encode())

    def index_of(self, position: int) -> Index:
        """Return the index in the log of the entry at ``position``."""
        return Index(self.first_index + position)

    def grant_at(self, position: int) -> Grant | None:
        """Return the grant, refused or not, that lies over ``position``."""
        offset = 0
        for grant in self.grants:
            if offset <= position < offset + grant.n:
                return grant
            offset += grant.n
        return None

    def unit_at(self, position: int) -> GrantedUnit | None:
        """Return the unit of the entry at ``position``; None where nothing was granted."""
        offset = 0
        for grant in self.grants:
            if not grant.is_refused and offset <= position < offset + grant.n:
                unit = UnitNumber(grant.first_unit + position - offset)
                return GrantedUnit(lane=grant.lane, unit=unit)
            offset += grant.n
        return None

    def _has_sound_grants(self) -> bool:
        return all(grant.n > 0 and grant.lane > 0 for grant in self.grants)


def _grant_words(grant: Grant) -> bytes:
    return b"".join(abi.uint(value, 40) for value in (grant.lane, grant.n, grant.first_unit))
