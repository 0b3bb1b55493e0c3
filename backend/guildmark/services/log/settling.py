"""What a final record means for the batch that was to become it."""

import logging
from collections.abc import Sequence

from guildmark.domain.chain.facts import LaneFact, LicenseFact, LicenseNumberFact
from guildmark.domain.log.queue import Batch, Outcome
from guildmark.domain.log.record import Grant, Record
from guildmark.domain.rights.metering import DrawRefusedError, check_draw
from guildmark.domain.rights.terms import NO_LICENSE
from guildmark.ports.facts import Facts
from guildmark.ports.store import Work
from guildmark.services.index.projection import known
from guildmark.services.log.sequencing import batch_of

_logger = logging.getLogger(__name__)


def settle(record: Record, work: Work) -> None:
    """Give the open batch's entries what ``record``, of this node's own log, gave them.

    A record that this node did not make (its writer key was used elsewhere) takes the place of the
    batch that was to stand there: its entries wait again. One that the entries which waited longest
    make was made by this node, before its database was an older one: they have it.
    """
    batch = work.log.open_batch() or _forgotten(record, work)
    if batch is not None and _is_of(record, batch):
        work.log.settle_batch(batch, _outcomes(record, work.facts))
        return
    _logger.warning("record %d of log %d is not of this node", record.seq, record.log)
    if batch is not None and record.seq == batch.seq:
        work.log.reopen_batch(batch)


def _forgotten(record: Record, work: Work) -> Batch | None:
    """Close the batch of this record again, where the node was restored from a backup."""
    waiting = work.log.waiting(record.count)
    if waiting and _is_of(record, made := batch_of(waiting, record.log, record.seq)):
        work.log.close_batch(made)
        return work.log.open_batch()
    return None


def _is_of(record: Record, batch: Batch) -> bool:
    place = (record.log, record.seq, record.root, record.count)
    return place == (batch.log, batch.seq, batch.root, len(batch.entries))


def _outcomes(record: Record, facts: Facts) -> Sequence[Outcome]:
    codes = {
        grant: _refusal(grant, record.time, facts) for grant in record.grants if grant.is_refused
    }
    return [_outcome(record, position, codes) for position in range(record.count)]


def _outcome(record: Record, position: int, codes: dict[Grant, str]) -> Outcome:
    index = record.index_of(position)
    granted = record.unit_at(position)
    if granted is not None:
        return Outcome(index=index, unit=granted.unit)
    grant = record.grant_at(position)
    return Outcome(index=index, code=None if grant is None else codes[grant])


def _refusal(grant: Grant, time: int, facts: Facts) -> str:
    """Return the code of the reason for which the contract refused this draw."""
    lane = known(facts, LaneFact, grant.lane)
    try:
        check_draw(lane, licenses_of(lane, facts), n=grant.n, time=time)
    except DrawRefusedError as refused:
        return refused.code
    # The facts show no reason; the contract still refused.
    return DrawRefusedError.code


def licenses_of(lane: LaneFact, facts: Facts) -> Sequence[LicenseFact]:
    """Return the lane's license, then each license above it.

    Raises:
        FactMissingError: No event granted one of them.
    """
    found = [known(facts, LicenseFact, lane.license)]
    while found[-1].terms.parent != NO_LICENSE:
        number = known(facts, LicenseNumberFact, found[-1].terms.parent).number
        found.append(known(facts, LicenseFact, number))
    return found
