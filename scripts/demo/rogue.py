"""A rogue with the second operator's writer key: what it logs or forges, and how it shows it."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from demo import cast
from demo.actors import Disclosed
from demo.scene import Scene
from demo.workshop import Workshop
from guildmark.adapters.keys.keystore import password_from
from guildmark.bootstrap import Node, open_home, open_node
from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.statement import PAYLOAD_TYPE, BuildStatement
from guildmark.domain.builds.values import MeasurementsDisclosure, leaves_of, root_of
from guildmark.domain.identifiers import Bytes32, Digest, IdentityId, Index, to_hex
from guildmark.domain.identity.identity import key_id
from guildmark.domain.log.queue import Build, BuildState, Queued
from guildmark.domain.log.record import Record
from guildmark.domain.verification.evidence import Evidence
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.builds.builds import signing_key
from guildmark.services.log.admission import queued
from guildmark.settings import load, save

ALTERED = "altered"
UNREGISTERED = "unregistered"
OVER_QUOTA = "over-quota"
NOT_LOGGED = "not-logged"

_GHOST = KeyName("ghost")
_OTHER = "24.01"
_TRIES = 200
_PAUSE = 0.02


class RogueError(Exception):
    """The chain let the rogue have what it must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rogue:
    """A node in the name of an operator, with a door that lets everything in."""

    node: Node
    workshop: Workshop
    beacon: Record
    logged: dict[str, Build] = field(default_factory=dict)

    def log(self) -> None:
        """Log three bad builds in one batch; each draw is refused, each entry is on record."""
        made = {
            OVER_QUOTA: self._built(cast.UNITS_A_SITE + 1).encode(),
            ALTERED: self._altered(),
            UNREGISTERED: self._unregistered(),
        }
        entries = {case: self._entry(envelope) for case, envelope in made.items()}
        with self.node.home.store.writing() as work:
            for entry in entries.values():
                work.log.accept(entry)
        self.logged.update({case: self._settled(entry) for case, entry in entries.items()})

    def shown(self, *, block: int) -> Iterator[tuple[str, Evidence]]:
        """Yield what the rogue can show of each bad build."""
        for case, build in self.logged.items():
            yield case, self._evidence(build, block)

    def _evidence(self, build: Build, block: int) -> Evidence:
        if build.log is None or build.index is None:
            message = f"The rogue's build {build.label} has no place in the log."
            raise RogueError(message)
        return self.node.exporter.evidence(build.log, Index(build.index), block=block)

    def forge(self, honest: Evidence) -> Evidence:
        """Return evidence that puts a build which was never logged in an honest one's place."""
        entry = self._entry(self._built(cast.UNITS_A_SITE + 2).encode())
        core = replace(honest.core, envelope=entry.envelope, entry=entry.entry, salt=entry.salt)
        return replace(honest, core=core)

    def _altered(self) -> bytes:
        """Return a signed envelope with one measured value changed afterwards."""
        delivery = Delivery.parse(self.workshop.build(1, self.beacon))
        honest = Envelope.parse(delivery.envelope)
        statement = json.loads(honest.payload)
        said, values = statement["predicate"], delivery.values
        if values is None or values.measurements is None:
            said["measurements"][0]["value"] = _OTHER
        else:
            said["measurementsRoot"] = to_hex(_root_of_other(values.measurements))
        return replace(honest, payload=BuildStatement.parse(_dumped(statement)).encode()).encode()

    def _unregistered(self) -> bytes:
        """Return an envelope of a machine that nobody registered, signed with its own key."""
        keys = self.node.home.keys
        keys.create(_GHOST, KeyAlgorithm.SECP256K1)
        machine = IdentityId(self.node.home.entropy.token(32))
        statement = BuildStatement.parse(self._built(2).payload)
        ghostly = replace(statement, run=replace(statement.run, machine=machine))
        signer = key_id(machine, signing_key(keys, _GHOST))
        return Envelope.sign(
            ghostly.encode(),
            payload_type=PAYLOAD_TYPE,
            signers={signer: lambda payload: keys.sign_payload(_GHOST, payload)},
        ).encode()

    def _built(self, number: int) -> Envelope:
        """Return the envelope of a build; the rogue logs it without what opens its values."""
        return Envelope.parse(Delivery.parse(self.workshop.build(number, self.beacon)).envelope)

    def _entry(self, data: bytes) -> Queued:
        envelope = Envelope.parse(data)
        statement = BuildStatement.parse(envelope.payload)
        salt = Bytes32(self.node.home.entropy.token(32))
        return queued(data, envelope_digest(data), envelope, statement, salt)

    def _settled(self, entry: Queued) -> Build:
        for _ in range(_TRIES):
            self.node.line.step()
            with self.node.home.store.reading() as view:
                build = view.log.build(entry.digest)
            if build is not None and build.state is BuildState.REFUSED:
                return build
            if build is not None and build.state is BuildState.FINAL:
                message = f"{entry.label} got unit {build.unit}."
                raise RogueError(message)
            time.sleep(_PAUSE)
        message = f"{entry.label} was never put on record."
        raise RogueError(message)


def turn_rogue(
    scene: Scene, workshop: Workshop, beacon: Record, shown: Sequence[Disclosed]
) -> Rogue:
    """Return a rogue that holds a copy of the operator's keys and documents."""
    honest = load(workshop.operator.party.home.settings.home)
    folder = scene.stage.home("rogue")
    shutil.copytree(honest.keys, folder / "keys")
    settings = replace(honest, home=folder)
    save(settings)
    node = open_node(open_home(settings, password=password_from(settings.keys, {})))
    node.line.step()
    for kind, key, body in shown:
        node.home.disclosing.receive(kind, key, body)
    return Rogue(node=node, workshop=workshop, beacon=beacon)


def _root_of_other(measured: MeasurementsDisclosure) -> Digest:
    """Return the root over a part's measured values, one of them changed."""
    first, *others = measured.opened
    return root_of(leaves_of([replace(first, value=replace(first.value, value=_OTHER)), *others]))


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()
