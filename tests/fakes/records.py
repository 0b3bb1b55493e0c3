"""Records of logs put into an index by hand: as many as a test wants, without their entries."""

from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Digest, Index, LogNumber, Seq
from guildmark.domain.log.record import Record
from guildmark.ports.store import NodeStore


def record(log: int, seq: int, *, mark: bytes = b"") -> Record:
    """Return record ``seq`` of a log with one entry a record; another mark gives another one."""
    return Record(
        log=LogNumber(log),
        seq=Seq(seq),
        first_index=Index(seq),
        count=1,
        time=1_700_000_000 + seq,
        parent=Bytes32(bytes(32)),
        root=Digest(sha256(b"%d %d" % (log, seq) + mark)),
    )


def grow(store: NodeStore, log: int, size: int, *, since: int = 0) -> list[Record]:
    """Let an index know the records of a log up to ``size``; return the new ones."""
    made = [record(log, seq) for seq in range(since, size)]
    with store.writing() as work:
        work.facts.put(*(RecordFact(record=one, block=one.seq) for one in made))
    return made
