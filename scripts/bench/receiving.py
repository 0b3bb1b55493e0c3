"""P3: builds accepted a second by one core, against the bare check of their signatures."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import coincurve
import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from bench import naive_door
from bench.rows import Better, Judged, Metric, Round, Row, Target
from demo.actors import MACHINE
from demo.cast import MACHINE_KEYS
from demo.making import equip, fresh_beacon, license_design
from demo.scene import Scene, set_scene
from demo.stage import Stage, free_port, open_stage
from demo.telling import Teller
from demo.workshop import Workshop
from environments import ROOT
from guildmark.adapters.store.copying import fill
from guildmark.domain.builds.dsse import Envelope, pre_authentication_encoding
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.log.record import Record
from guildmark.domain.signatures import Algorithm
from guildmark.services.builds.builds import signing_key
from guildmark.settings import DATABASE_FILE, DATABASE_VARIABLE
from postgres_server import Postgres, program

_REQUEST = 100
# While one request waits for the disk, the core has another one to work at.
_SENDERS = 4
_ITEMS, _PEER_ITEMS = 2_000, 500
_TYPE = {"Content-Type": "application/x-ndjson"}
_READY_SECONDS = 30.0
_PAUSE = 0.05
# Nodes gather for so long; what they put on record meanwhile takes its share of the core.
_BATCH_SECONDS = 2.0
_TEXT = "builds accepted by HTTP, 100 a request, by one core: all checks of the door, durable"
_BACKENDS = {"default": "NativeECCBackend", "coincurve": "CoinCurveECCBackend"}
_LIMIT = (0.4, "the bare check of the same signatures, one core")
_PEERS = {
    "P3.x_default": (100, "a FastAPI tutorial with eth-account, a commit a record"),
    "P3.x_coincurve": (15, "the same with coincurve beneath eth-account"),
}

_ON_SERVER = Metric(
    id="P3.postgresql",
    text="the same by secp256k1, the database on a PostgreSQL server on the same core",
    unit="builds/s",
    against="the same node over its own file, a moment before",
    better=Better.HIGHER,
)
_CORES = Metric(
    id="P3.cores",
    text="the same by two processes of one node over that server, each on a core of its own",
    unit="builds/s",
    against="one of them, a moment before, with the server on its core",
    better=Better.HIGHER,
    target=Target(of=Judged.RATIO, bound=1.6),
)


class NotAcceptedError(Exception):
    """A door that did not accept what it was to be measured by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doors:
    """What is measured, each on the same core, and who sends from the other one.

    Args:
        peers: The naive doors, by name.
    """

    scene: Scene
    workshops: Sequence[Workshop]
    beacon: Record
    peers: Mapping[str, str]


def measure(rounds: int) -> Sequence[Row]:
    """Let real nodes accept builds by HTTP, 100 a request, their process bound to one core."""
    folder, cores = ROOT / "build" / "bench" / "receiving", sorted(os.sched_getaffinity(0))
    with open_stage(folder, keep=False) as stage, _peers(folder) as peers:
        doors = _open(stage, {name: url for name, (url, _) in peers.items()}, rounds)
        bind([*stage.processes.values(), *(process for _, process in peers.values())])
        found = [_round(doors, number) for number in range(rounds)]
        alone = [each["P3.secp256k1"].ours for each in found]
        shared = _shared(stage, doors, cores, alone)
    return [*(_row(name, [each[name] for each in found]) for name in found[0]), *shared]


def _shared(
    stage: Stage, doors: _Doors, cores: Sequence[int], alone: Sequence[float]
) -> Sequence[Row]:
    """Move the first node's database onto a server, where there is one, and measure it again.

    The server's processes get the core of the node, too. Then another process of the node gets
    another core, on a machine of two that of who sends, and the server both.
    """
    if program("initdb") is None:
        return []
    server, rounds = Postgres(), len(alone)
    try:
        server.start()
        name = _move(stage, doors, server)
        with stage.node(name) as client:
            _read_of(client.url, doors.beacon)
            bind([stage.processes[name], server.process])
            one = _shared_rates(doors, range(rounds, 2 * rounds), [client.url])
            pin(server.process, cores)
            further, process = stage.start_further(name)
            with further:
                _read_of(further.url, doors.beacon)
                pin(process, cores[-2:][:1])
                urls = [client.url, further.url]
                two = _shared_rates(doors, range(2 * rounds, 3 * rounds), urls)
    finally:
        os.environ.pop(DATABASE_VARIABLE, None)
        server.stop()
    return [_compared(_ON_SERVER, one, alone), _compared(_CORES, two, one)]


def _move(stage: Stage, doors: _Doors, server: Postgres) -> str:
    """Move the first node's database onto a server, start the node again and return its name."""
    operator = doors.workshops[0].operator
    name = f"operator-{list(doors.scene.operators).index(operator) + 1}"
    node, home = stage.processes[name], stage.home(name)
    node.terminate()
    node.wait()
    url = server.empty()
    fill(url, home / DATABASE_FILE)
    (home / "node.json").unlink()
    os.environ[DATABASE_VARIABLE] = url.reveal()
    stage.start_node(name)
    return name


def _shared_rates(doors: _Doors, numbers: Sequence[int], urls: Sequence[str]) -> Sequence[float]:
    workshop = doors.workshops[0]
    return [_accepted(urls, _built(workshop, doors.beacon, number)) for number in numbers]


def _accepted(urls: Sequence[str], envelopes: Sequence[bytes]) -> float:
    """Return how many builds a second processes of one node accept, each as many requests."""
    shares = [_requests(url, envelopes[at :: len(urls)]) for at, url in enumerate(urls)]
    requests = [request for each in zip(*shares, strict=True) for request in each]
    return _sent(requests, senders=_SENDERS * len(urls)) * _REQUEST


def _compared(metric: Metric, ours: Sequence[float], reference: Sequence[float]) -> Row:
    pairs = zip(ours, reference, strict=True)
    return Row(
        metric=metric,
        rounds=[Round(ours=one, reference=other, same_answer=True) for one, other in pairs],
    )


def _open(stage: Stage, peers: Mapping[str, str], rounds: int) -> _Doors:
    scene = set_scene(stage, Teller(), batch_seconds=_BATCH_SECONDS)
    package, lanes = license_design(scene, Teller(), units_a_site=3 * rounds * _ITEMS)
    workshops = equip(scene, package, lanes, Teller())
    return _Doors(scene=scene, workshops=workshops, beacon=read_beacon(scene), peers=peers)


def read_beacon(scene: Scene) -> Record:
    """Return a new beacon that all nodes have read of."""
    beacon = fresh_beacon(scene)
    for node in scene.nodes:
        _read_of(node.url, beacon)
    return beacon


def _read_of(url: str, beacon: Record) -> None:
    """Wait until a node has read of a record."""
    deadline = time.monotonic() + _READY_SECONDS
    while httpx.get(f"{url}/v1/logs/{beacon.log}/records/{beacon.seq}").is_error:
        if time.monotonic() > deadline:
            message = f"{url} has not read of record {beacon.seq} of log {beacon.log}."
            raise NotAcceptedError(message)
        time.sleep(_PAUSE)


def bind(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Give what is measured one core and who measures another, where there are two."""
    client, door = sorted(os.sched_getaffinity(0))[:1], sorted(os.sched_getaffinity(0))[-1:]
    for process in processes:
        pin(process, door)
    os.sched_setaffinity(0, client)


def pin(process: subprocess.Popen[bytes], cores: Sequence[int]) -> None:
    """Let a process, and what it forks from now on, run on some cores alone."""
    for thread in Path(f"/proc/{process.pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def _round(doors: _Doors, number: int) -> Mapping[str, Round]:
    found: dict[str, Round] = {}
    for workshop, algorithm in zip(doors.workshops, MACHINE_KEYS, strict=True):
        envelopes = _built(workshop, doors.beacon, number)
        url = doors.scene.node_of(workshop.operator).url
        bare = _rate(_checks(envelopes, workshop))
        ours = _accepted([url], envelopes)
        found[f"P3.{algorithm.value}"] = Round(ours=ours, reference=bare, same_answer=True)
    ours = found["P3.secp256k1"].ours
    for name, url in doors.peers.items():
        peer = _sent(_naive_requests(url, number))
        found[f"P3.x_{name}"] = Round(ours=ours, reference=peer, same_answer=True)
    return found


def _built(workshop: Workshop, beacon: Record, number: int) -> Sequence[bytes]:
    first = number * _ITEMS + 1
    # Several senders reach the door in no order of theirs, so that no build names its unit.
    numbers = range(first, first + _ITEMS)
    return [workshop.build(each, beacon, names_unit=False) for each in numbers]


def _rate(steps: Sequence[Callable[[], object]]) -> float:
    """Return how many steps a second were done, one after the other."""
    started = time.perf_counter()
    for step in steps:
        step()
    return len(steps) / (time.perf_counter() - started)


def _sent(requests: Sequence[Callable[[], object]], senders: int = _SENDERS) -> float:
    """Return how many requests a second were answered, to several senders at once."""
    with ThreadPoolExecutor(senders) as sending:
        started = time.perf_counter()
        for answered in [sending.submit(request) for request in requests]:
            answered.result()
        return len(requests) / (time.perf_counter() - started)


def _checks(envelopes: Sequence[bytes], workshop: Workshop) -> Sequence[Callable[[], object]]:
    """Return the bare checks of the signatures, as their libraries do them."""
    key = signing_key(workshop.maker.machine_home.keys, MACHINE)
    parsed = [Envelope.parse(data) for data in envelopes]
    signed = [
        (pre_authentication_encoding(one.payload_type, one.payload), one.signatures[0].signature)
        for one in parsed
    ]
    return [partial(_BARE[key.algorithm](key.data), *one) for one in signed]


def _bare_secp256k1(data: bytes) -> Callable[[bytes, bytes], object]:
    key = coincurve.PublicKey(data)
    return lambda said, signature: key.verify(_der(signature), said)


def _bare_p256(data: bytes) -> Callable[[bytes, bytes], object]:
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    ecdsa = ec.ECDSA(hashes.SHA256())
    return lambda said, signature: key.verify(_der(signature), said, ecdsa)


def _bare_ed25519(data: bytes) -> Callable[[bytes, bytes], object]:
    key = ed25519.Ed25519PublicKey.from_public_bytes(data)
    return lambda said, signature: key.verify(signature, said)


_BARE = {
    Algorithm.SECP256K1: _bare_secp256k1,
    Algorithm.P256: _bare_p256,
    Algorithm.ED25519: _bare_ed25519,
}


def _der(signature: bytes) -> bytes:
    r, s = signature[:32], signature[32:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def _requests(url: str, envelopes: Sequence[bytes]) -> Sequence[Callable[[], object]]:
    client = httpx.Client(base_url=url, headers=_TYPE)
    bodies = [
        b"\n".join(envelopes[first : first + _REQUEST])
        for first in range(0, len(envelopes), _REQUEST)
    ]
    return [partial(_send, client, body) for body in bodies]


def _send(client: httpx.Client, body: bytes) -> None:
    answers = client.post("/v1/builds", content=body).json()["answers"]
    if any(answer["reception"] != "accepted" for answer in answers):
        message = f"Not all were accepted; the first answer: {answers[0]}"
        raise NotAcceptedError(message)


def _naive_requests(url: str, number: int) -> Sequence[Callable[[], object]]:
    account = Account.create()
    client = httpx.Client(base_url=url)
    first = number * _PEER_ITEMS
    bodies = [_naive_body(account, each) for each in range(first, first + _PEER_ITEMS)]
    return [partial(_send_naively, client, account.address, body) for body in bodies]


def _naive_body(account: LocalAccount, number: int) -> Mapping[str, object]:
    said = {
        "label": f"part {number}",
        "measurements": "22.20 mm",
        "counter": number,
        **{name: "0x" + sha256(name.encode()).hex() for name in naive_door.DIGESTS},
    }
    signable = encode_typed_data(full_message=naive_door.typed_data(said))
    signed = account.sign_message(signable)
    return {**said, "signature": "0x" + signed.signature.hex()}


def _send_naively(client: httpx.Client, signer: str, body: Mapping[str, object]) -> None:
    answer = client.post("/builds", json=body).json()
    if answer != {"signer": signer}:
        message = f"The peer did not accept: {answer}"
        raise NotAcceptedError(message)


@contextmanager
def _peers(folder: Path) -> Iterator[Mapping[str, tuple[str, subprocess.Popen[bytes]]]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(_peer(folder, name)) for name in _BACKENDS}


@contextmanager
def _peer(folder: Path, name: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "ECC_BACKEND_CLASS": f"eth_keys.backends.{_BACKENDS[name]}",
    }
    command = [sys.executable, naive_door.__file__, str(port), str(folder / f"{name}.db")]
    with subprocess.Popen(command, env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            await_url(url)
            yield url, process
        finally:
            process.terminate()


def await_url(url: str) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _row(name: str, rounds: Sequence[Round]) -> Row:
    bound, against = _PEERS.get(name, _LIMIT)
    return Row(
        metric=Metric(
            id=name,
            text=_TEXT,
            unit="builds/s",
            against=against,
            better=Better.HIGHER,
            target=Target(of=Judged.RATIO, bound=bound),
        ),
        rounds=rounds,
    )
