"""A licensed site with lanes on a log of its own, and the peers' account on the same chain."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from bench.chain import open_chain
from bench.sender import Sender
from bench.tokens import PlainToken
from guildmark.adapters.chain.rpc import Rpc
from guildmark.bootstrap import Home
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import NO_LOG, LaneFact
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import (
    UINT40_MAX,
    Address,
    Bytes32,
    DesignId,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    PartId,
    Seq,
    Uint256,
    UnitNumber,
)
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.record import Grant, Record
from guildmark.domain.rights.terms import Terms
from guildmark.domain.verification.evidence import Core
from guildmark.ports.chain import Block, Call, TransactionStatus
from guildmark.ports.keys import KeyName
from guildmark.services.index.projection import record_of
from guildmark.services.rights.designs import SourceFile

ACCOUNT = KeyName("account")
BUYER = Address(keccak256(b"buyer")[12:])
LANES = 10

_RIVAL = KeyName("rival")
_UNITS = 10**9


class NotLandedError(Exception):
    """A transaction whose cost the chain does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """A batch on record.

    Args:
        record: The record as the domain expects it.
        gas: What the transaction used.
        same_answer: Whether event and storage of the chain agree with that record.
    """

    record: Record
    gas: int
    same_answer: bool


@dataclass(slots=True, kw_only=True)
class Workshop:
    """What the gas benchmarks act with; one account has all roles but the buyer's.

    Args:
        next_units: The next unit of each lane.
        token: The plain token.
        rival: Who deploys and uses the peers.
    """

    home: Home
    log: LogNumber
    next_units: dict[LaneNumber, UnitNumber]
    token: PlainToken
    rival: Sender

    @property
    def lanes(self) -> Sequence[LaneNumber]:
        """Return the lanes of the log."""
        return list(self.next_units)

    def append(self, root: Digest, count: int, draws: Mapping[LaneNumber, int]) -> Appended:
        """Put a batch on record and compare what the chain made of it."""
        head = self._read(ContractName.LOG, "head", self.log)
        seq, first = Seq(head["seq"]), Index(head["size"])
        status = self.home.account(ACCOUNT).call(
            *(ContractName.LOG, "append", self.log, seq, count, root, tuple(draws.items())),
            once=f"{self.log}:{seq}",
        )
        block, gas = _landed(status)
        record = Record(
            log=self.log,
            seq=seq,
            first_index=first,
            count=count,
            time=block.time,
            parent=Bytes32(self.home.ledger.block(block.number - 1).hash),
            root=root,
            grants=tuple(self._granted(lane, n) for lane, n in draws.items()),
        )
        same = record_of(status.event("RecordAppended")) == record
        kept = self._read(ContractName.LOG, "recordDigest", self.log, seq)
        same_answer = same and kept == record.digest()
        return Appended(record=record, gas=gas, same_answer=same_answer)

    def materialise(self, core: Core, *, to: Address) -> tuple[int, bool]:
        """Return the gas, and whether the token that the domain names is then his."""
        status = self.home.parts(ACCOUNT).materialise(core, to=to)
        pin = self.home.ledger.pin()
        part = PartId(
            chain_id=pin.chain_id,
            build_log=pin.contracts[ContractName.LOG].address,
            log=core.record.log,
            index=core.index,
        )
        _, gas = _landed(status)
        return gas, self._read(ContractName.PARTS, "ownerOf", part.token_id) == to

    def _granted(self, lane: LaneNumber, n: int) -> Grant:
        first = self.next_units[lane]
        self.next_units[lane] = UnitNumber(first + n)
        return Grant(lane=lane, n=n, first_unit=first)

    def _read(self, contract: ContractName, function: str, *args: int) -> Any:
        return self.home.ledger.read(Call(contract=contract, function=function, args=args))


@contextlib.contextmanager
def open_workshop(name: str) -> Iterator[Workshop]:
    """Start a chain, register everybody, grant a license and cut its lanes."""
    with open_chain(name, [ACCOUNT, _RIVAL]) as home, Rpc(url=home.settings.chain.url) as rpc:
        chain_id = home.ledger.pin().chain_id
        sender = Sender(rpc=rpc, chain_id=chain_id, keys=home.keys, key=_RIVAL)
        sender.check_gas_cap()
        log, lanes = _licensed_log(home)
        yield Workshop(
            home=home,
            log=log,
            next_units={lane.number: lane.first for lane in lanes},
            token=PlainToken.deploy(sender),
            rival=sender,
        )


def _landed(status: TransactionStatus) -> tuple[Block, int]:
    if status.block is None or status.gas_used is None:
        message = f"{status.id} is in no block."
        raise NotLandedError(message)
    return status.block, status.gas_used


def _licensed_log(home: Home) -> tuple[LogNumber, Sequence[LaneFact]]:
    identities = home.identities(ACCOUNT)
    maker = identities.register(IdentityKind.ORGANIZATION, {"name": "Maker"})
    site = identities.register(IdentityKind.SITE, {"name": "Site"})
    log = home.logs(ACCOUNT).open(maker, home.keys.address(ACCOUNT))
    drawing = SourceFile(name="part.stl", media_type="model/stl", content=BytesIO(b"solid"))
    design = home.designs(ACCOUNT).register([drawing])
    lane = _granted_lane(home, design, maker)
    return log, list(_cut(home, lane, log, site))


def _granted_lane(home: Home, design: DesignId, holder: IdentityId) -> LaneFact:
    known = home.ledger.read(Call(contract=ContractName.DESIGNS, function="design", args=(design,)))
    terms = Terms(
        design=design,
        design_epoch=known["epoch"],
        units=_UNITS,
        holder=holder,
        not_before=0,
        not_after=0,
        notice=0,
        terms_root=sha256(b"terms"),
        offer_until=UINT40_MAX,
        nonce=Uint256(0),
    )
    licenses = home.licenses(ACCOUNT)
    granted = licenses.grant(licenses.sign(terms, licensor=ACCOUNT))
    return LaneFact(
        number=granted.lane,
        license=granted.number,
        first=UnitNumber(1),
        next=UnitNumber(1),
        end=UnitNumber(1 + _UNITS),
        log=NO_LOG,
        holder=holder,
    )


def _cut(home: Home, lane: LaneFact, log: LogNumber, site: IdentityId) -> Iterator[LaneFact]:
    """Cut equal lanes of the site's off the license's first lane, from its end on."""
    share = _UNITS // LANES
    for _ in range(LANES):
        number = home.licenses(ACCOUNT).split(lane, share, log=log, to=site)
        first = UnitNumber(lane.end - share)
        yield replace(lane, number=number, first=first, next=first, log=log, holder=site)
        lane = replace(lane, end=first)
