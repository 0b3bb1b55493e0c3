"""Builds: what a machine says about a part, signed with the machine's own key."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from guildmark.domain.builds.delivery import Delivery, seal
from guildmark.domain.builds.dependencies import NO_DEPENDENCIES, Declaration, Dependency
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.predicate import (
    Beacon,
    ExternalParameters,
    Measurement,
    Resource,
    RunDetails,
    Setting,
    SignerRole,
)
from guildmark.domain.builds.statement import (
    DESIGN_DEPENDENCY,
    JOB_DEPENDENCY,
    PAYLOAD_TYPE,
    SETTINGS_DEPENDENCY,
    BuildStatement,
)
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, KeyId
from guildmark.domain.identity.identity import key_id
from guildmark.domain.recall import Thing
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.verification.checks.recipe import settings_digest
from guildmark.ports.clock import Entropy
from guildmark.ports.keys import KeyName, KeyPurposeError, KeyStore

_SALT_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a machine was told to build, and where it counts: equal for all parts of a run.

    Args:
        ciphertext: Digest of the revision's encrypted files.
        job: SHA-256 of the job file.
        settings: The settings of the job file.
    """

    external: ExternalParameters
    maker: IdentityId
    site: IdentityId
    machine: IdentityId
    ciphertext: Digest
    job: Digest
    settings: tuple[Setting, ...]
    firmware: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What came out of the machine: one part.

    Args:
        label: The part's label.
        counter: The machine's counter.
        beacon: The newest final record that was known when the job began.
        simulated: Whether the values are simulated.
        technician: The pseudonym of the person at the machine.
        is_late_report: Whether nobody saw the job begin.
        byproducts: What came out beside the part.
        replaces: The envelope of the same counter that this one takes the place of.
        scrap: Why the unit became no part; None where it became one.
        declared: What only the maker knows that the part could be recalled by.
    """

    label: str
    counter: int
    beacon: Beacon
    started_on: int
    finished_on: int
    measurements: tuple[Measurement, ...]
    simulated: bool = False
    technician: str | None = None
    is_late_report: bool = False
    byproducts: tuple[Resource, ...] = ()
    replaces: Digest | None = None
    scrap: str | None = None
    declared: Declaration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """Use cases around what machines sign.

    Args:
        shown: Where settings and measured values are salted: paths, and beginnings of paths, of
            those that everybody may see. None: they stand in the statement.
    """

    keys: KeyStore
    entropy: Entropy
    shown: tuple[str, ...] | None = None

    def state(self, assignment: Assignment, finished: Finished) -> BuildStatement:
        """Return the statement about a part, under a fresh salt."""
        run = RunDetails(
            maker=assignment.maker,
            site=assignment.site,
            machine=assignment.machine,
            counter=finished.counter,
            started_on=finished.started_on,
            finished_on=finished.finished_on,
            technician=finished.technician,
            is_late_report=finished.is_late_report,
        )
        return BuildStatement(
            label=finished.label,
            salt=self._salt(),
            signer_role=SignerRole.MACHINE,
            external=assignment.external,
            run=run,
            beacon=finished.beacon,
            resolved=_resolved(assignment),
            settings=assignment.settings,
            firmware=assignment.firmware,
            measurements=finished.measurements,
            simulated=finished.simulated,
            byproducts=finished.byproducts,
            replaces=finished.replaces,
            scrap=finished.scrap,
            dependencies=(
                NO_DEPENDENCIES if finished.declared is None else finished.declared.root()
            ),
        )

    def declare(self, things: Sequence[Thing]) -> Declaration | None:
        """Return what a maker declares of one part, under fresh salts; None where it is nothing.

        Raises:
            DeclarationSizeError: It is more than is read.
        """
        declared = tuple(
            Dependency(thing=one, salt=Bytes32(self.entropy.token(_SALT_SIZE)))
            for one in dict.fromkeys(things)
        )
        return Declaration(dependencies=declared) if declared else None

    def scrapped(self, statement: BuildStatement, reason: str) -> BuildStatement:
        """Return what a machine signs where a stated unit became no part, under a fresh salt.

        What the part would have been and had is left out.
        """
        return replace(
            statement,
            salt=self._salt(),
            measurements=(),
            byproducts=(),
            dependencies=NO_DEPENDENCIES,
            scrap=reason,
        )

    def attest(self, statement: BuildStatement, *, key: KeyName) -> bytes:
        """Return a statement for its log, signed with a machine's key; it says what holds it.

        Where values are salted, each gets a fresh salt, and what opens them stands beside the
        envelope. What was salted before stays so.

        Raises:
            KeyMissingError: There is no such key.
            PasswordWrongError: Its file does not open.
            KeyPurposeError: It signs nothing.
        """
        signer = key_id(statement.run.machine, signing_key(self.keys, key))
        said, values = replace(statement, key_holder=self.keys.holder(key)), None
        if self.shown is not None or said.roots is not None:
            said, values = seal(said, self._salt, self.shown or ())
        envelope = self._sign(said, key, signer).encode()
        return Delivery(envelope=envelope, values=values).encode()

    def countersign(self, data: bytes, *, machine: IdentityId, key: KeyName) -> bytes:
        """Return a delivery whose envelope has one more signature, of another machine's key.

        It belongs to whoever inspects beside the machine, before the envelope is logged.

        Raises:
            MalformedError: The bytes hold no envelope of a build.
            MalformedEnvelopeError: The key signed already, or too many did.
            KeyMissingError: There is no such key.
            KeyPurposeError: It signs nothing.
        """
        delivery = Delivery.parse(data)
        envelope = Envelope.parse(delivery.envelope)
        BuildStatement.parse(envelope.payload)
        signer = key_id(machine, signing_key(self.keys, key))
        second = Envelope.sign(
            envelope.payload,
            payload_type=envelope.payload_type,
            signers={signer: lambda payload: self.keys.sign_payload(key, payload)},
        )
        both = (*envelope.signatures, *second.signatures)
        signed = replace(envelope, signatures=both).encode()
        return replace(delivery, envelope=signed).encode()

    def _salt(self) -> Bytes32:
        return Bytes32(self.entropy.token(_SALT_SIZE))

    def _sign(self, statement: BuildStatement, key: KeyName, signer: KeyId) -> Envelope:
        return Envelope.sign(
            statement.encode(),
            payload_type=PAYLOAD_TYPE,
            signers={signer: lambda payload: self.keys.sign_payload(key, payload)},
        )


def _resolved(assignment: Assignment) -> tuple[Resource, ...]:
    return (
        Resource(name=DESIGN_DEPENDENCY, digest=assignment.ciphertext),
        Resource(name=JOB_DEPENDENCY, digest=assignment.job),
        Resource(name=SETTINGS_DEPENDENCY, digest=settings_digest(assignment.settings)),
    )


def signing_key(keys: KeyStore, name: KeyName) -> PublicKey:
    """Return a key as it is registered for a machine.

    Raises:
        KeyMissingError: There is no such key.
        KeyPurposeError: It signs nothing.
    """
    key = keys.public_key(name)
    algorithms = {algorithm.name.lower(): algorithm for algorithm in Algorithm}
    algorithm = algorithms.get(key.algorithm.value)
    if algorithm is None:
        message = f"{name} is a {key.algorithm} key, which signs nothing."
        raise KeyPurposeError(message, name=name)
    return PublicKey(algorithm=algorithm, data=key.value)
