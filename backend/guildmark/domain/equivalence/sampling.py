"""Samples that nobody can choose: which of a site's units a plan draws.

All of it follows from records that the chain keeps, so that whoever has them draws the same units.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Bytes32,
    EquivalencePlanId,
    IdentityId,
    LaneNumber,
    LogNumber,
)
from guildmark.domain.log.positions import Place
from guildmark.domain.log.record import Record

_DRAW_TAG = b"guildmark/equivalence/draw/v1"
_NUMBER_SIZE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The units that a sample is drawn from, in the order in which they were logged.

    Args:
        places: Log and index of each.
        closing: The record that holds the last of them.
    """

    places: tuple[Place, ...]
    closing: Record


def population(
    records: Iterable[Record], lanes: Collection[LaneNumber], *, after: int, size: int
) -> Population | None:
    """Return the first units of some lanes that were logged after a time, None while too few are.

    Args:
        records: All records of the logs that draw from the lanes, in any order.
        lanes: The lanes.
        after: Records of this block time and before do not count.
        size: How many units, at least one.
    """
    found = list(islice(granted(records, lanes, after=after), size))
    if len(found) < size:
        return None
    return Population(places=tuple(place for place, _ in found), closing=found[-1][1])


def granted(
    records: Iterable[Record], lanes: Collection[LaneNumber], *, after: int
) -> Iterator[tuple[Place, Record]]:
    """Yield the units of some lanes that were logged after a time, in their order.

    Args:
        records: All records of the logs that draw from the lanes, in any order.
        lanes: The lanes.
        after: Records of this block time and before do not count.
    """
    yield from _units(sorted((one for one in records if one.time > after), key=_when), lanes)


def tick_that_draws(ticks: Iterable[Record], closing: Record) -> Record | None:
    """Return the second tick after a record, None before there is one: its `parent` draws.

    Ticks have different times, so that its block is at least the second after the record's, and
    the block before it was not known to whoever wrote the record.
    """
    times = sorted((one for one in ticks if one.time > closing.time), key=_when)
    return next((one for one in times if one.time > times[0].time), None)


def drawn(
    places: Iterable[Place], seed: Bytes32, plan: EquivalencePlanId, site: IdentityId
) -> Sequence[Place]:
    """Return units in the order in which they are drawn: any first ones are a random sample.

    Ascending by SHA-256(tag || seed || plan || site || log in eight bytes || index in eight bytes).
    """
    head = _DRAW_TAG + seed + plan + site
    return sorted(places, key=lambda place: sha256(head + b"".join(map(_number, place))))


def place_name(place: Place) -> str:
    """Return what a drawn unit is called: its log and its index, as commands name parts."""
    log, index = place
    return f"{log}.{index}"


def _units(
    records: Iterable[Record], lanes: Collection[LaneNumber]
) -> Iterator[tuple[Place, Record]]:
    for record in records:
        offset = 0
        for grant in record.grants:
            if not grant.is_refused and grant.lane in lanes:
                for position in range(offset, offset + grant.n):
                    yield (record.log, record.index_of(position)), record
            offset += grant.n


def _when(record: Record) -> tuple[int, LogNumber, int]:
    return record.time, record.log, record.seq


def _number(value: int) -> bytes:
    return value.to_bytes(_NUMBER_SIZE, "big")
