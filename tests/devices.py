"""Tokens and TPMs that are programs: SoftHSM and swtpm, each with a state of its own."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PIN = "canary-7391-pin"
"""The PIN of every device here; tests look for it where no secret may be."""

_SECONDS = 10.0
_PLACES = ("/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm")


@dataclass(frozen=True)
class SoftToken:
    """A folder of SoftHSM's tokens."""

    folder: Path
    module: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return what tells SoftHSM where its tokens are."""
        return {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def uri(self, label: str, *, token: str = "machines", pin: Path | None = None) -> str:
        """Return the URI of a key, with the file of the right PIN where no other is named."""
        source = pin or self.pin_file
        return f"pkcs11:token={token};object={label}{self.reached(source)}"

    def reached(self, pin: Path | None = None) -> str:
        """Return the part of a URI that says how the token is reached."""
        source = "" if pin is None else f"&pin-source=file:{pin}"
        return f"?module-path={self.module}{source}"

    def run(self, *words: str) -> None:
        """Run SoftHSM's own tool."""
        environment = {**os.environ, **self.environment}
        subprocess.run(
            ["softhsm2-util", *words], env=environment, check=True, capture_output=True, timeout=30
        )


def soft_token(folder: Path, *labels: str) -> SoftToken:
    """Make tokens that have the PIN of this module."""
    module = next(path for place in _PLACES if (path := Path(place) / "libsofthsm2.so").is_file())
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
    )
    token = SoftToken(folder, module)
    token.pin_file.write_text(f"{PIN}\n")
    for label in labels or ("machines",):
        words = ("--init-token", "--free", "--label", label, "--so-pin", "12345678")
        token.run(*words, "--pin", PIN)
    return token


@dataclass
class SoftTpm:
    """A TPM between ``start`` and ``kill``; its state outlives it."""

    folder: Path
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start the program over the state that there is."""
        self._process = _start(self)

    def kill(self) -> None:
        """End it as a fault does, without a word."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        (self.folder / "socket").unlink(missing_ok=True)

    @property
    def tcti(self) -> str:
        return f"swtpm:path={self.folder / 'socket'}"

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def uri(self, handle: int, *, pin: Path | None = None) -> str:
        """Return the URI of a key, with the file of the right PIN where no other is named."""
        source = pin or self.pin_file
        return f"tpm:handle={handle:#x}?tcti={self.tcti}&pin-source=file:{source}"

    def run(self, *words: str) -> str:
        """Run one of the TPM's own tools."""
        command = [*words, "-T", self.tcti]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        return done.stdout


@contextmanager
def soft_tpm(folder: Path) -> Iterator[SoftTpm]:
    """Start a TPM and end it with its state."""
    (folder / "state").mkdir(parents=True)
    tpm = SoftTpm(folder)
    tpm.pin_file.write_text(f"{PIN}\n")
    tpm.start()
    try:
        yield tpm
    finally:
        tpm.kill()


def _start(tpm: SoftTpm) -> "subprocess.Popen[bytes]":
    """Start the program over the state that there is."""
    socket = tpm.folder / "socket"
    process = subprocess.Popen(
        [
            *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={tpm.folder / 'state'}"),
            *("--server", f"type=unixio,path={socket}"),
            *("--ctrl", f"type=unixio,path={socket}.ctrl"),
            *("--flags", "not-need-init,startup-clear"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + _SECONDS
    while not socket.exists():
        assert process.poll() is None, f"swtpm ended with {process.returncode}"
        assert time.monotonic() < deadline, "swtpm did not start in time"
        time.sleep(0.02)
    return process
