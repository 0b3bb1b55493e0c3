"""An agent beside a machine of the small world, with the world's own node at the other end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fakes.world import MACHINE, World, make_world
from guildmark.adapters.fieldwork.database import AgentDatabase
from guildmark.adapters.fieldwork.sealing import FileSealer
from guildmark.adapters.peers.client import PeerRefusedError
from guildmark.domain.builds.predicate import Measurement, Setting
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    Cid,
    Digest,
    IdentityId,
    KeyId,
    LaneNumber,
    LogNumber,
    SiteRecipeId,
    to_hex,
)
from guildmark.domain.log.queue import Build
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.fieldwork import Brief, Post
from guildmark.domain.shopfloor.jobs import (
    Gap,
    JobEvent,
    JobPhase,
    Observation,
    Piece,
    Sample,
    Trace,
)
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.briefing import Briefing, Question
from guildmark.services.log.ingest import Answer, Ingest
from guildmark.services.shopfloor.attesting import Attesting
from guildmark.services.shopfloor.sending import Sending
from guildmark.services.shopfloor.storing import Storing
from guildmark.services.shopfloor.watching import Watching

PRINTER = "printer"
CURSOR_SIZE = 8


@dataclass
class SetClock:
    """A clock that stands where it is set."""

    time: int

    def now(self) -> int:
        return self.time


@dataclass
class ScriptedMachine:
    """A machine that tells what a test gave it, each step once a cursor."""

    steps: list[Observation] = field(default_factory=list)

    def tell(
        self,
        *events: JobEvent,
        samples: Sequence[Sample] = (),
        gaps: Sequence[Gap] = (),
        traces: Sequence[Trace] = (),
    ) -> None:
        cursor = (len(self.steps) + 1).to_bytes(CURSOR_SIZE, "big")
        told = Observation(cursor=cursor, events=events, samples=tuple(samples))
        self.steps.append(replace(told, gaps=tuple(gaps), traces=tuple(traces)))

    def poll(self, cursor: bytes) -> Observation:
        seen = int.from_bytes(cursor, "big") if cursor else 0
        return self.steps[seen] if seen < len(self.steps) else Observation.nothing(cursor)

    def close(self) -> None:
        """Hold nothing."""


@dataclass
class WorldNode:
    """The world's node as an agent asks it; it may be away, and answers may get lost."""

    world: World
    is_away: bool = False
    loses_answers: int = 0
    instead: Sequence[Mapping[str, Any]] | None = None
    failure: GuildmarkError | None = None
    contents: list[bytes] = field(default_factory=list)

    @property
    def ingest(self) -> Ingest:
        return self.world.tools.ingest(self.world.log)

    def brief(
        self, machine: IdentityId, *, key: KeyId, lane: LaneNumber, site_recipe: SiteRecipeId
    ) -> Brief:
        self._check()
        question = Question(machine=machine, key=key, lane=lane, site_recipe=site_recipe)
        return Briefing(store=self.world.tools.store).brief(question)

    def submit(self, envelopes: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        self._check()
        if self.instead is not None:
            return self.instead
        answers = [self._item(answer) for answer in self.ingest.receive(envelopes)]
        if self.loses_answers:
            self.loses_answers -= 1
            message = "The answer is lost."
            raise PeerUnavailableError(message)
        return answers

    def build(self, digest: Digest) -> Mapping[str, Any]:
        self._check()
        if self.failure is not None:
            raise self.failure
        with self.world.tools.store.reading() as view:
            found = view.log.build(digest)
        if found is None:
            message = "No such build."
            raise PeerRefusedError(message, status=404, reason="build.unknown")
        return _build(found)

    def disclose(self, kind: DocumentKind, key: bytes, body: bytes) -> None:
        self._check()
        if self.failure is not None:
            raise self.failure
        self.world.tools.disclosing.receive(kind, key, body)

    def put_content(self, chunks: Iterable[bytes]) -> Cid:
        self._check()
        self.contents.append(b"".join(chunks))
        return Cid(f"cid-{len(self.contents)}")

    def settle(self) -> None:
        """Let the node's line work until nothing is open."""
        line = self.world.tools.line(self.world.log)
        for _ in range(4):
            line.step()

    def _check(self) -> None:
        if self.is_away:
            message = "The node does not answer."
            raise PeerUnavailableError(message)

    def _item(self, answer: Answer) -> Mapping[str, Any]:
        error = answer.error
        return {
            "digest": to_hex(answer.digest),
            "reception": answer.reception.value,
            "code": None if error is None else error.code,
            "reason": None if error is None else error.message,
            "build": None if answer.build is None else _build(answer.build),
        }


@dataclass
class OtherNode(WorldNode):
    """The node of another log of the same chain: it never had an envelope of the world's."""

    log: LogNumber = LogNumber(2)  # noqa: RUF009 - a number

    @property
    def ingest(self) -> Ingest:
        store = self.world.tools.store.without_log()
        return Ingest(store=store, entropy=self.world.tools.entropy, log=self.log)

    def build(self, digest: Digest) -> Mapping[str, Any]:
        message = f"No such build: {to_hex(digest)}."
        raise PeerRefusedError(message, status=404, reason="build.unknown")


def _build(build: Build) -> Mapping[str, Any]:
    return {
        "state": build.state.value,
        "unit": build.unit,
        "index": build.index,
        "code": build.code,
    }


@dataclass
class Field:
    """An agent, its machine, and the node that it sends to."""

    world: World
    folder: Path
    clock: SetClock
    node: WorldNode
    machine: ScriptedMachine
    store: AgentDatabase
    post: Post

    @property
    def watching(self) -> Watching:
        return Watching(store=self.store, clock=self.clock, entropy=self.world.tools.entropy)

    @property
    def attesting(self) -> Attesting:
        return Attesting(store=self.store, builds=self.world.tools.builds, clock=self.clock)

    @property
    def sending(self) -> Sending:
        return Sending(
            store=self.store, node=self.node, keys=self.world.tools.keys, clock=self.clock
        )

    @property
    def storing(self) -> Storing:
        entropy = self.world.tools.entropy
        return Storing(
            store=self.store,
            node=self.node,
            sealer=FileSealer(entropy=entropy),
            entropy=entropy,
        )

    def work(self) -> None:
        """Do what an agent does in a turn, errors and all."""
        self.sending.inform(self.post)
        self.watching.observe(self.post, self.machine)
        self.attesting.mend(self.post)
        self.attesting.sign(self.post)
        self.sending.send()
        self.sending.follow()

    def begin(self, job: str, *, ago: int = 0) -> None:
        event = JobEvent(job=job, phase=JobPhase.STARTED, at=self.clock.time - ago)
        self.machine.tell(event)

    def finish(self, job: str, *pieces: Piece) -> None:
        """Let a job end; one good piece came out where none is named."""
        event = JobEvent(
            job=job,
            phase=JobPhase.FINISHED,
            at=self.clock.time,
            file=Digest(sha256(b"job")),
            pieces=pieces or (self.piece(),),
        )
        self.machine.tell(event)

    def piece(self, bore: str = "22.20") -> Piece:
        measured = Measurement(
            characteristic=ClausePath("/tolerance/bore"),
            value=bore,
            unit="mm",
            instrument=to_hex(self.world.instrument),
        )
        return Piece(measurements=(measured,))


SETTINGS = (
    Setting(path=ClausePath("/process/layer_height"), value="0.36", unit="mm"),
    Setting(path=ClausePath("/process/nozzle"), value="0.8", unit="mm"),
)


def post_of(world: World, **changes: Any) -> Post:
    """Return the world's machine as its owner set it up."""
    members: dict[str, Any] = {
        "name": PRINTER,
        "machine": world.machine,
        "key": MACHINE,
        "lane": world.lane,
        "site_recipe": world.site_recipe,
        "host": "parts.example",
        "settings": SETTINGS,
        "delay": 60,
    }
    return Post(**(members | changes))


def make_field(world: World, folder: Path, **changes: Any) -> Field:
    """Put an agent beside the world's machine."""
    return Field(
        world=world,
        folder=folder,
        clock=SetClock(world.beacon.time + 30),
        node=WorldNode(world),
        machine=ScriptedMachine(),
        store=AgentDatabase(folder / "agent.db"),
        post=post_of(world, **changes),
    )


@contextmanager
def opened_field(folder: Path) -> Iterator[Field]:
    """Put an agent beside the machine of a world whose documents the node was shown."""
    world = make_world()
    world.disclose()
    made = make_field(world, folder)
    yield made
    made.store.close()
