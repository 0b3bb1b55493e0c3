"""Proof codes of logs of any size: the paths are real, the leaves beside them made up."""

from dataclasses import replace

from fakes.notes import cosignature, key
from fakes.simulator import Simulator
from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.identifiers import Bytes32, Digest, Index, Seq
from guildmark.domain.labels.proof import ProofCode, WitnessSignature
from guildmark.domain.log.note import NoteKind
from guildmark.domain.log.record import Grant, Record
from guildmark.domain.trust import Trust, Witness
from guildmark.domain.verification.evidence import Core

WITNESSES = ("w1", "w2", "w3")


def siblings(index: int, count: int, *, seed: int) -> tuple[Digest, ...]:
    """Return as many made-up hashes as lead from a place to the root (RFC 9162, 2.1.3.2)."""
    inner = (index ^ count - 1).bit_length()
    length = inner + (index >> inner).bit_count()
    return tuple(Digest(bytes([seed + at]) * 32) for at in range(length))


def proof_code(
    *, records: int = 5, count: int = 8, witnesses: tuple[str, ...] = WITNESSES[:1]
) -> ProofCode:
    """Return a signed code of the simulator's entry, a third of the way into log and record."""
    simulator = Simulator()
    core = simulator.make_core()
    seq, position = records // 3, count // 3
    (grant,) = core.record.grants[-1:] or (Grant(lane=1, n=1, first_unit=1),)  # type: ignore[arg-type]  # numbers
    record: Record = replace(
        core.record,
        seq=Seq(seq),
        first_index=Index(seq * count),
        count=count,
        root=Digest(bytes(32)),
        grants=(replace(grant, n=count),),
    )
    path = siblings(position, count, seed=1)
    code = of_core(replace(core, record=record, position=position, path=path), records=records)
    return signed(code, simulator.pin, *witnesses)


def of_core(core: Core, *, records: int) -> ProofCode:
    """Return a code of an entry in a log of so many records; nobody signed it."""
    return ProofCode(
        bare=replace(core.record, root=Digest(bytes(32))),
        entry=core.entry,
        salt=Bytes32(core.salt),
        position=core.position,
        path=tuple(core.path),
        size=records,
        record_path=siblings(core.record.seq, records, seed=100),
        signatures=(),
    )


def signed(code: ProofCode, pin: ChainPin, *witnesses: str) -> ProofCode:
    """Return a code with the signatures of witnesses over its checkpoint."""
    text = code.checkpoint(pin).text()
    made = []
    for name in witnesses:
        line = cosignature(name, text=text)
        made.append(WitnessSignature(key=line.key, time=line.time, value=line.value[8:]))
    return replace(code, signatures=tuple(made))


def pinning(*witnesses: str, quorum: int = 1) -> Trust:
    """Return the simulator's reader, who pins witnesses."""
    pinned = tuple(Witness(key=key(name).of_kind(NoteKind.NOTE).encode()) for name in witnesses)
    return replace(Simulator().trust(), witnesses=pinned, quorum=quorum if pinned else 0)
