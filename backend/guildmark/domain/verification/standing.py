"""Whether an entry stands where it is said to, by a record that the chain is known to hold."""

from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.identifiers import Index
from guildmark.domain.log.merkle import ProofError, verify_inclusion
from guildmark.domain.log.record import Record
from guildmark.domain.verification.evidence import Core


def stands(core: Core, record: Record, index: Index) -> bool:
    """Return whether a core is of this record and position, and its path and envelope fit."""
    if core.record != record or core.index != index:
        return False
    return envelope_digest(core.envelope) == core.entry.envelope and _is_in_log(core)


def _is_in_log(core: Core) -> bool:
    try:
        verify_inclusion(
            data=core.entry.leaf_data(core.salt),
            index=core.position,
            count=core.record.count,
            path=core.path,
            root=core.record.root,
        )
    except ProofError:
        return False
    return True
