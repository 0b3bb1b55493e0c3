"""The chain that a node is on, and beacons for machines."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from guildmark.api.description import leads_to, refusals
from guildmark.api.serving import Node
from guildmark.domain.chain.facts import LogFact, RecordFact
from guildmark.domain.identifiers import to_hex
from guildmark.domain.log.record import Record
from guildmark.ports.facts import Facts
from guildmark.services.builds.assignments import RecordMissingError

router = APIRouter(prefix="/v1", tags=["chain"])


class Contract(BaseModel):
    """Where a contract is and which code it has."""

    address: str
    codeHash: str  # noqa: N815 - the name in JSON


class ChainAnswer(BaseModel):
    """The chain's pin, and the newest final block."""

    chainId: int  # noqa: N815 - the name in JSON
    genesis: str
    chainClass: str  # noqa: N815 - the name in JSON
    contracts: dict[str, Contract]
    block: int
    hash: str
    time: int


class BeaconAnswer(BaseModel):
    """The newest final record of any log: a statement that names it began after it."""

    log: int
    seq: int
    recordDigest: str = Field(description="keccak256(abi.encode(Record)).")  # noqa: N815
    time: int


@router.get(
    "/chain", summary="The chain's pin and newest final block", responses=refusals(400, 503)
)
def chain(node: Node) -> ChainAnswer:
    """Return what a reader compares with his own trust file; nothing here is to be believed."""
    pin, head = node.ledger.pin(), node.ledger.head(final=True)
    return ChainAnswer(
        chainId=pin.chain_id,
        genesis=to_hex(pin.genesis),
        chainClass=pin.chain_class.value,
        contracts={
            name.value: Contract(address=to_hex(one.address), codeHash=to_hex(one.code_hash))
            for name, one in pin.contracts.items()
        },
        block=head.number,
        hash=to_hex(head.hash),
        time=head.time,
    )


@router.get(
    "/beacon",
    summary="The newest final record",
    responses=refusals(400, 409, 503) | leads_to(200, "record", log="log", seq="seq"),
)
def beacon(node: Node) -> BeaconAnswer:
    """Return the record to name in the next statement."""
    with node.store.reading() as view:
        record = _newest(view.facts)
    return BeaconAnswer(
        log=record.log, seq=record.seq, recordDigest=to_hex(record.digest()), time=record.time
    )


def _newest(facts: Facts) -> Record:
    heads = facts.each(LogFact)
    records = [
        fact.record
        for head in heads
        if head.seq and (fact := facts.get(RecordFact, head.number, head.seq - 1)) is not None
    ]
    if not records:
        message = "This chain has no record yet."
        raise RecordMissingError(message)
    return max(records, key=lambda record: (record.time, record.log))
