"""One operator's node as several processes over one PostgreSQL: killed, and restarted in turn.

The processes are of two hosts: homes of their own with the same keys, that share the database and
a folder of content, and nothing else. Where that is possible each host has a name of its own, too.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import Any

import httpx
import pytest

import stages
from demo.actors import ACCOUNT, WRITER, Operator, Party
from demo.design import label_prefix
from demo.making import fresh_beacon, shown_by_site
from demo.stage import Stage
from demo.workshop import Workshop
from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.adapters.store.engine import open_database, reading
from guildmark.adapters.store.outbox import NONCES
from guildmark.adapters.store.places import DatabaseUrl
from guildmark.bootstrap import open_fsck, open_home
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.chain.facts import LaneFact, RecordFact
from guildmark.domain.identifiers import Bytes32, Uint256, UnitNumber, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.record import Record
from guildmark.domain.recipes.clauses import clause_root, disclose_all
from guildmark.domain.rights.terms import TermsKind, revision_member, terms_members
from guildmark.ports.keys import KeyAlgorithm
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import Assignment
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import DisclosedThingUnknownError, clauses_body
from guildmark.settings import ContentSettings, NodeSettings, Settings, load, save
from postgres_server import Postgres
from stages import Played

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil", "postgresql")]

PROCESSES = 3
UNITS = 3_000
BATCH = 4
PAUSE = 0.2
# Several processes start, sign and anchor at once: on a busy machine that takes its time.
PATIENCE = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Roaming(Workshop):
    """A site whose builds name no unit: processes take them in any order."""

    def _numbered(self, number: int) -> Assignment:
        del number
        return self.assignment


@dataclass(kw_only=True)
class Cluster:
    """The processes, by their addresses."""

    stage: Stage
    hosts: Sequence[Settings]
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    started: Iterator[int] = field(default_factory=count)

    @property
    def settings(self) -> Settings:
        return self.hosts[0]

    def start(self) -> str:
        """Start one more process at a port of its own, and return its address when it is ready."""
        number = next(self.started) % len(self.hosts)
        words = ["up", "--home", str(self.hosts[number].home), "--port", "0"]
        with (self.stage.folder / "logs" / "cluster.log").open("ab") as log:
            process = subprocess.Popen(
                [*apart(number), sys.executable, "-m", "guildmark", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http"), "it did not start; logs/cluster.log says why"
        with NodeClient(url) as client:
            until(client.is_ready)
        self.running[url] = process
        return url

    def kill(self, url: str) -> None:
        """End a process without a word."""
        process = self.running.pop(url)
        process.kill()
        process.communicate()

    def end(self, url: str) -> None:
        """End a process as an upgrade does."""
        process = self.running.pop(url)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0


def apart(number: int) -> list[str]:
    """Return what gives the processes of a further host that host's name, where this user may."""
    if not number or ran("unshare", "--uts", "true").returncode:
        return []
    return ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', f"host-{number}"]


def ran(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def played(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return stages.played(pytestconfig, lambda: tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="module")
def operator(played: Played, postgres: Postgres) -> Iterator[Operator]:
    """Return an operator of its own, whose home has its database on the server."""
    casting = played.scene.casting
    keys = dict.fromkeys((ACCOUNT, WRITER), KeyAlgorithm.SECP256K1)
    home = casting.home("cluster", keys)
    settings, password = home.settings, home.settings.keys / "password"
    home.close()
    content = ContentSettings(stores=(f"file:{settings.home.with_name('cluster-content')}",))
    shared = replace(settings, shared=postgres.copy(), stores=content)
    home = open_home(shared, password=lambda: password.read_text().strip())
    identity = home.identities(ACCOUNT).register(IdentityKind.ORGANIZATION, {"name": "Cluster"})
    log = home.logs(ACCOUNT).open(identity, home.keys.address(WRITER))
    node = NodeSettings(
        operator=identity,
        log=log,
        writer=WRITER,
        public_url="http://127.0.0.1:1",
        batch_seconds=0.2,
    )
    home.close()
    # What follows the chain for this home must know that it runs a log.
    save(replace(shared, node=node))
    home = open_home(load(shared.home), password=lambda: password.read_text().strip())
    yield Operator(
        party=Party(home=home, id=identity, name="Cluster"),
        log=log,
        label_host=played.scene.operators[1].label_host,
    )
    home.close()


@pytest.fixture(scope="module")
def cluster(played: Played, operator: Operator) -> Iterator[Cluster]:
    settings = operator.party.home.settings
    other = replace(settings, home=settings.home.with_name("cluster-2"))
    found = Cluster(stage=played.stage, hosts=[settings, other])
    try:
        # The first one makes what is missing of the keys; the second one gets a copy of them all.
        found.start()
        save(other)
        shutil.copytree(settings.keys, other.keys)
        for _ in range(PROCESSES - 1):
            found.start()
        yield found
    finally:
        for url in list(found.running):
            found.kill(url)


@pytest.fixture(scope="module")
def workshop(played: Played, operator: Operator, cluster: Cluster) -> Workshop:
    """Return a site with units enough on the cluster's log, which has seen all that it asks."""
    designer, site = played.scene.designer.home, played.workshops[1]
    licenses = designer.licenses(ACCOUNT)
    package = played.package
    members = terms_members(
        {
            TermsKind.REVISION: [revision_member(package.revision.design, package.revision.number)],
            TermsKind.RECIPE: [to_hex(package.recipe.id())],
            TermsKind.SITE: [to_hex(site.maker.site)],
            TermsKind.LABEL_NAMESPACE: [label_prefix(operator)],
        },
        new_salt=lambda: Bytes32(designer.entropy.token(32)),
    )
    root = clause_root(members)
    terms = replace(package.terms, units=UNITS, terms_root=root, nonce=Uint256(29))
    signed = licenses.sign(terms, licensor=ACCOUNT)
    granted = licenses.grant(signed)
    designer.indexing.follow()
    with designer.store.reading() as view:
        whole = known(view.facts, LaneFact, granted.lane)
    lane = licenses.split(whole, UNITS, log=operator.log, to=site.maker.site)
    external = replace(site.assignment.external, license=signed.id, lane=lane, log=operator.log)
    moved = replace(
        site,
        operator=operator,
        lane=lane,
        first_unit=UnitNumber(1),
        assignment=replace(site.assignment, external=external),
    )
    body = clauses_body(disclose_all(members))
    shown = [*played.scene.shown_by_all(), *shown_by_site(played.scene, moved, package)]
    # The package's own terms are of another license.
    shown = [each for each in shown if each[0] is not DocumentKind.TERMS]
    with NodeClient(next(iter(cluster.running))) as node:
        for each in [*shown, (DocumentKind.TERMS, bytes(signed.id), body)]:
            until(lambda each=each: is_disclosed(node, *each))  # type: ignore[misc]  # bound now
    return Roaming(**{one.name: getattr(moved, one.name) for one in fields(moved)})


def is_disclosed(node: NodeClient, kind: DocumentKind, key: bytes, body: bytes) -> bool:
    try:
        node.disclose(kind, key, body)
    except PeerRefusedError as refused:
        if refused.detail["reason"] != DisclosedThingUnknownError.code:
            raise
        return False
    return True


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


@dataclass(kw_only=True)
class Sender:
    """A client that sends builds one request after another, to whichever process answers."""

    cluster: Cluster
    make: Callable[[], list[bytes]]
    sent: list[bytes] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        for turn in count():
            if self.stopping.wait(PAUSE):
                return
            envelopes = self.make()
            self.refused += [
                dict(answer)
                for answer in self._answers(envelopes, turn)
                if answer["reception"] == "refused"
            ]
            self.sent += envelopes

    def _answers(self, envelopes: Sequence[bytes], turn: int) -> Sequence[Any]:
        deadline = time.monotonic() + PATIENCE
        for more in count(turn):
            urls = list(self.cluster.running)
            try:
                with NodeClient(urls[more % len(urls)]) as node:
                    return node.submit(envelopes)
            except (PeerUnavailableError, PeerRefusedError) as error:
                # Not now: what was sent may have been taken, and is sent again.
                if error.detail.get("status", 503) != 503 or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        raise AssertionError


@pytest.fixture
def under_load(
    played: Played, cluster: Cluster, workshop: Workshop
) -> Iterator[Callable[[], list[bytes]]]:
    """Let two clients send builds; return what ends them and gives all that was acknowledged."""
    beacon, lock, numbers = fresh_beacon(played.scene), threading.Lock(), count(1 + made(workshop))
    until(lambda: has_read(cluster, beacon))

    def make() -> list[bytes]:
        with lock:
            return [workshop.build(next(numbers), beacon) for _ in range(BATCH)]

    with NodeClient(next(iter(cluster.running))) as node:
        first = make()
        assert [answer["code"] for answer in node.submit(first)] == [None] * BATCH
    senders = [Sender(cluster=cluster, make=make) for _ in range(2)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()

    def ended() -> list[bytes]:
        for sender in senders:
            sender.stopping.set()
        for thread in threads:
            thread.join()
        assert [each for sender in senders for each in sender.refused] == []
        return first + [each for sender in senders for each in sender.sent]

    yield ended
    for sender in senders:
        sender.stopping.set()
    for thread in threads:
        thread.join()


def has_read(cluster: Cluster, beacon: Record) -> bool:
    """Return whether the index that the processes share knows a record."""
    address = f"{next(iter(cluster.running))}/v1/logs/{beacon.log}/records/{beacon.seq}"
    return not httpx.get(address).is_error


def made(workshop: Workshop) -> int:
    """Return how many units the chain gave to the lane."""
    home = workshop.operator.party.home
    home.indexing.follow()
    with home.store.reading() as view:
        records = view.facts.each(RecordFact, workshop.operator.log)
    return sum(
        grant.n
        for fact in records
        for grant in fact.record.grants
        if grant.lane == workshop.lane and not grant.is_refused
    )


def check(cluster: Cluster, workshop: Workshop, before: int, sent: Sequence[bytes]) -> None:
    """Apply the oracle: each once, none lost, none doubled, and ``fsck`` clean."""
    with NodeClient(next(iter(cluster.running))) as node:
        digests = [envelope_digest(envelope) for envelope in sent]
        until(lambda: made(workshop) >= before + len(sent))
        found = [node.build(digest) for digest in digests]
    assert {build["state"] for build in found} == {"final"}
    assert len({build["index"] for build in found}) == len(sent)
    assert {build["unit"] for build in found} == set(range(before + 1, before + len(sent) + 1))
    assert made(workshop) == before + len(sent)
    settings = workshop.operator.party.home.settings
    until(lambda: differences(settings) == [])


def differences(settings: Settings) -> list[str]:
    opened = open_fsck(settings, open_seconds=0)
    try:
        return [f"{error.code}: {error.message}" for error in opened.differences()]
    finally:
        opened.close()


def owner(settings: Settings) -> int:
    """Return the process that signs with the writer's key now, 0 for none."""
    assert isinstance(settings.database, DatabaseUrl)
    engine = open_database(settings.database)
    with reading(engine) as connection:
        owners = [row.owner for row in connection.execute(NONCES.select()) if row.owner]
    engine.dispose()
    return int(owners[0].split()[1]) if owners else 0


def test_killed_writer_is_followed_and_nothing_is_lost_or_doubled(
    cluster: Cluster,
    workshop: Workshop,
    under_load: Callable[[], list[bytes]],
    volume: Callable[[int, int, int], int],
) -> None:
    before = made(workshop)
    for _ in range(volume(1, 5, 200)):
        pids = {process.pid: url for url, process in cluster.running.items()}
        until(lambda pids=pids: owner(cluster.settings) in pids)  # type: ignore[misc]  # bound now
        drawn = made(workshop)
        cluster.kill(pids.get(owner(cluster.settings), next(iter(pids.values()))))
        until(lambda drawn=drawn: made(workshop) > drawn)  # type: ignore[misc]  # bound now
        cluster.start()

    check(cluster, workshop, before, under_load())


def test_processes_restarted_in_turn_lose_and_double_nothing(
    cluster: Cluster,
    workshop: Workshop,
    under_load: Callable[[], list[bytes]],
    volume: Callable[[int, int, int], int],
) -> None:
    before = made(workshop)
    # From two on, every process that began may be gone; each start takes seconds.
    for _ in range(volume(2, 9, 200)):
        cluster.end(next(iter(cluster.running)))
        cluster.start()

    sent = under_load()
    assert sent
    check(cluster, workshop, before, sent)


def test_server_killed_under_load_loses_and_doubles_nothing(
    postgres: Postgres,
    cluster: Cluster,
    workshop: Workshop,
    under_load: Callable[[], list[bytes]],
    volume: Callable[[int, int, int], int],
) -> None:
    before = made(workshop)
    for _ in range(volume(1, 5, 200)):
        time.sleep(0.5)
        postgres.kill()
        postgres.start()
        drawn = made(workshop)
        until(lambda drawn=drawn: made(workshop) > drawn)  # type: ignore[misc]  # bound now

    assert all(process.poll() is None for process in cluster.running.values())
    check(cluster, workshop, before, under_load())


def test_hosts_share_a_database_and_a_folder_and_nothing_else(
    cluster: Cluster, workshop: Workshop
) -> None:
    log, body = workshop.operator.log, os.urandom(300_000)
    with ExitStack() as stack:
        nodes = [stack.enter_context(NodeClient(url)) for url in list(cluster.running)[:2]]
        put = {"Content-Type": "application/octet-stream"}
        cid = httpx.post(f"{nodes[0].url}/v1/content", content=body, headers=put).json()["cid"]
        shown = [b"".join(node.get_content(cid)) for node in nodes]
        until(lambda: len({checkpoint(node.url, log) for node in nodes}) == 1)

    assert shown == [body, body]
    assert not {path.stat().st_ino for path in cluster.hosts[0].home.rglob("*")} & {
        path.stat().st_ino for path in cluster.hosts[1].home.rglob("*")
    }
    assert not (cluster.hosts[1].home / "node.db").exists()


def checkpoint(url: str, log: int) -> str:
    """Return what a node signs of its log."""
    return httpx.get(f"{url}/log/{log}/checkpoint").text


def test_host_with_other_keys_is_refused(cluster: Cluster, operator: Operator) -> None:
    home = cluster.settings.home.with_name("cluster-odd")
    odd = replace(cluster.settings, home=home, stores=ContentSettings())
    save(odd)
    shutil.copytree(cluster.settings.keys, odd.keys)
    for path in odd.keys.glob("note*"):
        path.unlink()
    guildmark = (sys.executable, "-m", "guildmark")

    ended = ran(*guildmark, "up", "--home", str(odd.home), "--port", "0")
    told = ran(*guildmark, "doctor", "--home", str(odd.home))

    assert ended.returncode != 0
    assert "store.keysDiffer" in ended.stderr
    assert "another key note than this home" in told.stdout
    assert "Only nodes on this machine have what is put into" in told.stdout


def test_no_secret_of_the_database_is_told(cluster: Cluster, postgres: Postgres) -> None:
    said = (cluster.stage.folder / "logs" / "cluster.log").read_text()

    assert said
    assert postgres.password not in said
    assert os.environ.get("GUILDMARK_DATABASE_URL") is None
