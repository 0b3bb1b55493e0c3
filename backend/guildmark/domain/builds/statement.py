"""The build statement: in-toto Statement v1 about one part, with a predicate in SLSA's terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self

from guildmark.domain.builds.dependencies import NO_DEPENDENCIES
from guildmark.domain.builds.predicate import (
    Beacon,
    ExternalParameters,
    KeyHolder,
    MalformedStatementError,
    Measurement,
    Resource,
    RunDetails,
    Setting,
    SignerRole,
    all_json,
    present,
    read_digest_set,
)
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue, Limits
from guildmark.domain.errors import NotLoggedError
from guildmark.domain.identifiers import Bytes32, Digest, to_hex
from guildmark.domain.log.entry import EntryKind

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://guildmark.org/build/v1"
SCRAP_PREDICATE_TYPE = "https://guildmark.org/scrap/v1"
SALTED_PREDICATE_TYPE = "https://guildmark.org/build/v2"
SALTED_SCRAP_PREDICATE_TYPE = "https://guildmark.org/scrap/v2"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_LIMITS = Limits(size=1 << 19, depth=8, values=20_000)

DESIGN_DEPENDENCY = "design"
JOB_DEPENDENCY = "job"
SETTINGS_DEPENDENCY = "settings"
"""The resolved dependency that commits to the settings of the job file, where they are in clear."""

_PREDICATE_TYPES = MappingProxyType(
    {
        (EntryKind.BUILD, False): PREDICATE_TYPE,
        (EntryKind.SCRAP, False): SCRAP_PREDICATE_TYPE,
        (EntryKind.BUILD, True): SALTED_PREDICATE_TYPE,
        (EntryKind.SCRAP, True): SALTED_SCRAP_PREDICATE_TYPE,
    }
)
_SCRAP_TYPES = frozenset({SCRAP_PREDICATE_TYPE, SALTED_SCRAP_PREDICATE_TYPE})
_SALTED_TYPES = frozenset({SALTED_PREDICATE_TYPE, SALTED_SCRAP_PREDICATE_TYPE})
_SUBJECT_TAG = b"guildmark/subject/v1"
LABEL_MAX = 400
REASON_MAX = 400


class SubjectMismatchError(NotLoggedError):
    """The subject's digest is not the salted digest of its label."""

    code = "statement.subjectMismatch"
    hint = "Have the machine's agent make the statement again."


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRoots:
    """What a statement says instead of its values: roots over salted leaves, each None for none.

    Args:
        settings: Root over the recorded settings.
        measurements: Root over the measured values.
    """

    settings: Digest | None = None
    measurements: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStatement:
    """What a machine says about one part that it built.

    Args:
        label: The part's label; only its salted digest becomes public.
        salt: 32 random bytes that salt the subject.
        signer_role: Who holds the key that signs.
        external: What the build was asked to be.
        run: Who built, where and when.
        beacon: The newest final record that the agent knew when the job began.
        settings: The machine's settings, in the order of their paths.
        firmware: The machine's firmware.
        resolved: What went in: the design's ciphertext ("design"), the job file ("job"), lots...
        byproducts: What came out beside the part: telemetry, images, scrap.
        measurements: The measured values.
        simulated: Whether values are simulated; said to every reader.
        dependencies: Root over the recall keys that only the maker knows.
        key_holder: What holds the key that signs, by the signer's own word.
        scrap: Why the unit became no part; None where it became one.
        replaces: Digest of an envelope of the same machine and counter that this one replaces.
        roots: What the payload says instead of settings and measurements; None where it says
            them. With roots, what is known of the values came beside the payload.
    """

    label: str
    salt: Bytes32 = field(repr=False)
    signer_role: SignerRole
    external: ExternalParameters
    run: RunDetails
    beacon: Beacon
    resolved: tuple[Resource, ...]
    settings: tuple[Setting, ...] = ()
    firmware: str | None = None
    byproducts: tuple[Resource, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    simulated: bool = False
    dependencies: Digest = NO_DEPENDENCIES
    replaces: Digest | None = None
    key_holder: KeyHolder | None = None
    scrap: str | None = None
    roots: ValueRoots | None = None

    def __post_init__(self) -> None:
        self._check_unique("setting", [one.path for one in self.settings])
        self._check_unique("measurement", [one.characteristic for one in self.measurements])
        self._check_unique("resolved dependency", [one.name for one in self.resolved])
        if self.resource(DESIGN_DEPENDENCY) is None:
            message = "The resolved dependencies do not name the design's ciphertext."
            raise MalformedStatementError(message, missing=DESIGN_DEPENDENCY)
        if self.roots is not None and self.resource(SETTINGS_DEPENDENCY) is not None:
            # Without a salt, few guesses would find what the root keeps.
            message = "A statement that commits to salted settings names no digest of them."
            raise MalformedStatementError(message, name=SETTINGS_DEPENDENCY)
        if self.scrap is not None:
            check_reason(self.scrap)

    @property
    def subject(self) -> Digest:
        """Return the salted digest by which the log knows the part."""
        return subject_digest(self.label, self.salt)

    @property
    def kind(self) -> EntryKind:
        """Return as what the log enters it."""
        return EntryKind.BUILD if self.scrap is None else EntryKind.SCRAP

    def resource(self, name: str) -> Digest | None:
        """Return the digest of what went in under a name, None where it is not claimed."""
        return next((one.digest for one in self.resolved if one.name == name), None)

    def committing(self, roots: ValueRoots) -> Self:
        """Return the same with roots for its values, and without the plain digest of settings."""
        resolved = tuple(one for one in self.resolved if one.name != SETTINGS_DEPENDENCY)
        return replace(self, roots=roots, resolved=resolved)

    def with_values(
        self, settings: tuple[Setting, ...], measurements: tuple[Measurement, ...]
    ) -> Self:
        """Return the same with values that its roots are known to commit to."""
        return replace(self, settings=settings, measurements=measurements)

    def encode(self) -> bytes:
        """Return the statement's canonical bytes: the payload of its envelope.

        Raises:
            NotCanonicalError: A text holds half of a surrogate pair.
        """
        subject: JsonObject = {"name": self.label, "digest": {"sha256": self.subject.hex()}}
        return canonical(
            {
                "_type": STATEMENT_TYPE,
                "subject": [subject],
                "predicateType": _PREDICATE_TYPES[self.kind, self.roots is not None],
                "predicate": self._predicate(),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the statement that a payload holds, bytes as signed.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A value is malformed, or parts contradict one another.
            SubjectMismatchError: The subject is not the salted digest of the label.
        """
        return read_document(data, cls._read, STATEMENT_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.constant("_type", STATEMENT_TYPE)
        kind = fields.text("predicateType")
        if kind not in _PREDICATE_TYPES.values():
            fields.refuse("predicateType", f"one of {', '.join(_PREDICATE_TYPES.values())}")
        subjects = fields.objects("subject", _read_subject)
        if len(subjects) != 1:
            fields.refuse("subject", "exactly one subject")
        label, digest = subjects[0]
        statement = fields.object(
            "predicate", lambda inner: cls._read_predicate(inner, label, kind)
        )
        if statement.subject != digest:
            message = "The subject's digest is not the salted digest of its label."
            raise SubjectMismatchError(message, subject=to_hex(digest))
        return statement

    @classmethod
    def _read_predicate(cls, fields: Fields, label: str, kind: str) -> Self:
        read = _salted_internal if kind in _SALTED_TYPES else _internal
        internal = fields.object("internalParameters", read)
        roots = internal.roots
        measured: tuple[Measurement, ...] = ()
        if roots is None:
            measured = fields.objects("measurements", Measurement.read)
        else:
            roots = replace(roots, measurements=fields.maybe("measurementsRoot", fields.digest))
        return cls(
            label=label,
            salt=fields.bytes32("salt"),
            signer_role=fields.named("signerRole", SignerRole),
            external=fields.object("externalParameters", ExternalParameters.read),
            run=fields.object("runDetails", RunDetails.read),
            beacon=fields.object("beacon", Beacon.read),
            resolved=fields.objects("resolvedDependencies", Resource.read),
            settings=internal.settings,
            firmware=internal.firmware,
            byproducts=fields.objects("byproducts", Resource.read),
            measurements=measured,
            simulated=fields.flag("simulated"),
            dependencies=fields.digest("dependencies"),
            replaces=fields.maybe("replaces", fields.digest),
            key_holder=fields.maybe("keyHolder", lambda name: fields.named(name, KeyHolder)),
            scrap=fields.text("reason", most=REASON_MAX) if kind in _SCRAP_TYPES else None,
            roots=roots,
        )

    def _predicate(self) -> JsonObject:
        settings, measurements = self._values()
        internal: Mapping[str, JsonValue] = {**settings, "firmware": self.firmware}
        members: Mapping[str, JsonValue] = {
            "salt": to_hex(self.salt),
            "signerRole": self.signer_role.value,
            "keyHolder": None if self.key_holder is None else self.key_holder.value,
            "externalParameters": self.external.to_json(),
            "internalParameters": present(internal),
            "resolvedDependencies": all_json(self.resolved),
            "runDetails": self.run.to_json(),
            "byproducts": all_json(self.byproducts),
            **measurements,
            "simulated": self.simulated,
            "beacon": self.beacon.to_json(),
            "dependencies": to_hex(self.dependencies),
            "replaces": None if self.replaces is None else to_hex(self.replaces),
            "reason": self.scrap,
        }
        return present(members)

    def _values(self) -> tuple[JsonObject, JsonObject]:
        """Return what the payload says of settings and of measurements."""
        if self.roots is None:
            return (
                {"settings": all_json(self.settings)},
                {"measurements": all_json(self.measurements)},
            )
        settings, measurements = self.roots.settings, self.roots.measurements
        return (
            {"settingsRoot": None if settings is None else to_hex(settings)},
            {"measurementsRoot": None if measurements is None else to_hex(measurements)},
        )

    def _check_unique(self, what: str, names: Sequence[str]) -> None:
        if len(set(names)) != len(names):
            message = f"A {what} is given twice."
            raise MalformedStatementError(message, what=what)


def check_reason(reason: str) -> None:
    """Check why something is scrap.

    Raises:
        MalformedStatementError: It is empty or too long.
    """
    if not 0 < len(reason) <= REASON_MAX:
        message = f"The reason of scrap has 1 to {REASON_MAX} characters."
        raise MalformedStatementError(message, length=len(reason))


def subject_digest(label: str, salt: Bytes32) -> Digest:
    """Return SHA-256("guildmark/subject/v1" || salt || label)."""
    return sha256(_SUBJECT_TAG + salt + label.encode())


def _read_subject(fields: Fields) -> tuple[str, Digest]:
    return fields.text("name", most=LABEL_MAX), fields.object("digest", read_digest_set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Internal:
    """What a statement says of the machine: its settings, or what commits to them."""

    settings: tuple[Setting, ...] = ()
    firmware: str | None
    roots: ValueRoots | None = None


def _internal(fields: Fields) -> _Internal:
    settings = fields.objects("settings", Setting.read)
    return _Internal(settings=settings, firmware=fields.maybe("firmware", fields.text))


def _salted_internal(fields: Fields) -> _Internal:
    roots = ValueRoots(settings=fields.maybe("settingsRoot", fields.digest))
    return _Internal(firmware=fields.maybe("firmware", fields.text), roots=roots)
