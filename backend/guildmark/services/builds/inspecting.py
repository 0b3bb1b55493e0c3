"""Inspections: signed by an instrument, taken into a log, found again for the part's bundle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.inspection import (
    INSPECTION_PREDICATE_TYPE,
    PROOF_LIMITS,
    Inspection,
    InspectionProof,
    Result,
    inspection_in,
)
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.builds.statement import PAYLOAD_TYPE
from guildmark.domain.chain.facts import NO_LANE, KeyFact, LogFact, ParentFact, RecordFact
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import NotFoundError, NotLoggedError, RevokedError, UntrustedError
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, LogNumber, to_hex
from guildmark.domain.identity.identity import key_id
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.queue import Build, Queued
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.ports.clock import Entropy
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, NodeStore, View
from guildmark.services.builds.builds import signing_key
from guildmark.services.index.projection import known
from guildmark.services.log.proving import TREES

INSPECTION_LABEL = "urn:guildmark:inspection:"
"""With it begins what the inspections of a build are found by: no part's label."""

KEPT_MAX = 16
"""How many inspections of one build a node keeps that stand in other logs."""

_PREDICATE_TYPE = INSPECTION_PREDICATE_TYPE.encode()
_SALT_SIZE = 32
_KEPT_LIMITS = Limits(size=KEPT_MAX * PROOF_LIMITS.size, depth=8)


class InspectionLogError(NotLoggedError):
    """An inspection counts in another log than this node runs."""

    code = "inspection.otherLog"
    hint = "Send it to the node of the log that it names, or sign it for this one."


class InspectedUnknownError(NotFoundError):
    """An inspection is about a build that is not final in this node's log."""

    code = "inspection.buildUnknown"
    hint = "Wait until the build is final; log inspections of other logs' parts in your own log."


class OwnInspectionError(UntrustedError):
    """The maker inspects its own part."""

    code = "inspection.ownPart"
    hint = "Let another organization inspect it."


class InspectorKeyError(RevokedError):
    """The key of the inspection is not a good one of its instrument."""

    code = "inspection.keyNotGood"
    hint = "Sign with a key of the instrument that has not ended and is under no notice."


class InspectorLinkError(UntrustedError):
    """The instrument does not belong to the site and the organization that inspect."""

    code = "inspection.notLinked"
    hint = "Link the instrument to its site, and the site to its organization, then inspect."


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an inspector found of a part.

    Args:
        part: The part's log entry.
        log: The log in which the inspection is to count.
        inspected_on: When, by the inspector's clock.
    """

    part: Entry
    result: Result
    log: LogNumber
    inspected_on: int
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspecting:
    """Use cases around inspecting others' parts."""

    keys: KeyStore
    entropy: Entropy
    store: NodeStore

    def sign(self, found: Found, *, machine: IdentityId, key: KeyName) -> bytes:
        """Return the envelope of an inspection, signed with the key of an instrument.

        Raises:
            InspectorLinkError: The instrument belongs to no site, or the site to nobody.
            OwnInspectionError: The part is the inspector's own.
            KeyMissingError: There is no such key.
            KeyPurposeError: It signs nothing.
        """
        with self.store.reading() as view:
            site = _parent(machine, view)
            inspector = _parent(site, view)
        inspection = Inspection(
            subject=found.part.subject,
            envelope=found.part.envelope,
            result=found.result,
            inspector=inspector,
            site=site,
            machine=machine,
            log=found.log,
            inspected_on=found.inspected_on,
            salt=Bytes32(self.entropy.token(_SALT_SIZE)),
            measurements=found.measurements,
        )
        _check_other(inspection, found.part)
        signer = key_id(machine, signing_key(self.keys, key))
        return Envelope.sign(
            inspection.encode(),
            payload_type=PAYLOAD_TYPE,
            signers={signer: lambda payload: self.keys.sign_payload(key, payload)},
        ).encode()


def is_inspection(envelope: Envelope) -> bool:
    """Return whether an envelope says that it holds an inspection.

    Raises:
        JsonError: It may, and its payload is outside the input profile.
    """
    # Builds are many: a search for bytes costs them less than a second look at their document.
    if _PREDICATE_TYPE not in envelope.payload:
        return False
    return parse_object(envelope.payload).get("predicateType") == INSPECTION_PREDICATE_TYPE


def admitted(
    data: bytes, envelope: Envelope, salt: Bytes32, *, view: View, log: LogNumber
) -> Queued:
    """Return the entry that an inspection's envelope may be logged as.

    Raises:
        MalformedError: It does not follow its format.
        GuildmarkError: The first thing that does not hold; its code says which.
    """
    said = inspection_in(envelope)
    if said.log != log:
        message = f"The inspection counts in log {said.log}, this is log {log}."
        raise InspectionLogError(message, expected=log, found=said.log)
    _check_key(envelope, said, view)
    for child, parent in ((said.machine, said.site), (said.site, said.inspector)):
        if _parent(child, view) != parent:
            message = f"{to_hex(child)} does not belong to {to_hex(parent)}."
            raise InspectorLinkError(message, child=to_hex(child), parent=to_hex(parent))
    _check_build(said, view, log)
    digest = envelope_digest(data)
    return Queued(
        envelope=data,
        digest=digest,
        payload=sha256(envelope.payload),
        entry=said.entry(digest),
        salt=salt,
        lane=NO_LANE,
        label=inspection_label(said.envelope),
        counter=0,
    )


def inspection_label(build: Digest) -> str:
    """Return what the inspections of a build are found by in a node's own log."""
    return INSPECTION_LABEL + to_hex(build)


def inspection_proof(build: Build, view: View) -> InspectionProof | None:
    """Return an inspection of this node's own log at its place, None where it is not final."""
    if build.log is None or build.index is None:
        return None
    logged = view.log.logged(build.log, build.index)
    if logged is None or logged.queued.entry.kind is not EntryKind.INSPECTION:
        return None
    record = known(view.facts, RecordFact, logged.log, logged.seq).record
    return InspectionProof(
        envelope=logged.queued.envelope,
        salt=logged.queued.salt,
        record=record,
        position=logged.position,
        path=TREES.path(record, logged.position, view.log),
    )


def proofs_of(build: Digest, view: View) -> Sequence[InspectionProof]:
    """Return all inspections of a build that this node knows, those of one inspector together.

    Whoever passed a part and failed it later is not to be shown by halves; the inspector who was
    first stands first.
    """
    own = (inspection_proof(one, view) for one in view.log.labelled(inspection_label(build)))
    kept = kept_proofs(view.documents.get(DocumentKind.INSPECTION, build))
    found = sorted(
        dict.fromkeys([*(one for one in own if one is not None), *kept]),
        key=lambda one: (one.record.time, one.record.log, one.record.index_of(one.position)),
    )
    first = list(dict.fromkeys(_inspector(one) for one in found))
    return sorted(found, key=lambda one: first.index(_inspector(one)))


def telling(
    proofs: Sequence[InspectionProof], inspectors: Sequence[IdentityId], limit: int
) -> Sequence[InspectionProof]:
    """Return those of many inspections that tell most: all of them, where there is room.

    Else of each inspector those that count, `_counting`; whom the asker lists goes first, then who
    found that the part failed.
    """
    if len(proofs) <= limit:
        return proofs
    by_inspector: dict[IdentityId, list[InspectionProof]] = {}
    for one in proofs:
        by_inspector.setdefault(_inspector(one), []).append(one)
    kept = [(inspector, _counting(each)) for inspector, each in by_inspector.items()]
    kept.sort(key=lambda pair: (pair[0] not in inspectors, not _has_failed(pair[1])))
    return [one for _, each in kept for one in each][:limit]


def _counting(proofs: Sequence[InspectionProof]) -> Sequence[InspectionProof]:
    """Return an inspector's last word that the part failed, else the first that it passed.

    What passed after it failed is shown with that: a reader sees both.
    """
    ordered = sorted(proofs, key=lambda one: one.record.time)
    failed = [at for at, one in enumerate(ordered) if _has_failed([one])]
    return ordered[failed[-1] :][:2] if failed else ordered[:1]


def _has_failed(proofs: Sequence[InspectionProof]) -> bool:
    return any(one.opened()[1].result is Result.FAILED for one in proofs)


def kept_proofs(body: bytes | None) -> Iterator[InspectionProof]:
    """Yield the inspections that a node kept of other logs."""
    if body is not None:
        yield from codec.load(_Kept, parse_object(body, _KEPT_LIMITS)).proofs


def keeping(body: bytes | None, proof: InspectionProof) -> bytes:
    """Return what a node keeps of a build's inspections, with one more; the oldest go first."""
    proofs = tuple(dict.fromkeys([*kept_proofs(body), proof]))
    return canonical(codec.dump(_Kept(proofs=proofs[-KEPT_MAX:])))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """Inspections of one build that stand in other logs."""

    proofs: tuple[InspectionProof, ...]


def _inspector(proof: InspectionProof) -> IdentityId:
    return proof.opened()[1].inspector


def _check_key(envelope: Envelope, said: Inspection, view: View) -> None:
    keys = [view.facts.get(KeyFact, one.key) for one in envelope.signatures]
    good = [
        key
        for key in keys
        if key and key.machine == said.machine and not key.until and not key.notice_at
    ]
    if not good:
        message = f"No good key of instrument {to_hex(said.machine)} signed."
        raise InspectorKeyError(message, machine=to_hex(said.machine))
    envelope.verify(
        {
            key.id: PublicKey(algorithm=Algorithm(key.algorithm), data=key.public_key).verify
            for key in good
        }
    )


def _check_build(said: Inspection, view: View, log: LogNumber) -> None:
    """Refuse what is about no part of this log, unless its operator inspects elsewhere himself."""
    build = view.log.build(said.envelope)
    final = None if build is None or build.index is None else view.log.logged(log, build.index)
    if final is not None and final.queued.entry.subject == said.subject:
        _check_other(said, final.queued.entry)
    elif known(view.facts, LogFact, log).operator != said.inspector:
        message = f"The build {to_hex(said.envelope)} is no final one of log {log}."
        raise InspectedUnknownError(message, build=to_hex(said.envelope), log=log)


def _check_other(said: Inspection, part: Entry) -> None:
    if said.inspector == part.maker:
        message = f"The part is the inspector's own: {to_hex(part.maker)} made it."
        raise OwnInspectionError(message, maker=to_hex(part.maker))


def _parent(child: IdentityId, view: View) -> IdentityId:
    found = view.facts.get(ParentFact, child)
    if found is None or not any(found.parent):
        message = f"{to_hex(child)} belongs to nobody."
        raise InspectorLinkError(message, child=to_hex(child))
    return found.parent
