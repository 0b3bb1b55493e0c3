"""P8: checking a part without a network, from the start of a process to its end."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data

from bench import naive_door
from bench.rows import Judged, Metric, Round, Row, Target
from environments import ROOT
from guildmark.domain import trust
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.trust import Trust
from guildmark.verify import verify_bundle

sys.path.insert(0, str(ROOT / "tests"))

from fakes.corpus.good import good_cases

_FOLDER = ROOT / "build" / "bench" / "verifying"
# The least of so many starts counts: whatever else the machine does only adds to it.
_STARTS = 5
_WARM = 20
_ANY_AGE = 1 << 40
_CORE = ("statements/", "log/")
_CLI_LIMIT, _BYTES_LIMIT = 400.0, 3_072.0

_BARE = "pass"
_OURS = """
import sys
from pathlib import Path
from guildmark.domain import trust
from guildmark.verify import verify_bundle
bundle, listed = (Path(name).read_bytes() for name in sys.argv[1:])
sys.exit(verify_bundle(bundle, trust.parse(listed)).exit != 0)
"""
_PEER = """
import json, sys
from pathlib import Path
from eth_account import Account
from eth_account.messages import encode_typed_data
said = json.loads(Path(sys.argv[1]).read_text())
signable = encode_typed_data(full_message=said["message"])
signer = Account.recover_message(signable, signature=said["signature"])
sys.exit(signer != said["signer"])
"""

_PROCESS = Metric(
    id="P8",
    text="check a bundle without a network: the library's verifier, whole process",
    unit="ms",
    against="Python that starts and ends",
    target=Target(of=Judged.RATIO, bound=3.5),
)
_RIVAL = Metric(
    id="P8.x_eth_account",
    text="the same",
    unit="ms",
    against="a script that recovers who signed one typed message, with eth-account",
    target=Target(of=Judged.RATIO, bound=0.1),
)
_CLI = Metric(
    id="P8.cli_ms",
    text="guildmark verify FILE --offline, whole process",
    unit="ms",
    against="limit",
    target=Target(of=Judged.OURS, bound=_CLI_LIMIT),
)
_WARMED = Metric(
    id="P8.warm",
    text="check a bundle in a process that did so before",
    unit="ms",
    against="the library's verifier, whole process",
)
_BYTES = Metric(
    id="P8.bytes",
    text="statement, record, entry and path of a bundle",
    unit="B",
    against="limit",
    target=Target(of=Judged.OURS, bound=_BYTES_LIMIT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Script:
    """What a new Python runs, over files that it takes and over files that it must refuse."""

    arguments: Sequence[str]
    good: Sequence[Path] = ()
    bad: Sequence[Path] = ()

    def milliseconds(self) -> float:
        """Return how long a core works at it, over the good files, from its start to its end."""
        return 1000 * min(self._timed() for _ in range(_STARTS))

    def is_right(self) -> bool:
        """Return whether it takes the good files and refuses the bad ones."""
        return self._code(self.good) == 0 and (not self.bad or self._code(self.bad) != 0)

    def _timed(self) -> float:
        before = _children()
        self._code(self.good)
        return _children() - before

    def _code(self, files: Sequence[Path]) -> int:
        # Whoever runs the benchmark may have lists of his own in his home.
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "GUILDMARK_HOME": str(_FOLDER / "home"),
        }
        command = [sys.executable, *self.arguments, *map(str, files)]
        return subprocess.run(command, env=environment, check=False, capture_output=True).returncode


def measure(rounds: int) -> Sequence[Row]:
    """Check one good bundle, made up as the corpus does, again and again."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    bundle, listed = _given()
    scripts = _scripts(bundle, trust.serialise(listed), _signed())
    same = all(script.is_right() for script in scripts.values())
    found = [
        {
            **{name: script.milliseconds() for name, script in scripts.items()},
            "warm": _warm(bundle, listed),
            "bytes": float(core_bytes(bundle)),
            "cli limit": _CLI_LIMIT,
            "bytes limit": _BYTES_LIMIT,
        }
        for _ in range(rounds)
    ]

    def row(metric: Metric, ours: str, reference: str) -> Row:
        compared = [
            Round(ours=one[ours], reference=one[reference], same_answer=same) for one in found
        ]
        return Row(metric=metric, rounds=compared)

    return [
        row(_PROCESS, "library", "bare"),
        row(_RIVAL, "library", "peer"),
        row(_CLI, "cli", "cli limit"),
        row(_WARMED, "warm", "library"),
        row(_BYTES, "bytes", "bytes limit"),
    ]


def core_bytes(bundle: bytes) -> int:
    """Return how many bytes a bundle's statement, record, entry and path are."""
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        return sum(one.file_size for one in archive.infolist() if one.filename.startswith(_CORE))


def _given() -> tuple[bytes, Trust]:
    """Return a good bundle, and a reader to whom it is not too old by its made-up clock."""
    given = next(good_cases())
    if given.trust is None:
        message = f"The case {given.name} has no reader who trusts anybody."
        raise ValueError(message)
    policy = replace(given.trust.policy, max_age=_ANY_AGE)
    return given.bundle, replace(given.trust, policy=policy)


def _scripts(bundle: bytes, listed: bytes, signed: Mapping[str, Any]) -> Mapping[str, _Script]:
    # The last byte of a bundle is one of its sums.
    good, bad = _file("good.zip", bundle), _file("bad.zip", bundle[:-1] + bytes([bundle[-1] ^ 1]))
    trusted = _file("trust.json", listed)
    said = _file("signed.json", json.dumps(signed).encode())
    changed = {**signed, "signer": "0x" + "11" * 20}
    other = _file("other.json", json.dumps(changed).encode())
    cli = ["-m", "guildmark", "verify", "--offline", "--trust", str(trusted)]
    return {
        "bare": _Script(arguments=["-c", _BARE]),
        "library": _Script(arguments=["-c", _OURS], good=[good, trusted], bad=[bad, trusted]),
        "peer": _Script(arguments=["-c", _PEER], good=[said], bad=[other]),
        "cli": _Script(arguments=cli, good=[good], bad=[bad]),
    }


def _file(name: str, data: bytes) -> Path:
    path = _FOLDER / name
    path.write_bytes(data)
    return path


def _signed() -> Mapping[str, Any]:
    """Return what the peer checks: one message about a part, and who signed it."""
    account = Account.from_key(sha256(b"peer"))
    digests = {name: "0x" + sha256(name.encode()).hex() for name in naive_door.DIGESTS}
    said = {"label": "part 1", "measurements": "22.20 mm", "counter": 1, **digests}
    message = naive_door.typed_data(said)
    signature = account.sign_message(encode_typed_data(full_message=message)).signature
    return {"message": message, "signature": "0x" + signature.hex(), "signer": account.address}


def _warm(bundle: bytes, listed: Trust) -> float:
    """Return the milliseconds of one check of many."""
    verify_bundle(bundle, listed)
    started = time.process_time()
    for _ in range(_WARM):
        verify_bundle(bundle, listed)
    return 1000 * (time.process_time() - started) / _WARM


def _children() -> float:
    """Return the seconds that cores worked at processes of this one that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
