"""Keys that were released against units that were drawn, per license: where the two differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from guildmark.domain.chain.facts import LaneFact, LicenseFact
from guildmark.domain.encoding.document import Document
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    ChainId,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
)
from guildmark.domain.rights.release import NO_MACHINE, REQUEST_LIMITS, ReleaseReceipt

QUERY_PAYLOAD_TYPE = "application/vnd.guildmark.reconciliation-query+json"
RECEIPT_DELAY = 3600
"""Seconds after which a receipt that is not on record yet was held back."""


class Difference(StrEnum):
    """Where releases and draws do not go together."""

    UNRELEASED = "drawnWithoutRelease"
    AFTER_STOP = "releasedAfterStop"
    LATE = "receiptLate"
    FOREIGN_LANE = "foreignLane"
    UNDRAWN = "releasedWithoutDraw"

    @property
    def is_alert(self) -> bool:
        """Return whether somebody must look: who has files and did not build yet is no alarm."""
        return self is not Difference.UNDRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationQuery(Document):
    """What a licensor signs to be shown the receipts of a license.

    Args:
        registry: The license registry.
        releaser: The operator of the node that is asked.
        block: A final block that is not older than the releaser allows.
        nonce: 32 random bytes.
    """

    LIMITS = REQUEST_LIMITS

    chain_id: ChainId
    registry: Address
    releaser: IdentityId
    license: LicenseId
    block: int
    block_hash: Digest
    nonce: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release whose receipt is on record.

    Args:
        recorded_at: The time of the record.
    """

    receipt: ReleaseReceipt
    recorded_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A lane: what its site was given to open, and what it drew.

    Args:
        units: How many units the lane has, 0 where it is no lane of the license.
        drawn: How many of them it drew.
        released: How often keys were released for it.
        first_at: When for the first time, 0 for never.
        last_at: When for the last time.
        machines: The machines that asked.
        releasers: The operators who released.
    """

    lane: LaneNumber
    site: IdentityId
    units: int
    drawn: int
    released: int
    first_at: int
    last_at: int
    machines: tuple[IdentityId, ...]
    releasers: tuple[IdentityId, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A license's releases against its draws.

    Args:
        stopped_at: When somebody stopped it for the first time, 0 for never.
    """

    license: LicenseId
    stopped_at: int
    rows: tuple[Row, ...]

    def count(self, difference: Difference) -> int:
        """Return how many rows show a difference."""
        return sum(difference in row.differences for row in self.rows)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Return the differences that there are."""
        return tuple(one for one in Difference if self.count(one))

    @property
    def alerts(self) -> tuple[Difference, ...]:
        """Return the differences that somebody must look at."""
        return tuple(one for one in self.differences if one.is_alert)


def reconcile(
    granted: LicenseFact, lanes: Sequence[LaneFact], releases: Sequence[Release]
) -> Reconciliation:
    """Return where the releases under a license and the draws of its lanes differ.

    Args:
        granted: The license.
        lanes: Its lanes.
        releases: The releases under it, of all releasers; one that is there twice counts once.
    """
    own = {lane.number: lane for lane in lanes}
    by_lane: dict[LaneNumber, list[Release]] = {}
    for release in _once(releases):
        by_lane.setdefault(release.receipt.lane, []).append(release)
    shown = {number for number, lane in own.items() if lane.drawn} | by_lane.keys()
    sites = {release.receipt.site for release in releases}
    rows = tuple(
        _row(granted, own.get(number), by_lane.get(number, []), sites) for number in sorted(shown)
    )
    return Reconciliation(license=granted.id, stopped_at=granted.stopped_at, rows=rows)


def _once(releases: Sequence[Release]) -> Sequence[Release]:
    found: Mapping[tuple[IdentityId, Digest], Release] = {
        (one.receipt.releaser, one.receipt.request): one for one in releases
    }
    return list(found.values())


def _row(
    granted: LicenseFact,
    lane: LaneFact | None,
    releases: Sequence[Release],
    sites: set[IdentityId],
) -> Row:
    receipts = [release.receipt for release in releases]
    times = [receipt.at for receipt in receipts]
    return Row(
        lane=receipts[0].lane if lane is None else lane.number,
        site=receipts[0].site if lane is None else lane.holder,
        units=0 if lane is None else lane.end - lane.first,
        drawn=0 if lane is None else lane.drawn,
        released=len(releases),
        first_at=min(times, default=0),
        last_at=max(times, default=0),
        machines=tuple(sorted({one.machine for one in receipts} - {NO_MACHINE})),
        releasers=tuple(sorted({one.releaser for one in receipts})),
        differences=tuple(_differences(granted, lane, releases, sites)),
    )


def _differences(
    granted: LicenseFact,
    lane: LaneFact | None,
    releases: Sequence[Release],
    sites: set[IdentityId],
) -> Iterator[Difference]:
    if lane is not None and lane.drawn and lane.holder not in sites:
        yield Difference.UNRELEASED
    if granted.stopped_at and any(one.receipt.at >= granted.stopped_at for one in releases):
        yield Difference.AFTER_STOP
    if any(one.recorded_at - one.receipt.at > RECEIPT_DELAY for one in releases):
        yield Difference.LATE
    if lane is None or any(one.receipt.site != lane.holder for one in releases):
        yield Difference.FOREIGN_LANE
    elif releases and not lane.drawn:
        yield Difference.UNDRAWN
