"""What came out, what was told, and where the two differ."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import reports
from demo import cast
from demo.aftermath import Aftermath
from demo.customer import Verdict
from demo.making import Part
from demo.qualifying import DRIFTING, TOLD, Qualified
from demo.rogue import ALTERED, NOT_LOGGED, OVER_QUOTA, UNREGISTERED
from demo.scene import Scene
from demo.workshop import CHOICES, Workshop
from guildmark.adapters.chain.rpc import Rpc, quantity
from guildmark.domain.chain.facts import NO_LOG
from guildmark.domain.identifiers import LaneNumber, to_hex
from guildmark.services.index.projection import record_of
from guildmark.services.release.receipts import verified

EQUIVALENCE = 9
REFUSAL = "license.quotaExceeded"

# Exit code and lowest failed check of each bad part.
_BAD: Mapping[str, tuple[int, int]] = MappingProxyType(
    {ALTERED: (12, 2), UNREGISTERED: (16, 1), OVER_QUOTA: (18, 6), NOT_LOGGED: (19, 3)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A batch on record: one transaction."""

    operator: str
    name: str
    tx: str
    size: int
    gas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that the report and the summary tell."""

    qualified: Qualified
    suspended: Mapping[str, str]
    parts: Sequence[Part]
    anchors: Sequence[Anchor]
    receipts: int
    refusal: str
    materialise_gas: int
    verified: Sequence[Verdict]
    bad: Sequence[Verdict]
    aftermath: Aftermath

    def report(self, *, seconds: float) -> dict[str, Any]:
        """Return build/demo/report.json."""
        return {
            "commit": reports.commit(),
            "seconds": seconds,
            "parts": len(self.parts),
            "nodes": len(cast.OPERATORS),
            "anchors": [
                {"operator": one.operator, "tx": one.tx, "size": one.size, "gas": one.gas}
                for one in self.anchors
            ],
            "receipts": self.receipts,
            "equivalence": {
                "simulated": True,
                "certificates": [asdict(row) for row in self.qualified.rows],
                "equalWhenRunAgain": self.qualified.digests_equal,
                "suspended": dict(self.suspended),
            },
            "materialiseGas": self.materialise_gas,
            "verified": [
                {"part": one.of, "over": one.way, "exit": one.exit, "checks": one.checks}
                for one in self.verified
            ],
            "aftermath": {
                "recalled": {
                    "part": self.aftermath.recalled.of,
                    "exit": self.aftermath.recalled.exit,
                },
                "closedRecallStays": self.aftermath.stays,
                "secondClaim": {"exit": self.aftermath.second},
            },
            "bad": [{"case": one.of, "exit": one.exit, "failed": one.failed} for one in self.bad],
        }

    def untold(self) -> Iterator[str]:
        """Yield what is not as told."""
        units = sorted(part.unit for part in self.parts)
        if units != list(range(1, cast.UNITS + 1)):
            yield f"The parts have the units {units}, not 1 to {cast.UNITS} once each."
        if sum(anchor.size for anchor in self.anchors) != cast.UNITS:
            yield "The batches do not hold the sixty parts and nothing else."
        if self.receipts != len(cast.OPERATOR_OF_SITE):
            yield f"The keys were released {self.receipts} times, not once a site."
        if self.refusal != REFUSAL:
            yield f"The 61st was refused with {self.refusal}, not with {REFUSAL}."
        if len({verdict.of for verdict in self.verified}) != len(CHOICES):
            yield "Not every customised part was verified."
        yield from self._untold_good()
        yield from self._untold_sites()
        yield from self._untold_bad()
        yield from self.aftermath.untold()

    def _untold_good(self) -> Iterator[str]:
        for verdict in self.verified:
            if verdict.exit:
                yield f"Part {verdict.of}, {verdict.way}, ended with {verdict.exit}."
            if {"check": EQUIVALENCE, "state": "ok"} not in verdict.checks:
                yield f"Part {verdict.of}, {verdict.way}: check ({EQUIVALENCE}) did not pass."

    def _untold_sites(self) -> Iterator[str]:
        found = {site: tuple(verdicts) for site, verdicts in self.qualified.told().items()}
        if found != TOLD:
            yield f"The sites were certified {found}."
        if not self.qualified.digests_equal:
            yield "A plan that was run again gave another result."
        if set(self.suspended) != {DRIFTING}:
            yield f"Suspended were {sorted(self.suspended)}, not site {DRIFTING} alone."

    def _untold_bad(self) -> Iterator[str]:
        if {verdict.of for verdict in self.bad} != set(_BAD):
            yield "Not every bad part was verified."
        for verdict in self.bad:
            found = (verdict.exit, verdict.failed[0]["check"] if verdict.failed else None)
            if found != _BAD[verdict.of]:
                yield f"{verdict.of}: exit and lowest failed check are {found}."


def anchors(scene: Scene, lanes: Collection[LaneNumber]) -> Sequence[Anchor]:
    """Return the batches on record so far that draw from lanes, with what each cost."""
    ledger = scene.designer.home.ledger
    events = ledger.events(0, ledger.head(final=True).number)
    appended = [event for event in events if event.name == "RecordAppended"]
    operators = {operator.log: operator for operator in scene.operators}
    with Rpc(url=scene.casting.chain.url) as rpc:
        return [
            Anchor(
                operator=to_hex(operators[record.log].party.id),
                name=operators[record.log].party.name,
                tx=to_hex(event.transaction),
                size=record.count,
                gas=_gas(rpc, event.transaction),
            )
            for event in appended
            # Batches of receipts draw nothing; those that compare sites have lanes of their own.
            if (record := record_of(event)).log != NO_LOG
            and any(one.lane in lanes for one in record.grants)
        ]


def receipts(scene: Scene, workshops: Sequence[Workshop]) -> int:
    """Return how many releases of keys are on record, the proof of each receipt checked."""
    ledger, node = scene.designer.home.ledger, scene.nodes[0]
    proofs = [node.receipt_proof(workshop.request) for workshop in workshops]
    return len({verified(proof, ledger).request for proof in proofs})


def _gas(rpc: Rpc, transaction: bytes) -> int:
    return quantity(rpc.call("eth_getTransactionReceipt", to_hex(transaction))["gasUsed"])
