"""P7: encrypt a file, address it and hash its plaintext, against what the primitives allow.

Run by its path it is the process whose speed and memory are measured.
"""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.rows import Better, Judged, Metric, Round, Row, Target
from environments import ROOT
from guildmark_ipfs import crypt
from guildmark_ipfs.cid import Cid
from guildmark_ipfs.errors import NotFoundError
from guildmark_ipfs.keys import ContentKey
from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.store import ContentStore
from guildmark_ipfs.unixfs import Builder

_MIB = 1 << 20
_LARGE, _SMALL = 1024, 64
# So often, between the pieces of the file, the primitives alone are measured.
_EVERY, _PIECES = 32, 8
_KEY = b"k" * 32

_SPEED = Metric(
    id="P7",
    text="encrypt 1 GiB, its CID and the SHA-256 of the plaintext",
    unit="MiB/s",
    against="1 / (2 / SHA-256 + 1 / AES-256-GCM), one thread",
    better=Better.HIGHER,
    target=Target(of=Judged.RATIO, bound=0.9),
)
_STORED = Metric(
    id="P7.stored",
    text="the same and the SHA-256 of the ciphertext, which a manifest needs",
    unit="MiB/s",
    against="1 / (2 / SHA-256 + 1 / AES-256-GCM), one thread",
    better=Better.HIGHER,
)
_SLOWER = Metric(
    id="P7.slower",
    text="encrypt 1 GiB, its CID and the SHA-256 of the plaintext",
    unit="MiB/s",
    against="the slower of AES-256-GCM and SHA-256 alone",
    better=Better.HIGHER,
)
_MEMORY = Metric(
    id="P7.memory",
    text="peak memory of a process that encrypts 1 GiB",
    unit="MiB",
    against="one that encrypts 64 MiB",
    target=Target(of=Judged.RATIO, bound=1.05),
)


class KuboMissingError(Exception):
    """There is no Kubo whose address could be compared."""


@dataclass
class _Source:
    """So many mebibytes, equal in every run; the cipher makes each of them another.

    Args:
        left: How many bytes are still to come.
        pause: Called between them, when no thread works on what was read.
    """

    left: int
    pause: Callable[[], None] | None = None
    piece: bytes = bytes(range(256)) * 4096

    def readinto(self, buffer: bytearray | memoryview) -> int:
        if self.pause is not None:
            self.pause()
        size = min(len(buffer), self.left, _MIB)
        buffer[:size] = self.piece[:size]
        self.left -= size
        return size


@dataclass
class _Limit:
    """The primitives alone, one thread, measured in the same moments as what they limit."""

    calls: int = 0
    pieces: int = 0
    sha: float = 0.0
    aes: float = 0.0

    def pause(self) -> None:
        self.calls += 1
        if self.calls % _EVERY == 1:
            self.pieces += _PIECES
            self.sha += _seconds(_hash)
            self.aes += _seconds(_encrypt)

    @property
    def seconds(self) -> float:
        return self.sha + self.aes

    @property
    def rate(self) -> float:
        return self.pieces / (2 * self.sha + self.aes)

    @property
    def slower(self) -> float:
        return self.pieces / max(self.sha, self.aes)


class _Dropping(AddressOnly):
    """Blocks that are addressed and not kept: the disk is not what is measured."""

    def get(self, cid: Cid) -> bytes:
        """Return nothing, since nothing was kept."""
        message = f"Block {cid} was not kept."
        raise NotFoundError(message)

    def has(self, cid: Cid) -> bool:  # noqa: ARG002 - the port's argument
        """Return that nothing was kept."""
        return False

    def pin(self, cid: Cid) -> None:
        """Keep nothing."""


def measure(rounds: int) -> Sequence[Row]:
    """Encrypt 1 GiB and 64 MiB in processes of their own, in each round."""
    expected = _address_by_kubo()
    found = [(_run(_LARGE), _run(_LARGE, "stored"), _run(_SMALL, "stored")) for _ in range(rounds)]
    speed = [_round(large, expected, large["limit"]) for large, _, _ in found]
    stored = [_round(large, expected, large["limit"]) for _, large, _ in found]
    slower = [_round(large, expected, large["slower"]) for large, _, _ in found]
    memory = [
        Round(ours=large["peak"], reference=small["peak"], same_answer=large["cid"] == expected)
        for _, large, small in found
    ]
    return [
        Row(metric=_SPEED, rounds=speed),
        Row(metric=_STORED, rounds=stored),
        Row(metric=_SLOWER, rounds=slower),
        Row(metric=_MEMORY, rounds=memory),
    ]


def _round(large: dict[str, Any], expected: str, reference: float) -> Round:
    return Round(ours=large["ours"], reference=reference, same_answer=large["cid"] == expected)


def _run(mebibytes: int, *words: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, __file__, str(mebibytes), *words]
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _address_by_kubo() -> str:
    """Return the address that Kubo gives to the same encrypted gibibyte."""
    built = ROOT / "build" / "kubo" / "ipfs"
    program = str(built) if built.exists() else shutil.which("ipfs")
    if program is None:
        message = "P7 compares with Kubo's address: run `make system`."
        raise KuboMissingError(message)
    flags = ("--only-hash", "--quieter", "--cid-version=1", "--raw-leaves")
    shape = ("--chunker=size-1048576", "--max-file-links=1024")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "IPFS_PATH": folder}
        init = [program, "init", "--profile=test"]
        subprocess.run(init, env=environment, check=True, capture_output=True)
        with subprocess.Popen(
            [program, "add", *flags, *shape],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as kubo:
            sink = cast("BinaryIO", kubo.stdin)
            key = ContentKey.from_bytes(_KEY)
            crypt.encrypt(_Source(_LARGE * _MIB), sink, key, entropy=bytes)
            sink.close()
            return cast("BinaryIO", kubo.stdout).read().decode().strip()


def _measured(mebibytes: int, *, is_stored: bool) -> dict[str, Any]:
    limit = _Limit()
    source = _Source(mebibytes * _MIB, limit.pause)
    started = time.perf_counter()
    cid = (_store if is_stored else _address)(source)
    seconds = time.perf_counter() - started - limit.seconds
    return {
        "cid": str(cid),
        "ours": mebibytes / seconds,
        "limit": limit.rate,
        "slower": limit.slower,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _address(source: _Source) -> Cid:
    """Do what the limit counts: one encryption, two digests of every byte."""
    builder = Builder(_Dropping())
    crypt.encrypt(source, builder, ContentKey.from_bytes(_KEY), entropy=bytes)
    return builder.finish().cid


def _store(source: _Source) -> Cid:
    """Do what `design register` does, without a disk: one digest more."""
    store = ContentStore(_Dropping())
    return store.put_encrypted(source, ContentKey.from_bytes(_KEY), entropy=bytes).stored.cid


def _seconds(work: Callable[[bytes, int], object]) -> float:
    piece = b"\x5a" * _MIB
    started = time.perf_counter()
    for number in range(_PIECES):
        work(piece, number)
    return time.perf_counter() - started


def _hash(piece: bytes, _number: int) -> object:
    return hashlib.sha256(piece).digest()


def _encrypt(piece: bytes, number: int) -> object:
    return AESGCM(_KEY).encrypt(number.to_bytes(12, "big"), piece, None)


if __name__ == "__main__":
    print(json.dumps(_measured(int(sys.argv[1]), is_stored="stored" in sys.argv[2:])))
