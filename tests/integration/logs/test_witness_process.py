"""A real witness beside real nodes: it cosigns, vouches, is killed, and never signs a fork."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from fakes.notes import key as stranger
from guildmark.adapters.peers.witness import WitnessClient
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest, Index, LogNumber
from guildmark.domain.log.checkpoint import Addition, Checkpoint
from guildmark.domain.log.note import Note, NoteKey, NoteKind, sign
from guildmark.domain.log.witness import ForkError, WitnessBehindError
from guildmark.domain.trust import Witness, parse
from guildmark.services.log.publishing import NOTE_KEY
from guildmark.verify import verify_bundle
from stages import Played, restart, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil"), pytest.mark.needs("tlog")]

READER = Path(__file__).parents[3] / "build" / "tlog" / "tlog"
OPERATOR = "operator-1"


def guildmark(*words: object) -> str:
    command = [sys.executable, "-m", "guildmark", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(home: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run the witness of a home and yield its address and process."""
    endpoint = home / "witness.json"
    endpoint.unlink(missing_ok=True)
    command = [sys.executable, "-m", "guildmark", "witness", "run", "--home", str(home)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        until(lambda: endpoint.exists() or process.poll() is not None)
        url = json.loads(endpoint.read_bytes())["url"]
        until(lambda: answers(url))
        yield url, process
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/key").is_success
    except httpx.HTTPError:
        return False


@contextmanager
def asking(played: Played, url: str, key: NoteKey) -> Iterator[None]:
    """Let the first operator's node ask the witness, and leave its settings as they were."""
    file = played.stage.home(OPERATOR) / "guildmark.toml"
    before = file.read_bytes()
    guildmark("witness", "use", url, "--key", key.encode(), "--home", file.parent)
    restart(played.stage, OPERATOR)
    try:
        yield
    finally:
        file.write_bytes(before)
        restart(played.stage, OPERATOR)


@pytest.fixture
def home(played: Played, tmp_path: Path) -> Path:
    """Return a witness's home on the stage's chain, which knows the first operator's log."""
    home = tmp_path / "witness"
    deployment = played.stage.home("chain") / "chain" / "deployment.json"
    guildmark("init", "--home", home, "--deployment", deployment)
    log_key = httpx.get(f"{played.node.url}/log/1/key").text.strip()
    guildmark("witness", "add", log_key, "--home", home)
    return home


def test_a_witness_cosigns_vouches_and_never_signs_a_fork(
    played: Played, home: Path, tmp_path: Path
) -> None:
    shown = json.loads(guildmark("witness", "show", "--home", home, "--json"))
    key = NoteKey.parse(shown["key"])
    with running(home) as (url, process):
        with asking(played, url, key):
            until(lambda: len(checkpoint(played).signatures) == 2)
            signed = checkpoint(played)
            data = bundle_with_note(played)
        process.kill()

    (tmp_path / "checkpoint").write_bytes(signed.encode())
    command = [str(READER), "witnessed", str(tmp_path / "checkpoint"), key.encode()]
    read = subprocess.run(command, capture_output=True, text=True, check=False)
    assert read.stdout.split() == [key.name]
    check_readers(played, data, key)
    check_forks(played, home, signed)


def checkpoint(played: Played) -> Note:
    return Note.parse(httpx.get(f"{played.node.url}/log/1/checkpoint").content)


def bundle_with_note(played: Played) -> bytes:
    log, _, index = played.parts[0].hint.partition(".")
    data = played.node.bundle(LogNumber(int(log)), Index(int(index)))
    assert data is not None
    return data


def check_readers(played: Played, data: bytes, key: NoteKey) -> None:
    """A reader without a node believes the witness that he pins, and nobody else."""
    blind = parse(httpx.get(f"{played.node.url}/.well-known/guildmark-trust.json").content)
    watching = blind.with_witnesses([Witness(key=key.encode())], 1)
    mistaken = blind.with_witnesses([Witness(key=stranger("stranger").encode())], 1)

    reports = [verify_bundle(data, each) for each in (watching, blind, mistaken)]

    assert [report.exit for report in reports] == [0, 23, 23]
    assert [report.checks[0].code for report in reports] == [
        None,
        "verify.blockUnknown",
        "verify.witnessesTooFew",
    ]
    with ZipFile(BytesIO(data)) as archive:
        assert "chain/block.note" in archive.namelist()


def check_forks(played: Played, home: Path, signed: Note) -> None:
    """After a kill -9 the witness still refuses another history and an older one."""
    head = Checkpoint.parse(signed.text)
    keys = played.scene.operators[0].party.home.keys
    own = NoteKey(name=head.origin, public=keys.public_key(NOTE_KEY).value)
    forged = replace(head, root=Digest(sha256(b"another history")))
    text = forged.text()
    made = sign(text, own, lambda data: keys.sign_payload(NOTE_KEY, data))
    note = Note(text=text, signatures=(made,)).encode()
    with running(home) as (url, _), WitnessClient(url) as client:
        key = client.key().of_kind(NoteKind.COSIGNATURE)
        seen = json.loads(guildmark("witness", "show", "--home", home, "--json"))["logs"][0]
        assert seen["records"] == head.size

        with pytest.raises(ForkError):
            client.cosign(Addition(old=head.size, proof=(), checkpoint=note), key)
        with pytest.raises(WitnessBehindError) as caught:
            client.cosign(Addition(old=0, proof=(), checkpoint=note), key)
        again = client.cosign(Addition(old=head.size, proof=(), checkpoint=signed.encode()), key)

    assert caught.value.detail["size"] == head.size
    again.verify(key, signed.text)
