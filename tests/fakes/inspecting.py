"""An inspector's own world: what he signs, where it is logged, and what the chain holds of it."""

from dataclasses import dataclass, field, replace
from typing import Any

from fakes import simulator as sim
from fakes.simulator import LOGGED, REGISTERED, Signer, Simulator, salt
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.inspection import Inspection, InspectionProof, Result
from guildmark.domain.builds.statement import PAYLOAD_TYPE
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import Location
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, Index, LogNumber, Seq
from guildmark.domain.identity.identity import IdentityKind, key_id
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.record import Record
from guildmark.domain.verification.evidence import InspectionDisclosure, LinkDisclosure

INSPECTOR, LABORATORY, PROBE = (
    sim.identity("inspector"),
    sim.identity("laboratory"),
    sim.identity("probe"),
)
INSPECTED = LOGGED + 20
"""When the inspection is on record, where a test does not say otherwise."""


@dataclass
class Inspecting:
    """One inspection of the simulator's part; change a field, then let it be shown."""

    simulator: Simulator
    said: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    signer: Signer = field(default_factory=lambda: Signer("probe"))
    payload: bytes | None = None

    def inspection(self) -> Inspection:
        entry = self.simulator.make_core().entry
        default = Inspection(
            subject=entry.subject,
            envelope=entry.envelope,
            result=Result.PASSED,
            inspector=INSPECTOR,
            site=LABORATORY,
            machine=PROBE,
            log=LogNumber(6),
            inspected_on=INSPECTED - 5,
            salt=salt("inspection"),
        )
        return replace(default, **self.said)

    def disclosure(self) -> InspectionDisclosure:
        said = self.inspection()
        payload = said.encode() if self.payload is None else self.payload
        name = key_id(PROBE, self.signer.public)
        signers = {name: self.signer.sign}
        envelope = Envelope.sign(payload, payload_type=PAYLOAD_TYPE, signers=signers).encode()
        leaf = said.entry(envelope_digest(envelope)).leaf_data(salt("inspection entry"))
        tree = MerkleTree([bytes(Digest(sha256(b"before"))), leaf])
        default_record = Record(
            log=LogNumber(6),
            seq=Seq(2),
            first_index=Index(10),
            count=2,
            time=INSPECTED,
            parent=Bytes32(sha256(b"parent of inspection")),
            root=tree.root(),
        )
        proof = InspectionProof(
            envelope=envelope,
            salt=salt("inspection entry"),
            record=replace(default_record, **self.record),
            position=1,
            path=tree.inclusion_path(1),
        )
        default = InspectionDisclosure(
            proof=replace(proof, **self.proof),
            key=self.signer.public,
            site_link=LinkDisclosure(child=PROBE, parent=LABORATORY, count=1),
            inspector_link=LinkDisclosure(child=said.site, parent=said.inspector, count=1),
        )
        return replace(default, **self.shown)

    def show(self, words: dict[Location, int] | None = None) -> InspectionDisclosure:
        """Let the bundle show the inspection, and the chain hold what it rests on."""
        shown = self.disclosure()
        record = shown.proof.record
        before = self.simulator.disclosed.get("inspections", ())
        self.simulator.disclosed["inspections"] = (*before, shown)
        held = {
            storage.RECORDS.at(record.log, record.seq): sim.as_int(record.digest()),
            storage.KEYS.at(key_id(PROBE, Signer("probe").public)): sim.key_word(REGISTERED),
            storage.LINK_COUNTS.at(PROBE, LABORATORY): 1,
            storage.LINKS.at(PROBE, LABORATORY, 1): sim.interval_word(REGISTERED),
            storage.LINK_COUNTS.at(LABORATORY, INSPECTOR): 1,
            storage.LINKS.at(LABORATORY, INSPECTOR, 1): sim.interval_word(REGISTERED),
            **_identities(),
        }
        self.simulator.words |= {**held, **self.simulator.words, **(words or {})}
        return shown


def _identities() -> dict[Location, int]:
    kinds: dict[IdentityId, IdentityKind] = {
        INSPECTOR: IdentityKind.ORGANIZATION,
        LABORATORY: IdentityKind.SITE,
        PROBE: IdentityKind.MACHINE,
    }
    return {storage.IDENTITIES.at(who): sim.identity_word(kind) for who, kind in kinds.items()}
