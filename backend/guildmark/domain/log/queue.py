"""An operator's own log before it is public: accepted entries, batches, outcomes."""

from dataclasses import dataclass, field
from enum import StrEnum

from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    Seq,
    UnitNumber,
)
from guildmark.domain.log.entry import Entry


class BuildState(StrEnum):
    """What became of an accepted envelope so far."""

    ACCEPTED = "accepted"
    INCLUDED = "included"
    FINAL = "final"
    REFUSED = "refused"
    ERASED = "erased"
    """Of a final entry, its content gone: its place, machine and counter stay taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """An accepted envelope and the entry that commits to it.

    Args:
        number: Its place in the order of acceptance, 0 before it is stored.
        envelope: The DSSE envelope, bytes as received.
        digest: SHA-256 of the envelope.
        payload: What tells duplicates: SHA-256 of the statement; of a receipt, the request's id.
        lane: The lane that it draws from, 0 for what draws nothing.
        label: The part's label; of a receipt, its license.
        counter: The machine's counter, 0 where it has none.
    """

    number: int = 0
    envelope: bytes
    digest: Digest
    payload: Digest
    entry: Entry
    salt: Bytes32
    lane: LaneNumber
    label: str
    counter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An accepted entry that is in no batch: what a batch needs to know of it.

    Args:
        number: Its place in the order of acceptance.
        lane: The lane that it draws from, 0 for what draws nothing.
        leaf: The data of its leaf.
    """

    number: int
    lane: LaneNumber
    leaf: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What a batch asks of a lane."""

    lane: LaneNumber
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries in the order of their positions, and the place that they are to take in the log.

    Args:
        number: The batch's own number, 0 before it is stored; no two share one, not even with a
            dropped one.
        entries: The numbers of its queued entries; those that draw come first, lane by lane.
    """

    number: int = 0
    log: LogNumber
    seq: Seq
    root: Digest
    draws: tuple[Draw, ...]
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a final record gave the entry at one position.

    Args:
        unit: The granted unit.
        code: Why none was granted.
    """

    index: Index
    unit: UnitNumber | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What became of an envelope: the answer that its sender gets."""

    digest: Digest
    label: str
    lane: LaneNumber
    state: BuildState
    log: LogNumber | None = None
    seq: Seq | None = None
    index: Index | None = None
    unit: UnitNumber | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands in the way of further builds: accepted, and not refused since; or replaceable.

    Args:
        payloads: By the digest of their statement.
        counters: By machine and counter.
        labels: By label.
        refused: What drew no unit, by machine and counter: envelopes that may be replaced.
    """

    payloads: dict[Digest, Build] = field(default_factory=dict)
    counters: dict[tuple[IdentityId, int], Build] = field(default_factory=dict)
    labels: dict[str, Build] = field(default_factory=dict)
    refused: dict[tuple[IdentityId, int], set[Digest]] = field(default_factory=dict)

    def take(self, entry: Queued) -> Build:
        """Let an entry stand in the way of those behind it, and return its build."""
        build = Build(
            digest=entry.digest, label=entry.label, lane=entry.lane, state=BuildState.ACCEPTED
        )
        self.payloads[entry.payload] = build
        if entry.entry.kind.is_counted:
            self.counters[entry.entry.machine, entry.counter] = build
            self.labels[entry.label] = build
        return build


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An entry at its final position."""

    queued: Queued
    log: LogNumber
    seq: Seq
    position: int
    build: Build
