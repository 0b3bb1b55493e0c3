"""Inspections: what an instrument says about a part that somebody else built."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from guildmark.domain.builds.dependencies import NO_DEPENDENCIES
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.in_toto import StatementForm
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.builds.statement import PAYLOAD_TYPE
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    ZERO32,
    Bytes32,
    Digest,
    IdentityId,
    LogNumber,
    SiteRecipeId,
)
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.record import Record

INSPECTION_PREDICATE_TYPE = "https://guildmark.org/inspection/v1"
PROOF_LIMITS = Limits(size=1 << 19, depth=6, values=2_000)

_FORM = StatementForm(
    predicate_type=INSPECTION_PREDICATE_TYPE,
    subject_name="part",
    limits=Limits(size=1 << 17, depth=8, values=2_000),
)


class InspectionMalformedError(MalformedError):
    """An inspection with a number that nothing has, or with one characteristic twice."""

    code = "inspection.malformed"
    hint = "Let the program make the inspection again."


class InspectionTypeError(MalformedError):
    """An envelope that holds something else than an inspection."""

    code = "inspection.payloadType"
    hint = "Name the envelope that the inspector signed."


class Result(Enum):
    """What an inspector found."""

    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What an inspector's instrument says about one part and the build that it confirms.

    Args:
        subject: The part, as its log entry names it.
        envelope: Digest of the build's envelope: the inspection is about no other build.
        result: What was found.
        inspector: The organization that inspects.
        site: Its site.
        machine: Its instrument, whose key signs.
        log: The only log in which the inspection counts.
        inspected_on: When, by the inspector's own clock.
        salt: 32 random bytes: two inspections are never one.
        measurements: What was measured.
    """

    subject: Digest
    envelope: Digest
    result: Result
    inspector: IdentityId
    site: IdentityId
    machine: IdentityId
    log: LogNumber
    inspected_on: int
    salt: Bytes32 = field(repr=False)
    measurements: tuple[Measurement, ...] = ()

    def __post_init__(self) -> None:
        named = [one.characteristic for one in self.measurements]
        if not (0 < self.log <= UINT40_MAX and 0 <= self.inspected_on <= UINT40_MAX):
            message = "A number of the inspection is out of range."
            raise InspectionMalformedError(message)
        if len(set(named)) != len(named):
            message = "The inspection measures a characteristic twice."
            raise InspectionMalformedError(message)

    def entry(self, envelope: Digest) -> Entry:
        """Return the log entry of the inspection, given its own envelope's digest."""
        return Entry(
            kind=EntryKind.INSPECTION,
            subject=self.subject,
            envelope=envelope,
            site_recipe=SiteRecipeId(ZERO32),
            machine=self.machine,
            maker=self.inspector,
            dependencies=NO_DEPENDENCIES,
        )

    def encode(self) -> bytes:
        """Return the inspection as an in-toto statement: the payload of its envelope."""
        return _FORM.write(self)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the inspection that a payload holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            SubjectMismatchError: The predicate is about another part than the subject.
        """
        return _FORM.read(cls, data)


def inspection_in(envelope: Envelope) -> Inspection:
    """Return the inspection in an envelope; its signatures are not looked at.

    Raises:
        MalformedError: It does not follow its format.
        InspectionTypeError: The envelope holds something else.
    """
    envelope.check_type(PAYLOAD_TYPE, "inspection", InspectionTypeError)
    return Inspection.parse(envelope.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionProof(Document):
    """An inspection at its place in a log.

    Args:
        envelope: The inspection's envelope, bytes as received.
        salt: The salt of its log entry.
        record: The record that holds the entry; its digest is on chain.
        position: The entry's place in the record.
        path: The way from the entry to the record's root.
    """

    LIMITS = PROOF_LIMITS

    envelope: bytes
    salt: Bytes32 = field(repr=False)
    record: Record
    position: int
    path: tuple[Digest, ...]

    def opened(self) -> tuple[Envelope, Inspection, Entry]:
        """Return what is signed, what it says, and the log entry that commits to it.

        Raises:
            MalformedError: The envelope holds no inspection.
        """
        envelope = Envelope.parse(self.envelope)
        inspection = inspection_in(envelope)
        return envelope, inspection, inspection.entry(envelope_digest(self.envelope))
